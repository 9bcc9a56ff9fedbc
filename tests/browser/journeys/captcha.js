// A captcha before a code is sent: its script runs under our policy, and who has no script waits a little (SR-13).
import assert from 'node:assert/strict'
import { captchaProvider, TOKEN_FIELD } from '../support/captcha.js'
import { journey } from '../support/journey.js'
import { freePort, keep, serve } from '../support/world.js'

let world
/** One companion for all, whose provider the journeys move: they come one after another. */
const withCaptcha = () => (world ??= begin())

async function begin() {
  const provider = keep(await captchaProvider())
  const port = await freePort()
  const companion = await serve({
    publicUrl: `http://localhost:${port}`, port,
    more: `[branding]\nname = "Larkspur Books"\n[email]\nconnector = "inbox"\n[sms]\nconnector = "inbox"\n[reset]\nresend_cooldown = "1s"\n[limits]\nfactor = 100\n${provider.config}`
  })
  return { companion, provider }
}

/** Ticks the box, and waits for what the script writes into the form. */
async function tick(visitor) {
  await visitor.page.frameLocator('iframe[title=Captcha]').getByRole('checkbox', { name: 'I am no robot' }).check()
  await visitor.page.waitForFunction(name => document.getElementsByName(name)[0].value !== '', TOKEN_FIELD)
}

/** The box stands there: no page is looked at half made. */
const stands = visitor => visitor.page.frameLocator('iframe[title=Captcha]').getByText('I am no robot').waitFor()

journey('sr13_ the box of a captcha is allowed, answered and verified', async arrive => {
  const { companion, provider } = await withCaptcha()
  const ada = await companion.person()
  const visitor = await arrive()
  await visitor.open(companion.at('/reset-password'))
  await stands(visitor)
  await visitor.look('forgot-password.captcha')
  // What the provider does not believe is asked once more, with what was typed.
  provider.says = { success: false }
  await visitor.page.locator('#identifier').fill(ada.email)
  await tick(visitor)
  await visitor.press('Send code')
  await visitor.says('That check didn’t go through')
  await stands(visitor)
  await visitor.look('forgot-password.captcha.not-verified')
  provider.says = {}
  await tick(visitor)
  await visitor.press('Send code')
  visitor.at('/forgot-password/code')
  assert.equal(provider.verified.length, 2)
  await stands(visitor)
  await visitor.page.locator('.clock').waitFor({ state: 'hidden' })
  await visitor.look('code.captcha')
  await companion.nextCode(ada.email)
  // Another code has a box of its own.
  await tick(visitor)
  await visitor.press('Send a new code')
  await visitor.says('A new code is on its way')
  visitor.pass()
  assert.equal(provider.verified.length, 3)
  await visitor.enterCode(await companion.nextCode(ada.email))
  visitor.at('/forgot-password/password')
  visitor.pass()
})

journey('sr13_ without JavaScript there is no box, and the code comes later', async arrive => {
  const { companion, provider } = await withCaptcha()
  const verified = provider.verified.length
  const ada = await companion.person()
  const visitor = await arrive({ javaScriptEnabled: false })
  await visitor.open(companion.at('/reset-password'))
  await visitor.page.locator('noscript p', { hasText: 'Without JavaScript, the code comes a few minutes later.' }).waitFor()
  await visitor.look('forgot-password.captcha.without-javascript')
  await visitor.askReset(ada.email)
  await visitor.says('Without the check, the code comes a few minutes later.')
  await visitor.look('code.captcha.without-javascript')
  assert.equal((await companion.letters(ada.email)).length, 0)
  await visitor.enterCode(await companion.nextCode(ada.email))
  visitor.at('/forgot-password/password')
  visitor.pass()
  assert.equal(provider.verified.length, verified)
})
