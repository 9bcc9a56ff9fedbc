// What the keyboard reaches, in which order, and whether one sees where one is.

/**
 * Goes round once with Tab, from where the focus is. Answers the names of what was focused, in order, and what is wrong
 * with how the focus shows.
 */
export async function goRound(page) {
  const names = [], wrong = []
  if ((await focused(page)).name === '') await page.keyboard.press('Tab')
  const first = await focused(page)
  let at = first
  do {
    names.push(at.name)
    if (!at.isSeen) wrong.push(`nobody sees that “${at.name}” has the focus`)
    if (at.isHidden) wrong.push(`“${at.name}” has the focus where nobody sees it`)
    await page.keyboard.press('Tab')
    at = await focused(page)
    // Past the last one the focus is with the browser itself, and then begins anew.
    if (at.name === '') { await page.keyboard.press('Tab'); at = await focused(page) }
  } while (at.key !== first.key && names.length < 40)
  return { names, wrong }
}

/** What has the focus: its name, and whether that shows. */
export function focused(page) {
  return page.evaluate(() => {
    const at = document.activeElement
    if (!at || at === document.body) return { name: '' }
    const all = [...document.querySelectorAll('*')]
    const look = () => { const s = getComputedStyle(at); return [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow, s.borderColor].join() }
    const style = getComputedStyle(at)
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && !/, 0\)$|\/ 0\)$|^transparent$/.test(style.outlineColor)
    const shadowed = style.boxShadow !== 'none' && at.matches('input')
    const box = at.getBoundingClientRect()
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
    return {
      key: all.indexOf(at),
      name: (at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent).replace(/\s+/g, ' ').trim() || at.tagName,
      isSeen: outlined || shadowed || at.tagName === 'H1',
      isHidden: !top || !(at.contains(top) || top.contains(at)),
      look: look()
    }
  })
}

/** Tab until something of this name has the focus. */
export async function tabTo(page, name) {
  for (let i = 0; i < 40; i++) {
    if ((await focused(page)).name === name) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab never reaches “${name}”`)
}
