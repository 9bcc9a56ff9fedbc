// The back button, forward, and reload, at every step: nothing is sent twice, and every place is one to go on from.
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { demo, NEW_PASSWORD } from '../support/world.js'

const back = async visitor => {
  await visitor.page.goBack()
  visitor.pass()
}
/** A page that was just looked at comes up again, from the browser's memory or anew. */
const again = async (visitor, path) => {
  visitor.at(path)
  visitor.pass()
}

journey('back, forward and reload at each step of a reset', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  const reload = async path => {
    await visitor.page.reload()
    await again(visitor, path)
  }
  await visitor.open(companion.site)
  visitor.pass()
  await visitor.click('Forgot password?')
  await again(visitor, '/forgot-password')
  await reload('/forgot-password')
  await visitor.askReset(ada.email)
  await again(visitor, '/forgot-password/code')
  const first = await companion.nextCode(ada.email)
  await reload('/forgot-password/code')

  // Back to the address, and another is asked for: that is a reset of its own.
  await back(visitor)
  await again(visitor, '/forgot-password')
  await visitor.page.goForward()
  await again(visitor, '/forgot-password/code')
  assert.equal((await companion.letters(ada.email)).length, 1)

  // A wrong code, then reload: the page is asked for anew, the code isn't sent again.
  await visitor.enterCode('000000')
  await visitor.says('4 tries left')
  await again(visitor, '/forgot-password/code')
  await reload('/forgot-password/code')
  await visitor.saysNot(/tries left/)
  await visitor.enterCode('000000')
  await visitor.says('3 tries left')
  await again(visitor, '/forgot-password/code')
  await visitor.enterCode(first)
  await again(visitor, '/forgot-password/password')
  await reload('/forgot-password/password')

  // Back from the password to the code: it was used, and the way on is shown.
  await back(visitor)
  await visitor.page.reload()
  await visitor.look('new-password.back-from-the-code')
  await visitor.page.goForward()
  await again(visitor, '/forgot-password/password')
  await visitor.choosePassword('short')
  await again(visitor, '/forgot-password/password')
  await reload('/forgot-password/password')
  await visitor.saysNot(/can’t be used/)
  await visitor.choosePassword(NEW_PASSWORD)
  await again(visitor, '/forgot-password/done')
  await reload('/forgot-password/done')

  // Back from the end: the password can't be chosen a second time.
  await back(visitor)
  await visitor.page.reload()
  await visitor.look('new-password.and-back')
  await visitor.open(companion.site)
  visitor.pass()
  await visitor.open(`${companion.site}/sign-in`)
  await again(visitor, '/sign-in')
  await reload('/sign-in')
  await visitor.signIn(ada.email, 'wrong password')
  await again(visitor, '/sign-in')
  await reload('/sign-in')
  await visitor.signIn(ada.email, NEW_PASSWORD)
  await visitor.says('Hello, Ada Lovelace.')
  visitor.pass()
  // Back to the sign-in that is over: no error, but the way on.
  await back(visitor)
  await visitor.page.reload()
  await visitor.look('sign-in.and-back')
})

journey('the page that the back button brings out of the browser’s memory still works', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  await visitor.open(companion.at('/forgot-password'))
  visitor.pass()
  await visitor.askReset(ada.email)
  visitor.pass()
  await back(visitor)
  visitor.pass()
  // Its button was disabled when it was pressed.
  assert.equal(await visitor.button('Send code').getAttribute('aria-disabled'), null)
  await visitor.askReset(ada.email)
  visitor.pass()
  await companion.nextCode(ada.email)
  await visitor.enterCode(await companion.nextCode(ada.email))
  await again(visitor, '/forgot-password/password')
})

journey('a double click sends a form once', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  await visitor.open(companion.at('/forgot-password'))
  visitor.pass()
  const sent = []
  visitor.page.on('request', request => { if (request.method() === 'POST') sent.push(request.url()) })
  await visitor.page.locator('#identifier').fill(ada.email)
  await visitor.follow(() => visitor.button('Send code').dblclick({ noWaitAfter: true }))
  await again(visitor, '/forgot-password/code')
  assert.equal(sent.length, 1)
})
