// Logto's own SDK for Node, unchanged, against the companion.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import LogtoClient from '@logto/node';

import { ADA, Companion } from './support/companion.js';
import { browserOf, pass, resetPassword, signIn, signOut } from './support/steps.js';

const CALLBACK = 'http://app.localhost:8080/callback';
const SIGNED_OUT = 'http://app.localhost:8080/signed-out';
const API = 'https://api.example.com';

const app = (id, alg) => `
[[app]]
client_id = "${id}"
type = "web"
client_secret = "a-secret-of-this-app-that-is-long-enough"
redirect_uris = ["${CALLBACK}"]
post_logout_redirect_uris = ["${SIGNED_OUT}"]
resources = ["${API}"]
id_token_signed_response_alg = "${alg}"
`;

const APPS = `
${app('es384', 'ES384')}
${app('rs256', 'RS256')}
[[resource]]
indicator = "${API}"
scopes = ["read:orders"]
`;

/** Logto's storage adapter, over a map. */
class Storage {
  items = new Map();
  getItem = async (key) => this.items.get(key) ?? null;
  setItem = async (key, value) => void this.items.set(key, value);
  removeItem = async (key) => void this.items.delete(key);
}

function logto(companion, appId, options = {}) {
  const storage = new Storage();
  const been = {};
  const client = new LogtoClient(
    {
      endpoint: companion.url,
      appId,
      appSecret: 'a-secret-of-this-app-that-is-long-enough',
      scopes: ['email'],
      ...options,
    },
    { storage, navigate: (url, { for: reason }) => void (been[reason] = url) },
  );
  return { client, been, storage };
}

describe('@logto/node', () => {
  let companion;
  before(async () => (companion = await Companion.start(APPS)));
  after(() => companion?.stop());

  for (const appId of ['es384', 'rs256']) {
    test(`signs in, fetches userinfo, refreshes and signs out (${appId})`, async () => {
      const { client, been, storage } = logto(companion, appId);
      const browser = browserOf(companion);
      await client.signIn({ redirectUri: CALLBACK });
      const back = await signIn(browser, been['sign-in']);
      await client.handleSignInCallback(back.href);
      assert.equal(await client.isAuthenticated(), true);
      const claims = await client.getIdTokenClaims();
      assert.equal(claims.iss, companion.issuer);
      assert.equal(claims.aud, appId);
      const header = JSON.parse(Buffer.from((await client.getIdToken()).split('.')[0], 'base64url'));
      assert.equal(header.alg.toLowerCase(), appId);

      const info = await client.fetchUserInfo();
      assert.deepEqual([info.sub, info.email, info.email_verified, info.name], [claims.sub, ADA.email, true, ADA.name]);

      const [accessToken, refreshToken] = [await client.getAccessToken(), await client.getRefreshToken()];
      await client.clearAccessToken();
      assert.notEqual(await client.getAccessToken(), accessToken);
      assert.notEqual(await client.getRefreshToken(), refreshToken);
      assert.equal((await client.fetchUserInfo()).sub, claims.sub);

      const last = await client.getRefreshToken();
      await client.signOut(SIGNED_OUT);
      assert.equal(storage.items.has('refreshToken'), false);
      assert.equal((await signOut(browser, been['sign-out'])).href, SIGNED_OUT);
      // The SDK has revoked the refresh token, and the session has ended.
      const again = await fetch(`${companion.issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${appId}:a-secret-of-this-app-that-is-long-enough`)}` },
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: last }),
      });
      assert.deepEqual([again.status, (await again.json()).error], [400, 'invalid_grant']);
      await client.signIn({ redirectUri: CALLBACK });
      await browser.open(been['sign-in']);
      assert.equal(browser.page.url.pathname, '/sign-in');
    });
  }

  test('a live session answers the sign-in of another app without a page', async () => {
    const browser = browserOf(companion);
    const one = logto(companion, 'es384');
    await one.client.signIn({ redirectUri: CALLBACK });
    await one.client.handleSignInCallback((await signIn(browser, one.been['sign-in'])).href);
    const other = logto(companion, 'rs256');
    // Its default prompt is `consent`, which first-party apps have without a screen.
    await other.client.signIn({ redirectUri: CALLBACK });
    await other.client.handleSignInCallback((await pass(browser, other.been['sign-in'])).href);
    assert.equal((await other.client.getIdTokenClaims()).sub, (await one.client.getIdTokenClaims()).sub);
    assert.ok(await other.client.getRefreshToken());
  });

  test('gets a JWT for an API by its refresh token', async () => {
    const { client, been } = logto(companion, 'es384', { resources: [API], scopes: ['read:orders'] });
    await client.signIn({ redirectUri: CALLBACK });
    await client.handleSignInCallback((await signIn(browserOf(companion), been['sign-in'])).href);
    const claims = await client.getAccessTokenClaims(API);
    assert.deepEqual([claims.aud, claims.scope, claims.iss], [API, 'read:orders', companion.issuer]);
    assert.equal(claims.sub, (await client.getIdTokenClaims()).sub);
  });

  test('a callback with another state, or of another app, is refused by the SDK', async () => {
    const { client, been } = logto(companion, 'es384');
    await client.signIn({ redirectUri: CALLBACK });
    const back = await signIn(browserOf(companion), been['sign-in']);
    back.searchParams.set('state', 'somebody-elses');
    await assert.rejects(client.handleSignInCallback(back.href));
    assert.equal(await client.isAuthenticated(), false);
  });

  let password = ADA.password;
  // The SDK's type knows the underscore alone; the hyphen is what Logto's page about resets prints.
  for (const firstScreen of ['reset_password', 'reset-password']) {
    test(`firstScreen: '${firstScreen}' opens the reset, which ends at the SDK's callback`, async () => {
      const { client, been } = logto(companion, 'es384');
      const browser = browserOf(companion);
      await client.signIn({ redirectUri: CALLBACK, firstScreen, prompt: 'login', loginHint: ADA.email });
      assert.equal(new URL(been['sign-in']).searchParams.get('first_screen'), firstScreen);
      const changed = `copper lantern drifts by ${firstScreen}`;
      const back = await resetPassword(companion, browser, been['sign-in'], changed);
      await client.handleSignInCallback(back.href);
      assert.equal((await client.fetchUserInfo()).email, ADA.email);

      const stranger = browserOf(companion);
      await client.signIn({ redirectUri: CALLBACK });
      await stranger.open(been['sign-in']);
      await stranger.submit({ identifier: ADA.email, password });
      assert.equal(stranger.page.url.pathname, '/sign-in', 'the old password still signs in');
      password = changed;
    });
  }

  test("a first screen that is none of Logto's is refused with an error, not dropped", async () => {
    const { client, been } = logto(companion, 'es384');
    await client.signIn({ redirectUri: CALLBACK, firstScreen: 'reset' });
    const back = await pass(browserOf(companion), been['sign-in']);
    assert.equal(back.searchParams.get('error'), 'invalid_request');
    await assert.rejects(client.handleSignInCallback(back.href));
  });
});
