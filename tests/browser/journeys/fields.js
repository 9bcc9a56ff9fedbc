// What password managers, phones and screen readers go by.
import assert from 'node:assert/strict'
import { journey } from '../support/journey.js'
import { askForCode, proveAddress, signInToAccount } from '../support/verbs.js'
import { demo } from '../support/world.js'

const attributes = (visitor, id, ...names) => visitor.page.locator(`#${id}`).evaluate(
  (field, names) => Object.fromEntries(names.map(name => [name, field.getAttribute(name)])), names)

journey('sr43_ sr84_ the fields tell password managers and phones what they are', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  await visitor.open(`${companion.site}/sign-in`)
  visitor.pass()
  assert.deepEqual(await attributes(visitor, 'identifier', 'name', 'autocomplete', 'autocapitalize', 'spellcheck'),
    { name: 'identifier', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false' })
  assert.deepEqual(await attributes(visitor, 'password', 'name', 'type', 'autocomplete', 'spellcheck'),
    { name: 'password', type: 'password', autocomplete: 'current-password', spellcheck: 'false' })
  await askForCode(visitor, companion, ada.phone)
  assert.deepEqual(await attributes(visitor, 'code', 'name', 'type', 'inputmode', 'autocomplete', 'maxlength'),
    { name: 'code', type: 'text', inputmode: 'numeric', autocomplete: 'one-time-code', maxlength: null })
  await visitor.enterCode(await companion.nextCode(ada.phone))
  visitor.pass()
  assert.deepEqual(await attributes(visitor, 'username', 'autocomplete', 'readonly', 'value'),
    { autocomplete: 'username', readonly: '', value: ada.phone })
  const { passwordrules, ...rest } = await attributes(visitor, 'password', 'name', 'type', 'autocomplete', 'passwordrules', 'maxlength')
  assert.deepEqual(rest, { name: 'password', type: 'password', autocomplete: 'new-password', maxlength: null })
  assert.match(passwordrules, /minlength: 15;/)
  // The name stands before the password, so that they are kept together.
  assert.equal(await visitor.page.evaluate(() => {
    const [username, password] = document.querySelectorAll('form #username, form #password')
    return username.id === 'username' && password.id === 'password' && username.form === password.form
  }), true)
  // Pasting is a right of those who have a password manager.
  assert.equal(await visitor.secret('New password').evaluate(field => field.dispatchEvent(new ClipboardEvent('paste', { cancelable: true }))), true)
})

journey('on the account page the two passwords tell themselves apart', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  await signInToAccount(visitor, companion, ada)
  await visitor.open(companion.at('/account/password'))
  visitor.pass()
  assert.deepEqual(await attributes(visitor, 'current_password', 'name', 'autocomplete'), { name: 'current_password', autocomplete: 'current-password' })
  assert.deepEqual(await attributes(visitor, 'password', 'name', 'autocomplete'), { name: 'password', autocomplete: 'new-password' })
})

journey('wcag22_4_1_3 what went wrong is said by itself, told at the field, and in the title', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  const refused = async id => {
    visitor.pass()
    assert.equal(await visitor.page.getByRole('alert').count(), 1)
    assert.match(await visitor.page.title(), /^Error: /)
    const field = visitor.page.locator(`#${id}`)
    assert.equal(await field.getAttribute('aria-invalid'), 'true')
    assert.match(await field.getAttribute('aria-describedby'), /\bproblem\b/)
    assert.equal(await field.evaluate(field => document.activeElement === field), true, `${id} has the focus`)
  }
  await visitor.open(companion.at('/forgot-password'))
  visitor.pass()
  await visitor.page.locator('#identifier').fill('nobody, nowhere')
  await visitor.press('Send code')
  await refused('identifier')
  await visitor.askReset(ada.email)
  visitor.pass()
  await visitor.enterCode('12')
  await refused('code')
  await proveAddress(visitor, companion, ada.phone)
  await visitor.choosePassword('short')
  await refused('password')
  await visitor.open(`${companion.site}/sign-in`)
  visitor.pass()
  await visitor.signIn(ada.email, 'wrong password')
  await refused('password')
})

journey('the rules of a password answer while one types, and say so', async arrive => {
  const companion = await demo()
  const ada = await companion.person()
  const visitor = await arrive()
  await proveAddress(visitor, companion, ada.email)
  const output = visitor.page.locator('output')
  assert.equal(await output.getAttribute('aria-live'), 'polite')
  for (const [text, word] of [['short', 'Too short'], ['aaaaaaaaaaaaaaaaaaaa', 'Weak'], ['copper lantern drifts', 'Strong']]) {
    await visitor.secret('New password').fill(text)
    assert.equal(await visitor.page.locator('.meter b').textContent(), word, 'what is seen is seen at once')
    await visitor.page.locator('output', { hasText: word }).waitFor()
    await visitor.look(`new-password.typing.${word.toLowerCase().replace(' ', '-')}`)
  }
})
