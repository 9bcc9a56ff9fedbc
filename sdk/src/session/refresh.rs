//! New tokens for an old session (RFC 6749 section 6, OpenID Connect Core section 12).

use std::fmt;

use super::{Claims, Session, TokenSet};
use crate::callback::exchange::{self, Exchanged};
use crate::callback::id_token::{self, Expected, NonceRule};
use crate::client::{Client, Metadata};
use crate::error::{Error, ExchangeError, UnjudgedRefresh};
use crate::resource::is_resource;
use crate::secret::Secret;

/// An access token for an API, and the session that goes on with it.
#[must_use = "the session may have a new refresh token, and the old one may be dead"]
pub struct ApiAccess {
    /// The access token for the API, when it expires, and its scopes. The refresh token stays with the session.
    pub tokens: TokenSet,
    /// The session to keep in place of the old one: with its own access token, for the provider, and with the refresh
    /// token that is now valid.
    pub session: Session,
}

impl Client {
    /// The session with new tokens. A refresh token that the provider does not replace is kept, and so is the ID token;
    /// a new one must be about the same person.
    ///
    /// The new access token is the provider's own, as that of the sign-in was: for [`user_info`](Self::user_info). One
    /// for an API comes from [`access_token_for`](Self::access_token_for).
    ///
    /// Providers that rotate refresh tokens end the whole family when one is used twice: let one request refresh a
    /// session at a time.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::NoRefreshToken`] without `offline_access`, [`ExchangeError::InvalidGrant`] when the session has
    /// ended at the provider: the person has to sign in again. [`Error::UnjudgedRefresh`] when the keys to judge the new ID
    /// token by can't be had: the refresh token is used up all the same, and the error has the session to keep, with the next one.
    pub async fn refresh(&self, session: &Session) -> Result<Session, Error> {
        let renewed = self.renew(session, None, None).await;
        let renewed = renewed.map_err(|failed| failed.for_session(session))?;
        Ok(Session {
            tokens: TokenSet {
                scopes: renewed.tokens.scopes.or_else(|| session.tokens.scopes.clone()),
                refresh_token: renewed.refresh_token,
                ..renewed.tokens
            },
            claims: renewed.claims,
            id_token: renewed.id_token,
            ..session.clone()
        })
    }

    /// An access token for the API `resource`, which the sign-in has asked for by
    /// [`resource`](crate::SignInBuilder::resource) (RFC 8707 section 2.2). It is for this API alone.
    ///
    /// It is had for the refresh token, which most providers replace at each use: keep the session that comes with it, and
    /// let one request refresh a session at a time. The access token is good until it expires; keep it as well.
    ///
    /// ```no_run
    /// # use keyback::{ApiAccess, Client, Error, Session};
    /// # async fn orders(auth: Client, session: Session) -> Result<Session, Error> {
    /// // The sign-in: auth.sign_in().resource("https://api.example").scope("offline_access").scope("read:orders")
    /// let ApiAccess { tokens, session } = auth.access_token_for(&session, "https://api.example").await?;
    /// let authorization = format!("Bearer {}", tokens.access_token());
    /// # let _ = authorization;
    /// # Ok(session)
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`refresh`](Self::refresh); [`ExchangeError::Resource`] for what can be no API's identifier, and
    /// [`ExchangeError::Refused`] with `invalid_target` for an API that the sign-in did not ask for.
    pub async fn access_token_for(&self, session: &Session, resource: &str) -> Result<ApiAccess, Error> {
        if !is_resource(resource) {
            return Err(ExchangeError::Resource.into());
        }
        let renewed = self.renew(session, Some(resource), None).await;
        let renewed = renewed.map_err(|failed| failed.for_session(session))?;
        Ok(ApiAccess {
            tokens: renewed.tokens,
            session: Session {
                tokens: TokenSet {
                    refresh_token: renewed.refresh_token,
                    ..session.tokens.clone()
                },
                claims: renewed.claims,
                id_token: renewed.id_token,
                ..session.clone()
            },
        })
    }

    pub(crate) async fn renew(
        &self,
        session: &Session,
        resource: Option<&str>,
        organization: Option<&str>,
    ) -> Result<Renewed, NotRenewed> {
        let refresh_token = session.refresh_token().ok_or(ExchangeError::NoRefreshToken)?;
        let metadata = self.metadata().await?;
        let Exchanged { mut tokens, id_token } = exchange::refresh(
            self,
            &metadata,
            refresh_token,
            resource,
            organization,
            session.dpop_key(),
        )
        .await?;
        let successor = tokens.refresh_token.take();
        let (claims, id_token) = match id_token {
            Some(id_token) => match self.same_person(session, &metadata, &id_token, &tokens).await {
                Ok(claims) => (claims.going_on(&session.claims), id_token),
                Err(error) => {
                    let successor = successor.filter(|_| error.is_for_want_of_keys());
                    return Err(NotRenewed { error, successor });
                }
            },
            None => (session.claims.clone(), session.id_token.clone()),
        };
        Ok(Renewed {
            tokens,
            refresh_token: successor.or_else(|| session.tokens.refresh_token.clone()),
            claims,
            id_token,
        })
    }

    /// OpenID Connect Core section 12.2.
    async fn same_person(
        &self,
        session: &Session,
        metadata: &Metadata,
        id_token: &Secret,
        tokens: &TokenSet,
    ) -> Result<Claims, Error> {
        let expected = Expected {
            issuer: self.issuer(),
            client_id: self.client_id(),
            algorithms: self.algorithms(),
            nonce: NonceRule::IfPresent(session.claims.text("nonce")),
            access_token: tokens.access_token(),
            max_age: None,
            subject: Some(session.claims.subject()),
            now: self.now(),
            leeway: self.leeway(),
        };
        id_token::verify(self, metadata, id_token.expose(), &expected).await
    }
}

impl fmt::Debug for ApiAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiAccess")
            .field("tokens", &self.tokens)
            .field("session", &self.session)
            .finish()
    }
}

/// Why a refresh token gave nothing.
pub(crate) struct NotRenewed {
    pub(crate) error: Error,
    /// The refresh token that has taken its place, where all that is missing are the keys to judge the rest by.
    pub(crate) successor: Option<Secret>,
}

impl NotRenewed {
    /// With the session to keep, where the refresh has changed it.
    fn for_session(self, session: &Session) -> Error {
        match self.successor {
            None => self.error,
            Some(successor) => {
                let mut session = session.clone();
                session.tokens.refresh_token = Some(successor);
                UnjudgedRefresh::new(session, self.error).into()
            }
        }
    }
}

impl<E: Into<Error>> From<E> for NotRenewed {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            successor: None,
        }
    }
}

/// What a refresh token gave. The tokens are without the one that takes its place.
pub(crate) struct Renewed {
    pub(crate) tokens: TokenSet,
    pub(crate) refresh_token: Option<Secret>,
    claims: Claims,
    pub(crate) id_token: Secret,
}
