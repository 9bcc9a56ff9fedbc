//! Consent (OIDC Core 3.1.2.4): whether a person has allowed an app what it asks for.
//!
//! Apps of one's own have it without a screen, with `prompt=consent` too, as Logto does (its SDKs send that on every
//! sign-in). Of others it is a row; asked for is what the row doesn't cover, or everything where the request says so, or
//! where the app is a native one whose redirect any program on the machine could answer.

use keyback_core::time::Timestamp;

use super::super::Inner;
use super::super::error::Failure;
use super::super::interaction::AuthorizationRequest;
use super::super::permissions::Permissions;
use super::super::registry::App;
use crate::store::audit::{self, Actor, Line};
use crate::store::{Transaction, consents};

/// Somebody has said yes on the consent page, to all that this request asks for.
#[derive(Clone, Copy, Debug)]
pub struct Yes<'a> {
    /// From where, for the audit trail.
    pub client_ip: Option<&'a str>,
}

/// That the person allows what the app asks for. A code is issued for nothing less.
pub(in crate::oidc) enum Consented<'a> {
    /// The app is one of the operator's own.
    OwnApp,
    /// It was said earlier.
    Before(Permissions),
    /// It was said just now.
    Now(Permissions, Yes<'a>),
}

/// What must be asked first.
pub(in crate::oidc) struct Missing(pub(super) Permissions);

/// Looks for the consent of a person to a request.
pub(super) async fn check<'a>(
    inner: &Inner,
    app: &App,
    request: &AuthorizationRequest,
    user_id: &str,
    yes: Option<Yes<'a>>,
) -> Result<Result<Consented<'a>, Missing>, Failure> {
    if app.first_party {
        return Ok(Ok(Consented::OwnApp));
    }
    let mut asked = inner.permissions(app, &request.scopes, &request.resources);
    // Claims that are asked for by name (OIDC Core 5.5) need what their scope needs.
    asked
        .scopes
        .extend(request.claims.scopes().iter().map(str::to_owned));
    if let Some(yes) = yes {
        return Ok(Ok(Consented::Now(asked, yes)));
    }
    // RFC 8252 8.6: where the answer could reach another program, an earlier yes may have been for another.
    if request.prompt.asks_consent() || app.can_be_posed_as(&request.redirect_uri) {
        return Ok(Err(Missing(asked)));
    }
    let row = consents::find(inner.store.reader(), user_id, &app.client_id).await?;
    Ok(if allows(row.as_ref(), &asked)? {
        Ok(Consented::Before(asked))
    } else {
        Err(Missing(asked))
    })
}

impl Consented<'_> {
    /// Keeps the consent, in the transaction of the grant. An earlier one may have been withdrawn meanwhile.
    pub(in crate::oidc) async fn hold(
        self,
        inner: &Inner,
        tx: &mut Transaction,
        client_id: &str,
        user_id: &str,
        now: Timestamp,
    ) -> Result<Result<(), Missing>, Failure> {
        let (asked, yes) = match self {
            Self::OwnApp => return Ok(Ok(())),
            Self::Before(asked) => {
                let row = consents::find(&mut **tx, user_id, client_id).await?;
                let held = allows(row.as_ref(), &asked)?;
                return Ok(if held { Ok(()) } else { Err(Missing(asked)) });
            }
            Self::Now(asked, yes) => (asked, yes),
        };
        let before = match consents::find(&mut **tx, user_id, client_id).await? {
            Some(row) => serde_json::from_str(&row.allowed)?,
            None => Permissions::default(),
        };
        let all = serde_json::to_string(&before.with(asked))?;
        consents::save(&mut **tx, user_id, client_id, &all, now).await?;
        let line = Line {
            at: now,
            event: "consent_given",
            actor: Actor::User,
            subject: Some(user_id),
            identifier: None,
            client_id: Some(client_id),
            client_ip: yes.client_ip,
        };
        audit::write(&mut **tx, &*inner.random, &line).await?;
        Ok(Ok(()))
    }
}

fn allows(row: Option<&consents::ConsentRow>, asked: &Permissions) -> Result<bool, Failure> {
    let Some(row) = row else {
        return Ok(false);
    };
    let allowed: Permissions = serde_json::from_str(&row.allowed)?;
    Ok(allowed.cover(asked))
}
