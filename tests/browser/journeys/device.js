// A device without a browser is signed in from one that has it (RFC 8628).
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { goRound } from '../support/keyboard.js'
import { ask } from '../support/relying_party.js'
import { PHONE } from '../support/visitor.js'
import { demo } from '../support/world.js'

const client_id = 'demo-cli'
const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'

/** A device that waits: `poll` asks whether it may go on. */
async function device(companion) {
  const begun = await ask(companion.at('/oidc/device/auth'), { method: 'POST', form: { client_id, scope: 'openid email offline_access' } })
  assert.equal(begun.status, 200, begun.text)
  const { device_code, user_code, verification_uri, verification_uri_complete } = begun.json()
  const poll = async () => (await ask(companion.at('/oidc/token'), { method: 'POST', form: { client_id, grant_type, device_code } })).json()
  return { user_code, verification_uri, verification_uri_complete, poll }
}

journey('rfc8628_3_3 the code is typed, the person signs in, and allows', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const waiting = await device(companion)
  assert.equal((await waiting.poll()).error, 'authorization_pending')
  const visitor = await arrive()
  await visitor.open(waiting.verification_uri)
  visitor.at('/device')
  await visitor.look('device')
  const { names, wrong } = await goRound(visitor.page)
  assert.deepEqual(wrong, [])
  assert.deepEqual(names.slice(0, 2), ['Code', 'Continue'])
  for (const [state, text] of [['malformed', 'AEIOU'], ['unknown', 'BBBB-BBBB']]) {
    await visitor.field('Code').fill(text)
    await visitor.press('Continue')
    await visitor.page.getByRole('alert').waitFor()
    assert.equal(await visitor.field('Code').getAttribute('aria-describedby'), 'problem')
    await visitor.look(`device.${state}`)
  }
  // However it is written (RFC 8628 6.1).
  await visitor.field('Code').fill(waiting.user_code.toLowerCase().replace('-', ' '))
  await visitor.press('Continue')
  visitor.at('/sign-in')
  await visitor.look('device.sign-in')
  await visitor.signIn(ada.email, ada.password)
  visitor.at('/device/confirm')
  await visitor.look('device-confirm')
  assert.deepEqual((await goRound(visitor.page)).names.slice(0, 4), ['Sign in on your device?', 'Not you?', 'Don’t allow', 'Allow'])
  await visitor.press('Allow')
  visitor.at('/device/done')
  await visitor.look('device-done')
  const tokens = await waiting.poll()
  assert.ok(tokens.id_token && tokens.refresh_token, JSON.stringify(tokens))
  // Used once: back, and the code again.
  await visitor.open(waiting.verification_uri_complete)
  visitor.pass()
  await visitor.press('Continue')
  await visitor.look('device.used')
})

journey('rfc8628_3_3_1 the code that comes along is compared, and refused, on a phone without JavaScript', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const waiting = await device(companion)
  const visitor = await arrive({ viewport: PHONE, javaScriptEnabled: false, variant: 'without-javascript' })
  await visitor.open(waiting.verification_uri_complete)
  await visitor.look('device.came-along')
  assert.equal(await visitor.field('Code').inputValue(), waiting.user_code)
  await visitor.press('Continue')
  visitor.pass()
  await visitor.signIn(ada.email, ada.password)
  await visitor.look('device-confirm')
  await visitor.press('Don’t allow')
  await visitor.look('device-done.denied')
  assert.equal((await waiting.poll()).error, 'access_denied')
})
