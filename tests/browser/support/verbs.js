// Ways that many journeys begin with, when something later is their subject.

/** From wherever "Forgot password?" leads to the page that asks for the code. */
export async function askForCode(visitor, companion, address, from = companion.at('/reset-password')) {
  await visitor.open(from)
  visitor.pass()
  await visitor.askReset(address)
  visitor.pass()
}

/** On to the page that asks for the new password. */
export async function proveAddress(visitor, companion, address, from) {
  await askForCode(visitor, companion, address, from)
  await visitor.enterCode(await companion.nextCode(address))
  visitor.at('/forgot-password/password')
  visitor.pass()
}

/** A sign-in at the companion itself, on to the account page. */
export async function signInToAccount(visitor, companion, person) {
  await visitor.open(companion.at('/account'))
  visitor.at('/sign-in')
  visitor.pass()
  await visitor.signIn(person.email, person.password)
  visitor.at('/account')
  visitor.pass()
}
