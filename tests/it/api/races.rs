//! The same call, many times at once: exactly one of them counts.

use keyback::logto::CodeRefusal;
use keyback::logto::account::PasswordChange;
use keyback::logto::management::CodeCheck;
use keyback_tests::{ADA, NEW_PASSWORD, OLD_PASSWORD, counts};
use serde_json::json;

use super::account::{sign_in, verified};
use super::codes::{to, tried, wrong};
use super::resets_by_token::{at_the_button, made, with_ada};
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn sr19_of_a_hundred_wrong_codes_at_once_five_are_compared_and_are_the_end_of_it() {
    // As many in a row as are sent here would pause otherwise.
    let app = with_backend(|config| config.limits.factor = 1_000).await;
    let api = management(&app);
    api.send_code(&to(ADA)).await.unwrap();
    let code = app.last_code_for(ADA).await;
    let tries = (0..counts(100, 500)).map(|_| {
        let (api, wrong) = (api.clone(), wrong(&code));
        tokio::spawn(async move { api.check_code(&to(ADA), &wrong).await.unwrap() })
    });
    let mut wrong = 0;
    for answer in tries.collect::<Vec<_>>() {
        match answer.await.unwrap() {
            CodeCheck::Refused(CodeRefusal::Wrong) => wrong += 1,
            CodeCheck::Refused(CodeRefusal::TriesUsedUp) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(wrong, 5);
    assert_eq!(
        api.check_code(&to(ADA), &code).await.unwrap(),
        CodeCheck::Refused(CodeRefusal::TriesUsedUp)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sr24_of_a_hundred_right_codes_at_once_one_counts() {
    let count = counts(100, 500);
    let app = with_backend(|config| config.limits.factor = 1_000).await;
    let api = management(&app);
    api.send_code(&to(ADA)).await.unwrap();
    let code = app.last_code_for(ADA).await;
    let tries = (0..count).map(|_| {
        let (api, code) = (api.clone(), code.clone());
        tokio::spawn(async move { api.check_code(&to(ADA), &code).await.unwrap() })
    });
    let mut right = 0;
    for answer in tries.collect::<Vec<_>>() {
        match answer.await.unwrap() {
            CodeCheck::Right => right += 1,
            // Gone before it was looked for, or while its try was to be counted.
            CodeCheck::Refused(CodeRefusal::NotFound | CodeRefusal::TriesUsedUp) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(right, 1);
    assert_eq!(tried(&app).await, ["code_accepted app backend"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sr72_of_a_hundred_changes_by_one_verification_at_once_one_is_made() {
    let count = counts(100, 500);
    let app = TestApp::with(|config| config.limits.factor = 1_000).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (_, session) = sign_in(&app).await;
    let account = app.site.client.account(&session).unwrap();
    let verification = Arc::new(verified(&account).await);
    let mut running = tokio::task::JoinSet::new();
    for at in 0..count {
        let (account, verification) = (account.clone(), Arc::clone(&verification));
        let password = format!("{NEW_PASSWORD} number {at}");
        running.spawn(async move { account.change_password(&verification, password).await });
    }
    let answers = running.join_all().await;
    let changed = answers
        .iter()
        .filter(|answer| matches!(answer, Ok(PasswordChange::Changed)));
    assert_eq!(changed.count(), 1);
    // The first has ended the session, its token and what verified it; the queue for hashes may be full.
    let refused = answers.iter().filter(|answer| match answer {
        Err(Error::Api(ApiError::TokenRefused { .. })) => true,
        Err(Error::Api(ApiError::Refused { status, code, .. })) => {
            *status == 503 || *code == ApiCode::VerificationRequired
        }
        _ => false,
    });
    assert_eq!(refused.count(), count - 1, "{answers:?}");
    assert_eq!(app.audited("password_changed").await, 1);
}

/// A token of a site serves at the site's own pages or at ours, at whichever it is first.
#[tokio::test(flavor = "multi_thread")]
async fn sr21_of_a_hundred_that_bring_a_token_to_the_api_and_to_the_page_at_once_one_is_served() {
    let app = with_ada().await;
    let (token, bearer) = (made(&app).await, machine_token(&app, BACKEND).await);
    let mut waiting = Vec::new();
    for _ in 0..counts(50, 250) {
        waiting.push(at_the_button(&app, &token).await);
    }
    let body = json!({ "token": token.token(), "email": ADA }).to_string();
    let http = reqwest::Client::new();
    let (mut calls, mut presses) = (tokio::task::JoinSet::new(), tokio::task::JoinSet::new());
    for browser in waiting {
        let request = http
            .post(app.url.join("/api/one-time-tokens/verify").unwrap())
            .bearer_auth(&bearer)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.clone());
        calls.spawn(answer(request));
        let form = browser.page().form_to("/forgot-password/token");
        presses.spawn(async move { browser.post_once(&form).await.status });
    }
    let (called, pressed) = (calls.join_all().await, presses.join_all().await);
    let right = called
        .iter()
        .filter(|answer| answer.status == StatusCode::OK)
        .count();
    let led = pressed.iter().filter(|status| **status == 303).count();
    assert_eq!(right + led, 1);
    let used = called
        .iter()
        .filter(|answer| answer.code() == "one_time_token.token_consumed");
    assert_eq!(used.count(), called.len() - right);
    let over = pressed.iter().filter(|status| **status == 410);
    assert_eq!(over.count(), pressed.len() - led);
}
