// Answers that come back as a form, which the browser posts (OAuth 2.0 Form Post Response Mode).
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { journey } from '../support/journey.js'
import { gazette } from '../support/gazette.js'

journey('form_post_2 the answer is posted by itself, and by a button without JavaScript', async arrive => {
  const { companion, own } = await gazette()
  for (const javaScriptEnabled of [true, false]) {
    const ada = await companion.person()
    const visitor = await arrive({ javaScriptEnabled })
    await visitor.open(`${own.url}/sign-in?response_mode=form_post&scope=openid%20email`)
    visitor.pass()
    const settled = visitor.page.waitForURL(url => url.href.startsWith(javaScriptEnabled ? own.url : companion.url), { waitUntil: 'load' })
    await visitor.field('E-mail or phone').fill(ada.email)
    await visitor.secret('Password').fill(ada.password)
    await visitor.button('Sign in').click()
    await settled
    if (javaScriptEnabled) await visitor.page.waitForURL(`${own.url}/callback`)
    else {
      await visitor.page.getByRole('button', { name: 'Continue' }).waitFor()
      await visitor.look('send-back')
      await visitor.press('Continue')
    }
    visitor.on(own.url)
    await visitor.says('Signed in')
    await visitor.says('form')
    visitor.passAll()
    assert.equal(own.answers.at(-1).by, 'form')
    // Nothing of the answer stands in an address.
    assert.equal(new URL(visitor.page.url()).search, '')
  }
})

journey('form_post_2 the answer is posted once, though the button is pressed meanwhile', async arrive => {
  const { companion, own } = await gazette()
  const ada = await companion.person()
  const visitor = await arrive()
  // The app takes its time, and the button is pressed meanwhile: by key, since Playwright would wait for the answer to look for it.
  let sent = 0
  await visitor.page.route(`${own.url}/callback`, async route => {
    if (++sent === 1) {
      await visitor.page.keyboard.press('Tab')
      await visitor.page.keyboard.press('Enter')
      await setTimeout(500)
    }
    await route.continue()
  })
  await visitor.open(`${own.url}/sign-in?response_mode=form_post`)
  visitor.pass()
  await visitor.field('E-mail or phone').fill(ada.email)
  await visitor.secret('Password').fill(ada.password)
  await visitor.button('Sign in').click({ noWaitAfter: true })
  await visitor.page.waitForURL(`${own.url}/callback`)
  await visitor.says('Signed in')
  visitor.passAll()
  assert.equal(sent, 1)
})

journey('form_post_2 a refusal is posted too', async arrive => {
  const { own } = await gazette()
  const visitor = await arrive()
  await visitor.page.goto(`${own.url}/sign-in?response_mode=form_post&prompt=none`)
  await visitor.page.waitForURL(`${own.url}/callback`)
  await visitor.says('login_required')
  visitor.passAll()
  assert.equal(own.answers.at(-1).by, 'form')
})
