//! A corpus of breached passwords, by the range protocol of Have I Been Pwned.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use keyback_companion::http::server::{ServingLimits, serve};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use crate::app::loopback;

/// The corpus. It stops when dropped.
#[derive(Debug)]
pub struct RangeStub {
    /// What `[password.breached] range_url` is set to.
    pub url: Url,
    state: Arc<Corpus>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Corpus {
    listed: Vec<String>,
    /// The last part of every address that was asked for, and whether padding was.
    asked: Mutex<Vec<(String, bool)>>,
    down: Mutex<bool>,
    /// The prefix that it has no answer for.
    broken: Mutex<Option<String>>,
}

impl RangeStub {
    /// A corpus that lists these passwords.
    pub async fn listing(passwords: &[&str]) -> Self {
        let state = Arc::new(Corpus {
            listed: passwords.iter().map(|password| sha1(password)).collect(),
            ..Corpus::default()
        });
        let listener = loopback().await;
        let url = Url::parse(&format!("http://{}/range/", listener.local_addr().unwrap())).unwrap();
        let router = Router::new()
            .route("/range/{prefix}", get(range))
            .with_state(Arc::clone(&state));
        let (told, stop) = watch::channel(false);
        let limits = ServingLimits {
            max_connections: 100,
            header_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
        };
        let serving = tokio::spawn(async move {
            // Never told to stop: it is aborted.
            let _told = told;
            serve(listener, router, limits, stop).await;
        });
        Self { url, state, serving }
    }

    /// Answers nothing but 503 from now on.
    pub fn go_down(&self) {
        *self.state.down.lock().unwrap() = true;
    }

    /// Answers nothing but 503 for the range of this password from now on.
    pub fn break_for(&self, password: &str) {
        *self.state.broken.lock().unwrap() = Some(sha1(password)[..5].to_owned());
    }

    /// Answers again.
    pub fn come_back(&self) {
        *self.state.down.lock().unwrap() = false;
    }

    /// What was asked for, and whether padding was asked for too.
    pub fn asked(&self) -> Vec<(String, bool)> {
        self.state.asked.lock().unwrap().clone()
    }
}

impl Drop for RangeStub {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The SHA-1 by which the corpus knows a password, in capital hex.
pub(crate) fn sha1(password: &str) -> String {
    hex::encode_upper(digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()))
}

async fn range(
    State(corpus): State<Arc<Corpus>>,
    Path(prefix): Path<String>,
    headers: HeaderMap,
) -> Response {
    let padded = headers.get("add-padding").is_some_and(|value| value == "true");
    corpus.asked.lock().unwrap().push((prefix.clone(), padded));
    if *corpus.down.lock().unwrap() || *corpus.broken.lock().unwrap() == Some(prefix.clone()) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    // Padding: a suffix that counts nobody.
    let mut lines = vec![format!("{}:0", "0".repeat(35))];
    let listed = corpus.listed.iter().filter_map(|sha1| sha1.strip_prefix(&prefix));
    lines.extend(listed.map(|suffix| format!("{suffix}:12")));
    lines.join("\r\n").into_response()
}
