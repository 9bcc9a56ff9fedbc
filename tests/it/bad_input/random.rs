//! Requests made of pieces at random, by a seed that is the same each time: whatever comes, the answer is no fault of ours, and
//! nothing is written.

use keyback_tests::counts;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use reqwest::Method;

use super::{FORM, Raw, Watched};

const PATHS: [&str; 24] = [
    "/",
    "/sign-in",
    "/forgot-password",
    "/forgot-password/code",
    "/forgot-password/code/resend",
    "/forgot-password/password",
    "/forgot-password/done",
    "/reset-password",
    "/reset-password/callback",
    "/account",
    "/account/password",
    "/not-me/x",
    "/consent",
    "/device",
    "/device/confirm",
    "/oidc/auth",
    "/oidc/token",
    "/oidc/me",
    "/oidc/token/introspection",
    "/oidc/session/end",
    "/api/users",
    "/api/users/x/password",
    "/api/my-account",
    "/api/verifications/password",
];

fn form() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "identifier",
        "code",
        "password",
        "f",
        "c",
        "i",
        "n",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "claims",
        "response_type",
        "grant_type",
        "refresh_token",
        "token",
        "user_code",
        "id_token_hint",
        "max_age",
        "prompt",
        "x",
    ]);
    let value = prop_oneof![
        "[ -~]{0,12}",
        "(?s).{0,12}",
        Just("%00".to_owned()),
        Just("%ff".to_owned()),
        Just("shop".to_owned()),
        Just("ada@example.com".to_owned()),
        Just("a".repeat(3_000)),
    ];
    // Escaped by half: some of what is left means something, some nothing.
    let pair = (name, value, any::<bool>()).prop_map(|(name, value, escaped)| {
        let value = if escaped {
            url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
        } else {
            value.replace(['\r', '\n', '#', ' '], "+")
        };
        format!("{name}={value}")
    });
    prop::collection::vec(pair, 0..8).prop_map(|pairs| pairs.join("&"))
}

pub(super) fn json() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "(?s).{0,12}".prop_map(Into::into),
    ];
    let name = prop::sample::select(vec![
        "primaryEmail",
        "primaryPhone",
        "username",
        "password",
        "name",
        "profile",
        "x",
    ]);
    let value = leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::Array),
            prop::collection::vec((name.clone(), inner), 0..5).prop_map(|pairs| pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    });
    // Cut off somewhere, now and then.
    (value, any::<prop::sample::Index>(), 0..4_u8).prop_map(|(value, at, cut)| {
        let mut text = value.to_string().into_bytes();
        if cut == 0 {
            text.truncate(at.index(text.len()));
        }
        text
    })
}

#[derive(Debug)]
struct Made {
    method: Method,
    path: String,
    content_type: Option<&'static str>,
    body: Vec<u8>,
}

fn request() -> impl Strategy<Value = Made> {
    let method = prop::sample::select(vec![
        Method::GET,
        Method::POST,
        Method::POST,
        Method::POST,
        Method::HEAD,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ]);
    let body = prop_oneof![
        form().prop_map(String::into_bytes),
        json(),
        prop::collection::vec(any::<u8>(), 0..200),
    ];
    let content_type = prop::sample::select(vec![
        None,
        Some(FORM),
        Some(FORM),
        Some("application/json"),
        Some("multipart/form-data; boundary=x"),
        Some("text/plain"),
    ]);
    (
        method,
        prop::sample::select(PATHS.to_vec()),
        form(),
        content_type,
        body,
    )
        .prop_map(|(method, path, query, content_type, body)| Made {
            method,
            path: format!("{path}?{query}"),
            content_type,
            body,
        })
}

/// SR-10. What asks for a code leaves a flow behind, as it does for whoever asks: no account, session or grant comes of it.
#[tokio::test]
async fn sr10_whatever_is_sent_is_answered_and_changes_nothing() {
    let watched = Watched::start().await;
    let mut runner = TestRunner::deterministic();
    let requests = request();
    for _ in 0..counts(4_000, 50_000) {
        let made = requests.new_tree(&mut runner).unwrap().current();
        let told = format!("{made:?}");
        let page = watched
            .send(Raw {
                method: made.method,
                path: &made.path,
                content_type: made.content_type,
                body: made.body,
            })
            .await;
        assert!(page.status < 500, "{}: {told}", page.status);
    }
    let rows = watched.app.row_counts().await;
    for table in ["users", "sessions", "grants", "consents", "apps"] {
        assert_eq!(rows.get(table), watched.rows.get(table), "{table}");
    }
}
