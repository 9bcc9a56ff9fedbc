//! `urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 3.4, 3.5): a device asks, at its pace, until a person has
//! answered.

use std::time::Duration;

use keyback_core::time::Timestamp;

use super::super::Inner;
use super::super::error::{ErrorCode, ProtocolError};
use super::super::params::Params;
use super::super::registry::App;
use super::mint::TokenAnswer;
use super::redeem::Redemption;
use super::stolen::Stolen;
use crate::secrets::digest_of;
use crate::store::device_codes::{self, DeviceCodeRow, Pace, State};
use crate::store::redemption::Code;
use crate::store::{tokens, users};

/// A device that hears nothing asks again at its pace; so long a repeat says nothing of a second device.
const REPEAT: Duration = Duration::from_secs(5);

pub(super) async fn exchange(
    inner: &Inner,
    app: &App,
    params: &Params,
) -> Result<TokenAnswer, ProtocolError> {
    let now = inner.clock.now();
    let digest = digest_of(params.required("device_code")?);
    let row = load(inner, app, &digest).await?;
    match row.state()? {
        State::Used => replay(inner, app, &row, now).await,
        _ if row.expires_at() <= now => Err(ProtocolError::new(
            ErrorCode::ExpiredToken,
            "The device code has expired. Begin the sign-in again.",
        )),
        State::Denied => Err(ProtocolError::new(
            ErrorCode::AccessDenied,
            "The person does not allow it.",
        )),
        State::Waiting => wait(inner, &digest, now).await,
        State::Approved => redeem(inner, app, params, &digest, now).await,
    }
}

async fn load(inner: &Inner, app: &App, digest: &str) -> Result<DeviceCodeRow, ProtocolError> {
    let row = device_codes::find(inner.store.reader(), digest).await?;
    row.filter(|row| row.client_id == app.client_id).ok_or_else(dead)
}

async fn wait(inner: &Inner, digest: &str, now: Timestamp) -> Result<TokenAnswer, ProtocolError> {
    let mut tx = inner.store.begin().await?;
    let pace = device_codes::poll(&mut tx, digest, now).await?;
    tx.commit().await?;
    Err(match pace {
        Pace::InTime => ProtocolError::new(
            ErrorCode::AuthorizationPending,
            "The person has not answered yet. Ask again after the interval.",
        ),
        Pace::TooFast => ProtocolError::new(
            ErrorCode::SlowDown,
            "That was too early. From now on, wait 5 seconds longer each time.",
        ),
    })
}

async fn redeem(
    inner: &Inner,
    app: &App,
    params: &Params,
    digest: &str,
    now: Timestamp,
) -> Result<TokenAnswer, ProtocolError> {
    let Some(grant) = device_codes::find_grant(inner.store.reader(), digest).await? else {
        // Another request was faster, or the grant has ended.
        let row = load(inner, app, digest).await?;
        return replay(inner, app, &row, now).await;
    };
    let user = users::find(inner.store.reader(), &grant.granted.user_id).await?;
    let user = user.ok_or_else(dead)?;
    let redemption = Redemption {
        code: Code::Device(digest),
        granted: &grant.granted,
        user: &user,
        given_at: grant.answered_at(),
        nonce: None,
        dead,
    };
    match redemption.redeem(inner, app, params, now).await? {
        Some(answer) => Ok(answer),
        None => {
            let row = load(inner, app, digest).await?;
            replay(inner, app, &row, now).await
        }
    }
}

/// Somebody else may hold the code, so what it gave ends, as with authorization codes (RFC 6749 10.5). Not so where it
/// comes right after its use, before a token of it was refreshed: polls of one device cross on a slow network.
async fn replay(
    inner: &Inner,
    app: &App,
    row: &DeviceCodeRow,
    now: Timestamp,
) -> Result<TokenAnswer, ProtocolError> {
    if let Some(grant_id) = &row.grant_id {
        let is_prompt = row.polled_at().is_some_and(|used_at| now.since(used_at) < REPEAT);
        if is_prompt && !tokens::has_refreshed(inner.store.reader(), grant_id).await? {
            return Err(dead());
        }
        let stolen = Stolen {
            event: "device_code_replayed",
            grant_id,
            client_id: &app.client_id,
        };
        stolen.revoke(inner).await?;
        tracing::warn!(
            client_id = app.client_id,
            "a device code was sent again after its use: the tokens it gave are revoked"
        );
    }
    Err(dead())
}

fn dead() -> ProtocolError {
    ProtocolError::invalid_grant(
        "The device code is unknown, used already, revoked, or of another app. Begin the sign-in again.",
    )
}
