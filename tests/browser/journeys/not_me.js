// "It wasn't me": the account is frozen from the notice, and taken back.
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { goRound } from '../support/keyboard.js'
import { eventually } from '../support/processes.js'
import { proveAddress, signInToAccount } from '../support/verbs.js'
import { demo } from '../support/world.js'

const THIEFS = 'nobody hears me at the door'

journey('sr59_ whoever did not reset the password freezes the account and takes it back', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const thief = await arrive()
  await proveAddress(thief, companion, ada.email)
  await thief.choosePassword(THIEFS)
  thief.pass()
  await signInToAccount(thief, companion, { ...ada, password: THIEFS })
  // The thief reads the mail; the owner has the phone.
  const notice = await eventually('the notice', async () =>
    (await companion.letters(ada.phone)).find(letter => letter.kind === 'password-changed'))
  const link = notice.text.match(/\S+\/not-me\?t=\S+/)[0]
  const owner = await arrive()
  await owner.open(link)
  await owner.look('not-me')
  const { names, wrong } = await goRound(owner.page)
  assert.deepEqual(wrong, [])
  assert.deepEqual(names.slice(0, 2), ['Wasn’t it you?', 'Freeze my account'])
  await owner.press('Freeze my account')
  owner.at('/not-me/frozen')
  await owner.look('not-me.frozen')
  await thief.page.reload()
  thief.at('/sign-in')
  thief.pass()
  await owner.click('Choose a new password')
  owner.pass()
  await owner.resetAndSignIn(companion, ada.phone)
  owner.passAll()
})
