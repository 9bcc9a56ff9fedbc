// A companion with two apps beside: one of the house, and one of strangers, which people must allow.
import { relyingParty } from './relying_party.js'
import { app, freePort, keep, serve } from './world.js'

let made

/** The companion, its `own` app and the `foreign` one. */
export const gazette = () => (made ??= make())

async function make() {
  const port = await freePort()
  const publicUrl = `http://localhost:${port}`
  const [own, foreign] = await Promise.all([
    relyingParty({ clientId: 'shop', host: '127.0.0.1' }),
    relyingParty({ clientId: 'gazette', host: '127.0.0.1' })
  ])
  const both = { type: 'spa', scopes: ['address'] }
  const companion = await serve({
    publicUrl, port,
    more: `[email]\nconnector = "inbox"\n[limits]\nfactor = 100\n[branding]\nname = "Larkspur Books"\n${
      app({ ...both, client_id: 'shop', name: 'Larkspur Books', redirect_uris: [own.redirectUri], post_logout_redirect_uris: [`${own.url}/`], sign_in_url: `${own.url}/sign-in` })
    }${
      app({ ...both, client_id: 'gazette', name: 'The Evening Gazette', first_party: false, redirect_uris: [foreign.redirectUri], sign_in_url: `${foreign.url}/sign-in` })
    }`
  })
  keep(own)
  keep(foreign)
  own.issuer = foreign.issuer = `${publicUrl}/oidc`
  return { companion, own, foreign }
}
