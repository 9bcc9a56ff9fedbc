//! One-time codes over both APIs, by the SDK's own calls.

use std::time::Duration;

use keyback::logto::account::{Account, CodeVerification, PasswordChange, SentCode, Verification};
use keyback::logto::management::CodeCheck;
use keyback::logto::{CodeRefusal, Recipient};
use keyback_tests::{ADA, NEW_PASSWORD, OLD_PASSWORD};
use reqwest::StatusCode;
use serde_json::json;

use super::account::{sign_in, verified};
use super::*;
use crate::metrics::Scraped;

const BOB: &str = "bob@example.com";
const PHONE: &str = "+14155550123";

pub(super) fn to(address: &str) -> Recipient {
    match address.strip_prefix('+') {
        // As Logto keeps numbers.
        Some(digits) => Recipient::Phone(digits.to_owned()),
        None => Recipient::Email(address.to_owned()),
    }
}

/// Another code than this one.
pub(super) fn wrong(code: &str) -> String {
    let last = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &code[..5])
}

pub(super) async fn right(account: &Account, sent: &SentCode, code: &str) -> Verification {
    match account.verify_code(sent, code).await.unwrap() {
        CodeVerification::Right(verification) => verification,
        CodeVerification::Refused(why) => panic!("{why:?}"),
    }
}

pub(super) async fn refused(account: &Account, sent: &SentCode, code: &str) -> CodeRefusal {
    match account.verify_code(sent, code).await.unwrap() {
        CodeVerification::Refused(why) => why,
        CodeVerification::Right(_) => panic!("it is wrong"),
    }
}

/// What the trail tells of codes that were tried: event, actor and app, each with the identifier.
pub(super) async fn tried(app: &TestApp) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT event || ' ' || actor || ' ' || client_id FROM audit \
         WHERE event IN ('code_accepted', 'code_rejected') AND identifier IS NOT NULL ORDER BY rowid",
    )
    .fetch_all(app.companion.store.reader())
    .await
    .unwrap()
}

#[tokio::test]
async fn sr72_a_code_to_ones_own_address_verifies_for_a_change_of_the_password() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (_, session) = sign_in(&app).await;
    let (_, elsewhere) = sign_in(&app).await;
    let account = app.site.client.account(&session).unwrap();
    let other = app.site.client.account(&elsewhere).unwrap();
    let sent = account.send_code(to(ADA)).await.unwrap();
    let code = app.last_code_for(ADA).await;
    let letter = app.letters_to(ADA).await.remove(0);
    assert_eq!(letter.subject, "Your Larkspur Books code");
    assert!(!letter.text.contains("new password"), "{}", letter.text);

    // SR-18: what rests tells neither code nor address.
    let rests: (String, String, String) =
        sqlx::query_as("SELECT holder, identifier_hash, code_digest FROM sent_codes")
            .fetch_one(app.companion.store.reader())
            .await
            .unwrap();
    assert!(!format!("{rests:?}").contains(ADA) && rests.2.len() == 64);
    // SR-23: it is this session's, and not that of another who has signed in with the same account.
    assert_eq!(refused(&other, &sent, &code).await, CodeRefusal::NotFound);
    assert_eq!(refused(&account, &sent, &wrong(&code)).await, CodeRefusal::Wrong);
    assert_eq!(refused(&account, &sent, "no code").await, CodeRefusal::Wrong);
    assert_eq!(tried(&app).await, ["code_rejected user shop"]);
    let verification = right(&account, &sent, &code).await;
    let told = ["code_rejected user shop", "code_accepted user shop"];
    assert_eq!(tried(&app).await, told);
    // SR-24: once.
    assert_eq!(refused(&account, &sent, &code).await, CodeRefusal::NotFound);
    assert_eq!(
        refusal(other.change_password(&verification, NEW_PASSWORD).await),
        ApiCode::VerificationRequired
    );
    assert_eq!(
        account
            .change_password(&verification, NEW_PASSWORD)
            .await
            .unwrap(),
        PasswordChange::Changed
    );
    for ended in [&session, &elsewhere] {
        assert!(app.site.client.refresh(ended).await.is_err());
    }
}

/// What was proved when the session was young is over: the password or a code by mail proves it anew.
#[tokio::test]
async fn sr72_in_an_old_session_a_change_asks_for_a_fresh_proof() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (_, session) = sign_in(&app).await;
    let client = &app.site.client;
    let of_its_youth = verified(&client.account(&session).unwrap()).await;
    let mut old = Arc::unwrap_or_clone(session);
    for _ in 0..2 {
        app.advance(Duration::from_secs(13 * 86_400));
        old = client.refresh(&old).await.unwrap();
    }
    let account = client.account(&old).unwrap();
    assert_eq!(
        refusal(account.change_password(&of_its_youth, NEW_PASSWORD).await),
        ApiCode::VerificationRequired
    );
    assert_eq!(
        refusal(account.set_first_password(NEW_PASSWORD).await),
        ApiCode::VerificationRequired
    );
    let by_password = verified(&account).await;
    assert_eq!(
        account.change_password(&by_password, OLD_PASSWORD).await.unwrap(),
        PasswordChange::SameAsBefore
    );
    let sent = account.send_code(to(ADA)).await.unwrap();
    let by_mail = right(&account, &sent, &app.last_code_for(ADA).await).await;
    assert_eq!(
        account.change_password(&by_mail, NEW_PASSWORD).await.unwrap(),
        PasswordChange::Changed
    );
}

#[tokio::test]
async fn an_account_without_a_password_gets_its_first_by_a_code() {
    let app = TestApp::start().await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (_, session) = sign_in(&app).await;
    let account = app.site.client.account(&session).unwrap();
    // As an account that came without one.
    sqlx::query("DELETE FROM credentials WHERE user_id = $1")
        .bind(&id)
        .execute(app.companion.store.writer())
        .await
        .unwrap();
    assert_eq!(account.user().await.unwrap().has_password, Some(false));
    assert_eq!(
        refusal(account.set_first_password(NEW_PASSWORD).await),
        ApiCode::VerificationRequired
    );
    let sent = account.send_code(to(ADA)).await.unwrap();
    let verification = right(&account, &sent, &app.last_code_for(ADA).await).await;
    assert_eq!(
        account
            .change_password(&verification, NEW_PASSWORD)
            .await
            .unwrap(),
        PasswordChange::Changed
    );
    assert!(app.password_hash(&id).await.is_some());
    let mut browser = app.browser();
    browser.open("/account").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_at("/account");
}

#[tokio::test]
async fn a_code_verifies_no_longer_than_was_told_and_no_password_but_the_one_there_was() {
    let app = TestApp::start().await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (_, session) = sign_in(&app).await;
    let account = app.site.client.account(&session).unwrap();
    let sent = account.send_code(to(ADA)).await.unwrap();
    let code = app.last_code_for(ADA).await;
    app.advance(Duration::from_secs(300));
    let verification = right(&account, &sent, &code).await;
    app.advance(Duration::from_secs(299));
    assert!(matches!(
        account.change_password(&verification, "short").await.unwrap(),
        PasswordChange::Rejected(_)
    ));
    app.advance(Duration::from_secs(1));
    assert_eq!(
        refusal(account.change_password(&verification, NEW_PASSWORD).await),
        ApiCode::VerificationRequired
    );
    let sent = account.send_code(to(ADA)).await.unwrap();
    let verification = right(&account, &sent, &app.last_code_for(ADA).await).await;
    sqlx::query("DELETE FROM credentials WHERE user_id = $1")
        .bind(&id)
        .execute(app.companion.store.writer())
        .await
        .unwrap();
    assert_eq!(
        refusal(account.change_password(&verification, NEW_PASSWORD).await),
        ApiCode::VerificationRequired
    );
}

#[tokio::test]
async fn codes_go_to_verified_addresses_of_ones_own_alone() {
    let app = TestApp::start().await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    app.add_user(BOB, Some(OLD_PASSWORD)).await;
    let (_, session) = sign_in(&app).await;
    let account = app.site.client.account(&session).unwrap();
    for another in [BOB, "nobody@example.com", PHONE] {
        let sent = account.send_code(to(another)).await;
        assert!(matches!(
            sent,
            Err(Error::Api(ApiError::Refused {
                code: ApiCode::InvalidInput,
                ..
            }))
        ));
    }
    assert!(app.letters_to(BOB).await.is_empty());
    let sent = account.send_code(to(ADA)).await.unwrap();
    let code = app.last_code_for(ADA).await;
    // The address is no longer hers when the code is typed.
    sqlx::query("UPDATE users SET email = 'ada@elsewhere.example' WHERE id = $1")
        .bind(&id)
        .execute(app.companion.store.writer())
        .await
        .unwrap();
    assert_eq!(refused(&account, &sent, &code).await, CodeRefusal::OtherRecipient);
    sqlx::query("UPDATE users SET email = $2, email_verified = FALSE WHERE id = $1")
        .bind(&id)
        .bind(ADA)
        .execute(app.companion.store.writer())
        .await
        .unwrap();
    assert!(account.send_code(to(ADA)).await.is_err());
}

#[tokio::test]
async fn a_site_sends_codes_for_its_own_pages_to_anybody() {
    let app = with_backend(|_| {}).await;
    let api = management(&app);
    // Nobody has an account.
    for address in [ADA, PHONE] {
        api.send_code(&to(address)).await.unwrap();
        let code = app.last_code_for(address).await;
        let check = async |address: &str, code: &str| api.check_code(&to(address), code).await.unwrap();
        assert_eq!(
            check(address, &wrong(&code)).await,
            CodeCheck::Refused(CodeRefusal::Wrong)
        );
        assert_eq!(check(BOB, &code).await, CodeCheck::Refused(CodeRefusal::NotFound));
        assert_eq!(check(address, &code).await, CodeCheck::Right);
        assert_eq!(
            check(address, &code).await,
            CodeCheck::Refused(CodeRefusal::NotFound)
        );
    }
    // The latest counts.
    api.send_code(&to(ADA)).await.unwrap();
    let first = app.last_code_for(ADA).await;
    api.send_code(&to(ADA)).await.unwrap();
    let second = app.last_code_for(ADA).await;
    if first != second {
        assert_eq!(
            api.check_code(&to(ADA), &first).await.unwrap(),
            CodeCheck::Refused(CodeRefusal::Wrong)
        );
    }
    app.advance(Duration::from_secs(600));
    assert_eq!(
        api.check_code(&to(ADA), &second).await.unwrap(),
        CodeCheck::Refused(CodeRefusal::Expired)
    );
}

/// Where the trail can't be written, right and wrong are one failure, and no try is given back.
#[tokio::test]
async fn sr19_a_failure_gives_no_try_back_and_tells_nothing_of_the_code() {
    let app = with_backend(|_| {}).await;
    let api = management(&app);
    api.send_code(&to(ADA)).await.unwrap();
    let code = app.last_code_for(ADA).await;
    let db = app.companion.store.writer();
    let attempts = async || -> i64 {
        let count = sqlx::query_scalar("SELECT attempts FROM sent_codes");
        count.fetch_one(app.companion.store.reader()).await.unwrap()
    };
    let full = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END";
    sqlx::raw_sql(full).execute(db).await.unwrap();
    let token = machine_token(&app, BACKEND).await;
    for (tries, typed) in [(1, wrong(&code)), (2, code.clone())] {
        let body = json!({ "email": ADA, "verificationCode": typed });
        let path = "/api/verification-codes/verify";
        let failed = call(&app, &token, Method::POST, path, body).await;
        assert_eq!(failed.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(attempts().await, tries);
    }
    sqlx::raw_sql("DROP TRIGGER full").execute(db).await.unwrap();
    assert_eq!(api.check_code(&to(ADA), &code).await.unwrap(), CodeCheck::Right);
    assert_eq!(tried(&app).await, ["code_accepted app backend"]);
}

#[tokio::test]
async fn sr20_codes_to_one_address_are_limited_whoever_asks() {
    let app = with_backend(|_| {}).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let api = management(&app);
    for _ in 0..9 {
        api.send_code(&to(ADA)).await.unwrap();
    }
    assert_eq!(
        refusal(api.send_code(&to(ADA)).await),
        ApiCode::MessageRateLimited
    );
    let (_, session) = sign_in(&app).await;
    let account = app.site.client.account(&session).unwrap();
    let sent = account.send_code(to(ADA)).await;
    assert!(matches!(
        sent,
        Err(Error::Api(ApiError::Refused {
            code: ApiCode::MessageRateLimited,
            ..
        }))
    ));
    let refused = Scraped::of(&app).await;
    assert_eq!(refused.refused("api", "limit"), 2.0);
    app.companion.write_refusals().await.unwrap();
    assert_eq!(app.audited("refused").await, 1);
    api.send_code(&to(BOB)).await.unwrap();
    let code = app.last_code_for(BOB).await;
    let checked = api.check_code(&to(BOB), &wrong(&code)).await.unwrap();
    assert_eq!(checked, CodeCheck::Refused(CodeRefusal::Wrong));
    assert_eq!(Scraped::of(&app).await.refused("api", "wrong_code"), 1.0);
}

/// Over all codes, and whether they are typed at an app's page or at ours.
#[tokio::test]
async fn sr20_wrong_codes_in_a_row_pause_at_this_door_too() {
    let app = with_backend(|_| {}).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let api = management(&app);
    for _ in 0..2 {
        api.send_code(&to(ADA)).await.unwrap();
        let code = app.last_code_for(ADA).await;
        for _ in 0..5 {
            let checked = api.check_code(&to(ADA), &wrong(&code)).await.unwrap();
            assert!(matches!(checked, CodeCheck::Refused(_)), "{checked:?}");
        }
    }
    api.send_code(&to(ADA)).await.unwrap();
    let code = app.last_code_for(ADA).await;
    let checked = api.check_code(&to(ADA), &wrong(&code)).await.unwrap();
    assert_eq!(checked, CodeCheck::Refused(CodeRefusal::Wrong));
    api.check_code(&to(ADA), &code).await.unwrap_err();
    app.advance(Duration::from_secs(31));
    assert_eq!(api.check_code(&to(ADA), &code).await.unwrap(), CodeCheck::Right);
    // That was the end of the run.
    api.send_code(&to(ADA)).await.unwrap();
    let code = app.last_code_for(ADA).await;
    let checked = api.check_code(&to(ADA), &wrong(&code)).await.unwrap();
    assert_eq!(checked, CodeCheck::Refused(CodeRefusal::Wrong));
}

#[tokio::test]
async fn what_names_no_recipient_and_what_nothing_carries_is_refused() {
    let app = with_backend(|config| config.sms.connector = None).await;
    assert_eq!(
        refusal(management(&app).send_code(&to(PHONE)).await),
        ApiCode::ConnectorNotFound
    );
    let token = machine_token(&app, BACKEND).await;
    for body in [
        json!({}),
        json!({ "email": ADA, "phone": "14155550123" }),
        json!({ "email": "14155550123" }),
        json!({ "phone": ADA }),
        json!({ "email": "nobody" }),
    ] {
        let refused = call(&app, &token, Method::POST, "/api/verification-codes", body).await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::BAD_REQUEST, "guard.invalid_input")
        );
    }
    let body = json!({ "email": ADA });
    let refused = call(&app, "nobody-s", Method::POST, "/api/verification-codes", body).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

/// What is left of both when all of it is over: nothing but the account, and the trail for as long as it is kept.
#[tokio::test]
async fn sr86_what_a_reset_and_a_code_of_an_app_leave_behind_is_swept() {
    const SWEPT: [&str; 10] = [
        "sent_codes",
        "reset_flows",
        "challenges",
        "limits",
        "freeze_links",
        "sessions",
        "grants",
        "codes",
        "access_tokens",
        "refresh_tokens",
    ];
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    let session = app.site.session_of(&browser).unwrap();
    let account = app.site.client.account(&session).unwrap();
    account.send_code(to(ADA)).await.unwrap();
    app.settle().await;
    let before = app.row_counts().await;
    for table in SWEPT {
        assert!(before[table] > 0, "{table}: {before:?}");
    }
    app.advance(Duration::from_secs(400 * 24 * 3_600));
    app.companion.sweep().await.unwrap();
    let after = app.row_counts().await;
    for table in SWEPT {
        assert_eq!(after[table], 0, "{table}: {after:?}");
    }
}
