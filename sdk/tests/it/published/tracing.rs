//! What the crate writes into the log, at its most talkative: never a secret.

use std::io;
use std::sync::{Arc, Mutex};

use keyback::{Error, MemoryLogouts, Sessions, Site};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::provider::{ACCESS_TOKEN, CODE, NOW, SUBJECT, World};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
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

/// Everything that this thread logs.
fn listening() -> (Log, DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

/// With the registry in memory a restart opens what had ended, and the log is where that is told.
#[test]
fn a_site_without_a_logout_registry_warns() {
    let (log, _until_the_end) = listening();
    let world = World::new();
    let site = || Site::builder(world.client.clone(), [6; 32]);
    let logouts = Arc::new(MemoryLogouts::new());
    site().logout_registry(logouts).build().unwrap();
    assert!(!log.text().contains("WARN"), "{}", log.text());
    site().build().unwrap();
    let text = log.text();
    assert!(
        text.contains("WARN") && text.contains("logout registry"),
        "{text}"
    );
}

#[tokio::test]
async fn sr31_no_secret_is_logged_whatever_happens() {
    let (log, _until_the_end) = listening();

    let world = World::new();
    let begun = world.begin().await;
    let query: Vec<_> = begun.url.query_pairs().into_owned().collect();
    let of = |name: &str| query.iter().find(|(key, _)| key == name).unwrap().1.clone();
    let (state, nonce) = (of("state"), of("nonce"));
    let callback = world.provider.answer(&begun.url);
    let session = world.client.finish(begun.pending, callback).await.unwrap();
    world.client.user_info(&session).await.unwrap();
    world.client.refresh(&session).await.unwrap();
    let id_token = session.id_token().to_owned();

    // And what goes wrong, which is logged.
    world.claims(|claims| claims["exp"] = (NOW - 3600).into());
    assert!(matches!(world.refused().await, Error::IdToken(_)));
    world.provider.lock().down = true;
    let broken = World::new();
    broken.provider.lock().down = true;
    broken.client.ready().await.unwrap_err();
    let log = log.text();
    // Each request has its span, and the span no query.
    assert!(
        log.contains("path=\"/oidc/token\"") && log.contains("status=200"),
        "{log}"
    );
    assert!(!log.contains("code_challenge"), "{log}");
    assert!(
        log.contains("id_token.expired") && log.contains("discovery.unreachable"),
        "{log}"
    );
    for secret in [
        state.as_str(),
        &nonce,
        &id_token,
        CODE,
        ACCESS_TOKEN,
        SUBJECT,
        "refresh-1",
        "ada@",
        "must-not-leak",
    ] {
        assert!(!log.contains(secret), "the log holds {secret:?}: {log}");
    }
}

/// What no longer ends a session must not be forgotten in silence.
#[tokio::test]
async fn a_registry_that_forgets_what_still_counts_warns() {
    let (log, _until_the_end) = listening();
    let world = World::new();
    let sessions = Sessions::builder(&world.client, [6; 32])
        .logout_registry(Arc::new(MemoryLogouts::new()))
        .build()
        .unwrap();
    for number in 0..100_000 {
        sessions.end_all_of(&number.to_string()).await.unwrap();
    }
    assert!(!log.text().contains("WARN"));
    sessions.end_all_of("one more").await.unwrap();
    let text = log.text();
    assert!(
        text.contains("WARN") && text.contains("forgotten=10000"),
        "{text}"
    );
}
