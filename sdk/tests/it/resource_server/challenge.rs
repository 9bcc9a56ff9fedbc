//! What a request without a good token is told (RFC 6750 section 3).

use keyback::http::{HeaderMap, HeaderValue};
use serde_json::json;

use super::{api, claims, signed};
use crate::provider::{NOW, World};

fn headers(values: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append("authorization", HeaderValue::from_str(value).unwrap());
    }
    headers
}

#[tokio::test]
async fn rfc6750_3_each_refusal_has_its_status_and_its_header() {
    let world = World::new();
    let api = api(&world);
    let good = format!("Bearer {}", signed(&world, &claims()));
    let mut old = claims();
    old["exp"] = json!(NOW - 100);
    let expired = format!("Bearer {}", signed(&world, &old));
    let mut foreign = claims();
    foreign["aud"] = json!("https://mail.example");
    let elsewhere = format!("bearer {}", signed(&world, &foreign));
    let needed: &[&str] = &["read:orders", "delete:orders"];
    let cases: [(&[&str], &[&str], u16, &str); 11] = [
        (&[], &[], 401, "Bearer"),
        (&["Basic dXNlcjpwYXNz"], &[], 401, "Bearer"),
        (
            &[&expired],
            &[],
            401,
            "Bearer error=\"invalid_token\", error_description=\"the access token expired\"",
        ),
        (&[&elsewhere], &[], 401, "Bearer error=\"invalid_token\""),
        (&["Bearer opaque"], &[], 401, "Bearer error=\"invalid_token\""),
        (&["Bearer"], &[], 400, "Bearer error=\"invalid_request\""),
        (&["Bearer "], &[], 400, "Bearer error=\"invalid_request\""),
        (&["Bearer a b"], &[], 400, "Bearer error=\"invalid_request\""),
        (&[&good, &good], &[], 400, "Bearer error=\"invalid_request\""),
        (&[&good, "Basic a"], &[], 400, "Bearer error=\"invalid_request\""),
        (
            &[&good],
            needed,
            403,
            "Bearer error=\"insufficient_scope\", scope=\"read:orders delete:orders\"",
        ),
    ];
    for (sent, scopes, status, header) in cases {
        let challenge = api.authorize(&headers(sent), scopes).await.unwrap_err();
        assert_eq!(challenge.status().as_u16(), status, "{sent:?}");
        assert_eq!(challenge.headers()["www-authenticate"], header, "{sent:?}");
        assert!(challenge.error().code().starts_with("access_token."));
    }
    let token = api
        .authorize(&headers(&[&good]), &["write:orders", "read:orders"])
        .await;
    assert!(token.unwrap().has_scope("write:orders"));
}

#[tokio::test]
async fn without_keys_the_caller_comes_again() {
    let world = World::new();
    world.provider.lock().down = true;
    let bearer = format!("Bearer {}", signed(&world, &claims()));
    let challenge = api(&world)
        .authorize(&headers(&[&bearer]), &[])
        .await
        .unwrap_err();
    assert_eq!(challenge.status().as_u16(), 503);
    assert_eq!(challenge.headers()["retry-after"], "5");
    assert!(!challenge.headers().contains_key("www-authenticate"));
}
