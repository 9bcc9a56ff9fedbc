//! The token endpoint (RFC 6749 3.2): one file per grant type.

mod authorization_code;
mod client_credentials;
mod device_code;
mod mint;
mod redeem;
mod refresh_token;
mod stolen;
mod target;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};

use super::error::{ErrorCode, ProtocolError};
use super::params::Params;
use super::{Inner, Provider, client_auth, no_store};
use mint::TokenAnswer;

const AUTHORIZATION_CODE: &str = "authorization_code";
const REFRESH_TOKEN: &str = "refresh_token";
const CLIENT_CREDENTIALS: &str = "client_credentials";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The grant types, as discovery tells them.
pub(super) const GRANT_TYPES: [&str; 4] =
    [AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS, DEVICE_CODE];

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
    let not_for = |description| Err(ProtocolError::new(ErrorCode::UnauthorizedClient, description));
    match params.required("grant_type")? {
        CLIENT_CREDENTIALS if !app.is_machine() => {
            not_for("Only a machine app acts for itself. Apps with people sign them in.")
        }
        CLIENT_CREDENTIALS => client_credentials::exchange(inner, &app, &params).await,
        AUTHORIZATION_CODE | REFRESH_TOKEN if !app.has_people() => {
            not_for("A machine app has no people who sign in. Its grant type is client_credentials.")
        }
        DEVICE_CODE if !app.has_device_flow() => {
            not_for("This app may not sign people in on devices. Its operator can set device_flow = true.")
        }
        DEVICE_CODE => device_code::exchange(inner, &app, &params).await,
        AUTHORIZATION_CODE => authorization_code::exchange(inner, &app, &params).await,
        REFRESH_TOKEN => refresh_token::exchange(inner, &app, &params).await,
        _ => Err(ProtocolError::new(
            ErrorCode::UnsupportedGrantType,
            format!("The grant types are {}.", GRANT_TYPES.join(", ")),
        )),
    }
}
