//! Sessions and grants over the Management API.

use keyback::logto::RevokeGrants;
use keyback_tests::{ADA, Browser, OLD_PASSWORD};

use super::*;

async fn sign_in(app: &TestApp) -> (Browser, Arc<keyback::Session>) {
    let mut browser = app.browser();
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    let session = app.site.session_of(&browser).unwrap();
    (browser, session)
}

#[tokio::test]
async fn sessions_are_listed_and_ended_with_or_without_their_grants() {
    let app = with_backend(|_| {}).await;
    let api = management(&app);
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let other = app.add_user("bob@example.com", None).await;
    assert!(api.sessions(&id).await.unwrap().is_empty());
    let (mut browser, first) = sign_in(&app).await;
    let sessions = api.sessions(&id).await.unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].apps, ["shop"]);
    assert!(sessions[0].ip.is_some());
    assert_eq!(
        sessions[0].signed_in_at,
        Some(first.claims().auth_time().unwrap())
    );
    let sid = &sessions[0].id;
    // Nobody ends a session in another's name.
    assert_eq!(
        refusal(api.end_session(&other, sid, RevokeGrants::All).await),
        ApiCode::SessionNotFound
    );
    api.end_session(&id, sid, RevokeGrants::None).await.unwrap();
    browser.open("/account").await;
    browser.assert_at("/sign-in");
    let first = app.site.client.refresh(&first).await.unwrap();
    assert_eq!(
        refusal(api.end_session(&id, sid, RevokeGrants::None).await),
        ApiCode::SessionNotFound
    );

    for revoke in [RevokeGrants::All, RevokeGrants::FirstParty] {
        let (_, session) = sign_in(&app).await;
        let sessions = api.sessions(&id).await.unwrap();
        api.end_session(&id, &sessions[0].id, revoke).await.unwrap();
        assert!(app.site.client.refresh(&session).await.is_err(), "{revoke:?}");
    }
    // That of the first sign-in is another.
    let grants = api.grants(&id).await.unwrap();
    assert_eq!(grants.len(), 1);
    assert_eq!(grants[0].client_id.as_deref(), Some("shop"));
    assert_eq!(
        refusal(api.revoke_grant(&other, &grants[0].id).await),
        ApiCode::NotFound
    );
    api.revoke_grant(&id, &grants[0].id).await.unwrap();
    assert!(app.site.client.refresh(&first).await.is_err());
    assert_eq!(app.audited("session_ended_by_app").await, 3);
    assert_eq!(app.audited("grant_revoked_by_app").await, 1);
}

#[tokio::test]
async fn grants_of_other_peoples_apps_outlive_a_session_that_takes_ones_own_along() {
    let app = with_backend(|config| config.apps[0].first_party = false).await;
    let api = management(&app);
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    let yes = browser.page().form_to("/consent").fill("answer", "allow");
    browser.submit(yes).await;
    let session = app.site.session_of(&browser).unwrap();
    let sessions = api.sessions(&id).await.unwrap();
    api.end_session(&id, &sessions[0].id, RevokeGrants::FirstParty)
        .await
        .unwrap();
    app.site.client.refresh(&session).await.unwrap();
}

#[tokio::test]
async fn sign_out_everywhere_is_the_same_call_as_with_logto() {
    let app = with_backend(|_| {}).await;
    let api = management(&app);
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (_, one) = sign_in(&app).await;
    let (_, two) = sign_in(&app).await;
    let ended = api.sign_out_everywhere(&id).await.unwrap();
    assert_eq!((ended.sessions, ended.grants), (2, 0));
    for session in [one, two] {
        assert!(app.site.client.refresh(&session).await.is_err());
    }
    assert_eq!(
        refusal(api.sign_out_everywhere("nobody").await),
        ApiCode::NotFound
    );
}
