// Pictures of a page, as quick as Chromium can take them: Playwright's own are packed smaller, which takes twice as long.

const sessions = new WeakMap()
const sessionOf = page => {
  if (!sessions.has(page)) sessions.set(page, page.context().newCDPSession(page))
  return sessions.get(page)
}

/** A PNG in base64, of what is seen, or of an `area` of the page. */
export async function picture(page, area) {
  const beyond = area && { captureBeyondViewport: true, clip: { ...area, scale: 1 } }
  const { data } = await (await sessionOf(page)).send('Page.captureScreenshot', { format: 'png', optimizeForSpeed: true, ...beyond })
  return data
}

/** The area of the whole page. */
export async function extent(page) {
  return (await (await sessionOf(page)).send('Page.getLayoutMetrics')).cssContentSize
}
