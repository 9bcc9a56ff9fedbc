//! The authorization endpoint (OpenID Connect Core section 3.1.2). Nobody types anything: the test says who signs in.

use std::collections::HashMap;

use url::Url;

use super::{Misbehaviour, Person, Reply, TestProvider, TestkitError};

/// What a code stands for.
pub(super) struct Authorization {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) nonce: Option<String>,
    pub(super) scope: String,
    pub(super) resources: Vec<String>,
    pub(super) person: Person,
    pub(super) session_id: String,
    pub(super) issued_at: u64,
}

impl TestProvider {
    /// `person` follows the authorization request and signs in; the callback is what the browser is then sent to. Whether
    /// a reset came first makes no difference to it.
    ///
    /// # Errors
    ///
    /// [`TestkitError::Request`] for a request that a provider answers with an error page, such as one of an unknown client or
    /// one without PKCE.
    pub fn sign_in(&self, authorization_request: &Url, person: &Person) -> Result<Url, TestkitError> {
        let query: HashMap<String, String> = authorization_request.query_pairs().into_owned().collect();
        let of = |name: &str| query.get(name).cloned();
        let refused = TestkitError::Request;
        let client_id = of("client_id").ok_or(refused("no client_id"))?;
        let redirect_uri = of("redirect_uri").ok_or(refused("no redirect_uri"))?;
        let is_known = self
            .lock()
            .clients
            .get(&client_id)
            .is_some_and(|uris| uris.contains(&redirect_uri));
        if !is_known {
            return Err(refused("client and redirect URI are not registered"));
        }
        if of("response_type").as_deref() != Some("code") {
            return Err(refused("response_type is not code"));
        }
        if of("code_challenge_method").as_deref() != Some("S256") {
            return Err(refused("no PKCE with S256"));
        }
        let resources = authorization_request.query_pairs();
        let resources = resources.filter(|(name, _)| name == "resource");
        let authorization = Authorization {
            client_id,
            redirect_uri: redirect_uri.clone(),
            challenge: of("code_challenge").ok_or(refused("no code_challenge"))?,
            nonce: of("nonce"),
            scope: of("scope").unwrap_or_default(),
            resources: resources.map(|(_, resource)| resource.into_owned()).collect(),
            person: person.clone(),
            session_id: self.draw(),
            issued_at: self.seconds(),
        };
        let code = self.draw();
        let mut callback = Url::parse(&redirect_uri).map_err(|_| refused("redirect_uri is no URL"))?;
        self.write_answer(&mut callback, &code, of("state"));
        self.lock().codes.insert(code, authorization);
        Ok(callback)
    }

    fn write_answer(&self, callback: &mut Url, code: &str, state: Option<String>) {
        let mut query = callback.query_pairs_mut();
        if self.misbehaves(&Misbehaviour::AccessDenied) {
            query.append_pair("error", "access_denied");
        } else {
            query.append_pair("code", code);
        }
        if self.misbehaves(&Misbehaviour::ForeignState) {
            query.append_pair("state", &self.draw());
        } else if let Some(state) = state {
            query.append_pair("state", &state);
        }
        if self.misbehaves(&Misbehaviour::ForeignIssuerInCallback) {
            query.append_pair("iss", "https://another-provider.test/oidc");
        } else if !self.misbehaves(&Misbehaviour::NoIssuerInCallback) {
            query.append_pair("iss", self.issuer());
        }
    }

    /// Who is signed in when a browser comes to a provider that [listens](Self::listen).
    pub fn browser_is(&self, person: Person) {
        self.lock().browser = person;
    }

    pub(super) fn authorize(&self, request: &Url) -> Reply {
        let person = self.lock().browser.clone();
        match self.sign_in(request, &person) {
            Ok(callback) => Reply::redirect(callback.into()),
            Err(error) => Reply::error(400, &error.to_string()),
        }
    }
}
