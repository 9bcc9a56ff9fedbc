// A look at a page: everything that must hold of every page, in whatever journey it comes up.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { violations } from './axe.js'
import { seen } from './picture.js'
import { screenshots } from './places.js'
import { compare } from './snapshot.js'

const SCHEMES = ['light', 'dark']
const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 860 } }
/** WCAG 1.4.10: what is left of 1280 × 1024 at 400%. */
const REFLOW = { width: 320, height: 256 }

mkdirSync(screenshots, { recursive: true })
const photographed = new Set()
const judged = new Set()

/**
 * Looks at the page in the light and in the dark. `name` is the page and its state, such as `code.wrong`: it names
 * the snapshot and the pictures. Where only the first `part` of a page is the same in every run, the snapshot is of that.
 */
export async function look(page, name, { masks, part = 'body', colorScheme = 'light', javaScriptEnabled, forcedColors, pictures = true } = {}) {
  const wrong = []
  const before = page.viewportSize()
  const html = await page.content()
  // The same page at the same size has been judged before: axe would say the same.
  const known = createHash('sha256').update(`${JSON.stringify(before)} ${steady(html)}`).digest('hex')
  const isNew = !judged.has(known)
  judged.add(known)
  wrong.push(...await basics(page))
  const [trees, whole] = [[], []]
  for (const scheme of SCHEMES) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    trees.push(await page.locator(part).first().ariaSnapshot())
    whole.push(part === 'body' ? trees.at(-1) : await page.locator('body').ariaSnapshot())
    if (!isNew) continue
    // The second time it says the same, as is held below: what is left to go wrong is how it looks.
    const styleOnly = whole.length > 1
    wrong.push(...(await violations(page, { javaScriptEnabled, colorScheme: scheme, forcedColors, styleOnly })).map(line => `${scheme}: ${line}`))
    wrong.push(...await overflows(page, `as it is in the ${scheme}`))
  }
  if (pictures && !photographed.has(name)) {
    photographed.add(name)
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport)
      for (const scheme of SCHEMES) {
        await page.emulateMedia({ colorScheme: scheme })
        const path = join(screenshots, `${name}.${size}.${scheme}.png`)
        if (size === 'phone') await page.screenshot({ path, fullPage: true })
        else writeFileSync(path, await seen(page), 'base64')
      }
    }
    await page.setViewportSize(REFLOW)
    wrong.push(...await overflows(page, 'at 320 pixels'))
    await page.setViewportSize(before)
  }
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
  assert.deepEqual(wrong, [], `${name} at ${page.url()}`)
  assert.equal(whole[1], whole[0], `${name} says the same in the dark`)
  compare(name, trees[0], masks)
}

/** Text without what is drawn anew for each request. */
const steady = html => html.replace(/[\w-]{16,}/g, '…').replace(/\d+/g, '0')

/** A title, a language, one heading of the first level, and a way in for every field. */
async function basics(page) {
  return page.evaluate(() => {
    const wrong = []
    if (!document.title.includes('·') && !document.title) wrong.push('there is no title')
    if (!document.documentElement.lang) wrong.push('there is no language')
    const heads = document.querySelectorAll('h1').length
    if (heads !== 1) wrong.push(`there are ${heads} headings of the first level`)
    const inline = document.querySelector('[style]:not([style=""]),[onclick],[onload],[onsubmit]')
    if (inline) wrong.push(`there is an inline attribute: ${inline.outerHTML.slice(0, 200)}`)
    return wrong
  })
}

/** What sticks out sideways. */
export async function overflows(page, when) {
  return page.evaluate(when => {
    const room = document.documentElement.clientWidth
    const wide = document.documentElement.scrollWidth
    const card = document.querySelector('main').getBoundingClientRect()
    // Beyond the edge of the page, or of its card, where nobody scrolls. Icons hang out by less.
    const hang = 10
    const out = [...document.body.querySelectorAll('*')].filter(one => {
      if (one.closest('.vh')) return false
      const { left, right, width } = one.getBoundingClientRect()
      return width > 0 && (right > room + 0.5 || (one.closest('main') && (left < card.left - hang || right > card.right + hang)))
    })
    if (wide <= room && out.length === 0) return []
    return [`${when} it sticks out sideways (${wide} in ${room}): ${out.map(one => one.outerHTML.slice(0, 80)).join(' | ')}`]
  }, when)
}
