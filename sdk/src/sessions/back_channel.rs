//! Signed out everywhere (OpenID Connect Back-Channel Logout 1.0 section 2.5).

use std::time::Duration;

use http::StatusCode;
use url::form_urlencoded;

use super::Sessions;
use super::logouts::LogoutMark;
use crate::error::{Error, LogoutTokenError};

/// Longer than any form with a logout token.
const LONGEST: usize = 32 * 1024;

/// What to answer the provider. Both answers go with `Cache-Control: no-store` (section 2.8).
#[derive(Debug)]
#[must_use = "the provider waits for the status"]
pub struct BackChannelAnswer {
    /// 200 when the sessions have ended, 400 for a token that is not acceptable, 503 while the provider's keys or the
    /// registry can't be had: the provider may try again.
    pub status: StatusCode,
    /// Why, for the log.
    pub error: Option<Error>,
}

impl Sessions {
    /// Takes the body that the provider posts to the application's back-channel logout URI, verifies its
    /// `logout_token`, and ends the sessions that it names, wherever they are kept: nobody
    /// [finds](Self::find) them any more.
    pub async fn back_channel_logout(&self, form_body: &[u8]) -> BackChannelAnswer {
        match self.end_named(form_body).await {
            Ok(()) => BackChannelAnswer {
                status: StatusCode::OK,
                error: None,
            },
            Err(error) => {
                tracing::info!(code = error.code(), "a back-channel logout was refused: {error}");
                let status = if error.is_retryable() {
                    StatusCode::SERVICE_UNAVAILABLE
                } else {
                    StatusCode::BAD_REQUEST
                };
                BackChannelAnswer {
                    status,
                    error: Some(error),
                }
            }
        }
    }

    async fn end_named(&self, form_body: &[u8]) -> Result<(), Error> {
        let token = logout_token(form_body).ok_or(LogoutTokenError::Malformed)?;
        let client = self.client();
        let judged = client.judge_logout_token(&token).await?;
        let token = &judged.token;
        let mark = LogoutMark::of_token(client.issuer(), token).ok_or(LogoutTokenError::NamesNobody)?;
        // The time is in whole seconds. No sign-in follows a sign-out at the provider in its very second, so a session that
        // began in it is one that has ended.
        self.mark(&mark, token.issued_at() + Duration::from_secs(1))
            .await?;
        // Only now: a request may be given up between the two. The provider sends the token again then, and it must be new;
        // to mark the same end twice ends nothing more.
        client.remember_logout_token(&judged).await
    }
}

/// The one field of this name.
fn logout_token(form_body: &[u8]) -> Option<String> {
    if form_body.len() > LONGEST {
        return None;
    }
    let mut values = form_urlencoded::parse(form_body).filter(|(name, _)| name == "logout_token");
    let (_, value) = values.next()?;
    values.next().is_none().then(|| value.into_owned())
}
