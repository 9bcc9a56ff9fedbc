//! The end of an authorization request: a grant and its code, in one transaction, and the way back to the app.

use std::sync::Arc;

use axum::http::HeaderValue;
use keyback_core::time::Timestamp;

use super::super::Inner;
use super::super::error::{ErrorCode, Failure, ProtocolError};
use super::super::interaction::{AuthorizationRequest, Interaction};
use super::super::permissions::Permissions;
use super::super::registry::App;
use super::super::scope::OFFLINE_ACCESS;
use super::answer::{Answer, ReturnTo};
use super::consent::{self, Consented, Missing, Yes};
use super::session::{self, Unfit};
use crate::secrets::{digest_of, random_id, random_token};
use crate::store::codes::{self, NewCode};
use crate::store::grants::NewGrant;
use crate::store::sessions::Session;
use crate::store::{Transaction, interactions};

/// How completing a waiting request ended.
#[derive(Clone, Debug)]
pub enum Completion {
    Done(Completed),
    /// The session doesn't answer the request: the person must sign in (again).
    SignIn(Unfit),
    /// The person must be asked whether they allow the app this.
    Consent(Arc<App>, Permissions),
    /// The app is not registered any more, or not with where the answer should go.
    AppGone,
}

/// How a no ended.
#[derive(Clone, Debug)]
pub enum Denial {
    Done(Completed),
    /// As of [`Completion::AppGone`].
    AppGone,
}

/// A waiting request that has been answered.
#[derive(Clone, Debug)]
pub struct Completed {
    /// What the app is told: [`super::super::Provider::deliver`] takes it there.
    pub answer: Answer,
    /// Takes the request from the browser.
    pub clear_cookie: HeaderValue,
}

/// How far a session brings a checked request.
pub(super) enum Settled {
    Answered(Answer),
    SignIn(Unfit),
    Consent(Permissions),
}

/// Answers a waiting request with a session; with a yes of the person, where they were asked.
pub(in crate::oidc) async fn complete(
    inner: &Inner,
    interaction: &Interaction,
    current: &Session,
    yes: Option<Yes<'_>>,
    now: Timestamp,
) -> Result<Completion, Failure> {
    let (request, requested_at) = (&interaction.request, Some(interaction.requested_at));
    let Some(app) = still_registered(inner, request).await? else {
        return Ok(Completion::AppGone);
    };
    let settled = settle(inner, &app, request, requested_at, current, yes, now).await?;
    if let (Settled::Answered(_), true) = (&settled, interaction.is_row) {
        interactions::remove(inner.store.writer(), &interaction.id).await?;
    }
    Ok(inner.completion(interaction, app, settled))
}

/// What was looked up for a waiting request before the transaction that answers it: nobody waits for the store's one
/// writer meanwhile.
pub struct Prepared(Option<(Arc<App>, Result<Consented<'static>, Missing>)>);

/// Looks up what [`complete_within`] needs. Nobody has said yes yet.
pub(in crate::oidc) async fn prepare(
    inner: &Inner,
    interaction: &Interaction,
    user_id: &str,
) -> Result<Prepared, Failure> {
    let request = &interaction.request;
    let Some(app) = inner.registry.find(&request.client_id).await? else {
        return Ok(Prepared(None));
    };
    let consented = consent::check(inner, &app, request, user_id, None).await?;
    Ok(Prepared(Some((app, consented))))
}

/// Answers a waiting request with a session that begins in the same transaction. What it says takes place once that is
/// committed.
///
/// What was prepared may be old by a moment. That is safe: a consent is read once more in this transaction, for the
/// person of this session ([`Consented::hold`]), and so is whether the app is still there and the answer may go where it was asked
/// to. A consent that was given
/// meanwhile is asked for again, and the consent page finds it.
pub(in crate::oidc) async fn complete_within(
    inner: &Inner,
    tx: &mut Transaction,
    interaction: &Interaction,
    Prepared(prepared): Prepared,
    current: &Session,
    now: Timestamp,
) -> Result<Completion, Failure> {
    let (request, requested_at) = (&interaction.request, Some(interaction.requested_at));
    let Some((app, consented)) = prepared else {
        return Ok(Completion::AppGone);
    };
    let found = inner.registry.find_within(tx, &app.client_id).await?;
    if !found.is_some_and(|app| app.allows_redirect(&request.redirect_uri)) {
        return Ok(Completion::AppGone);
    }
    let settled = match session::check(request, requested_at, current, now) {
        Err(unfit) => Settled::SignIn(unfit),
        Ok(()) => match consented {
            Err(Missing(permissions)) => Settled::Consent(permissions),
            Ok(consented) => issue(inner, tx, request, current, consented, now).await?,
        },
    };
    if let (Settled::Answered(_), true) = (&settled, interaction.is_row) {
        interactions::remove(&mut **tx, &interaction.id).await?;
    }
    Ok(inner.completion(interaction, app, settled))
}

/// The app of a waiting request, if the answer may still go where it was asked to: the operator may have taken that away
/// meanwhile, and then no answer goes there, a no neither (RFC 9700 2.1).
async fn still_registered(
    inner: &Inner,
    request: &AuthorizationRequest,
) -> Result<Option<Arc<App>>, Failure> {
    let found = inner.registry.find(&request.client_id).await?;
    Ok(found.filter(|app| app.allows_redirect(&request.redirect_uri)))
}

/// Answers a waiting request with a no (RFC 6749 4.1.2.1).
pub(in crate::oidc) async fn deny(inner: &Inner, interaction: &Interaction) -> Result<Denial, Failure> {
    if still_registered(inner, &interaction.request).await?.is_none() {
        return Ok(Denial::AppGone);
    }
    let error = ProtocolError::new(
        ErrorCode::AccessDenied,
        "The person does not allow the app what it asks for.",
    );
    let answer = ReturnTo::of(&interaction.request).error(&inner.issuer, &error);
    if interaction.is_row {
        interactions::remove(inner.store.writer(), &interaction.id).await?;
    }
    Ok(Denial::Done(inner.completed(interaction, answer)))
}

impl Inner {
    /// The end of a grant whose code is exchanged by `code_expires_at`.
    pub(in crate::oidc) fn grant_ends_at(
        &self,
        session: &Session,
        offline: bool,
        code_expires_at: Timestamp,
        now: Timestamp,
    ) -> Timestamp {
        if offline {
            now + self.tokens.refresh_token_max.0
        } else {
            // The app takes part in the session until that ends, whether its access token still lives or not.
            (session.created_at() + self.session.max.0).max(code_expires_at + self.tokens.access_token.0)
        }
    }

    fn completion(&self, interaction: &Interaction, app: Arc<App>, settled: Settled) -> Completion {
        match settled {
            Settled::Answered(answer) => Completion::Done(self.completed(interaction, answer)),
            Settled::SignIn(unfit) => Completion::SignIn(unfit),
            Settled::Consent(permissions) => Completion::Consent(app, permissions),
        }
    }

    fn completed(&self, interaction: &Interaction, answer: Answer) -> Completed {
        Completed {
            answer,
            clear_cookie: self.clear_interaction(&interaction.id),
        }
    }
}

/// Answers a checked request, where session and consent let it. `requested_at` is when one came that waited.
pub(super) async fn settle(
    inner: &Inner,
    app: &App,
    request: &AuthorizationRequest,
    requested_at: Option<Timestamp>,
    session: &Session,
    yes: Option<Yes<'_>>,
    now: Timestamp,
) -> Result<Settled, Failure> {
    let consented = match allowed(inner, app, request, requested_at, session, yes, now).await? {
        Ok(consented) => consented,
        Err(settled) => return Ok(settled),
    };
    let mut tx = inner.store.begin_quick().await?;
    let settled = issue(inner, &mut tx, request, session, consented, now).await?;
    if let Settled::Answered(_) = settled {
        tx.commit().await?;
    }
    Ok(settled)
}

/// Whether session and consent let a request be answered; else what must come first.
async fn allowed<'y>(
    inner: &Inner,
    app: &App,
    request: &AuthorizationRequest,
    requested_at: Option<Timestamp>,
    session: &Session,
    yes: Option<Yes<'y>>,
    now: Timestamp,
) -> Result<Result<Consented<'y>, Settled>, Failure> {
    if let Err(unfit) = session::check(request, requested_at, session, now) {
        return Ok(Err(Settled::SignIn(unfit)));
    }
    let consented = consent::check(inner, app, request, &session.user_id, yes).await?;
    Ok(consented.map_err(|Missing(permissions)| Settled::Consent(permissions)))
}

/// Issues a code. Session and consent are looked at once more where it is written: both may end meanwhile. Without an
/// answer nothing is to be kept of what was written for it; where nobody said yes just now, that is nothing.
async fn issue(
    inner: &Inner,
    tx: &mut Transaction,
    request: &AuthorizationRequest,
    session: &Session,
    consented: Consented<'_>,
    now: Timestamp,
) -> Result<Settled, Failure> {
    let code = random_token(&*inner.random);
    let grant_id = random_id(&*inner.random);
    let offline = request.scopes.contains(OFFLINE_ACCESS);
    let code_expires_at = now + inner.tokens.authorization_code.0;
    let claims = request.claims.to_stored()?;
    let grant = NewGrant {
        id: &grant_id,
        user_id: &session.user_id,
        client_id: &request.client_id,
        session_id: &session.id,
        offline,
        scope: request.scopes.as_str(),
        resources: &request.resources,
        claims: claims.as_deref(),
        auth_time: session.auth_time(),
        amr: &session.amr,
        expires_at: inner.grant_ends_at(session, offline, code_expires_at, now),
    };
    let held = consented
        .hold(inner, tx, &request.client_id, &session.user_id, now)
        .await?;
    if let Err(Missing(permissions)) = held {
        return Ok(Settled::Consent(permissions));
    }
    let digest = digest_of(&code);
    let new = NewCode {
        digest: &digest,
        redirect_uri: &request.redirect_uri,
        code_challenge: request.code_challenge.as_deref(),
        nonce: request.nonce.as_deref(),
        expires_at: code_expires_at,
    };
    if !codes::begin(tx, &grant, &new, now).await? {
        return Ok(Settled::SignIn(Unfit::NobodySignedIn));
    }
    let answer = ReturnTo::of(request).code(&inner.issuer, code);
    Ok(Settled::Answered(answer))
}
