//! The token endpoint (RFC 6749 3.2): one file per grant type.

mod authorization_code;
mod mint;
mod refresh_token;
mod target;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};

use super::error::{ErrorCode, ProtocolError};
use super::params::Params;
use super::{Inner, Provider, client_auth, no_store};
use mint::TokenAnswer;

pub(super) async fn post(State(provider): State<Provider>, request: Request) -> Response {
    match handle(&provider.0, request).await {
        Ok(answer) => (no_store(), Json(answer)).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn handle(inner: &Inner, request: Request) -> Result<TokenAnswer, ProtocolError> {
    let (parts, body) = request.into_parts();
    let params = Params::of_form(&parts.headers, body).await?;
    let app = client_auth::authenticate(inner, &parts, &params).await?;
    match params.required("grant_type")? {
        _ if !app.has_people() => Err(ProtocolError::new(
            ErrorCode::UnauthorizedClient,
            "A machine app has no people who sign in, so there are no tokens of people for it.",
        )),
        "authorization_code" => authorization_code::exchange(inner, &app, &params).await,
        "refresh_token" => refresh_token::exchange(inner, &app, &params).await,
        _ => Err(ProtocolError::new(
            ErrorCode::UnsupportedGrantType,
            "The grant types are authorization_code and refresh_token.",
        )),
    }
}
