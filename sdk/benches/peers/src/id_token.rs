//! From an ID token to its verified claims.
//!
//! Keyback's column is `Client::refresh` with a provider in memory, since it verifies no token without a session: besides signature
//! and claims it holds the token request with its headers, the reading of the token response, and every check of the session. The
//! peers are given the token alone, with their keys parsed beforehand. ES512 stands in Keyback's column alone: see [`ALGORITHMS`].

mod provider;
mod token;

use std::str::FromStr as _;

use divan::{Bencher, black_box};
use huskarl_core::jwk::PublicJwk;
use huskarl_core::jwt::validator::JwtValidator;
use huskarl_crypto_native::asymmetric::verifier::AsymmetricPublicKey;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, Validation};
use keyback::Algorithm;
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{ClientId, IssuerUrl, Nonce};
use serde_json::json;
use tokio::runtime::Runtime;

use provider::Provider;
use token::{CLIENT_ID, ISSUER, NONCE, Signer, claims};

/// Every algorithm that Keyback checks and its peers check as well. Of ES512 none of the three knows how to: `jsonwebtoken` has no name
/// for it, `openidconnect` answers that it is not supported, and huskarl's native keys have no curve P-521.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::EdDsa,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];

fn main() {
    divan::main();
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

#[divan::bench(args = Algorithm::ALL)]
fn keyback(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    let runtime = runtime();
    let client = Provider::new(algorithm).client(algorithm);
    let begun = runtime.block_on(client.sign_in().start()).unwrap();
    let callback = format!(
        "https://app.example/callback?code=c&iss=https%3A%2F%2Fid.example%2Foidc&state={}",
        begun.pending.state()
    );
    let session = runtime.block_on(client.finish(begun.pending, callback)).unwrap();
    bencher.bench_local(|| runtime.block_on(client.refresh(black_box(&session))).unwrap());
}

/// With its own keys, which is what it does unless one writes others.
#[divan::bench(args = ALGORITHMS)]
fn openidconnect(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    let signer = Signer::new(algorithm, "bench");
    let token = signer.sign(&claims());
    let keys: CoreJsonWebKeySet = serde_json::from_value(json!({ "keys": [signer.jwk()] })).unwrap();
    let name: CoreJwsSigningAlgorithm = serde_json::from_value(json!(algorithm.as_str())).unwrap();
    let verifier = CoreIdTokenVerifier::new_public_client(
        ClientId::new(CLIENT_ID.to_owned()),
        IssuerUrl::new(ISSUER.to_owned()).unwrap(),
        keys,
    )
    .set_allowed_algs([name]);
    let nonce = Nonce::new(NONCE.to_owned());
    bencher.bench_local(|| {
        let token = CoreIdToken::from_str(black_box(&token)).unwrap();
        token.into_claims(&verifier, &nonce).unwrap()
    });
}

/// Signature, `exp`, `iss` and `aud`; it knows no nonce. On aws-lc-rs.
#[divan::bench(args = ALGORITHMS)]
fn jsonwebtoken(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    let signer = Signer::new(algorithm, "bench");
    let token = signer.sign(&claims());
    let jwk: Jwk = serde_json::from_value(signer.jwk()).unwrap();
    let key = DecodingKey::from_jwk(&jwk).unwrap();
    let mut validation = Validation::new(algorithm.as_str().parse().unwrap());
    validation.set_audience(&[CLIENT_ID]);
    validation.set_issuer(&[ISSUER]);
    bencher.bench_local(|| {
        jsonwebtoken::decode::<serde_json::Value>(black_box(&token), &key, &validation).unwrap()
    });
}

/// Signature, `exp`, `iss` and `aud`, by the validator that its ID tokens go through. On RustCrypto.
#[divan::bench(args = ALGORITHMS)]
fn huskarl(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    let runtime = runtime();
    let signer = Signer::new(algorithm, "bench");
    let token = signer.sign(&claims());
    let jwk: PublicJwk = serde_json::from_value(signer.jwk()).unwrap();
    let validator = JwtValidator::builder()
        .verifier(AsymmetricPublicKey::from_jwk(jwk).unwrap())
        .iss(ISSUER)
        .aud(CLIENT_ID)
        .require_exp(true)
        .allowed_algorithms([algorithm.as_str().to_owned()])
        .build();
    bencher.bench_local(|| {
        runtime
            .block_on(validator.validate::<serde_json::Value>(black_box(&token)))
            .unwrap()
    });
}
