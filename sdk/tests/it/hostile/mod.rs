//! A table of hostile answers: one rule is broken at a time, and each is refused with its own error. SR-76.
//!
//! `cargo test -p keyback --test it hostile -- --nocapture` prints it. What gets through when a check is switched off is shown
//! by the mutation table beside the checks.

#[cfg(feature = "reqwest")]
mod on_the_wire;

use std::collections::HashSet;
use std::time::Duration;

use aws_lc_rs::digest::SHA384;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use keyback::{Algorithm, Error};
use serde_json::{Value, json};

use crate::provider::{CLIENT_ID, NOW, Signer, World, checked, half_hash, signing_input};

type Claims = fn(&mut Value);
type Query = fn(&mut Vec<(String, String)>);
type Token = fn(&Signer, &Value) -> String;

/// One claim of the ID token is not as it must be.
const CLAIMS: [(&str, Claims, &str); 17] = [
    (
        "iss of another provider",
        |c| c["iss"] = json!("https://evil.example"),
        "id_token.wrong_issuer",
    ),
    ("no iss", |c| remove(c, "iss"), "id_token.malformed"),
    (
        "aud of another client",
        |c| c["aud"] = json!("other-app"),
        "id_token.wrong_audience",
    ),
    ("no aud", |c| remove(c, "aud"), "id_token.wrong_audience"),
    (
        "aud of others too",
        |c| c["aud"] = json!([CLIENT_ID, "other-app"]),
        "id_token.foreign_audience",
    ),
    (
        "azp of another client",
        |c| c["azp"] = json!("other-app"),
        "id_token.wrong_authorized_party",
    ),
    (
        "exp in the past",
        |c| c["exp"] = json!(NOW - 61),
        "id_token.expired",
    ),
    ("no exp", |c| remove(c, "exp"), "id_token.malformed"),
    (
        "iat in the future",
        |c| c["iat"] = json!(NOW + 61),
        "id_token.issued_in_future",
    ),
    (
        "nbf in the future",
        |c| c["nbf"] = json!(NOW + 61),
        "id_token.not_yet_valid",
    ),
    (
        "nonce of another request",
        |c| c["nonce"] = json!("another"),
        "id_token.nonce_mismatch",
    ),
    ("no nonce", |c| remove(c, "nonce"), "id_token.missing_nonce"),
    (
        "at_hash of another token",
        |c| c["at_hash"] = json!(half_hash(&SHA384, "x")),
        "id_token.access_token_mismatch",
    ),
    ("an empty sub", |c| c["sub"] = json!(""), "id_token.bad_subject"),
    ("no sub", |c| remove(c, "sub"), "id_token.malformed"),
    (
        "no auth_time, though max_age was asked",
        |_| {},
        "id_token.missing_auth_time",
    ),
    (
        "auth_time of an hour ago, though max_age was asked",
        |c| c["auth_time"] = json!(NOW - 3600),
        "id_token.auth_too_old",
    ),
];

/// The token is not what its header says, or says what it must not.
const TOKENS: [(&str, Token, &str); 8] = [
    (
        "alg none",
        |_, claims| format!("{}.", signing_input(&json!({ "alg": "none" }), claims)),
        "id_token.unsigned",
    ),
    (
        "HS256 with the public key",
        hmac_with_the_public_key,
        "id_token.algorithm_refused",
    ),
    (
        "an algorithm that is not on the client's list",
        |_, claims| Signer::new(Algorithm::Rs512, "key-1").sign(claims),
        "id_token.algorithm_refused",
    ),
    (
        "a key of the attacker's own",
        |_, claims| Signer::new(Algorithm::Es384, "key-1").sign(claims),
        "id_token.bad_signature",
    ),
    (
        "a key that is not published",
        |_, claims| Signer::new(Algorithm::Es384, "key-9").sign(claims),
        "id_token.unknown_key",
    ),
    (
        "a key that travels in the header",
        |_, claims| {
            let own = Signer::new(Algorithm::Es384, "key-1");
            own.sign_with_header(
                &json!({ "alg": "ES384", "kid": "key-1", "jwk": own.jwk() }),
                claims,
            )
        },
        "id_token.bad_signature",
    ),
    (
        "another kind of token (typ)",
        |signer, claims| {
            let header = json!({ "alg": "ES384", "kid": "key-1", "typ": "at+jwt" });
            signer.sign_with_header(&header, claims)
        },
        "id_token.unsupported_header",
    ),
    (
        "an extension that must be understood (crit)",
        |signer, claims| {
            let header = json!({ "alg": "ES384", "kid": "key-1", "crit": ["exp"] });
            signer.sign_with_header(&header, claims)
        },
        "id_token.unsupported_header",
    ),
];

/// The callback is not the answer to the request.
const CALLBACKS: [(&str, Query, &str); 7] = [
    (
        "iss of another provider",
        |q| set(q, "iss", "https://evil.example"),
        "callback.issuer_mismatch",
    ),
    (
        "no iss, though it is promised",
        |q| q.retain(|(name, _)| name != "iss"),
        "callback.missing_issuer",
    ),
    (
        "another state",
        |q| set(q, "state", "another"),
        "callback.state_mismatch",
    ),
    (
        "no state",
        |q| q.retain(|(name, _)| name != "state"),
        "callback.missing_state",
    ),
    (
        "a second code",
        |q| q.push(("code".to_owned(), "x".to_owned())),
        "callback.repeated",
    ),
    (
        "no code",
        |q| q.retain(|(name, _)| name != "code"),
        "callback.missing_code",
    ),
    (
        "an error beside the code",
        |q| set(q, "error", "access_denied"),
        "callback.access_denied",
    ),
];

fn remove(claims: &mut Value, name: &str) {
    claims.as_object_mut().unwrap().remove(name);
}

fn set(query: &mut Vec<(String, String)>, name: &str, value: &str) {
    query.retain(|(key, _)| key != name);
    query.push((name.to_owned(), value.to_owned()));
}

fn hmac_with_the_public_key(signer: &Signer, claims: &Value) -> String {
    let input = signing_input(&json!({ "alg": "HS256", "kid": "key-1" }), claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, signer.jwk().to_string().as_bytes());
    let tag = hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
}

#[derive(Default)]
struct Table(Vec<(String, &'static str)>);

impl Table {
    fn refused(&mut self, what: &str, error: &Error, expected: &str) {
        println!("{what:<55} {}", error.code());
        assert_eq!(error.code(), expected, "{what}");
        self.0.push((what.to_owned(), error.code()));
    }
}

#[tokio::test]
async fn sr76_every_hostile_answer_is_refused_with_its_own_error() {
    let mut table = Table::default();
    for (what, tamper, expected) in CLAIMS {
        let world = World::new();
        world.claims(tamper);
        let mut asked = world.client.sign_in();
        if what.ends_with("max_age was asked") {
            asked = asked.max_age(Duration::from_secs(60));
        }
        let begun = asked.start().await.unwrap();
        let callback = world.provider.answer(&begun.url);
        let error = checked(world.client.finish(begun.pending, callback).await).unwrap_err();
        table.refused(&format!("ID token: {what}"), &error, expected);
    }
    for (what, forge, expected) in TOKENS {
        let world = World::new();
        world.forge(move |signer, claims| forge(signer, &claims));
        table.refused(&format!("ID token: {what}"), &world.refused().await, expected);
    }
    for (what, tamper, expected) in CALLBACKS {
        let world = World::new();
        world.provider.lock().callback = Some(Box::new(tamper));
        table.refused(&format!("callback: {what}"), &world.refused().await, expected);
        assert_eq!(
            world.provider.requests("/oidc/token"),
            0,
            "the code of {what} went out"
        );
    }
    flows(&mut table).await;
    refreshes(&mut table).await;
    documents(&mut table).await;

    let codes: HashSet<&str> = table.0.iter().map(|(_, code)| *code).collect();
    println!("{} hostile answers, {} errors", table.0.len(), codes.len());
    assert!(
        table.0.len() >= 47 && codes.len() >= 36,
        "{} {}",
        table.0.len(),
        codes.len()
    );
}

/// Answers that are good in themselves, in the wrong place.
async fn flows(table: &mut Table) {
    let world = World::new();
    let (one, other) = (world.begin().await, world.begin().await);
    let callback = world.provider.answer(&other.url);
    let error = checked(world.client.finish(one.pending, callback).await).unwrap_err();
    table.refused(
        "callback: the answer to another tab",
        &error,
        "callback.state_mismatch",
    );

    // The attacker's own code, under the state of the victim's request: PKCE tells at the token endpoint.
    let (victims, attackers) = (world.begin().await, world.begin().await);
    world.provider.answer(&victims.url);
    let mut injected: Vec<(String, String)> = world
        .provider
        .answer(&attackers.url)
        .query_pairs()
        .into_owned()
        .collect();
    set(&mut injected, "state", victims.pending.state());
    let mut callback = world.client.redirect_uri().clone();
    callback.query_pairs_mut().extend_pairs(injected);
    let error = checked(world.client.finish(victims.pending, callback).await).unwrap_err();
    table.refused(
        "callback: a code of another flow",
        &error,
        "exchange.invalid_grant",
    );

    let begun = world.begin().await;
    let mut callback = world.provider.answer(&begun.url);
    callback.set_path("/callback-evil");
    let error = checked(world.client.finish(begun.pending, callback).await).unwrap_err();
    table.refused(
        "callback: at an address that begins alike",
        &error,
        "callback.foreign_redirect_uri",
    );

    let begun = world.begin().await;
    let callback = world.provider.answer(&begun.url);
    world.clock.advance(Duration::from_secs(3600));
    let error = checked(world.client.finish(begun.pending, callback).await).unwrap_err();
    table.refused("callback: too late", &error, "callback.expired");

    let begun = world.client.sign_in().form_post().start().await.unwrap();
    let callback = world.provider.answer(&begun.url);
    let error = checked(world.client.finish(begun.pending, callback).await).unwrap_err();
    table.refused(
        "callback: by GET, though it was to be posted",
        &error,
        "callback.response_mode",
    );

    let stranger = keyback::Client::builder("https://id.example/oidc", "another-app")
        .redirect_uri("https://app.example/callback")
        .http(world.provider.clone())
        .build()
        .unwrap();
    let begun = stranger.sign_in().start().await.unwrap();
    let callback = world.provider.answer(&begun.url);
    let error = checked(world.client.finish(begun.pending, callback).await).unwrap_err();
    table.refused("callback: of another client", &error, "callback.other_client");
}

/// What comes for a refresh token.
async fn refreshes(table: &mut Table) {
    let refreshed = async |tamper: Claims| {
        let world = World::new();
        let session = world.sign_in().await.unwrap();
        world.claims(tamper);
        checked(world.client.refresh(&session).await).unwrap_err()
    };
    let error = refreshed(|c| c["sub"] = json!("somebody else")).await;
    table.refused("refresh: of another person", &error, "id_token.subject_changed");
    let error = refreshed(|c| c["nonce"] = json!("another")).await;
    table.refused("refresh: of another sign-in", &error, "id_token.nonce_mismatch");
    let error = refreshed(|c| c["iss"] = json!("https://evil.example")).await;
    table.refused("refresh: of another provider", &error, "id_token.wrong_issuer");
}

/// The provider's documents.
async fn documents(table: &mut Table) {
    let ready = async |change: &dyn Fn(&World)| {
        let world = World::new();
        change(&world);
        checked(world.client.ready().await).unwrap_err()
    };
    let error =
        ready(&|world| world.provider.lock().metadata["issuer"] = json!("https://evil.example")).await;
    table.refused(
        "discovery: of a foreign issuer",
        &error,
        "discovery.foreign_issuer",
    );
    let error =
        ready(&|world| world.provider.lock().metadata["token_endpoint"] = json!("http://id.example/")).await;
    table.refused(
        "discovery: an endpoint without TLS",
        &error,
        "discovery.insecure_endpoint",
    );
    let error =
        ready(&|world| world.provider.lock().metadata["code_challenge_methods_supported"] = json!(["plain"]))
            .await;
    table.refused("discovery: PKCE without S256", &error, "discovery.no_s256");
    let error = ready(&|world| {
        world.provider.lock().keys_body = Some(Bytes::from(vec![b' '; 600 * 1024]));
    })
    .await;
    table.refused("keys: more bytes than any set has", &error, "discovery.too_large");
    let error = ready(&|world| {
        let key = world.provider.lock().signer.jwk();
        world.provider.lock().keys = vec![key; 101];
    })
    .await;
    table.refused(
        "keys: more keys than any provider has",
        &error,
        "discovery.too_many_keys",
    );
    let error = ready(&|world| {
        world.provider.lock().keys = vec![json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "key-1" })];
    })
    .await;
    table.refused(
        "keys: none that checks a signature",
        &error,
        "discovery.no_usable_key",
    );
}
