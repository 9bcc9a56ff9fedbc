//! The provider through its router, over a store in a file, with a clock that stands still.

mod authorize;
mod bench;
mod claims;
mod client_assertion;
mod consent;
mod cors;
mod device;
mod device_floods;
mod end_session;
mod first_screen;
mod form_post;
mod interaction;
mod keys;
mod logout;
mod machine;
mod metadata;
mod pushed;
mod refresh;
mod replays;
mod sessions;
mod token;
mod userinfo;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use keyback_core::random::SystemRandom;
use keyback_core::rate_limit::Limits;
use keyback_core::testing::{ManualClock, SeededRandom};
use keyback_core::time::{Clock as _, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tower::ServiceExt as _;
use url::Url;

use self::bench::{Bench, start};
use super::pages::{ErrorPage, FormPost, ProviderPages, SignOutConfirmation, SignedOut, Visitor};
use super::registry::WayBack;
use super::session::SignIn;
use super::{Provider, ProviderError, ProviderParts};
use crate::config::app::AppConfig;
use crate::config::lifetimes::{SessionConfig, TokensConfig};
use crate::logout::Endings;
use crate::outbox::Outbox;
use crate::secrets::{RootKey, RootKeys, digest_of};
use crate::store::Store;
use crate::store::account_status::AccountStatus;
use crate::store::provider_keys::{self, KeyRow};
use crate::store::sessions::Session;
use crate::store::users::{self, NewUser};

pub(super) const ALICE: &str = "alice1234567";
pub(super) const BOB: &str = "bob123456789";
pub(super) const SECRET: &str = "web-secret-web-secret-web-secret";
pub(super) const VERIFIER: &str = "verifier-verifier-verifier-verifier-verifier";
pub(super) const CALLBACK: &str = "https://spa.example/callback";
pub(super) const API: &str = "https://api.example";

/// Pages in plain text, enough to tell them apart.
struct PlainPages;

impl ProviderPages for PlainPages {
    fn error(&self, _: Visitor<'_>, page: ErrorPage<'_>) -> Response {
        (page.status, format!("{:?}: {}", page.kind, page.detail)).into_response()
    }

    fn sign_out_confirmation(&self, _: Visitor<'_>, page: SignOutConfirmation<'_>) -> Response {
        format!(
            "Confirm {:?} {} {} {:?}",
            page.app_name, page.account, page.action, page.fields
        )
        .into_response()
    }

    fn form_post(&self, _: Visitor<'_>, page: FormPost<'_>) -> Response {
        format!("FormPost {}\n{}", page.action, form_of(page.fields)).into_response()
    }

    fn signed_out(&self, _: Visitor<'_>, page: SignedOut<'_>) -> Response {
        let back = match page.way_back {
            Some(WayBack::AfterSignOut(url) | WayBack::SignIn(url)) => url.as_str(),
            None => "nowhere",
        };
        format!("SignedOut {:?} back to {back}", page.app_name).into_response()
    }
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub(super) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.header(header::LOCATION)
    }

    /// Where a form posts an answer to, and one of its fields.
    pub(super) fn posted(&self, name: &str) -> (String, Option<String>) {
        let form = self
            .body
            .strip_prefix("FormPost ")
            .unwrap_or_else(|| panic!("{}", self.body));
        let (action, fields) = form.split_once('\n').unwrap();
        let mut fields = url::form_urlencoded::parse(fields.as_bytes());
        let found = fields.find(|(n, _)| n == name);
        (action.to_owned(), found.map(|(_, value)| value.into_owned()))
    }

    /// A parameter of the redirect.
    pub(super) fn sent(&self, name: &str) -> Option<String> {
        let url = Url::parse("http://relative/")
            .unwrap()
            .join(self.location())
            .unwrap();
        url.query_pairs()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.into_owned())
    }

    pub(super) fn error(&self) -> String {
        if self.status == StatusCode::SEE_OTHER {
            return self.sent("error").unwrap_or_default();
        }
        self.json()["error"].as_str().unwrap().to_owned()
    }

    /// The `name=value` pairs of the cookies that are set, not removed.
    pub(super) fn cookies(&self) -> String {
        let set = self
            .headers
            .get_all(header::SET_COOKIE)
            .into_iter()
            .map(|value| value.to_str().unwrap());
        let kept = set
            .filter(|value| !value.contains("Max-Age=0"))
            .map(|value| value.split(';').next().unwrap());
        kept.collect::<Vec<_>>().join("; ")
    }
}

pub(super) fn authorize_path(changes: &[(&str, &str)]) -> String {
    let challenge = digest_of(VERIFIER);
    let base = [
        ("client_id", "spa"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "the state"),
        ("nonce", "the-nonce"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    format!("/oidc/auth?{}", form_of(&changed(&base, changes)))
}

pub(super) fn cookie_header(cookies: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookies).unwrap())])
}

/// `base` with the values of `changes`; an empty value leaves a parameter out.
fn changed<'a>(base: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = base
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    kept.chain(changes.iter().filter(|(_, value)| !value.is_empty()))
        .copied()
        .collect()
}

fn form_of<V: AsRef<str>>(form: &[(&str, V)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish()
}
