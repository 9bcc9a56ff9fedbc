// The same by text message, on a phone.
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { PHONE } from '../support/visitor.js'
import { demo } from '../support/world.js'

journey('by phone, on a phone', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive({ viewport: PHONE, hasTouch: true, isMobile: true, deviceScaleFactor: 2 })
  await visitor.open(companion.site)
  await visitor.look('site.home')
  await visitor.follow(() => visitor.link('Forgot password?').tap())
  await visitor.look('forgot-password')
  // It was a phone that was looked at, and is one still.
  assert.deepEqual(await visitor.page.evaluate(() => [innerWidth, devicePixelRatio, matchMedia('(pointer: coarse)').matches]), [PHONE.width, 2, true])
  // As people write numbers.
  const typed = ada.phone.replace(/^(..)(...)(...)/, '$1 ($2) $3-')
  await visitor.resetAndSignIn(companion, ada.phone, { typed, see: page => visitor.look(page === 'done' ? page : `${page}.phone`) })
  visitor.on(companion.site)
  await visitor.says('Hello, Ada Lovelace.')
  await visitor.look('site.signed-in.after-reset')
  const message = (await companion.letters(ada.phone)).find(letter => letter.code)
  assert.equal(message.channel, 'sms')
  // The phone may offer the code on this origin alone.
  assert.equal(message.text.trimEnd().split('\n').at(-1), `@localhost #${message.code}`)
})
