// The same way in every shape that a page may take: dark, small, enlarged, with the reader's own spacing, colours and
// movement.
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { overflows } from '../support/look.js'
import { PHONE } from '../support/visitor.js'
import { demo } from '../support/world.js'

/** The whole way; `judge` says what is wrong with each page. */
async function walk(visitor, judge) {
  const companion = await demo()
  const ada = await companion.person()
  const page = async name => {
    await visitor.look(name)
    assert.deepEqual(await judge(visitor.page), [], name)
  }
  await visitor.open(companion.site)
  await page('site.home')
  await visitor.click('Forgot password?')
  await page('forgot-password')
  await visitor.field('E-mail or phone').fill('nobody, nowhere')
  await visitor.press('Send code')
  await page('forgot-password.malformed')
  const see = async name => {
    await page(name)
    if (name === 'code') {
      await visitor.enterCode('12')
      await page('code.malformed')
    } else if (name === 'new-password') {
      await visitor.choosePassword('short')
      await page('new-password.refused')
    }
  }
  await visitor.resetAndSignIn(companion, ada.email, { see })
  await page('site.signed-in.after-reset')
  await visitor.open(companion.at('/account'))
  visitor.pass()
  assert.deepEqual(await judge(visitor.page), [], 'account')
  await visitor.open(companion.at('/account/password'))
  await page('account-password')
}

journey('in the dark every page is dark', async arrive => {
  const visitor = await arrive({ colorScheme: 'dark' })
  await walk(visitor, page => page.evaluate(() => {
    const brightness = color => {
      const paper = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
      paper.fillStyle = color
      paper.fillRect(0, 0, 1, 1)
      const [r, g, b] = paper.getImageData(0, 0, 1, 1).data
      return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255
    }
    const { backgroundColor, color } = getComputedStyle(document.body)
    return brightness(backgroundColor) < 0.2 && brightness(color) > 0.7 ? [] : [`${color} on ${backgroundColor}`]
  }))
})

journey('wcag22_1_4_10 on a phone, and on the smallest one, nothing scrolls sideways', async arrive => {
  for (const viewport of [PHONE, { width: 320, height: 568 }]) {
    const visitor = await arrive({ viewport, isMobile: true, hasTouch: true })
    await walk(visitor, page => overflows(page, `at ${viewport.width} pixels`))
  }
})

journey('wcag22_1_4_10 at 400% nothing scrolls sideways', async arrive => {
  const visitor = await arrive({ viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 })
  await walk(visitor, page => overflows(page, 'at 400%'))
})

journey('wcag22_1_4_4 with letters twice as large, and wcag22_1_4_12 with the reader’s own spacing, nothing is lost', async arrive => {
  const visitor = await arrive({ viewport: { width: 640, height: 800 } })
  await walk(visitor, async page => {
    const wrong = []
    for (const [what, rule] of [
      ['with letters twice as large', 'html{font-size:200%!important}'],
      ['with more space', '*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}p{margin-bottom:2em!important}']
    ]) {
      // A sheet of the reader's own, which no policy of a page forbids.
      await page.evaluate(rule => {
        const sheet = new CSSStyleSheet()
        sheet.replaceSync(rule)
        document.adoptedStyleSheets = [sheet]
      }, rule)
      wrong.push(...await overflows(page, what), ...await cut(page, what))
      await page.evaluate(() => { document.adoptedStyleSheets = [] })
    }
    return wrong
  })
})

/** Text that is cut off by its own box. */
const cut = (page, when) => page.evaluate(when => [...document.body.querySelectorAll('button,a,label,h1,p,li,dt,dd')]
  .filter(one => !one.closest('.vh') && getComputedStyle(one).overflow !== 'visible' && (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1))
  .map(one => `${when} it is cut: ${one.outerHTML.slice(0, 80)}`), when)

journey('in the reader’s own colours, and with movement', async arrive => {
  const visitor = await arrive({ forcedColors: 'active', reducedMotion: 'no-preference', variant: 'forced-colors' })
  await walk(visitor, async () => [])
})
