// The self-hosted endpoint: a site that has nothing but a link to /reset-password.
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { demo, NEW_PASSWORD } from '../support/world.js'

journey('the self-hosted endpoint leads to the app that the link names', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  await visitor.open(companion.at(`/reset-password?client_id=demo-site&login_hint=${ada.email}`))
  visitor.at('/forgot-password')
  assert.equal(await visitor.field('E-mail or phone').inputValue(), ada.email)
  await visitor.look('forgot-password.with-hint')
  await visitor.press('Send code')
  await visitor.look('code')
  await visitor.enterCode(await companion.nextCode(ada.email))
  await visitor.look('new-password')
  await visitor.choosePassword(NEW_PASSWORD)
  await visitor.look('done')
  await visitor.click('Sign in')
  await visitor.look('sign-in.after-reset')
  await visitor.signIn(ada.email, NEW_PASSWORD)
  // Over the callback and the app's own sign-in, which the new session answers without asking again.
  visitor.on(companion.site)
  await visitor.says('Hello, Ada Lovelace.')
  await visitor.look('site.signed-in')
})

journey('the self-hosted endpoint without an app ends on the account page', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  await visitor.open(companion.at('/reset-password'))
  await visitor.look('forgot-password')
  await visitor.askReset(ada.email)
  visitor.pass()
  await visitor.enterCode(await companion.nextCode(ada.email))
  visitor.pass()
  await visitor.choosePassword(NEW_PASSWORD)
  visitor.pass()
  await visitor.click('Sign in')
  visitor.pass()
  await visitor.signIn(ada.email, NEW_PASSWORD)
  visitor.at('/account')
  visitor.pass()
})
