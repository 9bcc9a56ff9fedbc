// The programs that the journeys lead through. Each is started when first asked for, and serves all journeys.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './places.js'
import { eventually, freePort, run, start } from './processes.js'

/** The password that everybody has forgotten, and the one they choose. */
export const OLD_PASSWORD = 'violet otter paddles'
export const NEW_PASSWORD = 'copper lantern drifts'

const started = []
let people = 1000

/** Something more that runs until the tests end. */
export const keep = program => (started.push(program), program)

/** Ends every program. */
export const stopAll = () => Promise.all(started.splice(0).map(program => program.stop()))

const once = make => {
  let made
  return () => (made ??= make())
}

/** A companion at work: `url` is its address, `config` the file by which the command reaches its store. */
class Companion {
  constructor(url, config) { Object.assign(this, { url, config, given: new Map() }) }

  at(path) { return new URL(path, this.url).href }

  /** A new account: nobody else's journey touches it. */
  async person({ name = 'Ada Lovelace', password = OLD_PASSWORD, extra = [] } = {}) {
    const number = people++
    const given = name.split(' ')[0].toLowerCase()
    const person = { name, password, email: `${given}.${number}@example.com`, phone: `+1415555${number}` }
    await this.command(['user', 'add', '--email', person.email, '--phone', person.phone, '--name', name, '--password-stdin', ...extra], password)
    return person
  }

  command(args, input) { return run('keyback', 'keyback-companion', [...args, '--config', this.config], input) }

  /** Every message to an address, the newest first. */
  async letters(address) {
    const answer = await fetch(new URL('/dev/inbox.json', this.direct ?? this.url))
    return (await answer.json()).filter(letter => letter.to === address)
  }

  /** The code that was sent to an address after all those that were fetched before. */
  async nextCode(address) {
    const before = this.given.get(address) ?? 0
    const codes = await eventually(`a code for ${address}`, async () => {
      const codes = (await this.letters(address)).filter(letter => letter.code)
      return codes.length > before && codes
    })
    this.given.set(address, before + 1)
    return codes.at(-1 - before).code
  }
}

/** `keyback demo`: the companion and the shop. */
export const demo = once(async () => {
  const folder = temporaryFolder()
  const program = await start('keyback', 'keyback-companion',
    ['demo', '--data', folder, '--listen', '127.0.0.1:0', '--site-listen', '127.0.0.1:0'],
    { ready: (line, printed) => line.trim().startsWith('data ') && printed.join('\n').match(/http:\/\/localhost:\d+/g) })
  started.push(program)
  const [url, site] = program.found
  const config = join(folder, 'cli.toml')
  writeFileSync(config, `[server]\npublic_url = "${url}"\n${storeAndKey(folder)}[email]\nconnector = "inbox"\n`)
  return Object.assign(new Companion(url, config), { site, program })
})

const storeAndKey = folder => `[secrets]\nroot_key_file = "${join(folder, 'root.key')}"\n[store]\nurl = "sqlite:${join(folder, 'keyback.db')}"\n`

/** `keyback serve` with a configuration of its own; `more` is the rest of the file. */
export async function serve({ publicUrl, port, more }) {
  const folder = temporaryFolder()
  await run('keyback', 'keyback-companion', ['keys', 'new', '--out', join(folder, 'root.key')])
  const config = join(folder, 'keyback.toml')
  writeFileSync(config, `[server]\nlisten = "127.0.0.1:${port}"\npublic_url = "${publicUrl}"\n${storeAndKey(folder)}${more}`)
  const program = await start('keyback', 'keyback-companion', ['serve', '--config', config], {})
  started.push(program)
  const companion = Object.assign(new Companion(publicUrl, config), { program })
  const direct = `http://127.0.0.1:${port}/`
  await eventually(`${publicUrl} to answer`, () => fetch(direct).then(() => true, () => false))
  return companion
}

/** The companion of the tests with a clock that they move, and a shop on another origin. */
export const stage = once(async () => {
  const program = await start('stage', 'keyback-tests', [], {
    ready: (_, printed) => printed.length === 2 && printed
  })
  started.push(program)
  const [url, site] = program.found
  const companion = Object.assign(new Companion(url), { site, program })
  companion.person = async ({ password = OLD_PASSWORD } = {}) => {
    const email = `ada.${people++}@example.com`
    await program.ask(`add ${email} ${password}`)
    return { email, password }
  }
  /** Lets minutes pass. */
  companion.pass = minutes => program.ask(`pass ${minutes * 60}`)
  return companion
})

/** Writes an `[[app]]` table. */
export const app = settings => `[[app]]\n${Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`).join('')}`

export { freePort }
