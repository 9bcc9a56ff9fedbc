// Out again: at the companion's own page, and from an app (RP-Initiated Logout 1.0).
import assert from 'node:assert/strict'
import { gazette } from '../support/gazette.js'
import { journey } from '../support/journey.js'
import { goRound } from '../support/keyboard.js'
import { signInToAccount } from '../support/verbs.js'
import { demo } from '../support/world.js'

journey('signing out at the companion asks once, and staying is as easy', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  await signInToAccount(visitor, companion, ada)
  await visitor.open(companion.at('/sign-out'))
  await visitor.look('sign-out')
  const { names, wrong } = await goRound(visitor.page)
  assert.deepEqual(wrong, [])
  assert.deepEqual(names.slice(0, 3), ['Sign out of Larkspur Books?', 'Sign out', 'No, stay signed in'])
  await visitor.click('No, stay signed in')
  visitor.at('/account')
  visitor.pass()
  await visitor.open(companion.at('/sign-out'))
  visitor.pass()
  await visitor.press('Sign out')
  visitor.at('/signed-out')
  await visitor.look('signed-out')
  // Back to the account from memory: nobody is signed in any more.
  await visitor.open(companion.at('/account'))
  visitor.at('/sign-in')
  await visitor.look('sign-in.account')
})

journey('rp_initiated_logout_2 with a hint an app’s sign-out leads straight back, without one it is asked', async arrive => {
  const { companion, own } = await gazette()
  const ada = await companion.person()
  const visitor = await arrive()
  const signIn = async () => {
    await visitor.open(`${own.url}/sign-in`)
    visitor.pass()
    await visitor.signIn(ada.email, ada.password)
    visitor.on(own.url)
    await visitor.says('Signed in')
    visitor.pass()
  }
  const end = query => visitor.open(`${own.issuer}/session/end?${new URLSearchParams(query)}`)
  await signIn()
  await end({ id_token_hint: own.tokens.id_token, post_logout_redirect_uri: `${own.url}/`, state: 'kept' })
  visitor.on(own.url)
  assert.equal(new URL(visitor.page.url()).searchParams.get('state'), 'kept')
  visitor.pass()
  await signIn()
  await end({ client_id: 'shop', post_logout_redirect_uri: `${own.url}/`, state: 'kept' })
  visitor.on(companion.url)
  await visitor.look('sign-out.asked-by-an-app')
  await visitor.press('Sign out')
  visitor.on(own.url)
  assert.equal(new URL(visitor.page.url()).searchParams.get('state'), 'kept')
  visitor.pass()
  // Where the app names no address, the page that says so leads back to it.
  await signIn()
  await end({ id_token_hint: own.tokens.id_token })
  visitor.on(companion.url)
  await visitor.look('signed-out.by-an-app')
  await visitor.click('Back to Larkspur Books')
  visitor.on(own.url)
  visitor.pass()
  // Where nobody registered, nobody is sent.
  await end({ client_id: 'shop', post_logout_redirect_uri: `${own.url}/elsewhere` })
  visitor.on(companion.url)
  await visitor.look('error.unknown-post-logout-uri')
})
