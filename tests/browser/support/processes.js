// Programs that the journeys run beside the browser. All end with the tests.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { PATIENCE, target } from './places.js'

const running = new Set()
process.on('exit', () => running.forEach(child => child.kill('SIGKILL')))

function built(program, crate) {
  const path = join(target, program)
  if (!existsSync(path)) throw new Error(`${path} is not there: build it with \`cargo build -p ${crate}\``)
  return path
}

/** The environment of a program: without settings that are meant for another. */
function environment(settings = {}) {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('KEYBACK_'))
  return { ...Object.fromEntries(kept), ...settings }
}

/**
 * Starts a program that runs on. `ready` reads the lines it prints and answers something once it is there; the
 * program is handed back with that as `found`.
 */
export async function start(program, crate, args, { settings, ready }) {
  const child = spawn(built(program, crate), args, { env: environment(settings), stdio: ['pipe', 'pipe', 'pipe'] })
  running.add(child)
  const log = []
  createInterface({ input: child.stderr }).on('line', line => log.push(line))
  const printed = []
  const lines = createInterface({ input: child.stdout })
  const found = await new Promise((resolve, reject) => {
    const give = why => reject(new Error(`${program} ${why}:\n${printed.join('\n')}\n${log.join('\n')}`))
    const timer = setTimeout(give, PATIENCE, 'did not come up')
    lines.on('line', line => {
      printed.push(line)
      const answer = ready?.(line, printed)
      if (answer) clearTimeout(timer), resolve(answer)
    })
    child.once('exit', code => { running.delete(child); give(`ended with ${code}`) })
    if (!ready) clearTimeout(timer), resolve(undefined)
  })
  return {
    found,
    log,
    /** Sends a line to the program, and waits for one of its answers. */
    ask: line => new Promise(resolve => {
      lines.once('line', resolve)
      child.stdin.write(`${line}\n`)
    }),
    stop: () => new Promise(resolve => {
      if (child.exitCode !== null || child.signalCode) return resolve()
      child.once('exit', resolve)
      child.kill('SIGTERM')
    })
  }
}

/** Runs a program to its end; answers what it printed. */
export async function run(program, crate, args, input = '') {
  const path = crate ? built(program, crate) : program
  const child = spawn(path, args, { env: environment(), stdio: ['pipe', 'pipe', 'pipe'] })
  let out = '', err = ''
  child.stdout.on('data', data => { out += data })
  child.stderr.on('data', data => { err += data })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${out}\n${err}`)
  return out
}

/** A port of 127.0.0.1 that nobody uses. */
export function freePort() {
  return new Promise(resolve => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

/** Looks again and again until `look` finds something. */
export async function eventually(what, look) {
  const deadline = Date.now() + PATIENCE
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await sleep(20)
  }
}
