// Without JavaScript every page does its work (SR-83).
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { demo } from '../support/world.js'

journey('sr83_ the whole way without JavaScript', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive({ javaScriptEnabled: false, variant: 'without-javascript' })
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
