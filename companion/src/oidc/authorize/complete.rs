//! The end of an authorization request: a grant and its code, in one transaction, and the way back to the app.

use axum::http::HeaderValue;
use keyback_core::time::Timestamp;

use super::super::Inner;
use super::super::error::Failure;
use super::super::interaction::{AuthorizationRequest, Interaction};
use super::super::scope::OFFLINE_ACCESS;
use super::answer::{Answer, ReturnTo};
use super::session::{self, Unfit};
use crate::secrets::{digest_of, random_id, random_token};
use crate::store::codes::{self, NewCode};
use crate::store::grants::{self, NewGrant};
use crate::store::interactions;
use crate::store::sessions::Session;

/// How completing a waiting request ended.
#[derive(Clone, Debug)]
pub enum Completion {
    Done(Completed),
    /// The session doesn't answer the request: the person must sign in (again).
    SignIn(Unfit),
}

/// A waiting request that has been answered.
#[derive(Clone, Debug)]
pub struct Completed {
    /// What the app is told: [`super::super::Provider::deliver`] takes it there.
    pub answer: Answer,
    /// Takes the request from the browser.
    pub clear_cookie: HeaderValue,
}

/// Answers a waiting request with a session.
pub(in crate::oidc) async fn complete(
    inner: &Inner,
    interaction: &Interaction,
    current: &Session,
    now: Timestamp,
) -> Result<Completion, Failure> {
    if let Err(unfit) = session::check(&interaction.request, Some(interaction.requested_at), current, now) {
        return Ok(Completion::SignIn(unfit));
    }
    let Some(answer) = issue(inner, &interaction.request, current, now).await? else {
        return Ok(Completion::SignIn(Unfit::NobodySignedIn));
    };
    if interaction.is_row {
        interactions::remove(inner.store.writer(), &interaction.id).await?;
    }
    Ok(Completion::Done(Completed {
        answer,
        clear_cookie: inner.clear_interaction(&interaction.id),
    }))
}

/// Issues a code for a checked request. None where the session has ended meanwhile.
pub(super) async fn issue(
    inner: &Inner,
    request: &AuthorizationRequest,
    session: &Session,
    now: Timestamp,
) -> Result<Option<Answer>, Failure> {
    let code = random_token(&*inner.random);
    let grant_id = random_id(&*inner.random);
    let offline = request.scopes.contains(OFFLINE_ACCESS);
    let code_expires_at = now + inner.tokens.authorization_code.0;
    let grant_expires_at = if offline {
        now + inner.tokens.refresh_token_max.0
    } else {
        // The app takes part in the session until that ends, whether its access token still lives or not.
        (session.created_at() + inner.session.max.0).max(code_expires_at + inner.tokens.access_token.0)
    };
    let claims = request.claims.to_stored()?;
    let grant = NewGrant {
        id: &grant_id,
        user_id: &session.user_id,
        client_id: &request.client_id,
        session_id: &session.id,
        offline,
        scope: &request.scopes.to_string(),
        resources: &request.resources,
        claims: claims.as_deref(),
        auth_time: session.auth_time(),
        amr: &session.amr,
        expires_at: grant_expires_at,
    };
    let mut tx = inner.store.begin().await?;
    if !grants::add(&mut *tx, &grant, now).await? {
        return Ok(None);
    }
    let digest = digest_of(&code);
    let new = NewCode {
        digest: &digest,
        grant_id: &grant_id,
        redirect_uri: &request.redirect_uri,
        code_challenge: request.code_challenge.as_deref(),
        nonce: request.nonce.as_deref(),
        expires_at: code_expires_at,
    };
    codes::add(&mut *tx, &new, now).await?;
    tx.commit().await?;
    Ok(Some(ReturnTo::of(request).code(&inner.issuer, code)))
}
