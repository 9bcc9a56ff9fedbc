// Site and companion on different origins, which for the browser are different sites: no cookie of one is the other's,
// and the content security policies let pass what must and nothing else.
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { start } from '../support/processes.js'
import { app, freePort, serve, stage } from '../support/world.js'

journey('the companion on 127.0.0.1 and a site that uses the SDK on localhost', async arrive => {
  const [port, sitePort] = [await freePort(), await freePort()]
  const companionUrl = `http://127.0.0.1:${port}`, site = `http://localhost:${sitePort}`
  const secret = 'a secret of nobody’s, long enough for this'
  const companion = await serve({
    publicUrl: companionUrl, port,
    more: `[email]\nconnector = "inbox"\n[branding]\nname = "Larkspur Books"\n${app({
      client_id: 'demo-web', name: 'A web site', type: 'web', client_secret: secret, redirect_uris: [`${site}/callback`],
      post_logout_redirect_uris: [`${site}/signed-out`], sign_in_url: `${site}/sign-in`
    })}`
  })
  const example = await start('web_site', 'keyback-examples', [], {
    settings: { SITE_URL: site, KEYBACK_ISSUER: `${companionUrl}/oidc`, KEYBACK_CLIENT_SECRET: secret },
    ready: line => line.startsWith('Open ')
  })
  try {
    const ada = await companion.person()
    const visitor = await arrive()
    await visitor.open(site)
    await visitor.look('example.home')
    await visitor.click('Forgot password?')
    visitor.on(companionUrl)
    await visitor.look('origins.forgot-password')
    await visitor.resetAndSignIn(companion, ada.email)
    visitor.on(site)
    await visitor.look('example.signed-in')
    const cookies = await visitor.context.cookies()
    assert.ok(cookies.some(({ domain, name }) => domain === '127.0.0.1' && name.startsWith('kb_')))
    for (const { domain, name, httpOnly, sameSite } of cookies) {
      assert.equal(name.startsWith('kb_'), domain === '127.0.0.1', name)
      assert.deepEqual([name, httpOnly, sameSite], [name, true, 'Lax'])
    }
    await visitor.press('Sign out')
    visitor.on(site)
    await visitor.look('example.signed-out')
  } finally {
    await example.stop()
  }
})

journey('the companion on localhost and a site on 127.0.0.1, over the endpoint', async arrive => {
  const companion = await stage()
  const ada = await companion.person()
  const visitor = await arrive()
  await visitor.open(companion.at('/reset-password?client_id=shop'))
  visitor.pass()
  await visitor.resetAndSignIn(companion, ada.email)
  visitor.on(companion.site)
  await visitor.says(`Signed in as ${ada.email}.`)
  visitor.pass()
})
