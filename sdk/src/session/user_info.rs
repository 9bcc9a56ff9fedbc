//! More claims, from the userinfo endpoint (OpenID Connect Core section 5.3).

use http::StatusCode;

use super::{Claims, Session};
use crate::client::Client;
use crate::dpop::DpopKey;
use crate::error::{Error, UserInfoError};

impl Client {
    /// The claims that the scopes of `session` give access to, by its own access token. They must be about the subject of its ID token
    /// (section 5.3.2), or a swapped access token would make one person another.
    ///
    /// # Errors
    ///
    /// [`UserInfoError`]; of it, [`UserInfoError::TokenRefused`] calls for [`refresh`](Self::refresh).
    pub async fn user_info(&self, session: &Session) -> Result<Claims, Error> {
        self.user_info_of(
            session.access_token(),
            session.dpop_key(),
            session.claims().subject(),
        )
        .await
    }

    /// The claims that an access token gives access to, bearer or bound, which must be about `subject`.
    pub(crate) async fn user_info_of(
        &self,
        access_token: &str,
        binding: Option<&DpopKey>,
        subject: &str,
    ) -> Result<Claims, Error> {
        let metadata = self.metadata().await?;
        let endpoint = metadata
            .userinfo_endpoint
            .as_ref()
            .ok_or(UserInfoError::NotOffered)?;
        let answer = self
            .get_protected(endpoint, access_token, binding)
            .await
            .map_err(UserInfoError::Unreachable)?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => return Err(UserInfoError::TokenRefused.into()),
            status => {
                return Err(UserInfoError::Status {
                    status: status.as_u16(),
                }
                .into());
            }
        }
        if !answer.is_json() {
            return Err(UserInfoError::Malformed.into());
        }
        let members = serde_json::from_slice(&answer.body).map_err(|_| UserInfoError::Malformed)?;
        let claims = Claims::new(members).ok_or(UserInfoError::Malformed)?;
        if claims.subject() == subject {
            Ok(claims)
        } else {
            Err(UserInfoError::SubjectMismatch.into())
        }
    }
}
