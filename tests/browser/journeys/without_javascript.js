// Without JavaScript every page does its work (SR-83).
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { eventually } from '../support/processes.js'
import { proveAddress, signInToAccount } from '../support/verbs.js'
import { demo, NEW_PASSWORD } from '../support/world.js'

const SCRIPTLESS = { javaScriptEnabled: false, variant: 'without-javascript' }

journey('sr83_ the whole way without JavaScript', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive(SCRIPTLESS)
  await visitor.open(companion.site)
  await visitor.look('site.home')
  await visitor.click('Forgot password?')
  await visitor.look('forgot-password')
  const see = async page => {
    await visitor.look(page)
    if (page === 'code') {
      // The wait stands there in words, and the button beside it.
      await visitor.says(/You can ask for a new code in/)
      await visitor.press('Send a new code')
      await visitor.look('code.too-soon')
      await visitor.enterCode('000 000 0')
      await visitor.look('code.malformed')
    } else if (page === 'new-password') {
      // Nothing stands there that only a script could work.
      assert.equal(await visitor.button('Show password').count(), 0)
      await visitor.choosePassword('short')
      await visitor.look('new-password.refused')
    }
  }
  await visitor.resetAndSignIn(companion, ada.email, { see })
  visitor.on(companion.site)
  await visitor.look('site.signed-in.after-reset')
  await visitor.press('Sign out')
  visitor.on(companion.site)
  visitor.pass()
})

journey('sr83_ the account, its password, and out again without JavaScript', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive(SCRIPTLESS)
  await signInToAccount(visitor, companion, ada)
  await visitor.look('account')
  await visitor.open(companion.at('/account/password'))
  await visitor.look('account-password')
  for (const [current, look] of [['not her password', 'wrong-current'], [ada.password, 'changed']]) {
    await visitor.secret('Current password').fill(current)
    await visitor.secret('New password').fill(NEW_PASSWORD)
    await visitor.press('Change password')
    await visitor.look(`account-password.${look}`)
  }
  await visitor.open(companion.at('/sign-out'))
  await visitor.look('sign-out')
  await visitor.press('Sign out')
  visitor.at('/signed-out')
  await visitor.look('signed-out')
  const changed = { ...ada, password: NEW_PASSWORD }
  const elsewhere = await arrive(SCRIPTLESS)
  for (const one of [elsewhere, visitor]) await signInToAccount(one, companion, changed)
  // Two presses here, too.
  assert.equal(await visitor.button('Sign out everywhere').isVisible(), false)
  await visitor.page.locator('summary').click()
  await visitor.press('Sign out everywhere')
  await visitor.look('account.signed-out-everywhere')
  for (const one of [elsewhere, visitor]) {
    await one.open(companion.at('/account'))
    one.at('/sign-in')
    one.pass()
  }
})

journey('sr59_ sr83_ whoever did not reset the password freezes the account without JavaScript', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive(SCRIPTLESS)
  await proveAddress(visitor, companion, ada.email)
  await visitor.choosePassword(NEW_PASSWORD)
  visitor.at('/forgot-password/done')
  visitor.pass()
  const thiefs = { ...ada, password: NEW_PASSWORD }
  const thief = await arrive(SCRIPTLESS)
  await signInToAccount(thief, companion, thiefs)
  const notice = await eventually('the notice', async () =>
    (await companion.letters(ada.email)).find(letter => letter.kind === 'password-changed'))
  await visitor.open(notice.text.match(/\S+\/not-me\?t=\S+/)[0])
  await visitor.look('not-me')
  await visitor.press('Freeze my account')
  visitor.at('/not-me/frozen')
  await visitor.look('not-me.frozen')
  await thief.open(companion.at('/account'))
  thief.at('/sign-in')
  thief.pass()
  await thief.signIn(thiefs.email, thiefs.password)
  thief.at('/sign-in')
  await thief.says(/password don’t match/)
  thief.pass()
})
