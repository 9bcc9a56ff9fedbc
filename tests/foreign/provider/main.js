// oidc-provider, a certified OpenID provider, for the SDK's tests: in memory, on any port of loopback, with the login and
// consent pages it brings for development.
//
// It prints `ready <issuer>`, then obeys a line each of its standard input and answers `done`:
//   keys new old    publishes these keys, made when first named; the first signs
//   show key-es256  prints the private key of that client, a JWK, before `done`
// It ends when its standard input does.

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import Provider from 'oidc-provider';

import { Memory } from './memory.js';

const [redirectUri, signedOutUri, toldUri] = process.argv.slice(2);
const SECRET = 'a-secret-of-the-relying-party-that-is-long';

const app = (client_id, rest = {}) => ({
  client_id,
  client_secret: SECRET,
  redirect_uris: [redirectUri],
  post_logout_redirect_uris: [signedOutUri],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  ...rest,
});

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

/** Clients that prove themselves by a key, one of each kind. */
const KEYS = { 'key-rs256': 0, 'key-es256': 1, 'key-es384': 2, 'key-eddsa': 3 };

const publicHalf = ({ kty, kid, crv, x, y, n, e }) => ({ kty, kid, crv, x, y, n, e });

const byKey = (client_id, index) =>
  app(client_id, {
    client_secret: undefined,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [publicHalf(keysNamed('client')[index])] },
  });

const clients = () => [
  ...ALGORITHMS.map((alg) => app(alg.toLowerCase(), { id_token_signed_response_alg: alg })),
  app('post', { token_endpoint_auth_method: 'client_secret_post' }),
  app('public', { token_endpoint_auth_method: 'none', client_secret: undefined }),
  ...Object.entries(KEYS).map(([client_id, index]) => byKey(client_id, index)),
  app('pushed', { require_pushed_authorization_requests: true }),
  app('device', { grant_types: [DEVICE, 'refresh_token'], redirect_uris: [], response_types: [] }),
  app('told', { backchannel_logout_uri: toldUri, backchannel_logout_session_required: true }),
  // What a relying party must not take.
  app('hs256', { id_token_signed_response_alg: 'HS256' }),
  app('encrypted', { id_token_encrypted_response_alg: 'A256KW', id_token_encrypted_response_enc: 'A256GCM' }),
  app('signed-userinfo', { userinfo_signed_response_alg: 'RS256' }),
];

const kinds = [
  ['rsa', { modulusLength: 2048 }],
  ['ec', { namedCurve: 'P-256' }],
  ['ec', { namedCurve: 'P-384' }],
  ['ed25519', {}],
];
const made = new Map();

/** The private keys of one name, one of each kind. */
function keysNamed(name) {
  if (!made.has(name)) {
    const keys = kinds.map(([kind, options], index) => {
      const { privateKey } = generateKeyPairSync(kind, options);
      return { ...privateKey.export({ format: 'jwk' }), kid: `${name}-${index}`, use: 'sig' };
    });
    made.set(name, keys);
  }
  return made.get(name);
}

function provider(issuer, names) {
  return new Provider(issuer, {
    adapter: Memory,
    clients: clients(),
    jwks: { keys: names.flatMap(keysNamed) },
    cookies: { keys: ['a key of nobody'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    enabledJWA: {
      idTokenSigningAlgValues: [...ALGORITHMS, 'HS256'],
      clientAuthSigningAlgValues: ['RS256', 'ES256', 'ES384', 'EdDSA'],
    },
    extraParams: ['first_screen'],
    features: {
      backchannelLogout: { enabled: true },
      deviceFlow: { enabled: true },
      dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 'nonce'), requireNonce: () => true },
      encryption: { enabled: true },
      jwtUserinfo: { enabled: true },
      revocation: { enabled: true },
    },
    // The tests are all on loopback, which its own guard keeps requests from.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({ sub, name: 'Ada Lovelace', email: `${sub}@example.com`, email_verified: true }),
    }),
    rotateRefreshToken: true,
    ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 86400, IdToken: 3600, Interaction: 3600, RefreshToken: 86400, Session: 86400 },
  });
}

// It warns on standard output of what development servers do; the tests read that.
console.info = console.warn = console.error;

const server = createServer();
let answer;
server.on('request', (request, response) => answer(request, response));
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  answer = provider(issuer, ['old']).callback();
  console.log(`ready ${issuer}`);
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const [order, ...names] = line.split(' ');
      if (order === 'keys' && names.length > 0) answer = provider(issuer, names).callback();
      else if (order === 'show') console.log(JSON.stringify(keysNamed('client')[KEYS[names[0]]]));
      else throw new Error(`no such order: ${line}`);
      console.log('done');
    })
    .on('close', () => process.exit(0));
});
