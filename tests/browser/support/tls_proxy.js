// What stands before the companion in earnest: it ends TLS, says who asks, and passes everything on as it is.
import { createServer } from 'node:https'
import { request } from 'node:http'
import { cert, key } from './certificate.js'

export async function tlsProxy(port) {
  const server = createServer({ key, cert }, (asked, answer) => {
    const headers = { ...asked.headers, 'x-forwarded-for': asked.socket.remoteAddress }
    const on = request({ host: '127.0.0.1', port, method: asked.method, path: asked.url, headers }, answered => {
      answer.writeHead(answered.statusCode, answered.rawHeaders)
      answered.pipe(answer)
    })
    on.on('error', () => answer.writeHead(502).end())
    asked.pipe(on)
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return { port: server.address().port, stop: () => new Promise(resolve => { server.closeAllConnections(); server.close(resolve) }) }
}
