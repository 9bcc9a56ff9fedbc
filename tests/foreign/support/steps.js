// What a person does at the companion's pages.

import assert from 'node:assert/strict';

import { ADA } from './companion.js';
import { Browser } from './browser.js';

/** Opens an authorization request that asks for a sign-in, and signs in. Gives where the browser was sent back to. */
export async function signIn(browser, url, { email = ADA.email, password = ADA.password } = {}) {
  await browser.open(url);
  assert.equal(browser.page.url.pathname, '/sign-in', browser.page.text);
  const back = await browser.submit({ identifier: email, password });
  return returned(back, browser);
}

/** Opens an authorization request whose first screen is the reset, sets a new password, and signs in with it. */
export async function resetPassword(companion, browser, url, newPassword) {
  await browser.open(url);
  assert.equal(browser.page.url.pathname, '/forgot-password', browser.page.text);
  const seen = (await companion.letters()).filter((letter) => letter.to === ADA.email && letter.code).length;
  await browser.submit({ identifier: ADA.email });
  assert.equal(browser.page.url.pathname, '/forgot-password/code', browser.page.text);
  await browser.submit({ code: await companion.codeFor(ADA.email, seen) });
  assert.equal(browser.page.url.pathname, '/forgot-password/password', browser.page.text);
  await browser.submit({ password: newPassword });
  assert.equal(browser.page.url.pathname, '/forgot-password/done', browser.page.text);
  await browser.click('Sign in');
  const back = await browser.submit({ identifier: ADA.email, password: newPassword });
  return returned(back, browser);
}

/** Opens an end-session address, and confirms where it asks. Gives where the browser was sent to, or the last page. */
export async function signOut(browser, url) {
  let answer = await browser.open(url);
  if (!answer.left && answer.forms.length > 0) answer = await browser.submit({}, 'Sign out');
  return answer.left ?? answer;
}

/** Opens an authorization request that needs nobody. */
export async function pass(browser, url) {
  return returned(await browser.open(url), browser);
}

export function browserOf(companion) {
  return new Browser(companion.url);
}

function returned(back, browser) {
  assert.ok(back.left, `the browser was not sent back to the app: ${browser.page?.url} ${browser.page?.text}`);
  return back.left;
}
