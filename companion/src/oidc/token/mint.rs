//! What the token endpoint gives: access token, ID token, refresh token, and the rows they rest as.

use std::time::Duration;

use keyback_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::claims::{self, ClaimsRequest, Person, Place};
use super::super::error::{Failure, ProtocolError};
use super::super::key_ring::KeyRing;
use super::super::registry::App;
use super::super::scope::{OPENID, Scopes, is_standard};
use super::super::{Inner, acr, jws};
use crate::config::app::{IdTokenAlg, ResourceConfig};
use crate::secrets::{digest_of, random_id, random_token};
use crate::store::StoreError;
use crate::store::granted::Granted;
use crate::store::tokens::{NewAccessToken, NewRefreshToken, NewTokens};
use crate::store::users::User;

/// The one type of token (RFC 6750).
const BEARER: &str = "Bearer";

/// The answer of RFC 6749 5.1 and OIDC Core 3.1.3.3. Has no `Debug`: it is made of secrets.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct TokenAnswer {
    pub(super) access_token: String,
    token_type: String,
    expires_in: u64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
}

impl TokenAnswer {
    /// An access token and nothing else.
    pub(super) fn of_machine(access_token: String, scope: String, life: Duration) -> Self {
        Self {
            access_token,
            token_type: BEARER.to_owned(),
            expires_in: life.as_secs(),
            scope,
            id_token: None,
            refresh_token: None,
        }
    }
}

/// What tokens are made of.
pub(super) struct Basis<'a> {
    pub(super) app: &'a App,
    pub(super) user: &'a User,
    pub(super) grant_id: &'a str,
    pub(super) session_id: &'a str,
    /// The scopes of this answer: those granted, or fewer.
    pub(super) scopes: Scopes,
    /// The claims asked for by name.
    pub(super) claims: ClaimsRequest,
    pub(super) resource: Option<&'a ResourceConfig>,
    pub(super) auth_time: Timestamp,
    pub(super) amr: &'a str,
    pub(super) nonce: Option<&'a str>,
    /// The end of the grant: no token outlives it.
    pub(super) ends_at: Timestamp,
}

impl<'a> Basis<'a> {
    /// All that a grant gave, without a nonce.
    pub(super) fn of(
        app: &'a App,
        user: &'a User,
        granted: &'a Granted,
        resource: Option<&'a ResourceConfig>,
    ) -> Result<Self, ProtocolError> {
        Ok(Self {
            app,
            user,
            grant_id: &granted.grant_id,
            session_id: &granted.session_id,
            scopes: Scopes::from(granted.scope.clone()),
            claims: ClaimsRequest::from_stored(granted.claims.as_deref())?,
            resource,
            auth_time: granted.auth_time(),
            amr: &granted.amr,
            nonce: None,
            ends_at: granted.ends_at(),
        })
    }
}

/// Tokens that are made and not yet written: they mean nothing until their [`tokens`](Minted::tokens) are written.
pub(super) struct Minted {
    pub(super) answer: TokenAnswer,
    access_digest: String,
    access_expires_at: Timestamp,
    resource: Option<String>,
    /// Digest and end of a new refresh token.
    refresh: Option<(String, Timestamp)>,
}

/// Makes the tokens of an answer. Signing takes place here, before any transaction.
pub(super) async fn mint(
    inner: &Inner,
    basis: &Basis<'_>,
    with_refresh_token: bool,
    now: Timestamp,
) -> Result<Minted, Failure> {
    let ring = inner.keys.ring(now).await;
    let expires_at = (now + inner.tokens.access_token.0).min(basis.ends_at);
    let (access_token, scopes) = match basis.resource {
        None => {
            let own = |scope: &str| is_standard(scope) || basis.app.has_scope(scope);
            (random_token(&*inner.random), basis.scopes.filter(own))
        }
        Some(resource) => {
            let scopes = basis
                .scopes
                .filter(|scope| resource.scopes.iter().any(|own| own == scope));
            (
                jwt_access_token(inner, &ring, basis, resource, &scopes, expires_at, now)?,
                scopes,
            )
        }
    };
    let id_token = if basis.scopes.contains(OPENID) {
        Some(id_token(inner, &ring, basis, &access_token, now)?)
    } else {
        None
    };
    let refresh_token = with_refresh_token.then(|| random_token(&*inner.random));
    let refresh_expires_at = (now + inner.tokens.refresh_token.0).min(basis.ends_at);
    Ok(Minted {
        access_digest: digest_of(&access_token),
        access_expires_at: expires_at,
        resource: basis.resource.map(|resource| resource.indicator.clone()),
        refresh: refresh_token
            .as_ref()
            .map(|token| (digest_of(token), refresh_expires_at)),
        answer: TokenAnswer {
            access_token,
            token_type: BEARER.to_owned(),
            expires_in: expires_at.since(now).as_secs(),
            scope: scopes.to_string(),
            id_token,
            refresh_token,
        },
    })
}

impl Minted {
    /// The rows they are to rest as.
    pub(super) fn tokens<'a>(&'a self, grant_id: &'a str) -> NewTokens<'a> {
        NewTokens {
            grant_id,
            access: NewAccessToken {
                digest: &self.access_digest,
                scope: &self.answer.scope,
                resource: self.resource.as_deref(),
                expires_at: self.access_expires_at,
            },
            refresh: self.refresh.as_ref().map(|(digest, expires_at)| NewRefreshToken {
                digest,
                expires_at: *expires_at,
            }),
        }
    }
}

impl Inner {
    /// The person of a token or code issued at `issued_at`: none where the account is gone, disabled, or has cut
    /// off what was issued before now (SR-55).
    pub(in crate::oidc) async fn live_user(
        &self,
        user_id: &str,
        issued_at: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let user = crate::store::users::find(self.store.reader(), user_id).await?;
        Ok(user.filter(|user| user.honours(issued_at)))
    }
}

/// OIDC Core 2 and 3.1.3.6.
fn id_token(
    inner: &Inner,
    ring: &KeyRing,
    basis: &Basis<'_>,
    access_token: &str,
    now: Timestamp,
) -> Result<String, Failure> {
    let algorithm = basis.app.id_token_alg;
    let person = Person {
        user: basis.user,
        session_id: basis.session_id,
        auth_time: basis.auth_time,
        amr: basis.amr,
    };
    let mut all: Map<String, Value> = claims::released(Place::IdToken, &basis.scopes, &basis.claims, &person);
    let mut put = |name: &str, value: Value| all.insert(name.to_owned(), value);
    put("iss", json!(inner.issuer));
    put("aud", json!(basis.app.client_id));
    put("exp", json!((now + inner.tokens.id_token.0).as_secs()));
    put("iat", json!(now.as_secs()));
    put("auth_time", json!(basis.auth_time.as_secs()));
    put("sid", json!(basis.session_id));
    put(
        "amr",
        json!(basis.amr.split_ascii_whitespace().collect::<Vec<_>>()),
    );
    put("acr", json!(acr::PASSWORD));
    put("at_hash", json!(jws::half_hash(algorithm, access_token)));
    if let Some(nonce) = basis.nonce {
        put("nonce", json!(nonce));
    }
    ring.sign(algorithm, "JWT", &all, now)
}

/// RFC 9068 2.
fn jwt_access_token(
    inner: &Inner,
    ring: &KeyRing,
    basis: &Basis<'_>,
    resource: &ResourceConfig,
    scopes: &Scopes,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<String, Failure> {
    let claims = json!({
        "iss": inner.issuer,
        "sub": basis.user.id,
        "aud": resource.indicator,
        "client_id": basis.app.client_id,
        "exp": expires_at.as_secs(),
        "iat": now.as_secs(),
        "jti": random_id(&*inner.random),
        "scope": scopes.to_string(),
        "auth_time": basis.auth_time.as_secs(),
        "acr": acr::PASSWORD,
        "sid": basis.session_id,
    });
    ring.sign(IdTokenAlg::ES384, "at+jwt", &claims, now)
}
