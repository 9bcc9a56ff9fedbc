//! What was under way when a password was replaced, and must not come after it.

use std::time::Duration;

use keyback_companion::hashing::Lane;
use keyback_companion::store::{reset, sessions, users};
use keyback_core::ids::{FlowId, Subject};
use keyback_core::time::Clock as _;
use keyback_tests::{ADA, NEW_PASSWORD, OLD_PASSWORD, TestApp};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// Hashes that take long enough for something else to happen meanwhile.
async fn with_slow_hashes() -> (TestApp, String) {
    let app = TestApp::with(|config| {
        config.hashing.memory_kib = 64 * 1024;
        config.hashing.iterations = 8;
        config.hashing.threads = 2;
    })
    .await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    (app, id)
}

/// What a reset writes, at once: another password, and no session of before.
async fn replace_password(app: &TestApp, id: &str, phc: &str) {
    let now = app.clock.now();
    let mut tx = app.companion.store.begin().await.unwrap();
    users::save_password_hash(&mut *tx, id, phc, now).await.unwrap();
    users::set_not_before(&mut *tx, id, now).await.unwrap();
    reset::end_resets_of(&mut tx, id, None).await.unwrap();
    sessions::end_all(&mut *tx, id, None, now).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sr54_a_sign_in_whose_password_is_replaced_while_it_is_checked_begins_no_session() {
    let (app, id) = with_slow_hashes().await;
    let new = app
        .companion
        .hashing
        .hash(Lane::Reset, NEW_PASSWORD)
        .await
        .unwrap();
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    let form = browser.page().form_with("password");
    let form = form.fill("identifier", ADA).fill("password", OLD_PASSWORD);
    let tab = browser.clone();
    let thief = tokio::spawn(async move { tab.post_once(&form).await });
    tokio::time::sleep(Duration::from_millis(80)).await;
    replace_password(&app, &id, &new).await;
    assert_eq!(thief.await.unwrap().status, 422);
    assert_eq!(app.row_counts().await["sessions"], 0);
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_at("/account");
}

#[tokio::test(flavor = "multi_thread")]
async fn sr53_a_change_of_the_password_under_way_does_not_undo_a_reset() {
    let (app, id) = with_slow_hashes().await;
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
    let form = browser.page().form_with("current_password");
    let form = form
        .fill("current_password", OLD_PASSWORD)
        .fill("password", "what a thief would like");
    let tab = browser.clone();
    let thief = tokio::spawn(async move { tab.post_once(&form).await });
    tokio::time::sleep(Duration::from_millis(80)).await;
    replace_password(&app, &id, &new).await;
    let answer = thief.await.unwrap();
    assert_ne!(answer.status, 200, "{}", answer.text());
    assert_eq!(app.password_hash(&id).await, Some(new));
    assert_eq!(app.row_counts().await["sessions"], 0);
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
    assert!(
        !reset::bind_challenge(writer, &challenge, Some(&id), now)
            .await
            .unwrap()
    );
    assert!(!bound().await);
    browser.enter_code(&code).await;
    browser.assert_status(422);
    browser.assert_says("That code doesn’t match.");
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
