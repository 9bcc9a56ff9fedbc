//! Somebody who is signed in.

use std::fmt;

use http::Method;
use url::Url;

use super::access_token::AccessToken;
use super::context::{Context, ContextRequest};
use super::id::SessionId;
use super::record::Audience;
use super::sign_out::SignOut;
use super::{Loaded, Sessions};
use crate::error::{Error, ExchangeError, SessionError, UserInfoError};
use crate::resource::is_resource;
use crate::session::{Claims, Session};
use crate::sign_in::Purpose;

/// Somebody who is signed in: the handle on a live session. [`Sessions::find`] gives it, and gives none for a session that
/// has ended.
#[derive(Clone)]
pub struct SignedIn {
    sessions: Sessions,
    id: SessionId,
    loaded: Loaded,
}

impl SignedIn {
    pub(super) fn new(sessions: Sessions, id: SessionId, loaded: Loaded) -> Self {
        Self { sessions, id, loaded }
    }

    /// The secret name of the session, for the browser's cookie.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// The claims of the ID token.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.loaded.claims
    }

    /// Who it is: the provider's name for the person.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.loaded.claims.subject()
    }

    /// What the sign-in began as. See [`Session::purpose`](crate::Session::purpose).
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.loaded.record.purpose()
    }

    /// The ID token as the provider signed it.
    #[must_use]
    pub fn id_token(&self) -> &str {
        self.loaded.record.id_token().expose()
    }

    /// Whether the session is live now: it has not ended, and there is an access token that has not expired, or a refresh
    /// token to get one with.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn is_authenticated(&self) -> Result<bool, Error> {
        Ok(self.sessions.find(&self.id).await?.is_some())
    }

    /// An access token that works now: for the API `resource`, or for the provider where there is none; and for an
    /// organization, where one is given. It is fetched where it is not at hand, and kept until it expires.
    ///
    /// The sign-in has to ask for the API by [`resource`](crate::SignInBuilder::resource), and for organizations by the scope
    /// `urn:logto:scope:organizations`.
    ///
    /// # Errors
    ///
    /// [`SessionError`]: of it, [`Ended`](SessionError::Ended) and [`EndedByProvider`](SessionError::EndedByProvider)
    /// call for a new sign-in. [`ExchangeError::Resource`] for what can be no API's identifier.
    pub async fn access_token(
        &self,
        resource: Option<&str>,
        organization: Option<&str>,
    ) -> Result<AccessToken, Error> {
        if resource.is_some_and(|resource| !is_resource(resource)) {
            return Err(ExchangeError::Resource.into());
        }
        let audience = Audience {
            resource: resource.map(str::to_owned),
            organization: organization.map(str::to_owned),
        };
        Ok(self.sessions.fresh(&self.id.key(), &audience).await?)
    }

    /// An access token for an organization (Logto): its claims have what the person may do there.
    ///
    /// # Errors
    ///
    /// As [`access_token`](Self::access_token); [`SessionError::Refresh`] with `insufficient_scope` where the sign-in
    /// did not ask for organizations.
    pub async fn organization_token(&self, organization: &str) -> Result<AccessToken, Error> {
        self.access_token(None, Some(organization)).await
    }

    /// More claims, from the userinfo endpoint. A token that the provider has withdrawn meanwhile is replaced once.
    ///
    /// # Errors
    ///
    /// As [`access_token`](Self::access_token), and [`UserInfoError`].
    pub async fn user_info(&self) -> Result<Claims, Error> {
        let client = self.sessions.client();
        let token = self.access_token(None, None).await?;
        match client
            .user_info_of(token.as_str(), token.binding.as_ref(), self.subject())
            .await
        {
            Err(Error::UserInfo(UserInfoError::TokenRefused)) => {
                self.sessions.drop_token(&self.id.key(), &token).await?;
                let token = self.access_token(None, None).await?;
                client
                    .user_info_of(token.as_str(), token.binding.as_ref(), self.subject())
                    .await
            }
            answer => answer,
        }
    }

    /// The value of the `DPoP` header for one request to an API with `token`, as [`Client::dpop_proof`](crate::Client::dpop_proof)
    /// makes it for a [`Session`]. `None` where the token is an ordinary bearer token.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Unsigned`], where the proof could not be signed.
    pub fn dpop_proof(
        &self,
        token: &AccessToken,
        method: &Method,
        url: &Url,
        nonce: Option<&str>,
    ) -> Result<Option<String>, Error> {
        self.sessions
            .client()
            .proof_by(token.binding.as_ref(), method, url, token.as_str(), nonce)
    }

    /// All that `request` asks for, in one call.
    ///
    /// # Errors
    ///
    /// As [`access_token`](Self::access_token) and [`user_info`](Self::user_info).
    pub async fn context(&self, request: &ContextRequest) -> Result<Context, Error> {
        self.sessions.context(Some(&self.id), request).await
    }

    /// Signs out, in the order that leaves nothing behind: first the session ends here; then comes the address at the
    /// provider to send the browser to, whose session ends there; and the refresh token is revoked by whoever
    /// [runs](super::Revocation::run) the revocation, which nobody need wait for.
    ///
    /// Offer it by POST alone: a link would let other sites sign people out. `post_logout_redirect_uri` has to be
    /// registered at the provider.
    ///
    /// # Errors
    ///
    /// [`SignOutError::RedirectUri`](crate::SignOutError::RedirectUri), before anything has happened, for an address that
    /// nobody may be sent to; [`SessionError::Store`]. That the provider is out of reach is none: see
    /// [`SignOut::url`].
    pub async fn sign_out(self, post_logout_redirect_uri: &str) -> Result<SignOut, Error> {
        self.sessions
            .sign_out(&self.id.key(), &self.loaded.record, post_logout_redirect_uri)
            .await
    }

    /// As [`Client::finish`](crate::Client::finish) gave it, with the tokens of now, for calls that take one.
    ///
    /// # Errors
    ///
    /// [`SessionError::Ended`], [`SessionError::Store`].
    pub async fn to_session(&self) -> Result<Session, Error> {
        let loaded = self.sessions.load(&self.id.key()).await?;
        let loaded = loaded.ok_or(SessionError::Ended)?;
        Ok(loaded.record.to_session(loaded.claims))
    }
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn")
            .field("claims", self.claims())
            .finish_non_exhaustive()
    }
}
