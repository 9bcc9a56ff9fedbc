// Signing keys change, and relying parties that keep the key set in their own ways verify what the new one signs.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import LogtoClient from '@logto/node';
import * as client from 'openid-client';

import { Stage, SHOP } from './support/stage.js';
import { browserOf, pass, signIn } from './support/steps.js';

/** Which key has signed a token. */
const keyOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;

/** A relying party by openid-client; it checks signatures too, where TLS would do for it. */
async function openidClient(stage) {
  const options = { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] };
  const authentication = client.ClientSecretBasic(SHOP.secret);
  const config = await client.discovery(new URL(stage.issuer), SHOP.id, {}, authentication, options);
  return async (open) => {
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const expectedState = client.randomState();
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: stage.callback,
      scope: 'openid',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
    });
    const checks = { pkceCodeVerifier, expectedState, idTokenExpected: true };
    const tokens = await client.authorizationCodeGrant(config, await open(url), checks);
    return keyOf(tokens.id_token);
  };
}

/** One by Logto's own SDK. */
async function logtoNode(stage) {
  const items = new Map();
  const storage = {
    getItem: async (key) => items.get(key) ?? null,
    setItem: async (key, value) => void items.set(key, value),
    removeItem: async (key) => void items.delete(key),
  };
  let left;
  const logto = new LogtoClient(
    { endpoint: stage.url, appId: SHOP.id, appSecret: SHOP.secret },
    { storage, navigate: (url) => void (left = url) },
  );
  return async (open) => {
    await logto.signIn({ redirectUri: stage.callback });
    await logto.handleSignInCallback((await open(left)).href);
    return keyOf(await logto.getIdToken());
  };
}

const LIBRARIES = { 'openid-client': openidClient, '@logto/node': logtoNode };

/** A stage, the time of which is that of this process too, and somebody who is signed in there. */
async function begin(t) {
  const stage = await Stage.start();
  t.after(() => stage.stop());
  t.mock.timers.enable({ apis: ['Date'], now: await stage.pass(0) });
  const browser = browserOf(stage);
  return {
    stage,
    wait: async (seconds) => t.mock.timers.setTime(await stage.pass(seconds)),
    // Whoever is signed in passes without a page.
    first: (url) => signIn(browser, url),
    again: (url) => pass(browser, url),
  };
}

for (const [name, relyingParty] of Object.entries(LIBRARIES)) {
  test(`oidc_core_10_1_1 ${name} verifies every token over an announced change of keys`, async (t) => {
    const { stage, wait, first, again } = await begin(t);
    const steady = await relyingParty(stage);
    const oldKey = await steady(first);
    // These sign nobody in meanwhile: what they hold is the key set of before.
    const back = await relyingParty(stage);
    const late = await relyingParty(stage);
    for (const quiet of [back, late]) assert.equal(await quiet(again), oldKey);

    await stage.rotate('announced');
    const signedBy = [];
    for (let minute = 1; minute <= 16; minute += 1) {
      await wait(60);
      signedBy.push(await steady(again));
      // The first minute of the new key.
      if (signedBy.at(-1) !== oldKey && signedBy.at(-2) === oldKey) assert.equal(await back(again), signedBy.at(-1));
    }
    const newKey = signedBy.at(-1);
    assert.notEqual(newKey, oldKey);
    assert.deepEqual([...new Set(signedBy)], [oldKey, newKey]);
    assert.equal(await late(again), newKey);
  });

  test(`oidc_core_10_1_1 ${name} fetches the key set again where keys change at once`, async (t) => {
    const { stage, wait, first, again } = await begin(t);
    const relying = await relyingParty(stage);
    const oldKey = await relying(first);
    await stage.rotate('at-once');
    // Within a second it signs with the new key. A library that has only just fetched the key set does not ask again.
    await wait(2);
    await assert.rejects(relying(again), /no applicable key/);
    await wait(60);
    assert.notEqual(await relying(again), oldKey);
  });
}
