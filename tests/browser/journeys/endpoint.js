// The self-hosted endpoint: a site that has nothing but a link to /reset-password.
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { demo } from '../support/world.js'

journey('the self-hosted endpoint leads to the app that the link names', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  await visitor.open(companion.at(`/reset-password?client_id=demo-site&login_hint=${ada.email}`))
  visitor.at('/forgot-password')
  assert.equal(await visitor.field('E-mail or phone').inputValue(), ada.email)
  await visitor.look('forgot-password.with-hint')
  await visitor.resetAndSignIn(companion, ada.email, { see: page => visitor.look(page) })
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
  await visitor.resetAndSignIn(companion, ada.email)
  visitor.at('/account')
  visitor.pass()
})
