// The accessibility tree of a page, held against the file that was looked at and committed.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { snapshots, updating } from './places.js'

/** What differs from run to run, and what stands in its place. */
const MASKS = [
  [/\b(localhost|127\.0\.0\.1|[a-z]+\.keyback\.test):\d+/g, '$1:0'],
  [/([?&](?:i|f|d|state|code|session_state|nonce|code_challenge|request_uri|id_token_hint|iss|user_code)=)[^&"\s]+/g, '$1…'],
  [/\b([a-z]+)\.\d+@example\.com/g, '$1@example.com'],
  [/(\+1[ -]?\(?415\)?[ -]?555[ -]?)\d{4}/g, '$10123'],
  [/\b\d+ (second|minute)s?\b/g, 'some $1s'],
  [/\b\d{6}\b/g, '000000'],
  [/\b([A-Z][a-z]{2} \d{1,2}, \d{4}|\d{1,2} [A-Z][a-z]{2,8} \d{4})((,| at) \d{1,2}:\d{2}(\s[AP]M)?)?/g, '1 January'],
  [/\bsome (second|minute)s ago\b/g, 'just now'],
  [/(?<=· |definition: )"?(::1|127\.0\.0\.1)"?(?!:)/g, '127.0.0.1'],
  [/\b[B-DF-HJ-NP-TV-Z]{4}-[B-DF-HJ-NP-TV-Z]{4}\b(?<!WDJB-MJHT)/g, 'BCDF-GHJK'],
  [/\d{1,2}:\d{2}(:\d{2})?/g, '0:00']
]
const used = new Set()

/** Compares a tree with its file; the first of a name is written when updating. */
export function compare(name, tree, masks = []) {
  const text = `${[...masks, ...MASKS].reduce((text, [what, by]) => text.replace(what, by), tree)}\n`
  const file = join(snapshots, `${name}.yml`)
  if (updating && !used.has(name)) writeFileSync(file, text)
  used.add(name)
  assert.ok(existsSync(file), `${name} has no snapshot yet: look at its picture, then \`npm run update\` writes\n${text}`)
  assert.equal(text, readFileSync(file, 'utf8'),
    `the accessibility tree of ${name} is another: where it is better, \`npm run update\` writes it`)
}

/** The files that no journey has met. Updating takes them away, unless only some journeys ran. */
export function leftOver() {
  if (process.execArgv.some(argument => argument.startsWith('--test-name-pattern'))) return []
  const left = readdirSync(snapshots).filter(file => file.endsWith('.yml') && !used.has(file.slice(0, -4)))
  if (updating) left.splice(0).forEach(file => rmSync(join(snapshots, file)))
  return left
}
