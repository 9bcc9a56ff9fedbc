//! The APIs under `/api`, in Logto's forms, so that one client code drives both: one file per resource.
//!
//! | who calls | with | what |
//! |---|---|---|
//! | a site's server | the token of a machine app for [`MANAGEMENT_API`](crate::config::app::MANAGEMENT_API) | anybody's account |
//! | a site | the access token of who is signed in | their own account |
//!
//! They differ from Logto's where that would be unsafe: a password that is set passes the policy, and ends what the one
//! before had opened (SR-44, SR-54, SR-73).

mod account;
mod account_sessions;
mod body;
mod caller;
mod codes;
mod details;
mod error;
mod one_time_tokens;
mod paging;
mod password_check;
mod search;
mod user;
mod user_grants;
mod user_password;
mod user_sessions;
mod users;
mod verification;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{delete, get, patch, post, put};

use crate::app::Companion;
pub(crate) use error::Instead;
use error::{ApiError, ApiResult};
pub(crate) use verification::Verifications;

/// The routes below `/api`.
pub fn router(companion: &Arc<Companion>) -> Router {
    let of_person = Router::new()
        .route("/my-account", get(account::get))
        .route("/my-account/password", post(account::change_password))
        .route("/my-account/sessions", get(account_sessions::sessions))
        .route(
            "/my-account/sessions/{session_id}",
            delete(account_sessions::end_session),
        )
        .route("/my-account/grants", get(account_sessions::grants))
        .route(
            "/my-account/grants/{grant_id}",
            delete(account_sessions::revoke_grant),
        )
        .route("/verifications/password", post(verification::by_password))
        .route("/verifications/verification-code", post(verification::send_code))
        .route(
            "/verifications/verification-code/verify",
            post(verification::by_code),
        )
        // Here, and not only below: the layer must stand around it, or no preflight would be answered.
        .method_not_allowed_fallback(method_not_allowed);
    Router::new()
        .merge(companion.provider.readable_by_apps(of_person))
        .route("/users", get(users::get).post(users::post))
        .route(
            "/users/{user_id}",
            get(user::get).patch(user::patch).delete(user::delete),
        )
        .route("/users/{user_id}/is-suspended", patch(user::suspend))
        .route("/users/{user_id}/password", patch(user_password::patch))
        .route("/users/{user_id}/password/verify", post(user_password::verify))
        .route(
            "/users/{user_id}/password/expiration",
            patch(user_password::expire),
        )
        .route("/users/{user_id}/has-password", get(user_password::has))
        .route("/users/{user_id}/sessions", get(user_sessions::get))
        .route(
            "/users/{user_id}/sessions/{session_id}",
            delete(user_sessions::delete),
        )
        .route("/users/{user_id}/grants", get(user_grants::get))
        .route("/users/{user_id}/grants/{grant_id}", delete(user_grants::delete))
        .route(
            "/one-time-tokens",
            get(one_time_tokens::list).post(one_time_tokens::post),
        )
        .route(
            "/one-time-tokens/{token_id}",
            get(one_time_tokens::get).delete(one_time_tokens::delete),
        )
        .route(
            "/one-time-tokens/{token_id}/status",
            put(one_time_tokens::put_status),
        )
        .route("/one-time-tokens/verify", post(one_time_tokens::verify))
        .route("/verification-codes", post(codes::post))
        .route("/verification-codes/verify", post(codes::verify))
        .route("/sign-in-exp/default/check-password", post(password_check::post))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(
            Arc::clone(companion),
            error::tell_trouble,
        ))
        .with_state(Arc::clone(companion))
}

async fn not_found() -> ApiResult {
    Err(ApiError::not_found())
}

async fn method_not_allowed() -> ApiResult {
    Err(ApiError::method_not_allowed())
}
