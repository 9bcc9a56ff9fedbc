//! The APIs, driven by the SDK's own clients as they drive Logto's, and by requests that the SDK has no call for.

pub(crate) mod account;
mod addresses;
mod codes;
mod management;
mod my_sessions;
mod one_time_tokens;
mod passwords;
mod purposes;
mod races;
mod resets_by_token;
mod sign_outs;
mod told;
mod users;

use std::sync::Arc;

use keyback::Error;
use keyback::logto::management::Management;
use keyback::{ApiCode, ApiError};
use keyback_companion::config::Config;
use keyback_companion::config::app::{AppConfig, AppKind, MANAGEMENT_API, Secret};
use keyback_tests::{SharedClock, TestApp};
use reqwest::{Method, StatusCode, header};
use serde_json::Value;

pub(crate) const BACKEND: &str = "backend";
const BACKEND_SECRET: &str = "a-secret-of-the-back-end-that-is-long-enough";

/// The machine app `backend`, which may use the Management API.
pub(crate) fn backend(config: &mut Config) {
    config.apps.push(AppConfig {
        client_secret: Some(Secret::new(BACKEND_SECRET)),
        resources: vec![MANAGEMENT_API.to_owned()],
        ..AppConfig::new(BACKEND, AppKind::Machine)
    });
}

/// A companion with it.
pub(crate) async fn with_backend(change: impl FnOnce(&mut Config)) -> TestApp {
    TestApp::with(|config| {
        backend(config);
        change(config);
    })
    .await
}

/// The client as the SDK's documentation has it for Logto: nothing says that this is another server.
pub(crate) fn management(app: &TestApp) -> Management {
    Management::builder(app.url.as_str(), BACKEND, BACKEND_SECRET)
        .clock(Arc::new(SharedClock(Arc::clone(&app.clock))))
        .build()
        .unwrap()
}

/// The code that a call was refused with.
fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> ApiCode {
    match result {
        Err(Error::Api(ApiError::Refused { code, .. })) => code,
        other => panic!("{other:?}"),
    }
}

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let body = match bytes.is_empty() {
        true => Value::Null,
        false => serde_json::from_slice(&bytes).unwrap(),
    };
    Answer {
        status,
        headers,
        body,
    }
}

/// A token for the Management API, as the SDK asks for it.
pub(crate) async fn machine_token(app: &TestApp, client_id: &str) -> String {
    let form = format!("grant_type=client_credentials&resource={MANAGEMENT_API}&scope=all");
    let request = app
        .http
        .post(app.url.join("/oidc/token").unwrap())
        .basic_auth(client_id, Some(BACKEND_SECRET))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form);
    let answer = answer(request).await;
    answer.body["access_token"].as_str().unwrap().to_owned()
}

/// A call with a token and, unless it is `null`, a body.
pub(crate) async fn call(app: &TestApp, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let request = app
        .http
        .request(method, app.url.join(path).unwrap())
        .bearer_auth(token);
    answer(match body {
        Value::Null => request,
        body => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string()),
    })
    .await
}
