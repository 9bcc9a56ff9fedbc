//! Signing out at the provider (OpenID Connect RP-Initiated Logout 1.0).

use url::Url;

use super::Session;
use crate::client::Client;
use crate::error::{Error, SignOutError};
use crate::secure_url::may_return_to;

impl Client {
    /// Where to send the browser so that the provider ends its session too. End the application's own session first,
    /// and offer the way here only by POST: a link would let other sites sign people out.
    ///
    /// `post_logout_redirect_uri` has to be registered at the provider. It is https, http on a loopback address, or a native
    /// application's own scheme such as `com.example.app:/signed-out`. It gets `state` back as a query parameter.
    ///
    /// # Errors
    ///
    /// [`SignOutError::NotOffered`] when the provider has no such endpoint, [`SignOutError::RedirectUri`] for an address
    /// that nobody may be sent to.
    pub async fn sign_out_url(
        &self,
        session: &Session,
        post_logout_redirect_uri: &str,
        state: Option<&str>,
    ) -> Result<Url, Error> {
        self.end_session_url(session.id_token(), post_logout_redirect_uri, state)
            .await
    }

    /// Whether the browser may be sent there after a sign-out.
    pub(crate) fn check_way_back(&self, post_logout_redirect_uri: &str) -> Result<(), SignOutError> {
        let back = Url::parse(post_logout_redirect_uri).map_err(|_| SignOutError::RedirectUri)?;
        if may_return_to(&back) {
            Ok(())
        } else {
            Err(SignOutError::RedirectUri)
        }
    }

    pub(crate) async fn end_session_url(
        &self,
        id_token: &str,
        post_logout_redirect_uri: &str,
        state: Option<&str>,
    ) -> Result<Url, Error> {
        self.check_way_back(post_logout_redirect_uri)?;
        let metadata = self.metadata().await?;
        let mut url = metadata
            .end_session_endpoint
            .clone()
            .ok_or(SignOutError::NotOffered)?;
        url.query_pairs_mut()
            .append_pair("id_token_hint", id_token)
            .append_pair("client_id", self.client_id())
            .append_pair("post_logout_redirect_uri", post_logout_redirect_uri);
        if let Some(state) = state {
            url.query_pairs_mut().append_pair("state", state);
        }
        Ok(url)
    }
}
