//! `refresh_token` (RFC 6749 6), rotating (RFC 9700 4.14.2): each use gives a successor.
//!
//! An answer can get lost, and tabs race: a repeat within a short time whose successor is unused is answered as
//! before. Any other reuse means that two hold the token, and the whole family dies.

use keyback_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::Inner;
use super::super::error::{ErrorCode, Failure, ProtocolError};
use super::super::params::Params;
use super::super::registry::App;
use super::super::scope::Scopes;
use super::mint::{Basis, Minted, TokenAnswer, mint};
use super::stolen::Stolen;
use super::target;
use crate::secrets::digest_of;
use crate::store::tokens::{self, RefreshTokenRow};
use crate::store::users::User;

/// The answer that a use was given, kept sealed for a repeat.
#[derive(Deserialize, Serialize)]
struct Kept {
    /// What the use asked for: a repeat that asks for something else gets its own access token.
    asked: String,
    answer: TokenAnswer,
}

pub(super) async fn exchange(
    inner: &Inner,
    app: &App,
    params: &Params,
) -> Result<TokenAnswer, ProtocolError> {
    let digest = digest_of(params.required("refresh_token")?);
    let row = load(inner, app, &digest).await?;
    if row.used_at().is_some() {
        return again(inner, app, params, &digest, &row).await;
    }
    match rotate(inner, app, params, &digest, &row).await? {
        Some(answer) => Ok(answer),
        // Another request was faster: this one is a repeat.
        None => {
            let row = load(inner, app, &digest).await?;
            again(inner, app, params, &digest, &row).await
        }
    }
}

async fn load(inner: &Inner, app: &App, digest: &str) -> Result<RefreshTokenRow, ProtocolError> {
    let row = tokens::find_refresh(inner.store.reader(), digest).await?;
    row.filter(|row| row.granted.client_id == app.client_id)
        .ok_or_else(dead)
}

/// Uses a token. None where another request has used it meanwhile.
async fn rotate(
    inner: &Inner,
    app: &App,
    params: &Params,
    digest: &str,
    row: &RefreshTokenRow,
) -> Result<Option<TokenAnswer>, ProtocolError> {
    let now = inner.clock.now();
    let user = live(inner, row, now).await?;
    let minted = renew(inner, app, params, row, &user, true, now).await?;
    let kept = Kept {
        asked: asked_for(params),
        answer: minted.answer.clone(),
    };
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(&kept).map_err(Failure::from)?);
    let sealed = inner.answers.seal_text(&*inner.random, digest.as_bytes(), &plain);
    let mut tx = inner.store.begin().await?;
    if !tokens::consume_refresh(&mut tx, digest, &row.granted.grant_id, &sealed, now).await? {
        return Ok(None);
    }
    if !tokens::add(&mut tx, &minted.tokens(&row.granted.grant_id), now).await? {
        return Err(dead());
    }
    tx.commit().await?;
    Ok(Some(minted.answer))
}

/// Answers the repeat of a used token, or ends its family.
async fn again(
    inner: &Inner,
    app: &App,
    params: &Params,
    digest: &str,
    row: &RefreshTokenRow,
) -> Result<TokenAnswer, ProtocolError> {
    let now = inner.clock.now();
    let in_time = row
        .used_at()
        .is_some_and(|used| now.since(used) <= inner.tokens.refresh_token_repeat.0);
    let Some(sealed) = row.answer.as_ref().filter(|_| in_time) else {
        let stolen = Stolen {
            event: "refresh_token_reused",
            grant_id: &row.granted.grant_id,
            client_id: &app.client_id,
        };
        stolen.revoke(inner).await?;
        tracing::warn!(
            client_id = app.client_id,
            user_id = row.granted.user_id,
            "a refresh token was used twice: its whole family is revoked"
        );
        return Err(dead());
    };
    let user = live(inner, row, now).await?;
    let plain = inner
        .answers
        .open_text(digest.as_bytes(), sealed)
        .map_err(|_| dead())?;
    let kept: Kept = serde_json::from_slice(&plain).map_err(Failure::from)?;
    if kept.asked == asked_for(params) {
        return Ok(kept.answer);
    }
    let minted = renew(inner, app, params, row, &user, false, now).await?;
    let mut tx = inner.store.begin().await?;
    if !tokens::add(&mut tx, &minted.tokens(&row.granted.grant_id), now).await? {
        return Err(dead());
    }
    tx.commit().await?;
    let mut answer = minted.answer;
    answer.refresh_token = kept.answer.refresh_token;
    Ok(answer)
}

async fn live(inner: &Inner, row: &RefreshTokenRow, now: Timestamp) -> Result<User, ProtocolError> {
    if row.expires_at() <= now || row.granted.ends_at() <= now {
        return Err(dead());
    }
    inner
        .live_user(&row.granted.user_id, row.issued_at())
        .await?
        .ok_or_else(dead)
}

async fn renew(
    inner: &Inner,
    app: &App,
    params: &Params,
    row: &RefreshTokenRow,
    user: &User,
    with_successor: bool,
    now: Timestamp,
) -> Result<Minted, ProtocolError> {
    let granted = &row.granted;
    let scopes = narrowed(params, Scopes::from(granted.scope.clone()))?;
    let resource = target::check(inner, params, &granted.resources()?)?;
    // Without a nonce: that was for the first ID token (OIDC Core 12.2).
    let basis = Basis {
        scopes,
        ..Basis::of(app, user, granted, resource)?
    };
    Ok(mint(inner, &basis, with_successor, now).await?)
}

/// RFC 6749 6: no scope that was not granted; the next refresh may have all of them again.
fn narrowed(params: &Params, granted: Scopes) -> Result<Scopes, ProtocolError> {
    let Some(text) = params.one("scope") else {
        return Ok(granted);
    };
    let invalid = || {
        ProtocolError::new(
            ErrorCode::InvalidScope,
            "The scope holds more than was granted at the sign-in.",
        )
    };
    let asked = Scopes::parse(text).map_err(|_| invalid())?;
    if asked.iter().all(|scope| granted.contains(scope)) {
        Ok(asked)
    } else {
        Err(invalid())
    }
}

fn asked_for(params: &Params) -> String {
    [params.one("scope"), params.one("resource")]
        .map(Option::unwrap_or_default)
        .join("\n")
}

fn dead() -> ProtocolError {
    ProtocolError::invalid_grant(
        "The refresh token is unknown, expired, revoked, used already, or of another app. Sign in again.",
    )
}
