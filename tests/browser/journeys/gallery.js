// Every page in every state, those too that no journey comes by.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { browser } from '../support/browser.js'
import { look, overflows } from '../support/look.js'
import { gallery } from '../support/places.js'
import { DESKTOP } from '../support/visitor.js'

// axe takes one processor; the machines that this runs on have two.
const AT_ONCE = 2

test('wcag22 every page in every state is accessible in the light and in the dark, and keeps to its width', { concurrency: AT_ONCE }, async t => {
  assert.ok(existsSync(gallery), `${gallery} is not there: KEYBACK_GALLERY=$PWD/target/gallery cargo test -p keyback-companion views writes it`)
  // Mails are no pages; the brand colours differ in what the tests of the theme calculate.
  const files = readdirSync(gallery).filter(file => file.endsWith('.html') && !/^(mail|yellow|black|green)\./.test(file)).sort()
  assert.ok(files.length > 100, `there are only ${files.length} pages in ${gallery}`)
  const shared = files.values()
  await Promise.all(Array.from({ length: AT_ONCE }, () => walk(t, shared)))
})

// Looks at one page after the other, until those who walk beside have taken the rest.
async function walk(t, files) {
  const context = await (await browser()).newContext({ viewport: DESKTOP, reducedMotion: 'reduce' })
  const page = await context.newPage()
  await page.route('**', route => route.fulfill({ status: 200, contentType: 'image/svg+xml', body: '<svg xmlns="http://www.w3.org/2000/svg"/>' }))
  for (const file of files) {
    const name = file.slice(0, -'.html'.length)
    await t.test(name, { timeout: 120_000 }, async () => {
      const body = readFileSync(join(gallery, file), 'utf8')
      const url = `http://gallery.keyback.test/${file}`
      // This one's script leaves it at once.
      const headers = name.includes('send-back.') ? { 'content-security-policy': "script-src 'none'" } : {}
      await page.route(url, route => route.fulfill({ body, contentType: 'text/html; charset=utf-8', headers }))
      await page.goto(url)
      // From right to left the words are the same, and so is what axe says of them; the room they take may not be.
      if (name.startsWith('rtl.')) {
        await page.setViewportSize({ width: 320, height: 568 })
        const wrong = await overflows(page, 'at 320 pixels')
        await page.setViewportSize(DESKTOP)
        assert.deepEqual(wrong, [])
      } else await look(page, `gallery.${name}`)
    })
  }
  await context.close()
}
