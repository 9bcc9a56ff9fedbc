// A person in front of the browser, who does what people do: opens, reads, types, presses.
import assert from 'node:assert/strict'
import { browser } from './browser.js'
import { look } from './look.js'
import { PATIENCE } from './places.js'
import { watch } from './watch.js'
import { NEW_PASSWORD } from './world.js'

export const DESKTOP = { width: 1280, height: 860 }
export const PHONE = { width: 390, height: 844 }

export class Visitor {
  /**
   * Somebody who has never been here. `options` are those of Playwright's `newContext`; `variant` is put behind the
   * name of every page that is looked at, for visitors to whom pages look different.
   */
  static async arrive({ variant, ...options } = {}) {
    const context = await (await browser()).newContext({
      viewport: DESKTOP, locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce', ...options
    })
    context.setDefaultTimeout(PATIENCE)
    const visitor = new Visitor()
    const { colorScheme, javaScriptEnabled, forcedColors } = options
    Object.assign(visitor, { context, variant, settings: { colorScheme, javaScriptEnabled, forcedColors }, tabs: [] })
    return visitor.newTab()
  }

  /** Another tab of the same browser. */
  async newTab() {
    const tab = Object.create(Visitor.prototype)
    Object.assign(tab, this)
    tab.page = await this.context.newPage()
    tab.watch = watch(tab.page)
    this.tabs.push(tab)
    return tab
  }

  /** Everything that was wrong in any tab. */
  problems() { return this.tabs.flatMap(tab => tab.watch.all()) }

  /** Where every tab stands, for whoever reads why a journey failed. */
  async tell() {
    const tell = async tab => `${tab.page.url()}\n${await tab.page.locator('body').ariaSnapshot({ timeout: 2000 }).catch(String)}\n${tab.watch.problems.join('\n')}`
    return (await Promise.all(this.tabs.map(tell))).join('\n\n')
  }

  leave() { return this.context.close() }

  async open(url) { return this.page.goto(String(url)) }

  /** Does something that leads to another page, and waits until that stands. */
  async follow(act) {
    const loaded = this.page.waitForEvent('load')
    await act()
    await loaded
  }

  link(name) { return this.page.getByRole('link', { name, exact: true }) }
  button(name) { return this.page.getByRole('button', { name, exact: typeof name === 'string' }) }
  field(name) { return this.page.getByRole('textbox', { name, exact: true }) }
  /** A password field has no role of its own. */
  secret(name) { return this.page.getByLabel(name, { exact: true }) }

  async click(name) { await this.follow(() => this.link(name).click()) }
  async press(name) { await this.follow(() => this.button(name).click()) }

  /** Looks at the page in every way there is; see `look`. */
  async look(name, options) {
    this.watch.lookedAt()
    await look(this.page, this.variant ? `${name}.${this.variant}` : name, { ...this.settings, pictures: !this.variant, ...options })
  }

  /** The page belongs to the journey, but is not ours to judge. */
  pass() { this.watch.lookedAt() }

  /** So do all that came up on the way here. */
  passAll() { this.watch.documents.forEach(one => { one.lookedAt = true }) }

  at(path) { assert.equal(new URL(this.page.url()).pathname, path) }
  on(origin) { assert.equal(new URL(this.page.url()).origin, String(origin).replace(/\/$/, '')) }
  async says(text) { await this.page.getByText(text).first().waitFor() }
  async saysNot(text) { assert.equal(await this.page.getByText(text).count(), 0, `it says ${text}`) }

  async askReset(identifier) {
    await this.page.locator('#identifier').fill(identifier)
    await this.press('Send code')
    this.at('/forgot-password/code')
  }
  async enterCode(code) {
    await this.field('Code').fill(code)
    await this.press('Continue')
  }
  async choosePassword(password) {
    await this.secret('New password').fill(password)
    await this.press('Save password')
  }
  async signIn(identifier, password) {
    await this.field('E-mail or phone').fill(identifier)
    await this.secret('Password').fill(password)
    await this.press('Sign in')
  }

  /**
   * The whole reset, from the page that asks for the address to wherever the sign-in with the new password leads. `see` gets
   * the name of every page on the way: it looks at the page, or lets it pass, and may do there whatever leads back to it.
   */
  async resetAndSignIn(companion, address, { see = () => this.pass(), typed = address } = {}) {
    await this.askReset(typed)
    await see('code')
    await this.enterCode(await companion.nextCode(address))
    this.at('/forgot-password/password')
    await see('new-password')
    await this.choosePassword(NEW_PASSWORD)
    this.at('/forgot-password/done')
    await see('done')
    await this.click('Sign in')
    this.at('/sign-in')
    await see('sign-in.after-reset')
    await this.signIn(address, NEW_PASSWORD)
  }
}
