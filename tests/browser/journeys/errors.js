// Pages that nobody wants to see.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { journey } from '../support/journey.js'
import { demo } from '../support/world.js'

journey('sr68_ every error page says what happened and what to do, and nothing of the inside', async arrive => {
  const companion = await demo()
  const visitor = await arrive()
  for (const [name, path, status] of [
    ['not-found', '/no-such-page', 404],
    ['unknown-client', '/reset-password?client_id=nobody', 400],
    ['unknown-client.request', '/oidc/auth?client_id=nobody&response_type=code&redirect_uri=http://localhost/', 400],
    ['unknown-redirect-uri', '/oidc/auth?client_id=demo-site&response_type=code&redirect_uri=http://localhost:1/elsewhere', 400],
    ['unknown-session', '/sign-in?i=AAAAAAAAAAAAAAAAAAAAAA', 400],
    ['unknown-flow', '/forgot-password/code?f=AAAAAAAAAAAAAAAAAAAAAA', undefined],
    ['bad-callback', '/reset-password/callback?code=1&state=2', 400]
  ]) {
    const answer = await visitor.open(companion.at(path))
    if (status) assert.equal(answer.status(), status, path)
    await visitor.look(`error.${name}`)
  }
})

journey('sr66_ a form that another site sends is refused', async arrive => {
  const companion = await demo()
  const page = `<!doctype html><html lang="en"><title>Elsewhere</title><h1>Elsewhere</h1>
    <form method="post" action="${companion.at('/forgot-password')}"><input type="hidden" name="identifier" value="ada@example.com"><button>Win</button></form>`
  const elsewhere = createServer((_, answer) => answer.writeHead(200, {
    'content-type': 'text/html', 'referrer-policy': 'same-origin',
    'content-security-policy': "default-src 'none'; form-action http:"
  }).end(page)).listen(0, '127.0.0.1')
  try {
    await new Promise(resolve => elsewhere.once('listening', resolve))
    const visitor = await arrive()
    await visitor.open(`http://127.0.0.1:${elsewhere.address().port}/`)
    visitor.pass()
    await visitor.press('Win')
    await visitor.look('error.other-origin')
  } finally {
    elsewhere.close()
  }
})
