//! Telling the provider that tokens are no longer needed (RFC 7009).

use std::borrow::Cow;

use crate::client::Client;
use crate::error::{Endpoint, EndpointError, Error};
use crate::secret::Secret;
use crate::session::Session;

impl Client {
    /// Revokes the session's refresh token, and with it what was granted (RFC 7009 section 2.1); without one, its access token.
    /// A token that the provider no longer knows counts as revoked.
    ///
    /// Do it after the application's own session has ended, and let nobody wait for it: a sign-out must succeed while the
    /// provider is out of reach.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] of [`Endpoint::Revocation`]: the tokens may still be good.
    pub async fn revoke(&self, session: &Session) -> Result<(), Error> {
        match &session.tokens.refresh_token {
            Some(token) => self.revoke_refresh_token(token).await,
            None => {
                self.revoke_token(&session.tokens.access_token, "access_token")
                    .await
            }
        }
    }

    /// Revokes a refresh token, and with it the access tokens of its family (section 2.1).
    pub(crate) async fn revoke_refresh_token(&self, token: &Secret) -> Result<(), Error> {
        self.revoke_token(token, "refresh_token").await
    }

    async fn revoke_token(&self, token: &Secret, hint: &str) -> Result<(), Error> {
        let endpoint = Endpoint::Revocation;
        let metadata = self.metadata().await?;
        let url = metadata
            .revocation_endpoint
            .as_ref()
            .ok_or(EndpointError::NotOffered { endpoint })?;
        let form = vec![
            ("token", Cow::Borrowed(token.expose())),
            ("token_type_hint", Cow::Borrowed(hint)),
        ];
        self.post(&metadata, url, &form, None)
            .await
            .map_err(|failure| EndpointError::new(endpoint, failure))?;
        Ok(())
    }
}
