// axe, with every rule but those for AAA: WCAG 2.2 A and AA, best practices, and its experiments. What a style can change is asked
// for again in the dark.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import axe from 'axe-core'

const AAA = /^wcag2\d?aaa$/
const rulesOf = belongs => Object.fromEntries(axe.getRules().map(({ ruleId, tags }) =>
  [ruleId, { enabled: !tags.some(tag => AAA.test(tag)) && belongs(tags, ruleId) }]))
const ALL = rulesOf(() => true)
/** Those of them that look at colours, sizes, places, or at what can be seen. */
const LOOKING = ['aria-hidden-focus', 'label-content-name-mismatch', 'p-as-heading', 'region', 'scrollable-region-focusable', 'skip-link', 'target-size']
// A name that axe has no longer would leave its rule out of the dark unseen.
assert.deepEqual(LOOKING.filter(id => !(id in ALL)), [])
const OF_STYLE = rulesOf((tags, id) => tags.includes('cat.color') || LOOKING.includes(id))
/** Less than half of what `axe.source` is: it is sent to every page, and read there. */
const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe leaves to people: text over a gradient, single letters, empty fields. It is measured instead. */
const MEASURED = ['bgGradient', 'emptyValue', 'shortTextContent']

/**
 * What is wrong on the page as it stands, one line each. What can't be decided counts too. axe is a script: for a
 * visitor without JavaScript it looks at a twin of the page, in which the page's own scripts don't run either. Forced
 * colours are the reader's own, and so is their contrast. Where the tree is known to be sound, `styleOnly` asks for what
 * else a style can change.
 */
export async function violations(page, { javaScriptEnabled = true, colorScheme, forcedColors, styleOnly } = {}) {
  if (!javaScriptEnabled) return withTwin(page, colorScheme, twin => violations(twin, { styleOnly }))
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(SOURCE)
  const rules = styleOnly ? OF_STYLE : ALL
  const { violated, undecided } = await page.evaluate(judge, { ...rules, ...forcedColors && { 'color-contrast': { enabled: false } } })
  const left = undecided.map(one => one.keys.some(key => MEASURED.includes(key)))
  const contrasts = await measure(page, undecided.filter((_, i) => left[i]).map(one => one.at))
  return [
    ...violated.map(({ id, at, why }) => `violates ${id} at ${at}: ${why}`),
    ...undecided.flatMap(({ id, at, why }, i) => {
      const { contrast, least } = left[i] ? contrasts.shift() : {}
      return contrast >= least ? [] : [`undecided ${id} at ${at}: ${why}${contrast ? `, measured as ${contrast}` : ''}`]
    })
  ]
}

const twins = new WeakMap()

async function withTwin(page, colorScheme, act) {
  if (!twins.has(page)) {
    const context = await page.context().browser().newContext({ reducedMotion: 'reduce' })
    page.once('close', () => context.close())
    twins.set(page, await context.newPage())
  }
  const twin = twins.get(page)
  const body = await page.content()
  await twin.unrouteAll()
  await twin.route('**', route => route.fulfill({ body, contentType: 'text/html; charset=utf-8', headers: { 'content-security-policy': "script-src 'none'" } }))
  await twin.setViewportSize(page.viewportSize())
  await twin.emulateMedia({ colorScheme })
  await twin.goto(page.url())
  return act(twin)
}

/** Runs in the page. */
async function judge(rules) {
  const found = await axe.run(document, { rules, resultTypes: ['violations', 'incomplete'] })
  const tell = list => list.nodes.map(node => {
    const checks = [...node.any, ...node.all, ...node.none]
    return { id: list.id, at: node.target.join(' '), why: checks.map(check => check.message).join('; '), keys: checks.map(check => check.data?.messageKey) }
  })
  return {
    violated: found.violations.flatMap(tell),
    // Hidden things are looked at on the pages that show them. Frames are others' pages: ours have none but a captcha's.
    undecided: found.incomplete.filter(list => !['hidden-content', 'frame-tested'].includes(list.id)).flatMap(tell)
  }
}

/**
 * The contrast of texts with what really lies under them: a picture is taken without any text. A tenth of what lies under
 * one may be borders and lines.
 */
async function measure(page, selectors) {
  if (selectors.length === 0) return []
  const texts = await page.evaluate(selectors => {
    const texts = selectors.map(selector => {
      const element = document.querySelector(selector)
      const { color, fontSize, fontWeight } = getComputedStyle(element)
      const large = parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && fontWeight >= 700)
      const { x, y, width, height } = element.getBoundingClientRect()
      return { color, least: large ? 3 : 4.5, box: [x + scrollX, y + scrollY, width, height].map(Math.round) }
    })
    const sheet = new CSSStyleSheet()
    sheet.replaceSync('*{color:transparent!important;transition:none!important}')
    document.adoptedStyleSheets = [sheet]
    return texts
  }, selectors)
  const area = around(texts.map(({ box }) => box))
  const png = (await page.screenshot({ fullPage: true, clip: area, scale: 'css' })).toString('base64')
  return page.evaluate(async ({ png, texts, area }) => {
    document.adoptedStyleSheets = []
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(png), byte => byte.charCodeAt(0))]))
    const paper = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d', { willReadFrequently: true })
    // WCAG 2.2, "relative luminance" and "contrast ratio".
    const linear = Array.from({ length: 256 }, (_, value) => value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)
    const luminance = ([r, g, b]) => 0.2126 * linear[r] + 0.7152 * linear[g] + 0.0722 * linear[b]
    return texts.map(({ color, least, box }) => {
      paper.fillStyle = color
      paper.fillRect(0, 0, 1, 1)
      const text = luminance(paper.getImageData(0, 0, 1, 1).data)
      paper.drawImage(bitmap, 0, 0)
      const [x, y, width, height] = box
      const { data } = paper.getImageData(x - area.x, y - area.y, width, height)
      const ratios = []
      for (let i = 0; i < data.length; i += 4) {
        const ground = luminance(data.subarray(i, i + 3))
        ratios.push((Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05))
      }
      return { contrast: ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 10)], least }
    })
  }, { png, texts, area })
}

/** The smallest part of the page that holds them all. */
function around(boxes) {
  const [x, y] = [0, 1].map(axis => Math.min(...boxes.map(box => box[axis])))
  const [right, bottom] = [0, 1].map(axis => Math.max(...boxes.map(box => box[axis] + box[axis + 2])))
  return { x, y, width: right - x, height: bottom - y }
}
