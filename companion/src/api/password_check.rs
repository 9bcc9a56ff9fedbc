//! `/api/sign-in-exp/default/check-password`: what the policy says of a password, for whoever sets it later.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use keyback_core::password::{NoPassword, PasswordRejection, UserFacts, Violation};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::body::Body;
use super::caller::Operator;
use super::error::{ApiError, ApiResult};
use super::user_password::{CHECK_AGAIN_AFTER, parse};
use crate::app::Companion;
use crate::backends::embedded::facts;
use crate::pages::off_the_serving_threads;
use crate::store::users;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Question {
    password: Zeroizing<String>,
    /// Of whose name and address it must not be made.
    user_id: Option<String>,
}

pub(super) async fn post(
    State(companion): State<Arc<Companion>>,
    _: Operator,
    Body(question): Body<Question>,
) -> Response {
    off_the_serving_threads(async move { check(&companion, &question).await.into_response() }).await
}

/// The password that the account has is not compared: that would be one more place to guess it at.
async fn check(companion: &Companion, question: &Question) -> ApiResult {
    let facts = match &question.user_id {
        None => UserFacts::default(),
        Some(id) => {
            let user = users::find(companion.store.reader(), id).await?;
            facts(&user.ok_or_else(ApiError::not_found)?)
        }
    };
    let new = match parse(&question.password)? {
        Ok(new) => new,
        Err(too_long) => return Ok(rejected(&[too_long])),
    };
    match companion
        .resets
        .passwords()
        .accept(new, &facts, &NoPassword)
        .await?
    {
        Ok(_) => Ok(Json(json!({ "result": true })).into_response()),
        Err(PasswordRejection::Weak(violations)) => Ok(rejected(&violations)),
        Err(PasswordRejection::CheckUnavailable) => Err(ApiError::Busy(CHECK_AGAIN_AFTER)),
    }
}

fn rejected(violations: &[Violation]) -> Response {
    let body = json!({ "result": false, "issues": violations });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
