// As in earnest: an https address, TLS ended by a proxy, `__Host-` cookies, and strict transport security kept by a
// real browser.
import assert from 'node:assert/strict'
import { HOSTS } from '../support/certificate.js'
import { journey } from '../support/journey.js'
import { relyingParty } from '../support/relying_party.js'
import { tlsProxy } from '../support/tls_proxy.js'
import { app, freePort, NEW_PASSWORD, serve } from '../support/world.js'

/** A mail server that takes everything is not needed: who has no mail resets nothing, and signs in. */
journey('sr65_ behind a TLS proxy: host-bound, secure cookies, and http no more', async arrive => {
  const port = await freePort()
  const proxy = await tlsProxy(port)
  const shop = await relyingParty({ clientId: 'shop', host: HOSTS.site, tls: true })
  const publicUrl = `https://${HOSTS.companion}:${proxy.port}`
  shop.issuer = `${publicUrl}/oidc`
  try {
    const companion = await serve({
      publicUrl, port,
      more: `[branding]\nname = "Larkspur Books"\n${app({
        client_id: 'shop', name: 'Larkspur Books', type: 'spa', redirect_uris: [shop.redirectUri], sign_in_url: `${shop.url}/sign-in`
      })}`
    })
    const ada = await companion.person()
    const visitor = await arrive()
    await visitor.open(`${shop.url}/sign-in`)
    visitor.on(publicUrl)
    // No connector, no way to send a code: the link isn't there.
    await visitor.look('sign-in.without-reset')
    await visitor.signIn(ada.email, ada.password)
    visitor.on(shop.url)
    await visitor.says('Signed in')
    visitor.pass()
    const cookies = await visitor.context.cookies()
    assert.ok(cookies.length > 0)
    for (const cookie of cookies) {
      assert.match(cookie.name, /^__Host-kb_/)
      assert.deepEqual([cookie.secure, cookie.httpOnly, cookie.path, cookie.domain], [true, true, '/', HOSTS.companion])
    }
    // The browser has learnt that this host is https, and asks for nothing else.
    const answer = await visitor.open(`http://${HOSTS.companion}:${proxy.port}/account`)
    visitor.on(publicUrl)
    visitor.at('/account')
    visitor.pass()
    assert.equal(answer.headers()['strict-transport-security'], 'max-age=31536000; includeSubDomains')
    const upgraded = answer.request().redirectedFrom()
    assert.equal(new URL(upgraded.url()).protocol, 'http:')
    // The same sign-in is answered by the session, without a page.
    await visitor.open(`${shop.url}/sign-in`)
    visitor.on(shop.url)
    await visitor.says('Signed in')
    visitor.pass()
  } finally {
    await Promise.all([proxy.stop(), shop.stop()])
  }
})
