// Every journey in one process: they share one browser and a few companions.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { closeBrowser } from './support/browser.js'
import { leftOver } from './support/snapshot.js'
import { stopAll } from './support/world.js'

import './journeys/by_mail.js'
import './journeys/by_phone.js'
import './journeys/endpoint.js'
import './journeys/keyboard.js'
import './journeys/without_javascript.js'
import './journeys/shapes.js'
import './journeys/codes.js'
import './journeys/captcha.js'
import './journeys/links.js'
import './journeys/tabs.js'
import './journeys/history.js'
import './journeys/fields.js'
import './journeys/errors.js'
import './journeys/origins.js'
import './journeys/https.js'
import './journeys/form_post.js'
import './journeys/consent.js'
import './journeys/sign_out.js'
import './journeys/account.js'
import './journeys/device.js'
import './journeys/not_me.js'
import './journeys/two_browsers.js'
import './journeys/gallery.js'

test('every snapshot belongs to a page that a journey met', () => {
  assert.deepEqual(leftOver(), [])
})

after(async () => {
  await closeBrowser()
  await stopAll()
})
