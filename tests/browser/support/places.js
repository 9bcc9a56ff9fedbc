// Where things are, and what the environment may change.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
export const root = join(here, '..', '..', '..')
export const target = join(root, 'target', 'debug')
export const snapshots = join(here, '..', 'snapshots')

/** Debian's Chromium, or another that the environment names. */
export const chromium = process.env.KEYBACK_CHROMIUM ?? '/usr/bin/chromium'
/** Where the pictures go. */
export const screenshots = process.env.KEYBACK_SCREENSHOTS ?? join(root, 'target', 'screenshots')
/** Where `KEYBACK_GALLERY=… cargo test -p keyback-companion views` has written every page in every state. */
export const gallery = process.env.KEYBACK_GALLERY ?? join(root, 'target', 'gallery')
/** Write the snapshots instead of comparing them. */
export const updating = process.env.KEYBACK_UPDATE === '1'

/** How long anything may take that is waited for: much longer than it ever does. */
export const PATIENCE = 60_000

const folders = []
/** A folder of its own, gone when the tests are. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'keyback-browser-'))
  folders.push(folder)
  return folder
}
process.on('exit', () => folders.forEach(folder => rmSync(folder, { recursive: true, force: true })))
