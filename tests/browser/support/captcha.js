// A captcha's provider on loopback: a script that puts a box into the page, the box, and the verdict.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'

export const TOKEN_FIELD = 'captcha-answer'

/** As the scripts of providers do: it fills its place, and writes what it is given into a field of the form. */
const SCRIPT = `
const own = new URL(document.currentScript.src).origin
for (const place of document.querySelectorAll('.captcha')) {
  const box = document.createElement('iframe')
  box.src = own + '/box'
  box.title = 'Captcha'
  box.width = 304
  box.height = 78
  box.setAttribute('frameborder', '0')
  const answer = document.createElement('input')
  answer.type = 'hidden'
  answer.name = '${TOKEN_FIELD}'
  place.append(box, answer)
  addEventListener('message', async event => {
    if (event.source !== box.contentWindow) return
    answer.value = await (await fetch(own + '/answer?action=' + place.dataset.action)).text()
  })
}`

const BOX = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Captcha</title>
<style>html{color-scheme:light}body{display:flex;align-items:center;height:78px;margin:0;padding:0 1rem;border:1px solid #d3d3d3;background:#f9f9f9;
box-sizing:border-box;font:1rem system-ui;color:#222}main,label{display:flex;gap:.75rem;align-items:center}input{width:1.5rem;height:1.5rem}</style>
<main><label><input type="checkbox"> I am no robot</label></main>
<script>document.querySelector('input').addEventListener('change', () => parent.postMessage('ticked', '*'))</script></html>`

/** Starts it. `says` is what becomes of every answer; `verified` are those that it was asked about. */
export async function captchaProvider() {
  const given = new Map()
  const provider = { says: {}, verified: [] }
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, provider.url)
    const send = (type, body) => response.writeHead(200, { 'content-type': type, 'access-control-allow-origin': '*' }).end(body)
    if (pathname === '/api.js') return send('text/javascript', SCRIPT)
    if (pathname === '/box') return send('text/html; charset=utf-8', BOX)
    if (pathname === '/answer') {
      const answer = randomUUID()
      given.set(answer, searchParams.get('action'))
      return send('text/plain', answer)
    }
    if (pathname !== '/verify') return response.writeHead(404).end()
    let form = ''
    request.on('data', data => { form += data }).on('end', () => {
      const answer = new URLSearchParams(form).get('response')
      provider.verified.push(answer)
      send('application/json', JSON.stringify({ success: given.has(answer), action: given.get(answer), hostname: 'localhost', ...provider.says }))
    })
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  provider.url = `http://127.0.0.1:${server.address().port}`
  provider.stop = () => new Promise(resolve => { server.close(resolve); server.closeAllConnections() })
  /** The section of the companion's configuration. */
  provider.config = `[captcha]
provider = "custom"
site_key = "site-key"
secret = "known to the companion alone"
verify_url = "${provider.url}/verify"
script_url = "${provider.url}/api.js"
widget_class = "captcha"
token_field = "${TOKEN_FIELD}"
allow_private = true
slow_lane = "10s"
`
  return provider
}
