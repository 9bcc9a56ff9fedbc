// Links that lead into a reset: those of the companion's mails, and those of a site's own with a one-time token (SR-30).
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { focused, goRound } from '../support/keyboard.js'
import { relyingParty } from '../support/relying_party.js'
import { askForCode } from '../support/verbs.js'
import { app, freePort, keep, NEW_PASSWORD, serve } from '../support/world.js'

const MANAGEMENT_API = 'https://default.logto.app/api'
const SECRET = 'a-secret-of-the-back-end-that-is-long-enough'
const BASIC = `Basic ${Buffer.from(`backend:${SECRET}`).toString('base64')}`

/** A companion, the shop at it, and the shop's server, which may make one-time tokens. */
async function begin(more) {
  const port = await freePort()
  const publicUrl = `http://localhost:${port}`
  const shop = keep(await relyingParty({ clientId: 'shop', host: '127.0.0.1' }))
  shop.issuer = `${publicUrl}/oidc`
  const companion = await serve({
    publicUrl, port,
    more: `[branding]\nname = "Larkspur Books"\n${more}${
      app({ client_id: 'shop', name: 'Larkspur Books', type: 'spa', redirect_uris: [shop.redirectUri] })
    }${
      app({ client_id: 'backend', type: 'machine', client_secret: SECRET, resources: [MANAGEMENT_API] })
    }`
  })
  return { companion, shop }
}

let withMail, withoutMail
/** Its mails carry links. */
const mailing = () => (withMail ??= begin('[email]\nconnector = "inbox"\n[reset]\nlinks = true\nresend_cooldown = "1s"\n[limits]\nfactor = 100\n'))
/** It sends nothing, and its limits are those of everybody. */
const silent = () => (withoutMail ??= begin(''))

/** The link of the newest mail, once it has come. */
async function linkFor(companion, address) {
  await companion.nextCode(address)
  const [letter] = await companion.letters(address)
  return letter.text.match(/\S+\/forgot-password\/link\?t=\S+/)[0]
}

/** As webmail does: the click comes from another site. */
async function openFromMail(visitor, link) {
  const mail = 'http://mail.keyback.test/'
  await visitor.page.route(mail, route => route.fulfill({
    body: `<!doctype html><html lang="en"><title>Mail</title><h1>Mail</h1><a href="${link.replace(/&/g, '&amp;')}">this page</a>`,
    contentType: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': "default-src 'none'", 'referrer-policy': 'no-referrer' }
  }))
  await visitor.open(mail)
  visitor.pass()
  await visitor.click('this page')
}

/** In a browser that did not ask: whatever stands before the code, and the code. */
async function readCode(visitor, link) {
  await openFromMail(visitor, link)
  if (await visitor.button('Show the code').count()) {
    await visitor.look('reset-link.other-browser')
    await visitor.press('Show the code')
  }
  await visitor.look('reset-link.code')
  return visitor.page.locator('code').innerText()
}

const answer = async response => {
  assert.ok(response.ok, `${response.url} was answered ${response.status}`)
  return response.json()
}

/** The shop's server makes a token for an address. */
async function tokenFor(companion, email) {
  const grant = { grant_type: 'client_credentials', resource: MANAGEMENT_API, scope: 'all' }
  const { access_token: bearer } = await answer(await fetch(companion.at('/oidc/token'), {
    method: 'POST', headers: { authorization: BASIC }, body: new URLSearchParams(grant)
  }))
  const { token } = await answer(await fetch(companion.at('/api/one-time-tokens'), {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ email, expiresIn: 600, context: { interactionEvent: 'ForgotPassword' } })
  }))
  return token
}

/** The link that the shop's own mail carries: it leads to the shop, and from there on. */
const shopsLink = (shop, token, email) => `${shop.url}/sign-in?${new URLSearchParams({
  first_screen: 'reset-password', one_time_token: token, login_hint: email
})}`

/** A link that is over leads to the beginning of a reset, and to nothing else. */
async function findsItOver(visitor, link, page) {
  await openFromMail(visitor, link)
  await visitor.look(page)
  await visitor.click('Choose a new password')
  visitor.at('/forgot-password')
  visitor.pass()
}

journey('sr30_ in the browser that asked, the link of the mail goes on at a press', async arrive => {
  const { companion } = await mailing()
  const ada = await companion.person()
  const visitor = await arrive()
  await askForCode(visitor, companion, ada.email)
  const link = await linkFor(companion, ada.email)
  const tab = await visitor.newTab()
  await openFromMail(tab, link)
  await tab.look('reset-link')
  // What the page is for is read out first, and the button is the next thing.
  assert.equal((await focused(tab.page)).name, 'Go on with your new password')
  await tab.page.keyboard.press('Tab')
  assert.deepEqual(await goRound(tab.page), { names: ['Continue'], wrong: [] })
  await tab.press('Continue')
  tab.at('/forgot-password/password')
  tab.pass()
  await tab.choosePassword(NEW_PASSWORD)
  tab.at('/forgot-password/done')
  tab.pass()
  // It was used: here it leads to where the reset stands, and elsewhere to nothing.
  await openFromMail(tab, link)
  tab.at('/forgot-password/done')
  tab.pass()
  await findsItOver(await arrive(), link, 'reset-link.stale')
})

journey('sr30_ in another browser the link shows the code, to be typed where it was asked for', async arrive => {
  const { companion } = await mailing()
  const ada = await companion.person()
  const visitor = await arrive()
  await askForCode(visitor, companion, ada.email)
  const first = await linkFor(companion, ada.email)
  const phone = await arrive()
  assert.match(await readCode(phone, first), /^\d{6}$/)
  await phone.saysNot(ada.email)
  // A newer code takes the older link's place, here and there.
  await visitor.button('Send a new code').waitFor()
  await visitor.press('Send a new code')
  visitor.pass()
  const second = await linkFor(companion, ada.email)
  const tab = await visitor.newTab()
  await openFromMail(tab, first)
  await tab.look('reset-link.stale-here')
  await tab.click('Go on')
  tab.at('/forgot-password/code')
  tab.pass()
  await openFromMail(phone, first)
  await phone.look('reset-link.stale')
  await visitor.enterCode(await readCode(phone, second))
  visitor.at('/forgot-password/password')
  visitor.pass()
})

journey('sr30_ sr83_ without JavaScript the link of the mail does the same', async arrive => {
  const { companion } = await mailing()
  const ada = await companion.person()
  const scriptless = { javaScriptEnabled: false, variant: 'without-javascript' }
  const visitor = await arrive(scriptless)
  await askForCode(visitor, companion, ada.email)
  const link = await linkFor(companion, ada.email)
  const code = await readCode(await arrive(scriptless), link)
  const [letter] = await companion.letters(ada.email)
  assert.equal(code, letter.code)
  await openFromMail(visitor, link)
  await visitor.look('reset-link')
  await visitor.press('Continue')
  visitor.at('/forgot-password/password')
  visitor.pass()
  await visitor.choosePassword(NEW_PASSWORD)
  visitor.at('/forgot-password/done')
  visitor.pass()
})

for (const [how, options] of [['', {}], [', without JavaScript', { javaScriptEnabled: false, variant: 'without-javascript' }]]) {
  journey(`sr27_ a one-time token in a link of the shop’s leads to the new password and back to the shop${how}`, async arrive => {
    const { companion, shop } = await mailing()
    const ada = await companion.person()
    const link = shopsLink(shop, await tokenFor(companion, ada.email), ada.email)
    const visitor = await arrive(options)
    await openFromMail(visitor, link)
    visitor.at('/forgot-password/token')
    await visitor.look('one-time-token')
    await visitor.says(ada.email)
    await visitor.press('Continue')
    visitor.at('/forgot-password/password')
    visitor.pass()
    await visitor.choosePassword(NEW_PASSWORD)
    visitor.at('/forgot-password/done')
    visitor.pass()
    await visitor.click('Sign in')
    visitor.pass()
    await visitor.signIn(ada.email, NEW_PASSWORD)
    visitor.on(shop.url)
    await visitor.says('Signed in')
    visitor.pass()
    // It served once.
    await findsItOver(await arrive(options), link, 'one-time-token.stale')
  })
}

journey('sr05_ after too many presses from one place one waits, and a link that is over tells what can be done', async arrive => {
  const { companion, shop } = await silent()
  const ada = await companion.person()
  const visitor = await arrive()
  await openFromMail(visitor, shopsLink(shop, await tokenFor(companion, ada.email), ada.email))
  await visitor.look('one-time-token')
  // Somebody in the same network has a link that is none. No mail is sent here, so there is no way that it could name.
  const stranger = await arrive()
  await openFromMail(stranger, shopsLink(shop, 'no token of ours', ada.email))
  await stranger.look('one-time-token.stale-without-reset')
  const press = () => stranger.context.request.post(stranger.page.url(), {
    form: {}, headers: { origin: companion.url, 'sec-fetch-site': 'same-origin' }
  })
  // All at once: another is let in every ten seconds.
  const pressed = await Promise.all(Array.from({ length: 60 }, press))
  assert.ok(pressed.every(answer => answer.status() === 410))
  await visitor.press('Continue')
  await visitor.page.getByRole('alert').waitFor()
  await visitor.look('one-time-token.too-many-requests')
  await stranger.open(companion.at('/forgot-password/link?t=none'))
  await stranger.look('reset-link.stale-without-reset')
})
