//! The device authorization endpoint (RFC 8628 3.1, 3.2).

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use keyback_core::rate_limit::ClientPrefix;
use serde::Serialize;

use super::super::authorize;
use super::super::error::{ErrorCode, ProtocolError};
use super::super::params::Params;
use super::super::{Inner, Provider, client_auth, no_store};
use super::UserCode;
use crate::http::client_ip::address_of;
use crate::secrets::{digest_of, random_id, random_token};
use crate::store::device_codes::{self, Begun, NewDeviceCode};

/// Seconds between two polls, to begin with.
const INTERVAL: i64 = 5;
/// A user code that is taken is drawn again; so often in a row it can't be chance.
const DRAWS: usize = 5;

/// The answer of RFC 8628 3.2. Has no `Debug`: it is made of secrets.
#[derive(Serialize)]
struct DeviceAuthorization {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: u64,
    interval: i64,
}

pub(in crate::oidc) async fn post(State(provider): State<Provider>, request: Request) -> Response {
    match begin(&provider.0, request).await {
        Ok(answer) => (no_store(), Json(answer)).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn begin(inner: &Inner, request: Request) -> Result<DeviceAuthorization, ProtocolError> {
    let (parts, body) = request.into_parts();
    let params = Params::of_form(&parts.headers, body).await?;
    let app = client_auth::authenticate(inner, &parts, &params).await?;
    if !app.has_device_flow() {
        return Err(ProtocolError::new(
            ErrorCode::UnauthorizedClient,
            "This app may not sign people in on devices. Its operator can set device_flow = true.",
        ));
    }
    let (scopes, resources) = authorize::scopes_and_resources(inner, &params, &app)?;
    let now = inner.clock.now();
    let address = address_of(&parts.extensions);
    if let Some(address) = address {
        let limited = inner
            .limiter
            .begin_device(ClientPrefix::from(address), now)
            .await?;
        limited.map_err(|wait| {
            let description = "Too many devices ask to sign in from this address. Try again later.";
            ProtocolError::too_often(wait, description)
        })?;
    }
    let device_code = random_token(&*inner.random);
    let expires_at = now + inner.tokens.device_code.0;
    let client_ip = address.map(|address| address.to_string());
    for _ in 0..DRAWS {
        let user_code = UserCode::draw(&*inner.random);
        let new = NewDeviceCode {
            id: &random_id(&*inner.random),
            digest: &digest_of(&device_code),
            user_digest: &inner.user_codes.digest(&user_code),
            client_id: &app.client_id,
            scope: &scopes.to_string(),
            resources: &resources,
            client_ip: client_ip.as_deref(),
            poll_every: INTERVAL * 1_000,
            expires_at,
        };
        let mut tx = inner.store.begin().await?;
        match device_codes::add(&mut tx, &new, now).await? {
            Begun::Begun => {
                tx.commit().await?;
                let verification_uri = format!("{}device", inner.public_url);
                return Ok(DeviceAuthorization {
                    device_code,
                    verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
                    verification_uri,
                    user_code: user_code.to_string(),
                    expires_in: inner.tokens.device_code.0.as_secs(),
                    interval: INTERVAL,
                });
            }
            Begun::CodeTaken => {}
            Begun::Full => break,
        }
    }
    Err(ProtocolError::new(
        ErrorCode::TemporarilyUnavailable,
        "Too many devices of this app wait to be signed in. Try again in some minutes.",
    ))
}
