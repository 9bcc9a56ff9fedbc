//! Ending sessions: at the request of an app, and telling the apps (Back-Channel Logout 1.0).

use serde_json::json;
use url::{Url, form_urlencoded};

use super::{Person, Reply, TestProvider};
use crate::transport::{self, HttpTransport, TransportError};

impl TestProvider {
    /// A logout token for a client: that every session of `person` has ended, or only the one of `session_id`, the `sid` of its
    /// ID token. It is what [`Client::verify_logout_token`](crate::Client::verify_logout_token) takes.
    #[must_use]
    pub fn logout_token(&self, client_id: &str, person: &Person, session_id: Option<&str>) -> String {
        let now = self.seconds();
        let mut claims = json!({
            "iss": self.issuer(), "aud": client_id, "sub": person.subject(), "jti": self.draw(),
            "iat": now, "exp": now + 120,
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        if let Some(session_id) = session_id {
            claims["sid"] = json!(session_id);
        }
        self.lock().signer.sign("logout+jwt", &claims)
    }

    /// Ends the sessions and grants of `person`, and posts a logout token to the app's `backchannel_logout_uri`: the status of
    /// the app's answer.
    ///
    /// # Errors
    ///
    /// What the transport says when the app can't be reached.
    pub async fn sign_out_everywhere(
        &self,
        http: &dyn HttpTransport,
        backchannel_logout_uri: &str,
        client_id: &str,
        person: &Person,
    ) -> Result<u16, TransportError> {
        for grant in &mut self.lock().grants {
            grant.ended |= grant.person.subject() == person.subject();
        }
        let token = self.logout_token(client_id, person, None);
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("logout_token", &token)
            .finish();
        let app = Url::parse(backchannel_logout_uri).map_err(TransportError::other)?;
        let request = transport::form(&app, form, None)?;
        Ok(http.send(request).await?.status().as_u16())
    }

    /// The end session endpoint (RP-Initiated Logout 1.0): back to where the app wants, without a question.
    pub(super) fn end_session(&self, request: &Url) -> Reply {
        let of = |name: &str| {
            let mut query = request.query_pairs();
            query
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let Some(mut back) = of("post_logout_redirect_uri").and_then(|uri| Url::parse(&uri).ok()) else {
            return Reply::json(200, json!({}));
        };
        if let Some(state) = of("state") {
            back.query_pairs_mut().append_pair("state", &state);
        }
        Reply::redirect(back.into())
    }
}
