//! The way out: first here, then at the provider.

use std::fmt;

use url::Url;

use super::Sessions;
use super::access_token::AccessToken;
use super::id::SessionKey;
use super::record::{Audience, Record};
use super::store::Saved;
use crate::client::Client;
use crate::error::{Error, SessionError};
use crate::secret::Secret;

/// A sign-out: the session is over here, and what is left is the provider's part.
#[must_use = "the browser has to be sent to the provider, and the refresh token revoked"]
#[derive(Debug)]
pub struct SignOut {
    /// Where to send the browser, with status 303, so that the provider ends its session too. `None` where the provider has
    /// no such endpoint or is out of reach: then show that the person is signed out here.
    pub url: Option<Url>,
    /// The refresh token's end.
    pub revocation: Revocation,
}

/// The revocation of a refresh token (RFC 7009). Nobody need wait for it: run it in a task of its own.
#[must_use = "a refresh token that is not revoked works on"]
pub struct Revocation {
    client: Client,
    refresh_token: Option<Secret>,
}

impl Revocation {
    pub(super) fn of(client: &Client, refresh_token: Option<Secret>) -> Self {
        Self {
            client: client.clone(),
            refresh_token,
        }
    }

    /// Revokes the token at the provider. Done at once where there is none.
    ///
    /// # Errors
    ///
    /// When the provider is out of reach, refuses, or has no such endpoint.
    pub async fn run(self) -> Result<(), Error> {
        match &self.refresh_token {
            Some(refresh_token) => self.client.revoke_refresh_token(refresh_token).await,
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocation")
            .field("client", &self.client)
            .field("has_token", &self.refresh_token.is_some())
            .finish()
    }
}

impl Sessions {
    pub(super) async fn sign_out(
        &self,
        key: &SessionKey,
        seen: &Record,
        post_logout_redirect_uri: &str,
    ) -> Result<SignOut, Error> {
        let client = self.client();
        client.check_way_back(post_logout_redirect_uri)?;
        // A refresh since may have brought other tokens.
        let now = self.load(key).await?;
        let record = now.as_ref().map_or(seen, |loaded| &loaded.record);
        self.forget(key).await?;
        let url = client
            .end_session_url(record.id_token().expose(), post_logout_redirect_uri, None)
            .await
            .inspect_err(|error| tracing::info!(code = error.code(), "signed out here alone"))
            .ok();
        Ok(SignOut {
            url,
            revocation: Revocation::of(client, record.refresh_token().cloned()),
        })
    }

    /// Forgets an access token that the provider has refused, unless another has taken its place.
    pub(super) async fn drop_token(
        &self,
        key: &SessionKey,
        refused: &AccessToken,
    ) -> Result<(), SessionError> {
        let Some(mut loaded) = self.load(key).await? else {
            return Ok(());
        };
        let audience = Audience {
            resource: refused.resource.clone(),
            organization: refused.organization.clone(),
        };
        let now = self.client().now();
        let is_still_there = matches!(
            loaded.record.token(&audience, now),
            super::record::Freshness::Fresh(kept) | super::record::Freshness::Due(kept)
                if kept.token.matches(refused.as_str())
        );
        if is_still_there {
            loaded.record.drop_token(&audience);
            let next = loaded.version + 1;
            // With a conflict, somebody else has changed it: the next look tells.
            let saved = self.save(key, &loaded.record, next, Some(loaded.version)).await?;
            tracing::debug!(conflict = saved == Saved::Conflict, "dropped an access token");
        }
        Ok(())
    }
}
