// A reset in one browser ends what another has open, at the shop too.
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { eventually } from '../support/processes.js'
import { proveAddress } from '../support/verbs.js'
import { demo, NEW_PASSWORD } from '../support/world.js'

journey('sr56_ the shop is signed out at once in one browser when another resets the password', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const here = await arrive()
  await here.open(`${companion.site}/sign-in`)
  here.pass()
  await here.signIn(ada.email, ada.password)
  await here.says('Hello, Ada Lovelace.')
  here.pass()
  const there = await arrive()
  await proveAddress(there, companion, ada.email, `${companion.site}/forgot-password`)
  await there.choosePassword(NEW_PASSWORD)
  there.at('/forgot-password/done')
  const receipt = await there.page.locator('dl').innerText()
  assert.match(receipt, /Signed out here\s+1 device\s+Being told now\s+1 app/)
  there.pass()
  const since = Date.now()
  await eventually('the shop to know nobody', async () => {
    await here.page.reload()
    here.pass()
    return await here.page.getByText('Hello, Ada Lovelace.').count() === 0
  })
  assert.ok(Date.now() - since < 3000, 'at once')
  await here.saysNot('Hello')
  assert.ok(await here.link('Forgot password?').isVisible())
})
