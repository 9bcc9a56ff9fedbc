// The way of the demo: forgotten at the shop, reset by e-mail, signed in at the shop.
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { demo } from '../support/world.js'

journey('by e-mail, from the shop and back to it', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  await visitor.open(companion.site)
  await visitor.look('site.home')
  await visitor.click('Forgot password?')
  visitor.on(companion.url)
  visitor.at('/forgot-password')
  await visitor.look('forgot-password')
  await visitor.resetAndSignIn(companion, ada.email, { see: page => visitor.look(page) })
  visitor.on(companion.site)
  await visitor.look('site.signed-in.after-reset')
  await visitor.says('Hello, Ada Lovelace.')
  // The password that was forgotten is worth nothing any more, and she was told.
  const told = await companion.letters(ada.email)
  assert.deepEqual(told.map(letter => letter.kind), ['password-changed', 'reset-code'])
})

journey('an ordinary sign-in at the shop, and out again', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  await visitor.open(companion.site)
  visitor.pass()
  await visitor.open(`${companion.site}/sign-in`)
  visitor.at('/sign-in')
  await visitor.look('sign-in')
  await visitor.signIn(ada.email, 'not her password')
  await visitor.look('sign-in.wrong')
  assert.equal(await visitor.field('E-mail or phone').inputValue(), ada.email)
  assert.equal(await visitor.secret('Password').inputValue(), '')
  await visitor.secret('Password').fill(ada.password)
  await visitor.press('Sign in')
  visitor.on(companion.site)
  await visitor.look('site.signed-in')
  await visitor.press('Sign out')
  visitor.on(companion.site)
  await visitor.look('site.home')
  // Signed out at the companion too: it asks again.
  await visitor.open(`${companion.site}/sign-in`)
  visitor.at('/sign-in')
  visitor.pass()
})

journey('the demo’s own pages: where everything is, and the messages', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  await visitor.open(companion.at('/'))
  await visitor.look('demo-welcome')
  const inbox = await visitor.newTab()
  await inbox.open(companion.at('/dev/inbox'))
  inbox.pass()
  // A message comes in by itself.
  await visitor.open(companion.at('/forgot-password'))
  visitor.pass()
  await visitor.askReset(ada.email)
  visitor.pass()
  const code = await companion.nextCode(ada.email)
  await inbox.says(code)
  await inbox.look('dev-inbox', { part: 'article' })
})
