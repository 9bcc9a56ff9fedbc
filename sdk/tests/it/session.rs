//! After the callback: refresh, userinfo, sign-out.

use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

use http::StatusCode;
use keyback::{Algorithm, Error, ExchangeError, IdTokenError, Remedy, Session, SignOutError, UserInfoError};
use serde_json::{Value, json};

use crate::provider::{ACCESS_TOKEN, CLIENT_ID, ISSUER, NOW, SUBJECT, Signer, World, checked};
use crate::sessions::{ORDERS, rotating};

async fn signed_in() -> (World, Session) {
    let world = World::new();
    let session = world.sign_in().await.unwrap();
    (world, session)
}

#[tokio::test]
async fn a_session_holds_its_tokens_and_prints_none() {
    let (_, session) = signed_in().await;
    assert_eq!(session.access_token(), ACCESS_TOKEN);
    assert_eq!(session.refresh_token(), Some("refresh-1"));
    assert_eq!(
        session.tokens().expires_at(),
        Some(UNIX_EPOCH + Duration::from_secs(NOW + 3600))
    );
    assert_eq!(session.tokens().scopes(), Some(["openid".to_owned()].as_slice()));
    assert_eq!(session.return_path(), "/");
    let printed = format!("{session:?}");
    for secret in [
        ACCESS_TOKEN,
        "refresh-1",
        session.id_token(),
        SUBJECT,
        "ada@example.com",
    ] {
        assert!(!printed.contains(secret));
    }
}

#[tokio::test]
async fn a_refresh_gives_new_tokens() {
    let (world, session) = signed_in().await;
    world.provider.lock().tokens = Some(Box::new(|tokens| {
        tokens["access_token"] = json!("access-2");
        tokens["refresh_token"] = json!("refresh-2");
    }));
    let renewed = world.client.refresh(&session).await.unwrap();
    let request = world.provider.lock().token_request.clone().unwrap();
    assert_eq!(request.field("grant_type"), Some("refresh_token"));
    assert_eq!(request.field("refresh_token"), Some("refresh-1"));
    assert_eq!(
        (renewed.access_token(), renewed.refresh_token()),
        ("access-2", Some("refresh-2"))
    );
    assert_eq!(renewed.claims().subject(), session.claims().subject());
}

/// Logto's Go SDK loses the refresh token here.
#[tokio::test]
async fn what_a_refresh_does_not_replace_is_kept() {
    let (world, session) = signed_in().await;
    world.provider.lock().tokens = Some(Box::new(|tokens| {
        for name in ["refresh_token", "id_token", "scope"] {
            tokens.as_object_mut().unwrap().remove(name);
        }
    }));
    let renewed = world.client.refresh(&session).await.unwrap();
    assert_eq!(renewed.refresh_token(), Some("refresh-1"));
    assert_eq!(renewed.id_token(), session.id_token());
    assert_eq!(renewed.tokens().scopes(), session.tokens().scopes());
}

#[tokio::test]
async fn a_refreshed_id_token_is_about_the_same_person_and_sign_in() {
    let (world, session) = signed_in().await;
    world.claims(|claims| claims["sub"] = json!("somebody-else"));
    let error = checked(world.client.refresh(&session).await).unwrap_err();
    assert!(matches!(error, Error::IdToken(IdTokenError::SubjectChanged)));

    world.claims(|claims| claims["nonce"] = json!("another"));
    let error = checked(world.client.refresh(&session).await).unwrap_err();
    assert!(matches!(error, Error::IdToken(IdTokenError::NonceMismatch)));

    world.claims(|claims| {
        claims.as_object_mut().unwrap().remove("nonce");
    });
    world.client.refresh(&session).await.unwrap();
}

#[tokio::test]
async fn a_refresh_that_cannot_be_says_so() {
    let (world, session) = signed_in().await;
    world.provider.lock().token_error = Some((StatusCode::BAD_REQUEST, json!({"error": "invalid_grant"})));
    let error = checked(world.client.refresh(&session).await).unwrap_err();
    assert!(matches!(error, Error::Exchange(ExchangeError::InvalidGrant)));
    assert_eq!(error.remedy(), Remedy::SignInAgain);

    let world = World::new();
    world.provider.lock().tokens = Some(Box::new(|tokens| {
        tokens.as_object_mut().unwrap().remove("refresh_token");
    }));
    let session = world.sign_in().await.unwrap();
    let error = checked(world.client.refresh(&session).await).unwrap_err();
    assert!(matches!(error, Error::Exchange(ExchangeError::NoRefreshToken)));
}

/// The refresh token is used up, and the ID token that came for it can't be judged: the error has the session that goes on.
#[tokio::test]
async fn an_outage_of_the_keys_leaves_the_next_refresh_token_in_the_error() {
    for resource in [None, Some(ORDERS)] {
        let (world, session) = rotating().await;
        {
            let mut state = world.provider.lock();
            state.signer = Signer::new(Algorithm::Es384, "key-2");
            state.keys = vec![state.signer.jwk()];
            state.keys_status = StatusCode::INTERNAL_SERVER_ERROR;
        }
        let refresh = async |session: &Session| match resource {
            None => world.client.refresh(session).await,
            Some(api) => world
                .client
                .access_token_for(session, api)
                .await
                .map(|access| access.session),
        };
        let error = checked(refresh(&session).await).unwrap_err();
        assert_eq!(
            (error.code(), error.remedy()),
            ("refresh.unjudged", Remedy::RetryLater)
        );
        assert!(!format!("{error:?} {error}").contains("refresh-2"));
        let Error::UnjudgedRefresh(kept) = error else {
            panic!("{error:?}")
        };
        assert!(matches!(kept.cause(), Error::IdToken(IdTokenError::UnknownKey)));
        assert_eq!(kept.session().refresh_token(), Some("refresh-2"));
        assert_eq!(kept.session().access_token(), session.access_token());
        assert_eq!(kept.session().id_token(), session.id_token());

        world.provider.lock().keys_status = StatusCode::OK;
        world.clock.advance(Duration::from_secs(600));
        let renewed = refresh(kept.session()).await.unwrap();
        assert_eq!(renewed.refresh_token(), Some("refresh-3"));
    }
}

async fn user_info_refusal(status: StatusCode, body: Value) -> UserInfoError {
    let (world, session) = signed_in().await;
    world.provider.lock().user_info = (status, body);
    match checked(world.client.user_info(&session).await).unwrap_err() {
        Error::UserInfo(error) => error,
        other => panic!("not about userinfo: {other:?}"),
    }
}

#[tokio::test]
async fn user_info_is_about_the_same_person() {
    let (world, session) = signed_in().await;
    assert_eq!(
        world.client.user_info(&session).await.unwrap().name(),
        Some("Ada")
    );

    let error = user_info_refusal(StatusCode::OK, json!({"sub": "somebody-else", "name": "Eve"}));
    assert!(matches!(error.await, UserInfoError::SubjectMismatch));
    assert!(matches!(
        user_info_refusal(StatusCode::OK, json!({"name": "Eve"})).await,
        UserInfoError::Malformed
    ));
    assert!(matches!(
        user_info_refusal(StatusCode::OK, json!([])).await,
        UserInfoError::Malformed
    ));
    let error = user_info_refusal(StatusCode::UNAUTHORIZED, json!({"error": "invalid_token"}));
    assert!(matches!(error.await, UserInfoError::TokenRefused));
    let error = user_info_refusal(StatusCode::SERVICE_UNAVAILABLE, json!({})).await;
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_provider_without_user_info_says_so() {
    let world = World::new();
    world
        .provider
        .lock()
        .metadata
        .as_object_mut()
        .unwrap()
        .remove("userinfo_endpoint");
    let session = world.sign_in().await.unwrap();
    let error = checked(world.client.user_info(&session).await).unwrap_err();
    assert!(matches!(error, Error::UserInfo(UserInfoError::NotOffered)));
}

#[tokio::test]
async fn sign_out_names_the_session_and_the_way_back() {
    let (world, session) = signed_in().await;
    let back = "https://app.example/signed-out";
    let url = world
        .client
        .sign_out_url(&session, back, Some("a&b"))
        .await
        .unwrap();
    assert!(url.as_str().starts_with(&format!("{ISSUER}/session/end?")));
    let sent: HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(sent["id_token_hint"], session.id_token());
    assert_eq!(sent["client_id"], CLIENT_ID);
    assert_eq!(sent["post_logout_redirect_uri"], back);
    assert_eq!(sent["state"], "a&b");
    assert_eq!(sent.len(), 4);

    let url = world.client.sign_out_url(&session, back, None).await.unwrap();
    assert!(!url.as_str().contains("state="));
}

/// RFC 8252 section 7.1.
#[tokio::test]
async fn sign_out_leads_back_to_a_native_application() {
    let (world, session) = signed_in().await;
    for back in ["com.example.app:/signed-out", "http://127.0.0.1:49152/signed-out"] {
        let url = world.client.sign_out_url(&session, back, None).await.unwrap();
        let sent: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(sent["post_logout_redirect_uri"], back);
    }
}

#[tokio::test]
async fn sign_out_goes_nowhere_insecure() {
    let (world, session) = signed_in().await;
    for back in [
        "http://app.example/",
        "/signed-out",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "myapp:/signed-out",
        "",
    ] {
        let error = checked(world.client.sign_out_url(&session, back, None).await).unwrap_err();
        assert!(
            matches!(error, Error::SignOut(SignOutError::RedirectUri)),
            "{back}"
        );
    }
    let world = World::new();
    world
        .provider
        .lock()
        .metadata
        .as_object_mut()
        .unwrap()
        .remove("end_session_endpoint");
    let session = world.sign_in().await.unwrap();
    let error = checked(
        world
            .client
            .sign_out_url(&session, "https://app.example/", None)
            .await,
    )
    .unwrap_err();
    assert!(matches!(error, Error::SignOut(SignOutError::NotOffered)));
}
