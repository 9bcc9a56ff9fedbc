// The account page, and the password changed by somebody who knows it.
import assert from 'node:assert/strict'
import { gazette } from '../support/gazette.js'
import { journey } from '../support/journey.js'
import { goRound } from '../support/keyboard.js'
import { signInToAccount } from '../support/verbs.js'
import { demo, NEW_PASSWORD } from '../support/world.js'

journey('sr72_ changing the password asks for the one there is', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  await signInToAccount(visitor, companion, ada)
  await visitor.look('account')
  await visitor.open(companion.at('/.well-known/change-password'))
  visitor.at('/account/password')
  await visitor.look('account-password')
  const { names, wrong } = await goRound(visitor.page)
  assert.deepEqual(wrong, [])
  assert.deepEqual(names.slice(0, 5), ['Current password', 'Show password', 'Forgot it?', 'New password', 'Show password'])
  const change = async (current, fresh) => {
    await visitor.secret('Current password').fill(current)
    await visitor.secret('New password').fill(fresh)
    await visitor.press('Change password')
  }
  await change('not her password', NEW_PASSWORD)
  await visitor.look('account-password.wrong-current')
  await change(ada.password, 'short')
  await visitor.look('account-password.refused')
  await change(ada.password, ada.password)
  await visitor.look('account-password.same')
  await change(ada.password, NEW_PASSWORD)
  await visitor.look('account-password.changed')
  await visitor.click('Back to your account')
  visitor.at('/account')
  visitor.pass()
})

journey('where one is signed in: this device is marked, another is signed out, and then every one', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const here = await arrive()
  const there = await arrive()
  await signInToAccount(there, companion, ada)
  await signInToAccount(here, companion, ada)
  await here.look('account.two-devices')
  assert.equal(await here.page.getByText('This device', { exact: true }).count(), 1)
  // As the page without JavaScript and the messages write it, in the visitor's own time zone.
  assert.match(await here.page.locator('time.exact').first().textContent(), /^\d{1,2} [A-Z][a-z]+ \d{4} at \d{2}:\d{2}$/)
  const { wrong } = await goRound(here.page)
  assert.deepEqual(wrong, [])
  await here.follow(() => here.button(/^Sign out ?: /).click())
  here.at('/account')
  await here.look('account.one-signed-out')
  await there.page.reload()
  there.at('/sign-in')
  there.pass()
  // Everywhere takes two presses, so that nobody does it by accident.
  assert.equal(await here.button('Sign out everywhere').isVisible(), false)
  await here.page.locator('summary').click()
  await here.press('Sign out everywhere')
  await here.look('account.signed-out-everywhere')
  await here.open(companion.at('/account'))
  here.at('/sign-in')
  here.pass()
})

journey('which apps have access, and one whose access is removed asks again', async arrive => {
  const { companion, foreign } = await gazette()
  const ada = await companion.person()
  const visitor = await arrive()
  const ask = async () => {
    await visitor.open(`${foreign.url}/sign-in?prompt=consent&scope=${encodeURIComponent('openid email offline_access')}`)
    visitor.pass()
  }
  await ask()
  await visitor.signIn(ada.email, ada.password)
  visitor.pass()
  await visitor.press('Allow')
  visitor.pass()
  await visitor.open(companion.at('/account'))
  await visitor.look('account.with-an-app')
  await visitor.press('Remove access of The Evening Gazette')
  visitor.at('/account')
  await visitor.look('account.app-removed')
  const refreshed = await foreign.token({ grant_type: 'refresh_token', refresh_token: foreign.tokens.refresh_token })
  assert.equal(refreshed.json().error, 'invalid_grant')
  await ask()
  visitor.at('/consent')
  visitor.pass()
})
