//! The mistakes of other clients, of Logto's own SDKs above all, one by one: none is ours.

use std::collections::HashMap;
use std::time::Duration;

use http::{Method, StatusCode};
use keyback::{
    Algorithm, CallbackError, DirectSignIn, Error, IdTokenError, Identifier, Provider, Session, UserInfoError,
};
use serde_json::json;
use url::Url;

use crate::provider::{ACCESS_TOKEN, Rotation, SUBJECT, Signer, World, checked};
use crate::sessions::{number_tokens, rotating, sessions, without_refresh_token};
use crate::site::{Browser, site};

fn sent(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

/// The session of a callback that was changed on its way.
async fn finish(world: &World, change: impl FnOnce(Url) -> Url) -> Result<Session, Error> {
    let begun = world.begin().await;
    let callback = change(world.provider.answer(&begun.url));
    checked(world.client.finish(begun.pending, callback).await)
}

/// Go and C# send `identifiers`, which Logto does not know.
#[tokio::test]
async fn wrong_parameter_names() {
    let world = World::with(|builder| builder.provider(Provider::Logto));
    let begun = world
        .client
        .forgot_password()
        .identifier(Identifier::Email)
        .direct_sign_in(DirectSignIn::Sso("connector".to_owned()))
        .one_time_token("token")
        .organization_id("org-1")
        .ui_locales(["fr"])
        .login_hint("ada@example.com")
        .start()
        .await
        .unwrap();
    let sent = sent(&begun.url);
    for (name, value) in [
        ("first_screen", "reset_password"),
        ("identifier", "email"),
        ("direct_sign_in", "sso:connector"),
        ("one_time_token", "token"),
        ("organization_id", "org-1"),
        ("ui_locales", "fr"),
        ("login_hint", "ada@example.com"),
    ] {
        assert_eq!(sent.get(name).map(String::as_str), Some(value));
    }
    assert!(!sent.contains_key("identifiers"));
}

#[tokio::test]
async fn no_nonce() {
    let world = World::new();
    assert_eq!(sent(&world.begin().await.url)["nonce"].len(), 43);
    world.claims(|claims| {
        claims.as_object_mut().unwrap().remove("nonce");
    });
    assert!(matches!(
        world.refused().await,
        Error::IdToken(IdTokenError::MissingNonce)
    ));
}

#[tokio::test]
async fn ignored_iss() {
    let world = World::new();
    let foreign = finish(&world, |url| {
        Url::parse(&url.as_str().replace("id.example", "evil.example")).unwrap()
    });
    assert!(matches!(
        foreign.await.unwrap_err(),
        Error::Callback(CallbackError::IssuerMismatch)
    ));
}

#[tokio::test]
async fn one_slot_for_parallel_tabs() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    let mut callbacks = Vec::new();
    for _ in 0..4 {
        callbacks.push(browser.callback_after("/sign-in").await);
    }
    for callback in callbacks {
        assert_eq!(browser.open(&callback).await.status(), StatusCode::SEE_OTHER);
    }
}

/// `signIn` of the JS client clears the tokens before it leaves.
#[tokio::test]
async fn tokens_cleared_before_an_abandoned_reset() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    browser.sign_in().await;
    let callback = browser.callback_after("/forgot-password").await;
    assert_eq!(browser.subject().await.as_deref(), Some(SUBJECT));
    let cancelled = callback.replace("code=", "error=access_denied&was=");
    assert_eq!(browser.open(&cancelled).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(browser.subject().await.as_deref(), Some(SUBJECT));
}

/// `callbackUri.startsWith(redirectUri)`.
#[tokio::test]
async fn prefix_match_of_the_callback() {
    let world = World::new();
    let longer = finish(&world, |url| {
        Url::parse(&url.as_str().replace("/callback?", "/callback-evil?")).unwrap()
    });
    assert!(matches!(
        longer.await.unwrap_err(),
        Error::Callback(CallbackError::ForeignRedirectUri)
    ));
    let request = http::Request::get("/callback-evil?code=1")
        .body(bytes::Bytes::new())
        .unwrap();
    assert!(site(&world, |builder| builder).answer(&request).await.is_none());
}

/// Go.
#[tokio::test]
async fn refresh_token_erased() {
    let (world, session) = rotating().await;
    world.provider.lock().tokens = Some(Box::new(|tokens| {
        tokens.as_object_mut().unwrap().remove("refresh_token");
    }));
    world.provider.lock().rotation = None;
    let signed_in = sessions(&world).begin(&session).await.unwrap();
    world.clock.advance(Duration::from_secs(3600));
    signed_in.access_token(None, None).await.unwrap();
    world.clock.advance(Duration::from_secs(3600));
    signed_in.access_token(None, None).await.unwrap();
}

/// The whole of it is `sessions::ends::a_refresh_in_flight_brings_no_session_back`; this is the same for a session that the
/// browser keeps.
#[tokio::test]
async fn refresh_that_restores_tokens_after_sign_out() {
    let world = World::new();
    world.provider.lock().rotation = Some(Rotation::default());
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    browser.sign_in().await;
    world.clock.advance(Duration::from_secs(3600));
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    world.provider.lock().gate = Some(gate.clone());
    let request = browser.request(Method::GET, "/", &[]);
    let visit = browser.site.visit(request.headers());
    let signed_in = visit.signed_in().await.unwrap().unwrap();
    let refresh = tokio::spawn(async move { signed_in.access_token(None, None).await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    browser.post("/sign-out").await;
    gate.add_permits(1);
    assert_eq!(refresh.await.unwrap().unwrap_err().code(), "session.ended");
    // The answer of that request comes last.
    let mut late = http::Response::new(());
    visit.finish(late.headers_mut());
    browser.take(&late);
    assert_eq!(browser.subject().await, None);
}

/// The error branch runs before the state is compared: anybody's link shows it, and ends the pending sign-in.
#[tokio::test]
async fn error_believed_before_the_state() {
    let world = World::new();
    let forged = finish(&world, |mut url| {
        url.set_query(Some("error=access_denied&state=forged"));
        url
    });
    assert!(matches!(
        forged.await.unwrap_err(),
        Error::Callback(CallbackError::StateMismatch)
    ));
}

/// `jwtVerify` without a list: the token chooses.
#[tokio::test]
async fn no_list_of_algorithms() {
    let world = World::with(|builder| builder.algorithms([Algorithm::Es384]));
    let other = Signer::new(Algorithm::Es256, "key-2");
    world.provider.lock().keys.push(other.jwk());
    world.provider.lock().signer = other;
    assert!(matches!(
        world.refused().await,
        Error::IdToken(IdTokenError::AlgorithmRefused { .. })
    ));
}

/// `isAuthenticated` is that a token is there, even if it has expired.
#[tokio::test]
async fn an_expired_token_counts_as_signed_in() {
    let (world, _, signed_in) = without_refresh_token().await;
    assert!(signed_in.is_authenticated().await.unwrap());
    world.clock.advance(Duration::from_secs(3601));
    assert!(!signed_in.is_authenticated().await.unwrap());
}

/// The stored ID token is decoded again at each read, and believed. Ours comes out of what only this application can have
/// sealed, after it had been verified.
#[tokio::test]
async fn a_stored_id_token_is_believed_as_it_is() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    browser.sign_in().await;
    let good = browser.jar.clone();
    for (index, (name, value)) in good.iter().enumerate() {
        for position in [0, value.len() / 2, value.len() - 1] {
            let mut changed = value.clone().into_bytes();
            changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
            browser.jar.clone_from(&good);
            browser.jar[index].1 = String::from_utf8(changed).unwrap();
            assert_eq!(browser.subject().await, None, "{name} at {position}");
        }
    }
}

#[tokio::test]
async fn a_pending_sign_in_is_kept_after_a_failed_callback() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    let callback = browser.callback_after("/sign-in").await;
    world.provider.lock().token_error = Some((StatusCode::BAD_REQUEST, json!({"error": "invalid_grant"})));
    assert_eq!(browser.open(&callback).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(browser.pending(), 0);
}

#[tokio::test]
async fn user_info_about_somebody_else() {
    let world = World::new();
    let session = world.sign_in().await.unwrap();
    world.provider.lock().user_info = (StatusCode::OK, json!({ "sub": "eve" }));
    let error = checked(world.client.user_info(&session).await).unwrap_err();
    assert!(matches!(error, Error::UserInfo(UserInfoError::SubjectMismatch)));
}

/// `GET /logto/sign-in` starts a flow for every image of another page.
#[tokio::test]
async fn a_cross_site_hit_starts_a_sign_in() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    let says = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-dest", "image"),
    ];
    let hit = browser.request(Method::GET, "/sign-in", &says);
    assert_eq!(browser.ask(hit).await.status(), StatusCode::FORBIDDEN);
    assert!(browser.jar.is_empty());
}

/// `sign-out` answers to every method, so that a link of another site signs people out.
#[tokio::test]
async fn a_cross_site_get_signs_out() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    browser.sign_in().await;
    let hit = browser.request(Method::GET, "/sign-out", &[("sec-fetch-site", "cross-site")]);
    assert_eq!(browser.ask(hit).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(browser.subject().await.as_deref(), Some(SUBJECT));
}

/// A token that is good for another second is none by the time that it arrives.
#[tokio::test]
async fn tokens_served_until_the_last_second() {
    let (world, session) = rotating().await;
    number_tokens(&world);
    let signed_in = sessions(&world).begin(&session).await.unwrap();
    world.clock.advance(Duration::from_secs(3599));
    let token = signed_in.access_token(None, None).await.unwrap();
    assert_ne!(token.as_str(), ACCESS_TOKEN);
    assert!(token.expires_at().unwrap() > session.tokens().expires_at().unwrap());
}

/// Go fetches metadata and keys at each call.
#[tokio::test]
async fn metadata_and_keys_fetched_at_each_call() {
    let world = World::new();
    for _ in 0..3 {
        let session = world.sign_in().await.unwrap();
        world.client.user_info(&session).await.unwrap();
    }
    for document in ["/oidc/.well-known/openid-configuration", "/oidc/jwks"] {
        assert_eq!(world.provider.requests(document), 1);
    }
}

/// Go.
#[tokio::test]
async fn an_audience_must_be_a_string() {
    let world = World::new();
    world.claims(|claims| claims["aud"] = json!(["my-app"]));
    world.sign_in().await.unwrap();
}

/// Go takes the scheme of the callback from a header that the visitor can write.
#[tokio::test]
async fn a_forwarded_scheme_is_believed() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    let callback = browser.callback_after("/sign-in").await;
    let mut request = browser.request(
        Method::GET,
        &callback,
        &[
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "evil.example"),
        ],
    );
    request
        .headers_mut()
        .insert("host", "evil.example".parse().unwrap());
    assert_eq!(browser.ask(request).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(browser.subject().await.as_deref(), Some(SUBJECT));
}
