//! What was under way when a password was replaced, and must not come after it.

use std::time::Duration;

use keyback_companion::hashing::Lane;
use keyback_companion::store::account_status::AccountStatus;
use keyback_companion::store::cut_off::cut_off;
use keyback_companion::store::{credentials, reset, users};
use keyback_core::identifier::Identifier;
use keyback_core::ids::{FlowId, Subject};
use keyback_core::time::Clock as _;
use keyback_tests::{ADA, NEW_PASSWORD, OLD_PASSWORD, TestApp, counts};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// What a reset writes, at once: another password, and no session of before.
async fn replace_password(app: &TestApp, id: &str, phc: &str) {
    let now = app.clock.now();
    let mut tx = app.companion.store.begin().await.unwrap();
    credentials::save_password_hash(&mut *tx, id, phc, now)
        .await
        .unwrap();
    cut_off(&mut tx, id, None, now).await.unwrap();
    tx.commit().await.unwrap();
}

/// What the account page does with a password, in the order of a race: checked, replaced, asked again in the transaction. A sign-in
/// asks where its session begins.
#[tokio::test(flavor = "multi_thread")]
async fn sr54_a_password_that_is_replaced_after_its_check_holds_no_more() {
    let app = TestApp::start().await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let backend = &app.companion.backend;
    let user = users::find(app.companion.store.reader(), &id)
        .await
        .unwrap()
        .unwrap();
    assert!(
        backend
            .check_password(user.clone(), "a wrong password")
            .await
            .unwrap()
            .is_none()
    );
    let checked = backend.check_password(user, OLD_PASSWORD).await.unwrap().unwrap();
    let holds = async || {
        let mut tx = app.companion.store.begin().await.unwrap();
        checked.still_holds(&mut tx).await.unwrap()
    };
    assert!(holds().await);
    let new = app
        .companion
        .hashing
        .hash(Lane::Reset, NEW_PASSWORD)
        .await
        .unwrap();
    replace_password(&app, &id, &new).await;
    assert!(!holds().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn sr54_a_password_of_an_account_that_is_disabled_after_its_check_holds_no_more() {
    let app = TestApp::start().await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let user = users::find(app.companion.store.reader(), &id)
        .await
        .unwrap()
        .unwrap();
    let checked = app
        .companion
        .backend
        .check_password(user, OLD_PASSWORD)
        .await
        .unwrap()
        .unwrap();
    app.set_status(&id, AccountStatus::Disabled).await;
    let mut tx = app.companion.store.begin().await.unwrap();
    assert!(!checked.still_holds(&mut tx).await.unwrap());
}

/// The same over HTTP: the pool's one thread is kept busy, so that the posts wait for their checks while the
/// password is replaced. Whatever the order then is, neither begins a session or undoes the reset.
#[tokio::test(flavor = "multi_thread")]
async fn sr53_neither_a_sign_in_nor_a_change_under_way_undoes_a_reset() {
    let app = TestApp::with(|config| {
        config.hashing.threads = 1;
        config.limits.factor = 1_000;
    })
    .await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let new = app
        .companion
        .hashing
        .hash(Lane::Reset, NEW_PASSWORD)
        .await
        .unwrap();
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.open("/account/password").await;
    let change = browser.page().form_with("current_password");
    let change = change
        .fill("current_password", OLD_PASSWORD)
        .fill("password", "what a thief would like");
    let mut other = app.browser();
    other.open("/sign-in").await;
    let sign_in = other.page().form_with("password");
    let sign_in = sign_in.fill("identifier", ADA).fill("password", OLD_PASSWORD);
    let mut thieves = tokio::task::JoinSet::new();
    for _ in 0..counts(50, 250) {
        let (tab, form) = (browser.clone(), change.clone());
        thieves.spawn(async move { tab.post_once(&form).await });
        let (tab, form) = (other.clone(), sign_in.clone());
        thieves.spawn(async move { tab.post_once(&form).await });
    }
    // In the middle of them.
    let first = thieves.join_next().await.unwrap().unwrap();
    replace_password(&app, &id, &new).await;
    let mut answers = thieves.join_all().await;
    answers.push(first);
    let changed = answers
        .iter()
        .any(|page| page.text().contains("Password changed"));
    let sessions = app.row_counts().await["sessions"];
    let kept = app.password_hash(&id).await == Some(new);
    // A change that was written before the reset is history; what counts is the end.
    assert!(kept, "changed: {changed}");
    assert_eq!(sessions, 0, "changed: {changed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sr24_a_code_from_before_a_reset_is_bound_to_nobody_after_it() {
    let app = TestApp::start().await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let code = app.last_code_for(ADA).await;
    app.settle().await;
    let (challenge, flow): (String, String) = sqlx::query_as("SELECT id, flow_id FROM challenges")
        .fetch_one(app.companion.store.reader())
        .await
        .unwrap();
    let (flow, subject) = (FlowId::new(flow), Subject::new(id.clone()));
    let bound = async || {
        let mut tx = app.companion.store.begin().await.unwrap();
        reset::is_bound(&mut tx, &flow, &subject).await.unwrap()
    };
    assert!(bound().await);

    app.advance(Duration::from_secs(5));
    let new = app
        .companion
        .hashing
        .hash(Lane::Reset, NEW_PASSWORD)
        .await
        .unwrap();
    replace_password(&app, &id, &new).await;
    assert!(
        !bound().await,
        "no proof can come of a code that is being checked now"
    );
    // A mail that could not be delivered until now is tried again: it must not bring the code back to life.
    let now = app.clock.now();
    let writer = app.companion.store.writer();
    let address = Identifier::parse(ADA).unwrap();
    assert!(
        !reset::bind_challenge(writer, &challenge, Some(&id), &address, now)
            .await
            .unwrap()
    );
    assert!(!bound().await);
    browser.enter_code(&code).await;
    browser.assert_status(422);
    browser.assert_says("That code doesn’t match.");
}

/// The worker has read the account, and it changes before the code is bound.
#[tokio::test(flavor = "multi_thread")]
async fn sr24_a_code_is_bound_to_who_still_has_the_address() {
    const CHANGES: [(&str, bool); 6] = [
        ("UPDATE users SET name = 'Ada' WHERE id = $1", true),
        ("UPDATE users SET email = 'ada@new.example' WHERE id = $1", false),
        ("UPDATE users SET email_verified = FALSE WHERE id = $1", false),
        ("UPDATE users SET status = 'disabled' WHERE id = $1", false),
        ("UPDATE users SET not_before = 9999999999999 WHERE id = $1", false),
        ("DELETE FROM users WHERE id = $1", false),
    ];
    for (change, binds) in CHANGES {
        let app = TestApp::start().await;
        let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
        let mut browser = app.browser();
        browser.open("/forgot-password").await;
        browser.ask_reset(ADA).await;
        app.settle().await;
        let writer = app.companion.store.writer();
        let challenge: String = sqlx::query_scalar("SELECT id FROM challenges")
            .fetch_one(writer)
            .await
            .unwrap();
        sqlx::query("UPDATE challenges SET subject = NULL")
            .execute(writer)
            .await
            .unwrap();
        sqlx::query(change).bind(&id).execute(writer).await.unwrap();
        let address = Identifier::parse(ADA).unwrap();
        let bound = reset::bind_challenge(writer, &challenge, Some(&id), &address, app.clock.now()).await;
        assert_eq!(bound.unwrap(), binds, "{change}");
        let subject: Option<String> = sqlx::query_scalar("SELECT subject FROM challenges")
            .fetch_one(writer)
            .await
            .unwrap();
        assert_eq!(subject.is_some(), binds, "{change}");
        let nobody = reset::bind_challenge(writer, &challenge, None, &address, app.clock.now()).await;
        assert!(nobody.unwrap(), "nobody's is written too (SR-2)");
    }
}

/// A connection that says nothing, or only begins as HTTP/2 would, is let go like one that dawdles.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_are_let_go() {
    let app = TestApp::with(|config| {
        config.server.header_timeout = keyback_companion::config::duration::Span::seconds(1);
    })
    .await;
    let address = app.companion.config.server.listen;
    for beginning in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n", b"GET / HTTP/1.1\r\nHost: "] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, beginning)
            .await
            .unwrap();
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
        assert!(
            ended.is_ok(),
            "{:?} still holds its place",
            String::from_utf8_lossy(beginning)
        );
    }
}
