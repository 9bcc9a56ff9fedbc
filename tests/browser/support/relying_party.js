// A small app of somebody else's, in bare Node: it asks, and shows what it is told. Its pages are nobody's to judge.
import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { createServer as createTlsServer, request as tlsRequest } from 'node:https'
import { request as plainRequest } from 'node:http'
import { cert, key } from './certificate.js'

const PAGE = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; form-action 'self'",
  'referrer-policy': 'same-origin'
}
const escape = text => String(text).replace(/[&<>"]/g, sign => `&#${sign.charCodeAt(0)};`)
const random = () => randomBytes(24).toString('base64url')

/** Asks over http or https; `id.keyback.test` and its like are this machine. */
export function ask(url, { method = 'GET', form, headers = {} } = {}) {
  const { protocol, hostname } = new URL(url)
  const options = { method, headers, ...hostname.endsWith('.test') && { lookup: (_, { all }, done) => all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4) } }
  if (form) options.headers = { ...headers, 'content-type': 'application/x-www-form-urlencoded' }
  return new Promise((resolve, reject) => {
    const asked = protocol === 'https:' ? tlsRequest(url, { ...options, ca: cert }) : plainRequest(url, options)
    asked.on('error', reject).on('response', answer => {
      let text = ''
      answer.on('data', data => { text += data }).on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text, json: () => JSON.parse(text) }))
    })
    asked.end(form && new URLSearchParams(form).toString())
  })
}

/**
 * Starts it. `issuer` is told later, since the provider's configuration names this app's address. `/sign-in` takes any
 * further parameters of an authorization request in its query; `/callback` takes the answer by GET and by POST.
 */
export async function relyingParty({ clientId, host = 'localhost', tls = false }) {
  const app = { clientId, answers: [] }
  const pending = new Map()

  const show = (response, title, rows) => response.writeHead(200, PAGE).end(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escape(title)}</title><h1>${escape(title)}</h1><dl>${
      Object.entries(rows).map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`).join('')
    }</dl>`)

  async function finish(response, answer, by) {
    app.answers.push({ ...answer, by })
    const begun = pending.get(answer.state)
    pending.delete(answer.state)
    if (!begun) return show(response, 'Nobody asked for that', answer)
    if (answer.iss !== app.issuer) return show(response, 'Somebody else answered', answer)
    if (answer.error) return show(response, 'Not signed in', { error: answer.error, by })
    const tokens = await app.token({ grant_type: 'authorization_code', code: answer.code, redirect_uri: app.redirectUri, code_verifier: begun.verifier })
    app.tokens = tokens.json()
    if (tokens.status !== 200) return show(response, 'The code is refused', app.tokens)
    const who = (await ask(`${app.issuer}/me`, { headers: { authorization: `Bearer ${app.tokens.access_token}` } })).json()
    return show(response, `Signed in`, { by, scope: app.tokens.scope ?? '', refresh: Boolean(app.tokens.refresh_token), ...who })
  }

  function begin(response, more) {
    const state = random(), verifier = random() + random()
    pending.set(state, { verifier })
    const url = new URL(`${app.issuer}/auth`)
    const parameters = {
      client_id: clientId, redirect_uri: app.redirectUri, response_type: 'code', scope: 'openid', state, nonce: random(),
      code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256', ...more
    }
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
    response.writeHead(303, { location: url.href }).end()
  }

  const serve = async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://app')
    if (pathname === '/favicon.ico') return response.writeHead(204).end()
    if (pathname === '/sign-in') return begin(response, Object.fromEntries(searchParams))
    if (pathname !== '/callback') return show(response, 'The app', {})
    if (request.method === 'GET') return finish(response, Object.fromEntries(searchParams), 'query')
    let body = ''
    for await (const data of request) body += data
    return finish(response, Object.fromEntries(new URLSearchParams(body)), 'form')
  }
  const handle = (request, response) => serve(request, response).catch(error => response.writeHead(500, PAGE).end(escape(error.stack)))
  const server = tls ? createTlsServer({ key, cert }, handle) : createServer(handle)
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  app.url = `${tls ? 'https' : 'http'}://${host}:${server.address().port}`
  app.redirectUri = `${app.url}/callback`
  /** Asks the token endpoint; a public client has its id alone. */
  app.token = form => ask(`${app.issuer}/token`, { method: 'POST', form: { client_id: clientId, ...form } })
  app.stop = () => new Promise(resolve => { server.closeAllConnections(); server.close(resolve) })
  return app
}
