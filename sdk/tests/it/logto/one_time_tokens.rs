//! One-time tokens after they were made: brought to a page of the site's own, and revoked.

use std::sync::Arc;

use keyback::logto::management::{OneTimeTokenCheck, OneTimeTokenRefusal};
use keyback::{ApiCode, ApiError, Error};
use serde_json::{Value, json};

use super::management::{api_code, management, token};
use super::server::Server;
use crate::provider::checked;

const EMAIL: &str = "alice@example.test";
const TOKEN: &str = "token-must-not-leak";

/// An API that answers with this status and code, once it was asked as Logto documents it.
fn answering(status: u16, code: &'static str) -> Arc<Server> {
    Server::new(move |request| {
        if request.uri().path() == "/oidc/token" {
            return token("t");
        }
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let asked = (request.method().as_str(), request.uri().path());
        let expected = match asked {
            ("POST", "/api/one-time-tokens/verify") => json!({ "email": EMAIL, "token": TOKEN }),
            ("PUT", "/api/one-time-tokens/ott-1/status") => json!({ "status": "revoked" }),
            other => panic!("{other:?}"),
        };
        assert_eq!(body, expected);
        (status, json!({ "code": code }))
    })
}

#[tokio::test]
async fn a_token_is_used_up_or_refused_and_why() {
    let check = async |status, code| {
        let api = management(answering(status, code));
        checked(api.check_one_time_token(EMAIL, TOKEN).await)
    };
    assert_eq!(check(200, "").await.unwrap(), OneTimeTokenCheck::Right);
    for (status, code, why) in [
        (
            404,
            "one_time_token.token_not_found",
            OneTimeTokenRefusal::NotFound,
        ),
        (
            400,
            "one_time_token.email_mismatch",
            OneTimeTokenRefusal::OtherEmail,
        ),
        (400, "one_time_token.token_expired", OneTimeTokenRefusal::Expired),
        (
            400,
            "one_time_token.token_consumed",
            OneTimeTokenRefusal::Consumed,
        ),
        (400, "one_time_token.token_revoked", OneTimeTokenRefusal::Revoked),
    ] {
        let refused = check(status, code).await.unwrap();
        assert_eq!(refused, OneTimeTokenCheck::Refused(why), "{code}");
    }
    // An API that has no such tokens is no refusal of this one.
    let missing = check(404, "entity.not_found").await.unwrap_err();
    assert_eq!(api_code(&missing), &ApiCode::NotFound);
}

#[tokio::test]
async fn a_token_is_revoked_by_its_id() {
    let api = management(answering(200, ""));
    api.revoke_one_time_token("ott-1").await.unwrap();
    let foreign = checked(api.revoke_one_time_token("../users/u1").await).unwrap_err();
    assert!(matches!(foreign, Error::Api(ApiError::BadId)));
    let used = management(answering(400, "one_time_token.token_consumed"));
    let used = checked(used.revoke_one_time_token("ott-1").await).unwrap_err();
    assert_eq!(api_code(&used), &ApiCode::TokenConsumed);
}
