// A certificate for the journeys over https, made for this run, and believed by this run's browser alone.
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './places.js'
import { run } from './processes.js'

/** Names that the browser finds on this machine. */
export const HOSTS = { companion: 'id.keyback.test', site: 'shop.keyback.test' }

const folder = temporaryFolder()
const paths = { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') }
await run('openssl', undefined, ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
  '-keyout', paths.key, '-out', paths.cert, '-days', '2', '-subj', '/CN=keyback.test',
  '-addext', `subjectAltName=${Object.values(HOSTS).map(host => `DNS:${host}`).join(',')}`])

export const key = readFileSync(paths.key)
export const cert = readFileSync(paths.cert)

const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
/** What makes Chromium believe this one key, and find the two names. All other certificates are checked as ever. */
export const launchArguments = [
  `--ignore-certificate-errors-spki-list=${createHash('sha256').update(spki).digest('base64')}`,
  `--host-resolver-rules=${Object.values(HOSTS).map(host => `MAP ${host} 127.0.0.1`).join(',')}`
]
