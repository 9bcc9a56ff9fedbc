// Codes that are mistyped, guessed at, pasted, old, and asked for again.
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { askForCode } from '../support/verbs.js'
import { demo, stage, NEW_PASSWORD } from '../support/world.js'

const other = code => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

journey('sr19_ after five wrong codes the right one is worth nothing, and a new one helps', async arrive => {
  const companion = await stage()
  const ada = await companion.person()
  const visitor = await arrive()
  await visitor.page.clock.install()
  await askForCode(visitor, companion, ada.email)
  const tab = await visitor.newTab()
  await tab.open(visitor.page.url())
  tab.pass()
  const code = await companion.nextCode(ada.email)
  for (const state of ['wrong', 'wrong.again', 'wrong.thrice', 'wrong.last-try']) {
    await visitor.enterCode(other(code))
    visitor.at('/forgot-password/code')
    await visitor.look(`code.${state}`)
    // Said at once to those who listen, told at the field, and ready to be typed anew.
    await visitor.page.getByRole('alert').waitFor()
    assert.equal(await visitor.field('Code').getAttribute('aria-invalid'), 'true')
    assert.equal(await visitor.field('Code').getAttribute('aria-describedby'), 'problem')
    assert.equal(await visitor.field('Code').inputValue(), '')
  }
  await visitor.enterCode(other(code))
  await visitor.look('code.exhausted')
  // There is no field for a code that can't be right.
  assert.equal(await visitor.field('Code').count(), 0)
  // In a tab that knows nothing of it there is one still: the right code is worth nothing there.
  await tab.enterCode(code)
  tab.at('/forgot-password/code')
  await tab.look('code.exhausted')
  await companion.pass(1)
  await visitor.page.clock.fastForward(61_000)
  await visitor.press('Send a new code')
  await visitor.look('code.sent-again')
  await visitor.enterCode(await companion.nextCode(ada.email))
  visitor.at('/forgot-password/password')
  visitor.pass()
})

journey('sr22_ a new code supersedes the one before', async arrive => {
  const companion = await stage()
  const ada = await companion.person()
  const visitor = await arrive()
  await visitor.page.clock.install()
  await askForCode(visitor, companion, ada.email)
  const first = await companion.nextCode(ada.email)
  await companion.pass(1)
  // The button comes by itself once the time is over, and is said to be there.
  assert.equal(await visitor.button('Send a new code').isVisible(), false)
  await visitor.page.clock.fastForward(61_000)
  await visitor.says('You can ask for a new code now.')
  await visitor.look('code.ready-for-another')
  await visitor.press('Send a new code')
  await visitor.look('code.sent-again')
  const second = await companion.nextCode(ada.email)
  assert.notEqual(first, second)
  await visitor.enterCode(first)
  await visitor.look('code.superseded')
  await visitor.enterCode(second)
  visitor.at('/forgot-password/password')
  visitor.pass()
})

journey('a pasted code is taken however it was copied', async arrive => {
  const companion = await demo()
  for (const shape of ['$1 $2', '$1-$2', ' $1$2\n', '\u200b$1\u00a0$2']) {
    const ada = await companion.person()
    const visitor = await arrive({ permissions: ['clipboard-read', 'clipboard-write'] })
    await askForCode(visitor, companion, ada.email)
    const code = await companion.nextCode(ada.email)
    await visitor.page.evaluate(text => navigator.clipboard.writeText(text), code.replace(/(...)(...)/, shape))
    await visitor.field('Code').focus()
    await visitor.page.keyboard.press('Control+V')
    assert.equal(await visitor.field('Code').inputValue(), code)
    await visitor.press('Continue')
    visitor.at('/forgot-password/password')
    visitor.pass()
  }
})

journey('sr17_ a code that is too old, and a new one in its place', async arrive => {
  const companion = await stage()
  const ada = await companion.person()
  const visitor = await arrive()
  await askForCode(visitor, companion, ada.email)
  const old = await companion.nextCode(ada.email)
  await companion.pass(11)
  await visitor.enterCode(old)
  await visitor.look('code.expired')
  await visitor.press('Send a new code')
  await visitor.look('code.sent-again')
  await visitor.enterCode(await companion.nextCode(ada.email))
  visitor.at('/forgot-password/password')
  visitor.pass()
})

journey('a proof that is too old sets no password, and the way begins anew', async arrive => {
  const companion = await stage()
  const ada = await companion.person()
  const visitor = await arrive()
  await askForCode(visitor, companion, ada.email)
  await visitor.enterCode(await companion.nextCode(ada.email))
  visitor.pass()
  await companion.pass(11)
  await visitor.choosePassword(NEW_PASSWORD)
  await visitor.look('proof.expired')
})

journey('a request that waited too long is told so', async arrive => {
  const companion = await stage()
  const ada = await companion.person()
  const visitor = await arrive()
  await visitor.open(`${companion.site}sign-in`)
  visitor.pass()
  await companion.pass(61)
  await visitor.signIn(ada.email, ada.password)
  await visitor.look('error.expired')
})
