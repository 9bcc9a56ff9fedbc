// What is seen of a page, as quickly as Chromium can take it: Playwright's own pictures are packed smaller, which takes twice as long.

const sessions = new WeakMap()

/**
 * A PNG in base64 of what is seen, no more: with a clip Chromium ends what other sessions emulate, and a visitor's phone were none
 * any longer. Whole pages, and parts, are for Playwright's `screenshot`.
 */
export async function seen(page) {
  if (!sessions.has(page)) sessions.set(page, page.context().newCDPSession(page))
  const session = await sessions.get(page)
  const { data } = await session.send('Page.captureScreenshot', { format: 'png', optimizeForSpeed: true })
  return data
}
