//! The mutation table: with one check left out, a hostile answer gets through that is refused otherwise. So each is needed, and
//! no other stands in for it.
//!
//! `cargo test -p keyback --lib mutation -- --nocapture` prints it.

use std::time::Duration;

use serde_json::{Value, json};

use super::skip::Without;
use crate::callback::{checks as callback, id_token};
use crate::resource_server::{ResourceServer, rules as access_token};
use crate::session::logout_token;
use crate::{Algorithm, Client, Error, Session};

#[expect(
    dead_code,
    unused_imports,
    reason = "the other tests use more of the provider"
)]
#[path = "../../tests/it/provider/mod.rs"]
mod provider;

use provider::{CLIENT_ID, ISSUER, NOW, REDIRECT_URI, Signer, World, half_hash};

/// What is wrong, and what came of it.
type Attack<T = Session> = (&'static str, Result<T, Error>);

async fn forged_callback(tamper: fn(&mut Vec<(String, String)>)) -> Result<Session, Error> {
    let world = World::new();
    world.provider.lock().callback = Some(Box::new(tamper));
    world.sign_in().await
}

fn set(query: &mut [(String, String)], name: &str, value: &str) {
    let found = query.iter_mut().find(|(other, _)| other == name);
    found.expect("the parameter is there").1 = value.to_owned();
}

/// A hostile answer that only this check of the callback refuses.
async fn at_callback(check: &str) -> Attack {
    match check {
        "client" => {
            let world = World::new();
            let other = Client::builder(ISSUER, "another-app")
                .redirect_uri(REDIRECT_URI)
                .http(world.provider.clone())
                .clock(world.clock.clone())
                .build()
                .unwrap();
            let begun = other.sign_in().start().await.unwrap();
            let callback = world.provider.answer(&begun.url);
            (
                "a request of another client",
                world.client.finish(begun.pending, callback).await,
            )
        }
        "redirect_uri" => {
            let world = World::new();
            let begun = world.begin().await;
            let mut callback = world.provider.answer(&begun.url);
            callback.set_path("/callback-evil");
            (
                "a callback at /callback-evil",
                world.client.finish(begun.pending, callback).await,
            )
        }
        "response_mode" => {
            let world = World::new();
            let begun = world.client.sign_in().form_post().start().await.unwrap();
            let callback = world.provider.answer(&begun.url);
            (
                "a code in a URL that was to be posted",
                world.client.finish(begun.pending, callback).await,
            )
        }
        "state" => (
            "another state",
            forged_callback(|query| set(query, "state", "another")).await,
        ),
        "expiry" => {
            let world = World::new();
            let begun = world.begin().await;
            let callback = world.provider.answer(&begun.url);
            world.clock.advance(Duration::from_secs(3600));
            (
                "an answer after an hour",
                world.client.finish(begun.pending, callback).await,
            )
        }
        "issuer" => (
            "iss of another provider",
            forged_callback(|query| set(query, "iss", "https://evil.example")).await,
        ),
        "error" => (
            "an error beside a code",
            forged_callback(|query| query.push(("error".to_owned(), "access_denied".to_owned()))).await,
        ),
        other => panic!("no hostile answer for the callback's check `{other}`"),
    }
}

async fn forged_claims(tamper: fn(&mut Value)) -> Result<Session, Error> {
    let world = World::new();
    world.claims(tamper).sign_in().await
}

/// A hostile ID token that only this check refuses.
async fn at_id_token(check: &str) -> Attack {
    match check {
        "algorithm" => {
            let world = World::new();
            let signer = Signer::new(Algorithm::Rs512, "key-2");
            {
                let mut state = world.provider.lock();
                state.keys = vec![signer.jwk()];
                state.signer = signer;
            }
            ("RS512, which is not on the list", world.sign_in().await)
        }
        "header" => {
            let world = World::new();
            world.forge(|signer, claims| {
                let header = json!({ "alg": "ES384", "kid": "key-1", "typ": "at+jwt" });
                signer.sign_with_header(&header, &claims)
            });
            ("an access token (typ at+jwt)", world.sign_in().await)
        }
        "issuer" => (
            "iss of another provider",
            forged_claims(|claims| claims["iss"] = json!("https://evil.example")).await,
        ),
        "audience" => (
            "aud of another client",
            forged_claims(|claims| claims["aud"] = json!("other-app")).await,
        ),
        "signature" => {
            let world = World::new();
            world.forge(|_, claims| Signer::new(Algorithm::Es384, "key-1").sign(&claims));
            ("signed by the attacker's key", world.sign_in().await)
        }
        "expiry" => (
            "exp in the past",
            forged_claims(|claims| claims["exp"] = json!(NOW - 3600)).await,
        ),
        "nonce" => (
            "the token of another sign-in",
            forged_claims(|claims| claims["nonce"] = json!("another")).await,
        ),
        "authorized_party" => (
            "azp of another client",
            forged_claims(|claims| {
                claims["aud"] = json!([CLIENT_ID]);
                claims["azp"] = json!("other-app");
            })
            .await,
        ),
        "issue_time" => (
            "iat in the future",
            forged_claims(|claims| claims["iat"] = json!(NOW + 600)).await,
        ),
        "access_token_hash" => (
            "at_hash of another access token",
            forged_claims(|claims| claims["at_hash"] = json!(half_hash(&aws_lc_rs::digest::SHA384, "x")))
                .await,
        ),
        "auth_time" => {
            let world = World::new();
            world.claims(|claims| claims["auth_time"] = json!(NOW - 3600));
            let asked = world.client.sign_in().max_age(Duration::from_secs(60));
            let begun = asked.start().await.unwrap();
            let callback = world.provider.answer(&begun.url);
            (
                "a sign-in of an hour ago, max_age=60",
                world.client.finish(begun.pending, callback).await,
            )
        }
        "subject" => (
            "an empty sub",
            forged_claims(|claims| claims["sub"] = json!("")).await,
        ),
        other => panic!("no hostile answer for the ID token's check `{other}`"),
    }
}

/// What a world's client says to a logout token that was changed.
async fn forged_logout(tamper: fn(&mut Value), sign: fn(&Signer, &Value) -> String) -> Result<(), Error> {
    let world = World::new();
    let mut claims = json!({
        "iss": ISSUER, "aud": CLIENT_ID, "iat": NOW, "exp": NOW + 120, "jti": "1", "sid": "a",
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    tamper(&mut claims);
    let token = sign(&world.provider.lock().signer, &claims);
    world.client.verify_logout_token(&token).await.map(drop)
}

fn honestly(signer: &Signer, claims: &Value) -> String {
    let header = json!({ "alg": "ES384", "kid": signer.key_id, "typ": "logout+jwt" });
    signer.sign_with_header(&header, claims)
}

/// A hostile logout token that only this check refuses.
async fn at_logout_token(check: &str) -> Attack<()> {
    match check {
        "header" => (
            "an access token (typ at+jwt)",
            forged_logout(
                |_| {},
                |signer, claims| {
                    let header = json!({ "alg": "ES384", "kid": "key-1", "typ": "at+jwt" });
                    signer.sign_with_header(&header, claims)
                },
            )
            .await,
        ),
        "algorithm" => {
            let world = World::new();
            let signer = Signer::new(Algorithm::Rs512, "key-2");
            world.provider.lock().keys = vec![signer.jwk()];
            let token = signer.sign(&json!({
                "iss": ISSUER, "aud": CLIENT_ID, "iat": NOW, "exp": NOW + 120, "jti": "1", "sid": "a",
                "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
            }));
            let outcome = world.client.verify_logout_token(&token).await;
            ("RS512, which is not on the list", outcome.map(drop))
        }
        "signature" => (
            "signed by the attacker's key",
            forged_logout(
                |_| {},
                |_, claims| honestly(&Signer::new(Algorithm::Es384, "key-1"), claims),
            )
            .await,
        ),
        "issuer" => (
            "iss of another provider",
            forged_logout(|claims| claims["iss"] = json!("https://evil.example"), honestly).await,
        ),
        "audience" => (
            "aud of another client",
            forged_logout(|claims| claims["aud"] = json!("other-app"), honestly).await,
        ),
        "times" => (
            "exp in the past",
            forged_logout(|claims| claims["exp"] = json!(NOW - 600), honestly).await,
        ),
        "names_somebody" => (
            "neither sub nor sid",
            forged_logout(
                |claims| drop(claims.as_object_mut().unwrap().remove("sid")),
                honestly,
            )
            .await,
        ),
        "event" => (
            "no logout event",
            forged_logout(|claims| claims["events"] = json!({}), honestly).await,
        ),
        "nonce" => (
            "an ID token's nonce",
            forged_logout(|claims| claims["nonce"] = json!("n"), honestly).await,
        ),
        other => panic!("no hostile answer for the logout token's check `{other}`"),
    }
}

const API: &str = "https://orders.example";

/// What an API of the world's provider says to an access token that was changed.
async fn forged_access(typ: &str, tamper: fn(&mut Value)) -> Result<(), Error> {
    let world = World::new();
    let mut claims = json!({
        "iss": ISSUER, "aud": API, "sub": "somebody", "client_id": CLIENT_ID, "iat": NOW, "exp": NOW + 3600,
    });
    tamper(&mut claims);
    let token = {
        let signer = &world.provider.lock().signer;
        let header = json!({ "alg": "ES384", "kid": signer.key_id, "typ": typ });
        signer.sign_with_header(&header, &claims)
    };
    let api = ResourceServer::builder(ISSUER, API)
        .http(world.provider.clone())
        .clock(world.clock.clone())
        .build()?;
    api.verify(&token).await.map(drop)
}

/// A hostile access token that only this rule refuses.
async fn at_access_token(rule: &str) -> Attack<()> {
    match rule {
        "header" => (
            "an ID token (typ JWT) with a client_id",
            forged_access("JWT", |_| {}).await,
        ),
        "issuer" => (
            "iss of another provider",
            forged_access("at+jwt", |claims| claims["iss"] = json!("https://evil.example")).await,
        ),
        "audience" => (
            "aud of another API",
            forged_access("at+jwt", |claims| claims["aud"] = json!("https://mail.example")).await,
        ),
        "lifetime" => (
            "exp in the past",
            forged_access("at+jwt", |claims| claims["exp"] = json!(NOW - 600)).await,
        ),
        "required" => (
            "an empty sub",
            forged_access("at+jwt", |claims| claims["sub"] = json!("")).await,
        ),
        "unbound" => (
            "bound to a key that nobody showed",
            forged_access("at+jwt", |claims| claims["cnf"] = json!({ "jkt": "a" })).await,
        ),
        other => panic!("no hostile answer for the access token's rule `{other}`"),
    }
}

async fn attack(table: &'static str, check: &'static str) -> Attack<()> {
    if table == logout_token::TABLE {
        return at_logout_token(check).await;
    }
    if table == access_token::TABLE {
        return at_access_token(check).await;
    }
    let (what, outcome) = if table == callback::TABLE {
        at_callback(check).await
    } else {
        at_id_token(check).await
    };
    (what, outcome.map(drop))
}

/// SR-76.
#[tokio::test]
async fn sr76_mutation_table_each_check_refuses_what_all_the_others_let_through() {
    let of_callback = callback::CHECKS.map(|(name, _)| (callback::TABLE, name));
    let of_id_token = id_token::CHECKS.map(|(name, _)| (id_token::TABLE, name));
    let of_logout_token = logout_token::CHECKS.map(|(name, _)| (logout_token::TABLE, name));
    let of_access_token = access_token::CHECKS.map(|(name, _)| (access_token::TABLE, name));
    let all = of_callback
        .into_iter()
        .chain(of_id_token)
        .chain(of_logout_token)
        .chain(of_access_token);
    println!(
        "{:<12} {:<18} {:<40} {:<30} without it",
        "table", "check", "hostile answer", "refused with"
    );
    for (table, check) in all {
        let (what, outcome) = attack(table, check).await;
        let refused = outcome.expect_err(check);
        let without = Without::check(table, check);
        let (_, outcome) = attack(table, check).await;
        drop(without);
        let got_through = match &outcome {
            Ok(()) => "accepted",
            Err(error) => error.code(),
        };
        println!(
            "{table:<12} {check:<18} {what:<40} {:<30} {got_through}",
            refused.code()
        );
        assert!(outcome.is_ok(), "{table} {check}: another check stands in for it");
        let (_, outcome) = attack(table, check).await;
        assert_eq!(outcome.expect_err(check).code(), refused.code());
    }
}
