//! New tokens for an old session (RFC 6749 section 6, OpenID Connect Core section 12).

use super::{Session, TokenSet};
use crate::callback::exchange;
use crate::callback::id_token::{self, Expected, NonceRule};
use crate::client::Client;
use crate::error::{Error, ExchangeError};

impl Client {
    /// The session with new tokens. A refresh token that the provider does not replace is kept, and so is the ID token;
    /// a new one must be about the same person.
    ///
    /// Providers that rotate refresh tokens end the whole family when one is used twice: let one request refresh a
    /// session at a time.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::NoRefreshToken`] without `offline_access`, [`ExchangeError::InvalidGrant`] when the session has
    /// ended at the provider: the person has to sign in again.
    pub async fn refresh(&self, session: &Session) -> Result<Session, Error> {
        let refresh_token = session.refresh_token().ok_or(ExchangeError::NoRefreshToken)?;
        let metadata = self.metadata().await?;
        let renewed = exchange::refresh(self, &metadata, refresh_token).await?;
        let (claims, id_token) = match renewed.id_token {
            Some(id_token) => {
                let expected = Expected {
                    issuer: self.issuer(),
                    client_id: self.client_id(),
                    algorithms: self.algorithms(),
                    nonce: NonceRule::IfPresent(session.claims.text("nonce")),
                    access_token: renewed.tokens.access_token(),
                    max_age: None,
                    subject: Some(session.claims.subject()),
                    now: self.now(),
                    leeway: self.leeway(),
                };
                let claims = id_token::verify(self, &metadata, id_token.expose(), &expected).await?;
                (claims, id_token)
            }
            None => (session.claims.clone(), session.id_token.clone()),
        };
        let kept = session.tokens.refresh_token.clone();
        Ok(Session {
            claims,
            id_token,
            tokens: TokenSet {
                refresh_token: renewed.tokens.refresh_token.or(kept),
                scopes: renewed.tokens.scopes.or_else(|| session.tokens.scopes.clone()),
                ..renewed.tokens
            },
            purpose: session.purpose,
            return_path: session.return_path.clone(),
        })
    }
}
