//! One's own sessions and grants over the Account API.

use keyback::logto::RevokeGrants;
use keyback_tests::{ADA, OLD_PASSWORD};
use reqwest::header;

use super::account::{sign_in, verified};
use super::*;

#[tokio::test]
async fn sr72_ones_own_sessions_are_listed_and_ended_after_a_verification() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    app.add_user("bob@example.com", Some(OLD_PASSWORD)).await;
    let (_, here) = sign_in(&app).await;
    let (_, there) = sign_in(&app).await;
    let account = app.site.client.account(&here).unwrap();
    let other = app.site.client.account(&there).unwrap();
    let verification = verified(&account).await;
    // Of this session alone.
    assert_eq!(
        refusal(other.sessions(&verification).await),
        ApiCode::VerificationRequired
    );
    assert_eq!(
        refusal(other.grants(&verification).await),
        ApiCode::VerificationRequired
    );
    let sessions = account.sessions(&verification).await.unwrap();
    assert_eq!(sessions.len(), 2);
    let current: Vec<_> = sessions
        .iter()
        .filter(|session| session.is_current == Some(true))
        .collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0].apps, ["shop"]);
    let elsewhere = sessions
        .iter()
        .find(|session| session.is_current == Some(false))
        .unwrap();
    account
        .end_session(&verification, &elsewhere.id, RevokeGrants::All)
        .await
        .unwrap();
    assert_eq!(
        refusal(
            account
                .end_session(&verification, &elsewhere.id, RevokeGrants::All)
                .await
        ),
        ApiCode::SessionNotFound
    );
    assert!(app.site.client.refresh(&there).await.is_err());
    app.site.client.refresh(&here).await.unwrap();
    assert_eq!(app.audited("session_ended").await, 1);
}

#[tokio::test]
async fn ones_own_grants_are_listed_and_revoked_and_those_of_others_are_nobodys() {
    let app = with_backend(|_| {}).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (_, session) = sign_in(&app).await;
    let account = app.site.client.account(&session).unwrap();
    let verification = verified(&account).await;
    assert_eq!(
        refusal(account.revoke_grant(&verification, "nobody-s").await),
        ApiCode::NotFound
    );
    let grants = account.grants(&verification).await.unwrap();
    assert_eq!(grants.len(), 1);
    assert_eq!(grants[0].client_id.as_deref(), Some("shop"));
    account.revoke_grant(&verification, &grants[0].id).await.unwrap();
    assert!(app.site.client.refresh(&session).await.is_err());
    assert!(matches!(
        account.grants(&verification).await,
        Err(Error::Api(ApiError::TokenRefused { .. }))
    ));
    assert_eq!(app.audited("grant_revoked").await, 1);
}

#[tokio::test]
async fn apps_of_others_neither_see_nor_end_sessions() {
    let app = TestApp::with(|config| config.apps[0].first_party = false).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (_, session) = sign_in(&app).await;
    let token = session.access_token();
    for (method, path) in [
        (Method::GET, "/api/my-account/sessions"),
        (Method::DELETE, "/api/my-account/sessions/x"),
        (Method::GET, "/api/my-account/grants"),
        (Method::DELETE, "/api/my-account/grants/x"),
    ] {
        let refused = call(&app, token, method, path, Value::Null).await;
        assert_eq!(refused.code(), "auth.third_party_application_forbidden");
    }
    // Pages of apps may ask to end one.
    let preflight = reqwest::Client::new()
        .request(
            Method::OPTIONS,
            app.url.join("/api/my-account/sessions/x").unwrap(),
        )
        .header(header::ORIGIN, app.site.url.origin().ascii_serialization())
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "DELETE");
    let allowed = answer(preflight).await.headers[header::ACCESS_CONTROL_ALLOW_METHODS].clone();
    assert!(allowed.to_str().unwrap().contains("DELETE"));
}
