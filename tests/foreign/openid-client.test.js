// openid-client, a certified relying party, unchanged, against the companion.

import assert from 'node:assert/strict';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';

import * as client from 'openid-client';

import { ADA, Companion } from './support/companion.js';
import { eventually } from './support/eventually.js';
import { browserOf, pass, signIn, signOut } from './support/steps.js';

const CALLBACK = 'http://app.localhost:8080/callback';
const SIGNED_OUT = 'http://app.localhost:8080/signed-out';
const SECRET = 'a-secret-of-this-app-that-is-long-enough';
const API = 'https://api.example.com';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const APPS = `
[[app]]
client_id = "es384"
type = "web"
client_secret = "${SECRET}"
redirect_uris = ["${CALLBACK}"]
post_logout_redirect_uris = ["${SIGNED_OUT}"]
resources = ["${API}"]

[[app]]
client_id = "rs256"
type = "web"
client_secret = "${SECRET}"
redirect_uris = ["${CALLBACK}"]
post_logout_redirect_uris = ["${SIGNED_OUT}"]
id_token_signed_response_alg = "RS256"

[[app]]
client_id = "pushes"
type = "web"
client_secret = "${SECRET}"
redirect_uris = ["${CALLBACK}"]
require_pushed_authorization_requests = true

[[app]]
client_id = "keyed"
type = "web"
token_endpoint_auth_method = "private_key_jwt"
jwks = '''${JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256', use: 'sig' }] })}'''
redirect_uris = ["${CALLBACK}"]

[[app]]
client_id = "television"
type = "native"
redirect_uris = ["http://127.0.0.1/callback"]
device_flow = true

[[app]]
client_id = "public"
type = "spa"
redirect_uris = ["${CALLBACK}"]

[[app]]
client_id = "native"
type = "native"
redirect_uris = ["http://127.0.0.1/callback", "http://[::1]/callback"]

[[app]]
client_id = "api"
type = "machine"
client_secret = "${SECRET}"
resources = ["${API}"]

[[resource]]
indicator = "${API}"
scopes = ["read:orders"]
`;

/** openid-client's view of the companion, for an app; it checks signatures too, where TLS would do for it. */
async function discover(companion, clientId, authentication, metadata = {}) {
  const options = { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] };
  return client.discovery(new URL(companion.issuer), clientId, metadata, authentication, options);
}

/** What a relying party draws and keeps for one sign-in. */
async function request(config, parameters = {}) {
  const kept = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
    idTokenExpected: true,
  };
  const sent = {
    redirect_uri: CALLBACK,
    scope: 'openid email profile offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(kept.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: kept.expectedState,
    nonce: kept.expectedNonce,
    ...parameters,
  };
  return { kept, sent, url: client.buildAuthorizationUrl(config, sent) };
}

/** A whole sign-in in a new browser, or in one that is given. */
async function signedIn(companion, config, parameters, browser = browserOf(companion)) {
  const { kept, url } = await request(config, parameters);
  const back = await signIn(browser, url);
  const tokens = await client.authorizationCodeGrant(config, back, kept);
  return { tokens, claims: tokens.claims(), browser, back };
}

describe('openid-client', () => {
  let companion;
  // An app's back-channel, and the logout tokens that came to it.
  const told = [];
  const channel = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    told.push(new URLSearchParams(body).get('logout_token'));
    response.end();
  });
  before(async () => {
    await new Promise((resolve) => channel.listen(0, '127.0.0.1', resolve));
    companion = await Companion.start(`${APPS}
[[app]]
client_id = "told"
type = "web"
client_secret = "${SECRET}"
redirect_uris = ["${CALLBACK}"]
backchannel_logout_uri = "http://127.0.0.1:${channel.address().port}/logout"
`);
  });
  after(async () => {
    channel.close();
    await companion?.stop();
  });

  const ways = [
    ['es384', 'client_secret_basic', client.ClientSecretBasic(SECRET)],
    ['es384', 'client_secret_post', client.ClientSecretPost(SECRET)],
    ['rs256', 'client_secret_basic', client.ClientSecretBasic(SECRET)],
    ['public', 'no secret', client.None()],
  ];
  for (const [clientId, name, authentication] of ways) {
    test(`oidc_core_9 ${clientId} signs in, fetches userinfo and refreshes, with ${name}`, async () => {
      const config = await discover(companion, clientId, authentication);
      const { tokens, claims } = await signedIn(companion, config);
      assert.equal(claims.iss, companion.issuer);
      const header = JSON.parse(Buffer.from(tokens.id_token.split('.')[0], 'base64url'));
      assert.equal(header.alg, clientId === 'rs256' ? 'RS256' : 'ES384');

      const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
      assert.deepEqual([info.email, info.email_verified, info.name], [ADA.email, true, ADA.name]);

      const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
      assert.notEqual(fresh.refresh_token, tokens.refresh_token);
      assert.equal(fresh.claims().sub, claims.sub);
      await client.fetchUserInfo(config, fresh.access_token, claims.sub);
    });
  }

  test('form_post_2 brings the answer in a body, for codes and for errors', async () => {
    const config = await discover(companion, 'es384', client.ClientSecretBasic(SECRET));
    const browser = browserOf(companion);
    const { kept, url } = await request(config, { response_mode: 'form_post' });
    await browser.open(url);
    await browser.submit({ identifier: ADA.email, password: ADA.password });
    const posted = async () => {
      // The page sends itself by script; without one there is a button.
      const { left, body } = await browser.submit({});
      assert.equal(left.href, CALLBACK);
      return new Request(left, { method: 'POST', body });
    };
    const tokens = await client.authorizationCodeGrant(config, await posted(), kept);
    assert.equal(tokens.claims().aud, 'es384');

    const silent = await request(config, { response_mode: 'form_post', prompt: 'none', max_age: '0' });
    await browser.open(silent.url);
    const refused = client.authorizationCodeGrant(config, await posted(), silent.kept);
    await assert.rejects(refused, { error: 'login_required' });
  });

  test('rfc9126_2 a pushed request stands for its parameters, once, and an app may be held to push', async () => {
    const config = await discover(companion, 'pushes', client.ClientSecretBasic(SECRET));
    const { kept, sent, url } = await request(config);
    const short = await client.buildAuthorizationUrlWithPAR(config, sent);
    assert.deepEqual([...short.searchParams.keys()].sort(), ['client_id', 'request_uri']);
    const tokens = await client.authorizationCodeGrant(config, await signIn(browserOf(companion), short), kept);
    assert.equal(tokens.claims().sub.length, 12);

    const unpushed = client.authorizationCodeGrant(config, await pass(browserOf(companion), url), kept);
    await assert.rejects(unpushed, { error: 'invalid_request' });
    const wrong = client.buildAuthorizationUrlWithPAR(config, { ...sent, redirect_uri: 'https://other.example/' });
    await assert.rejects(wrong, { error: 'invalid_request' });
  });

  test('rfc7523_3 private_key_jwt: a signature in place of a secret', async () => {
    const ec = { name: 'ECDSA', namedCurve: 'P-256' };
    const key = await webcrypto.subtle.importKey('jwk', privateKey.export({ format: 'jwk' }), ec, false, ['sign']);
    const config = await discover(companion, 'keyed', client.PrivateKeyJwt({ key, kid: 'one' }));
    const { tokens, claims } = await signedIn(companion, config);
    await client.refreshTokenGrant(config, tokens.refresh_token);
    assert.equal(claims.aud, 'keyed');

    const { privateKey: other } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const wrong = await webcrypto.subtle.importKey('jwk', other.export({ format: 'jwk' }), ec, false, ['sign']);
    const stranger = await discover(companion, 'keyed', client.PrivateKeyJwt({ key: wrong, kid: 'one' }));
    await assert.rejects(signedIn(companion, stranger), { error: 'invalid_client' });
  });

  test('oidc_core_5_5 claims are asked for by name, for the ID token and for userinfo', async () => {
    const config = await discover(companion, 'es384', client.ClientSecretBasic(SECRET));
    const asked = { id_token: { email: { essential: true }, auth_time: null }, userinfo: { name: null } };
    const { tokens, claims } = await signedIn(companion, config, { scope: 'openid', claims: JSON.stringify(asked) });
    assert.equal(claims.email, ADA.email);
    assert.equal(typeof claims.auth_time, 'number');
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, claims.sub)).name, ADA.name);
  });

  test('rfc8628_3 a device without a browser signs in by its code', async () => {
    const config = await discover(companion, 'television', client.None());
    const begun = await client.initiateDeviceAuthorization(config, { scope: 'openid email' });
    const polled = client.pollDeviceAuthorizationGrant(config, begun);
    const browser = browserOf(companion);
    await browser.open(begun.verification_uri_complete);
    for (let page = 0; page < 4 && browser.page.forms.length > 0; page += 1) {
      const { values, buttons } = browser.page.forms[0];
      const button = buttons.some((one) => one.text === 'Allow') ? 'Allow' : 'Continue';
      if (values.has('password')) await browser.submit({ identifier: ADA.email, password: ADA.password });
      else await browser.submit({}, button);
    }
    const tokens = await polled;
    const claims = tokens.claims();
    assert.equal(claims.aud, 'television');
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, claims.sub)).email, ADA.email);
  });

  test('prompt and max_age: silent with a session, a sign-in without, auth_time told', async () => {
    const config = await discover(companion, 'es384', client.ClientSecretBasic(SECRET));
    const nobody = await request(config, { prompt: 'none' });
    const refused = client.authorizationCodeGrant(config, await pass(browserOf(companion), nobody.url), nobody.kept);
    await assert.rejects(refused, { error: 'login_required' });

    const { browser, claims } = await signedIn(companion, config, { max_age: '3600' });
    assert.ok(claims.auth_time);
    const silent = await request(config, { prompt: 'none', max_age: '3600' });
    const back = await pass(browser, silent.url);
    const tokens = await client.authorizationCodeGrant(config, back, { ...silent.kept, maxAge: 3600 });
    assert.deepEqual([tokens.claims().sub, tokens.claims().auth_time], [claims.sub, claims.auth_time]);

    const again = await request(config, { prompt: 'login' });
    await browser.open(again.url);
    assert.equal(browser.page.url.pathname, '/sign-in');
  });

  test('an answer for another request, of another issuer or come twice is refused by the library', async () => {
    const config = await discover(companion, 'es384', client.ClientSecretBasic(SECRET));
    const browser = browserOf(companion);
    const { kept, url } = await request(config);
    const back = await signIn(browser, url);
    for (const [name, value] of [['state', 'other'], ['iss', 'https://other.example/oidc']]) {
      const forged = new URL(back);
      assert.ok(forged.searchParams.has(name), `${name} is not in the answer`);
      forged.searchParams.set(name, value);
      await assert.rejects(client.authorizationCodeGrant(config, forged, kept));
    }
    await client.authorizationCodeGrant(config, back, kept);
    await assert.rejects(client.authorizationCodeGrant(config, back, kept), { error: 'invalid_grant' });
    const other = await request(config);
    const replayed = await pass(browser, other.url);
    await assert.rejects(
      client.authorizationCodeGrant(config, replayed, { ...other.kept, expectedNonce: 'another' }),
    );
  });

  test('rfc7662_2 introspection and revocation tell and end what a token is worth', async () => {
    const config = await discover(companion, 'es384', client.ClientSecretBasic(SECRET));
    const { tokens, claims } = await signedIn(companion, config);
    const live = await client.tokenIntrospection(config, tokens.access_token);
    assert.deepEqual([live.active, live.sub, live.client_id], [true, claims.sub, 'es384']);
    await client.tokenRevocation(config, tokens.refresh_token);
    await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' });
    assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, false);
    await assert.rejects(client.fetchUserInfo(config, tokens.access_token, claims.sub));
  });

  test('a JWT for an API by its resource indicator', async () => {
    const config = await discover(companion, 'es384', client.ClientSecretBasic(SECRET));
    const parameters = { scope: 'openid offline_access read:orders', resource: API };
    const { tokens, claims } = await signedIn(companion, config, parameters);
    const fresh = await client.refreshTokenGrant(config, tokens.refresh_token, { resource: API });
    const payload = JSON.parse(Buffer.from(fresh.access_token.split('.')[1], 'base64url'));
    assert.deepEqual([payload.aud, payload.sub, payload.scope], [API, claims.sub, 'read:orders']);

    // The API asks what it is worth; about tokens for others it is told nothing.
    const api = await discover(companion, 'api', client.ClientSecretBasic(SECRET));
    const live = await client.tokenIntrospection(api, fresh.access_token);
    assert.deepEqual([live.active, live.sub, live.scope], [true, claims.sub, 'read:orders']);
    assert.equal((await client.tokenIntrospection(api, tokens.access_token)).active, false);
  });

  test('a native app comes back to any loopback port', async () => {
    const config = await discover(companion, 'native', client.None());
    for (const redirect_uri of ['http://127.0.0.1:49152/callback', 'http://[::1]:65000/callback']) {
      const { back, claims } = await signedIn(companion, config, { redirect_uri });
      assert.ok(back.href.startsWith(`${redirect_uri}?`), back.href);
      assert.equal(claims.aud, 'native');
    }
  });

  test('sign-out with an ID token ends the session and comes back with the state', async () => {
    const config = await discover(companion, 'es384', client.ClientSecretBasic(SECRET));
    const { tokens, browser } = await signedIn(companion, config);
    const parameters = { id_token_hint: tokens.id_token, post_logout_redirect_uri: SIGNED_OUT, state: 'a state' };
    const end = client.buildEndSessionUrl(config, parameters);
    const left = await signOut(browser, end);
    assert.equal(left.origin + left.pathname, SIGNED_OUT);
    assert.equal(left.searchParams.get('state'), 'a state');
    const { url } = await request(config);
    await browser.open(url);
    assert.equal(browser.page.url.pathname, '/sign-in');
  });

  test('bcl_2_4 the end of a session is told to the app by a logout token', async () => {
    const config = await discover(companion, 'told', client.ClientSecretBasic(SECRET));
    const { tokens, claims, browser } = await signedIn(companion, config);
    await signOut(browser, client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token }));
    const token = await eventually('a logout token', async () => told.shift());
    const [header, payload] = token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
    assert.deepEqual([header.typ, header.alg], ['logout+jwt', 'ES384']);
    assert.deepEqual([payload.iss, payload.aud, payload.sid], [companion.issuer, 'told', claims.sid]);
    assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} });
    assert.equal('nonce' in payload, false);
    const { keys } = await (await fetch(config.serverMetadata().jwks_uri)).json();
    const ec = { name: 'ECDSA', namedCurve: 'P-384' };
    const key = await webcrypto.subtle.importKey('jwk', keys.find((one) => one.kid === header.kid), ec, false, ['verify']);
    const signature = Buffer.from(token.split('.')[2], 'base64url');
    const signed = Buffer.from(token.slice(0, token.lastIndexOf('.')));
    assert.ok(await webcrypto.subtle.verify({ ...ec, hash: 'SHA-384' }, key, signature, signed));
  });

  test('a new key is published long before it signs', async () => {
    const config = await discover(companion, 'es384', client.ClientSecretBasic(SECRET));
    const published = async () => (await (await fetch(config.serverMetadata().jwks_uri)).json()).keys.map((key) => key.kid);
    const { tokens } = await signedIn(companion, config);
    const before = await published();
    await companion.command('keys', 'rotate');
    // Looks at its keys at once; otherwise within a minute.
    await companion.restart();
    const rotated = await published();
    assert.ok(rotated.length > before.length);
    assert.ok(before.every((kid) => rotated.includes(kid)), 'a key left the set while its tokens live');
    const { tokens: next } = await signedIn(companion, config);
    const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
    // What the new key signs, `key-rotation.test.js` meets.
    const keyOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;
    for (const { id_token } of [next, fresh]) assert.equal(keyOf(id_token), keyOf(tokens.id_token));
  });
});
