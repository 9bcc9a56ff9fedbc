//! Tokens and key sets that are anything at all: refused, and never a panic.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use keyback::Error;
use keyback::resource_server::ResourceServer;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::provider::{ISSUER, World};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// Any JSON, of the names that tokens and keys have.
fn json() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "alg",
        "kid",
        "typ",
        "crit",
        "cty",
        "iss",
        "aud",
        "sub",
        "exp",
        "iat",
        "nbf",
        "nonce",
        "azp",
        "at_hash",
        "kty",
        "crv",
        "x",
        "y",
        "n",
        "e",
        "use",
        "key_ops",
        "keys",
        "events",
        "sid",
        "jti",
        "cnf",
        "scope",
        "client_id",
    ]);
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("1e308".to_owned()),
        Just("-1".to_owned()),
        Just("18446744073709551615".to_owned()),
        Just(format!("\"{ISSUER}\"")),
        Just("\"my-app\"".to_owned()),
        Just("\"ES384\"".to_owned()),
        Just("\"none\"".to_owned()),
        Just("\"EC\"".to_owned()),
        Just("\"P-384\"".to_owned()),
        Just("[\"a\",1,null]".to_owned()),
        "[A-Za-z0-9_-]{0,90}".prop_map(|text| format!("\"{text}\"")),
        any::<i64>().prop_map(|number| number.to_string()),
    ];
    prop::collection::vec((name, value), 0..12).prop_map(|members| {
        let members: Vec<_> = members
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", members.join(","))
    })
}

fn token() -> impl Strategy<Value = String> {
    let made = (json(), json(), "[A-Za-z0-9_-]{0,130}").prop_map(|(header, claims, signature)| {
        format!(
            "{}.{}.{signature}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        )
    });
    prop_oneof![made, "[A-Za-z0-9_.=-]{0,200}", ".{0,80}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_id_token_is_refused(raw in token()) {
        let world = World::new();
        world.forge(move |_, _| raw.clone());
        let error = runtime().block_on(world.refused());
        prop_assert!(matches!(error, Error::IdToken(_)), "{error}");
    }

    #[test]
    fn any_access_or_logout_token_is_refused(raw in token()) {
        let world = World::new();
        let api = ResourceServer::builder(ISSUER, "https://orders.example").http(world.provider.clone()).build().unwrap();
        let access = runtime().block_on(api.verify(&raw));
        prop_assert!(matches!(access, Err(Error::AccessToken(_))));
        let logout = runtime().block_on(world.client.verify_logout_token(&raw));
        prop_assert!(matches!(logout, Err(Error::LogoutToken(_))));
    }

    #[test]
    fn any_key_set_lets_nobody_in(keys in prop::collection::vec(json(), 0..4), raw in any::<bool>(), noise in ".{0,60}") {
        let world = World::new();
        let body = if raw { noise } else { format!("{{\"keys\":[{}]}}", keys.join(",")) };
        world.provider.lock().keys_body = Some(Bytes::from(body));
        let error = runtime().block_on(world.refused());
        prop_assert!(matches!(error, Error::Discovery(_) | Error::IdToken(_)), "{error}");
    }
}
