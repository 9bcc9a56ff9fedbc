//! Handlers that really panic: the visitor gets a plain page, the operator the cause, and everybody else is served. SR-68.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use keyback_core::random::{Random, SystemRandom};
use keyback_tests::{ADA, NEW_PASSWORD, OLD_PASSWORD, Page, TestApp};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::api::{self, BACKEND};

const CAUSE: &str = "what this test breaks";

/// Randomness that panics where it is told to.
#[derive(Default)]
struct Breaks {
    /// Of the draws to come, whether each panics. Those after them don't.
    next: Mutex<VecDeque<bool>>,
}

impl Breaks {
    fn next(&self, draws: impl IntoIterator<Item = bool>) {
        self.next.lock().unwrap().extend(draws);
    }
}

impl Random for Breaks {
    fn fill(&self, bytes: &mut [u8]) {
        let panics = self.next.lock().unwrap().pop_front();
        assert!(panics != Some(true), "{CAUSE}");
        SystemRandom.fill(bytes);
    }
}

/// What the operator reads.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// What was written since the last look.
    fn taken(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }

    /// Asserts that a panic is told under an id, with its cause.
    #[track_caller]
    fn assert_tells(&self, event_id: &str) {
        let log = self.taken();
        let line = log.lines().find(|line| line.contains(event_id));
        let line = line.unwrap_or_else(|| panic!("{event_id} is not in {log:?}"));
        let cause = format!("a handler panicked: {CAUSE}");
        assert!(line.contains("ERROR") && line.contains(&cause), "{line}");
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Asserts that this is the plain page, and gives its number.
#[track_caller]
fn plain_failure(page: &Page) -> String {
    assert_eq!(page.status, 500, "{}", page.text());
    page.assert_guarded();
    assert!(
        page.text().contains("Something broke, and it’s our fault"),
        "{}",
        page.text()
    );
    for word in [CAUSE, "panic", ".rs:"] {
        assert!(!page.body.contains(word), "{word}: {}", page.body);
    }
    page.text_of("code").unwrap()
}

#[tokio::test]
async fn sr68_a_handler_that_panics_tells_the_operator_alone_and_serves_the_next() {
    let breaks = Arc::new(Breaks::default());
    let app = TestApp::drawing_from(Arc::clone(&breaks) as _, |config| {
        api::backend(config);
        config.limits.factor = 100;
    })
    .await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let token = api::machine_token(&app, BACKEND).await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone());
    // All of the companion runs on this thread, but for what blocks.
    let _until_the_end = tracing::subscriber::set_default(subscriber.finish());

    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    breaks.next([true]);
    browser.ask_reset(ADA).await;
    log.assert_tells(&plain_failure(browser.page()));
    assert_eq!(app.row_counts().await["reset_flows"], 0);
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;

    // On a thread for blocking work: before the transaction and in the middle of it, which is taken back.
    let chosen = browser
        .page()
        .form_with("password")
        .fill("password", NEW_PASSWORD);
    let before = app.password_hash(&id).await;
    for draws in 0..3 {
        breaks.next(std::iter::repeat_n(false, draws).chain([true]));
        browser.submit(chosen.clone()).await;
        log.assert_tells(&plain_failure(browser.page()));
        assert_eq!(app.password_hash(&id).await, before);
    }
    browser.submit(chosen).await;
    browser.assert_at("/forgot-password/done");
    // The worker draws too.
    app.settle().await;

    // An authorization request, which is answered before all layers, and once more when that panics.
    let request = format!(
        "/oidc/auth?client_id=shop&response_type=code&scope=openid&redirect_uri={}",
        app.site.at("/callback")
    );
    breaks.next([true, true]);
    browser.open(&request).await;
    log.assert_tells(&plain_failure(browser.page()));
    browser.open(&request).await;
    browser.assert_at("/sign-in");

    // A program is told so in its own form.
    let send = async || {
        let body = json!({ "email": ADA });
        api::call(&app, &token, Method::POST, "/api/verification-codes", body).await
    };
    breaks.next([true]);
    let failed = send().await;
    assert_eq!(failed.status, StatusCode::INTERNAL_SERVER_ERROR);
    let told = failed.body.to_string();
    assert!(!told.contains(CAUSE) && !told.contains("panic"), "{told}");
    log.assert_tells(failed.body["data"]["eventId"].as_str().unwrap());
    assert_eq!(send().await.status, StatusCode::NO_CONTENT);
}
