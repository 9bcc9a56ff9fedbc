//! Tokens that are bound to a key (RFC 9449).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Method;
use http::Response;
use keyback::{
    ClientBuilder, DpopKey, Error, ExchangeError, MemoryStore, Session, Sessions, Url, UserInfoError,
};
use serde_json::{Value, json};

use crate::provider::{ACCESS_TOKEN, NOW, SUBJECT, World, checked};
use crate::seen::{Log, answer, parts, serve, signed};

/// A world whose provider binds tokens, and whose client asks for it.
fn world() -> World {
    let world = World::with(ClientBuilder::dpop);
    {
        let mut state = world.provider.lock();
        state.metadata["dpop_signing_alg_values_supported"] = json!(["RS256", "ES256"]);
        state.tokens = Some(Box::new(|tokens| tokens["token_type"] = json!("DPoP")));
    }
    world
}

/// Checks a proof as a server does, and gives its claims.
fn verified(proof: &str) -> Value {
    let (header, claims) = parts(proof);
    assert_eq!(
        (&header["typ"], &header["alg"]),
        (&json!("dpop+jwt"), &json!("ES256"))
    );
    let jwk = header["jwk"].as_object().unwrap();
    let names: HashSet<&str> = jwk.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        HashSet::from(["crv", "kty", "x", "y"]),
        "the private half is out"
    );
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let point = [&[4][..], &coordinate("x"), &coordinate("y")].concat();
    let (message, signature) = signed(proof);
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(message, &signature)
        .unwrap();
    claims
}

fn user_info(world: &World, respond: impl FnMut(usize) -> Response<Bytes> + Send + 'static) -> Log {
    let mut respond = respond;
    serve(world, "/oidc/me", None, move |index, _| respond(index))
}

fn somebody() -> Response<Bytes> {
    answer(200, &json!({ "sub": SUBJECT }), &[])
}

#[tokio::test]
async fn rfc9449_4_2_every_request_has_a_proof_of_its_own() {
    let world = world();
    let userinfo = user_info(&world, |_| somebody());
    let session = world.sign_in().await.unwrap();
    assert!(session.dpop_key().is_some());
    world.client.user_info(&session).await.unwrap();
    world.client.user_info(&session).await.unwrap();

    let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, ACCESS_TOKEN.as_bytes()));
    let mut ids = HashSet::new();
    for seen in userinfo.all() {
        assert_eq!(
            seen.header("authorization"),
            Some(format!("DPoP {ACCESS_TOKEN}").as_str())
        );
        let claims = verified(seen.header("dpop").unwrap());
        assert!(ids.insert(claims["jti"].as_str().unwrap().to_owned()));
        let expected = json!({
            "htm": "GET", "htu": "https://id.example/oidc/me", "iat": NOW, "ath": hash, "jti": claims["jti"],
        });
        assert_eq!(claims, expected);
    }
}

/// The key of the sign-in, through every refresh and through the session's stored form.
#[tokio::test]
async fn the_key_lives_as_long_as_the_session() {
    let world = world();
    let session = world.sign_in().await.unwrap();
    let tokens = serve(&world, "/oidc/token", None, |_, _| {
        answer(
            200,
            &json!({ "access_token": "new", "token_type": "dpop", "refresh_token": "refresh-2" }),
            &[],
        )
    });
    let renewed = world.client.refresh(&session).await.unwrap();
    world.client.refresh(&renewed).await.unwrap();
    let keys: HashSet<String> = tokens
        .all()
        .iter()
        .map(|seen| {
            let claims = verified(seen.header("dpop").unwrap());
            assert_eq!(
                (&claims["htm"], &claims["htu"]),
                (&json!("POST"), &json!("https://id.example/oidc/token"))
            );
            assert_eq!(claims.get("ath"), None);
            parts(seen.header("dpop").unwrap()).0["jwk"].to_string()
        })
        .collect();
    assert_eq!(keys.len(), 1);

    let stored = serde_json::to_string(session.dpop_key().unwrap()).unwrap();
    let again: DpopKey = serde_json::from_str(&stored).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), stored);
    let other = world.sign_in().await;
    assert!(other.is_err(), "the endpoint is the test's own");
}

fn proof_for(world: &World, session: &Session, nonce: Option<&str>) -> Option<String> {
    let url = Url::parse("https://api.example/orders?page=2#top").unwrap();
    world
        .client
        .dpop_proof(session, &Method::PUT, &url, "api-token", nonce)
        .unwrap()
}

#[tokio::test]
async fn rfc9449_7_an_application_proves_itself_to_its_own_apis() {
    let world = world();
    let session = world.sign_in().await.unwrap();
    let claims = verified(&proof_for(&world, &session, Some("theirs")).unwrap());
    assert_eq!(claims["htm"], "PUT");
    assert_eq!(claims["htu"], "https://api.example/orders");
    assert_eq!(claims["nonce"], "theirs");
    assert_eq!(
        claims["ath"],
        json!(URL_SAFE_NO_PAD.encode(digest(&SHA256, b"api-token")))
    );

    let bearer = World::new();
    let session = bearer.sign_in().await.unwrap();
    assert_eq!(proof_for(&bearer, &session, None), None);
}

#[tokio::test]
async fn rfc9449_8_a_nonce_is_taken_up_once_and_kept_for_the_next_proof() {
    let world = world();
    let userinfo = user_info(&world, |index| match index {
        0 => answer(
            401,
            &json!({}),
            &[
                ("www-authenticate", "DPoP error=\"use_dpop_nonce\""),
                ("dpop-nonce", "first"),
            ],
        ),
        1 => answer(200, &json!({ "sub": SUBJECT }), &[("dpop-nonce", "second")]),
        _ => somebody(),
    });
    let session = world.sign_in().await.unwrap();
    world.client.user_info(&session).await.unwrap();
    world.client.user_info(&session).await.unwrap();
    let nonces: Vec<Value> = userinfo
        .all()
        .iter()
        .map(|seen| verified(seen.header("dpop").unwrap())["nonce"].clone())
        .collect();
    assert_eq!(nonces, [json!(null), json!("first"), json!("second")]);
}

/// A server that is never content is asked twice, not for ever.
#[tokio::test]
async fn a_nonce_is_asked_for_once() {
    let world = world();
    let session = world.sign_in().await.unwrap();
    let userinfo = user_info(&world, |_| {
        let challenge = [
            ("www-authenticate", "DPoP error=\"use_dpop_nonce\""),
            ("dpop-nonce", "again"),
        ];
        answer(401, &json!({}), &challenge)
    });
    let tokens = serve(&world, "/oidc/token", None, |_, _| {
        answer(
            400,
            &json!({ "error": "use_dpop_nonce" }),
            &[("dpop-nonce", "again")],
        )
    });
    let error = world.client.user_info(&session).await.unwrap_err();
    assert!(
        matches!(error, Error::UserInfo(UserInfoError::TokenRefused)),
        "{error}"
    );
    let error = world.client.refresh(&session).await.unwrap_err();
    assert!(
        matches!(&error, Error::Exchange(ExchangeError::Refused(refusal)) if refusal.code() == "use_dpop_nonce"),
        "{error}"
    );
    assert_eq!((userinfo.len(), tokens.len()), (2, 2));
    let retried = verified(tokens.last().header("dpop").unwrap());
    assert_eq!(retried["nonce"], "again");
}

/// Section 5: a token that is not bound would be taken for one that is.
#[tokio::test]
async fn a_token_that_is_not_bound_after_all_is_refused() {
    let world = world();
    world.provider.lock().tokens = None;
    let error = checked(world.sign_in().await).unwrap_err();
    assert!(
        matches!(error, Error::Exchange(ExchangeError::NotBound)),
        "{error}"
    );

    let bearer = World::new();
    bearer.provider.lock().tokens = Some(Box::new(|tokens| tokens["token_type"] = json!("DPoP")));
    let error = checked(bearer.sign_in().await).unwrap_err();
    assert!(
        matches!(error, Error::Exchange(ExchangeError::NotBearer)),
        "{error}"
    );
}

#[tokio::test]
async fn where_the_provider_binds_nothing_tokens_are_bearer_tokens() {
    for offered in [json!(["RS256"]), json!([])] {
        let world = World::with(ClientBuilder::dpop);
        world.provider.lock().metadata["dpop_signing_alg_values_supported"] = offered;
        let session = world.sign_in().await.unwrap();
        assert!(session.dpop_key().is_none());
        world.client.user_info(&session).await.unwrap();
    }
    // A provider that could is not asked to by a client that was not.
    let world = World::new();
    world.provider.lock().metadata["dpop_signing_alg_values_supported"] = json!(["ES256"]);
    assert!(world.sign_in().await.unwrap().dpop_key().is_none());
}

/// The key is sealed with the tokens: what a process finds after a restart goes on as it was.
#[tokio::test]
async fn rfc9449_5_a_kept_session_proves_itself_by_the_key_that_it_was_sealed_with() {
    let world = world();
    let userinfo = user_info(&world, |_| somebody());
    let session = world.sign_in().await.unwrap();
    let store = Arc::new(MemoryStore::new());
    let sessions = || {
        let builder = Sessions::builder(&world.client, [7; 32]).store(store.clone());
        builder.build().unwrap()
    };
    let id = sessions().begin(&session).await.unwrap().id().clone();
    let signed_in = sessions().find(&id).await.unwrap().unwrap();
    signed_in.user_info().await.unwrap();

    let refreshed = json!({ "access_token": "new", "token_type": "DPoP", "expires_in": 3600 });
    let tokens = serve(&world, "/oidc/token", None, move |_, _| {
        answer(200, &refreshed, &[])
    });
    world.clock.advance(Duration::from_secs(2 * 3600));
    let token = signed_in.access_token(None, None).await.unwrap();
    assert_eq!(
        (token.is_bound(), token.authorization().as_str()),
        (true, "DPoP new")
    );
    let api = Url::parse("https://api.example/orders?page=2").unwrap();
    let for_api = signed_in
        .dpop_proof(&token, &Method::POST, &api, None)
        .unwrap()
        .unwrap();
    let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, b"new"));
    assert_eq!(verified(&for_api)["ath"], json!(hash));

    let of_the_sign_in = world
        .client
        .dpop_proof(&session, &Method::GET, &api, "new", None)
        .unwrap()
        .unwrap();
    for proof in [
        userinfo.last().header("dpop"),
        tokens.last().header("dpop"),
        Some(for_api.as_str()),
    ] {
        verified(proof.unwrap());
        assert_eq!(parts(proof.unwrap()).0["jwk"], parts(&of_the_sign_in).0["jwk"]);
    }
}

#[tokio::test]
async fn a_kept_session_without_a_key_has_bearer_tokens() {
    let world = World::new();
    let sessions = Sessions::builder(&world.client, [7; 32]).build().unwrap();
    let signed_in = sessions.begin(&world.sign_in().await.unwrap()).await.unwrap();
    let token = signed_in.access_token(None, None).await.unwrap();
    assert_eq!(token.authorization(), format!("Bearer {ACCESS_TOKEN}"));
    let api = Url::parse("https://api.example/").unwrap();
    assert_eq!(
        signed_in.dpop_proof(&token, &Method::GET, &api, None).unwrap(),
        None
    );
}
