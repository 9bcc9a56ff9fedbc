//! What no browser of a well-meaning person sends. Every answer is a page with its status and its guards, and nothing
//! is written.

mod addresses;
mod answers;
mod cookies;
mod forms;
mod origins;
mod random;
mod random_json;
mod requests;

use std::collections::BTreeMap;

use keyback_tests::{ADA, OLD_PASSWORD, Page, TestApp};
use reqwest::Method;
use url::Url;

const FORM: &str = "application/x-www-form-urlencoded";

/// A companion, and what its store held before.
struct Watched {
    app: TestApp,
    rows: BTreeMap<String, i64>,
    http: reqwest::Client,
}

/// A request as it shall be sent.
struct Raw<'a> {
    method: Method,
    path: &'a str,
    content_type: Option<&'a str>,
    body: Vec<u8>,
}

impl Watched {
    async fn start() -> Self {
        let app = TestApp::start().await;
        app.add_user(ADA, Some(OLD_PASSWORD)).await;
        let rows = app.row_counts().await;
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .resolve("localhost", ([127, 0, 0, 1], 0).into())
            .build()
            .unwrap();
        Self { app, rows, http }
    }

    async fn send(&self, raw: Raw<'_>) -> Page {
        let url = Url::parse(&format!(
            "{}{}",
            self.app.url.as_str().trim_end_matches('/'),
            raw.path
        ))
        .unwrap();
        let mut request = self.http.request(raw.method, url.clone()).body(raw.body);
        request = request.header("sec-fetch-site", "same-origin");
        if let Some(content_type) = raw.content_type {
            request = request.header("content-type", content_type);
        }
        let response = request.send().await.unwrap();
        Page {
            url,
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Page {
        self.send(Raw {
            method: Method::GET,
            path,
            content_type: None,
            body: Vec::new(),
        })
        .await
    }

    async fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Page {
        self.send(Raw {
            method: Method::POST,
            path,
            content_type: Some(FORM),
            body: body.into(),
        })
        .await
    }

    /// Nothing was written: every table holds what it held.
    async fn assert_untouched(&self) {
        assert_eq!(self.app.row_counts().await, self.rows);
    }
}

/// A page of our design, with its status and every guard.
#[track_caller]
fn assert_refused(page: &Page, status: u16) {
    assert_eq!(page.status, status, "{}: {}", page.url, page.text());
    page.assert_guarded();
    assert_eq!(
        page.header("content-type"),
        "text/html; charset=utf-8",
        "{}",
        page.url
    );
    assert!(page.body.contains("<!doctype html>") && page.text_of("h1").is_some());
    // SR-68: no word of what is inside.
    for word in ["panick", "sqlx", "src/", "Error {"] {
        assert!(!page.body.contains(word), "{word}: {}", page.text());
    }
}

const FORMS: [&str; 8] = [
    "/sign-in",
    "/forgot-password",
    "/forgot-password/code",
    "/forgot-password/code/resend",
    "/forgot-password/link",
    "/forgot-password/token",
    "/forgot-password/password",
    "/account/password",
];
