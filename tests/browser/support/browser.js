// The one Chromium of a run. Every visitor is a context of its own: no cookie, no cache, no history of another.
import { existsSync } from 'node:fs'
import { chromium as engine } from 'playwright-core'
import { launchArguments } from './certificate.js'
import { chromium } from './places.js'

let launched

export function browser() {
  if (!existsSync(chromium)) {
    throw new Error(`${chromium} is not there: install Debian's package chromium, or name another by KEYBACK_CHROMIUM`)
  }
  launched ??= engine.launch({
    executablePath: chromium,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync', ...launchArguments]
  })
  return launched
}

export async function closeBrowser() {
  await (await launched)?.close()
}
