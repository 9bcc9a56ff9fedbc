// Without a mouse: what Tab reaches, in which order, that one sees where one is, and the whole way by it.
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { focused, goRound, tabTo } from '../support/keyboard.js'
import { demo, NEW_PASSWORD } from '../support/world.js'

async function round(visitor, ...expected) {
  const { names, wrong } = await goRound(visitor.page)
  assert.deepEqual(wrong, [])
  assert.deepEqual(names, expected)
}

journey('wcag22_2_1_1 by keyboard alone, and wcag22_2_4_7 the focus is seen', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  const { keyboard } = visitor.page
  const enter = () => visitor.follow(() => keyboard.press('Enter'))

  await visitor.open(companion.site)
  await visitor.look('site.home')
  await tabTo(visitor.page, 'Forgot password?')
  await round(visitor, 'Forgot password?', 'Sign in', 'Sign in', 'the demo’s inbox')
  await enter()

  await visitor.look('forgot-password')
  await round(visitor, 'E-mail or phone', 'Send code', 'Back to sign in')
  await keyboard.type(ada.email)
  await enter()

  await visitor.look('code')
  await round(visitor, 'Code', 'Continue', 'use another address')
  await keyboard.type('12')
  await enter()
  // What is wrong is where the next key goes.
  assert.equal((await focused(visitor.page)).name, 'Code')
  await visitor.look('code.malformed')
  await keyboard.type(await companion.nextCode(ada.email))
  await enter()

  await visitor.look('new-password')
  await round(visitor, 'New password', 'Show password', 'Save password', 'Account')
  await keyboard.type('short')
  await keyboard.press('Tab')
  await keyboard.press('Space')
  // Shown, and back in the field.
  assert.equal((await focused(visitor.page)).name, 'New password')
  assert.equal(await visitor.secret('New password').getAttribute('type'), 'text')
  await enter()
  await visitor.look('new-password.refused')
  await keyboard.type(NEW_PASSWORD)
  await tabTo(visitor.page, 'Save password')
  await enter()

  await visitor.look('done')
  // What was done is read out first, and the way on is the next thing.
  assert.equal((await focused(visitor.page)).name, 'Your new password is set')
  await keyboard.press('Tab')
  await round(visitor, 'Sign in')
  await enter()

  await visitor.look('sign-in.after-reset')
  // The address is there already, so that the password is what is left to type.
  await round(visitor, 'Password', 'Show password', 'Forgot password?', 'Sign in', 'E-mail or phone')
  await keyboard.type(NEW_PASSWORD)
  await enter()

  visitor.on(companion.site)
  await visitor.look('site.signed-in.after-reset')
  await tabTo(visitor.page, 'Sign out')
  await enter()
  visitor.on(companion.site)
  visitor.pass()
})
