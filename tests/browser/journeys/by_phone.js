// The same by text message, on a phone.
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { PHONE } from '../support/visitor.js'
import { demo, NEW_PASSWORD } from '../support/world.js'

journey('by phone, on a phone', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive({ viewport: PHONE, hasTouch: true, isMobile: true, deviceScaleFactor: 2 })
  await visitor.open(companion.site)
  await visitor.look('site.home')
  await visitor.follow(() => visitor.link('Forgot password?').tap())
  await visitor.look('forgot-password')
  // As people write numbers.
  await visitor.askReset(ada.phone.replace(/^(..)(...)(...)/, '$1 ($2) $3-'))
  await visitor.look('code.phone')
  const code = await companion.nextCode(ada.phone)
  const [message] = await companion.letters(ada.phone)
  assert.equal(message.channel, 'sms')
  // The phone may offer the code on this origin alone.
  assert.equal(message.text.trimEnd().split('\n').at(-1), `@localhost #${code}`)
  await visitor.enterCode(code)
  await visitor.look('new-password.phone')
  await visitor.choosePassword(NEW_PASSWORD)
  await visitor.look('done')
  await visitor.click('Sign in')
  await visitor.look('sign-in.after-reset.phone')
  await visitor.signIn(ada.phone, NEW_PASSWORD)
  visitor.on(companion.site)
  await visitor.says('Hello, Ada Lovelace.')
  await visitor.look('site.signed-in.after-reset')
})
