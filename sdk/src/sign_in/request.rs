//! From what was asked for to the authorization request (OpenID Connect Core section 3.1.2.1).

use std::borrow::Cow;

use oauth2::{CsrfToken, Scope};

use super::entry::Entry;
use super::pkce::CodeVerifier;
use super::prompt::Prompts;
use super::{FirstScreen, PendingSignIn, Purpose, ReturnPath, SignIn, SignInBuilder, extra, scopes};
use crate::client::Metadata;
use crate::error::SignInError;
use crate::random;
use crate::resource::is_resource;

/// What the arguments amount to, once they are known to be right.
pub(super) struct Checked {
    purpose: Purpose,
    prompts: Prompts,
    return_path: ReturnPath,
}

impl SignInBuilder {
    /// Everything that can be refused without the provider is refused first.
    pub(super) fn checked(&self) -> Result<Checked, SignInError> {
        extra::check(&self.extra)?;
        if !self.scopes.iter().all(|scope| is_scope(scope)) {
            return Err(SignInError::Scope);
        }
        if !self.resources.iter().all(|resource| is_resource(resource)) {
            return Err(SignInError::Resource);
        }
        let purpose = match self.first_screen {
            Some(FirstScreen::ResetPassword) => Purpose::ResetPassword,
            _ => Purpose::SignIn,
        };
        Ok(Checked {
            purpose,
            prompts: Prompts::check(&self.prompts, purpose, self.client.provider())?,
            return_path: match &self.return_path {
                Some(path) => ReturnPath::parse(path)?,
                None => ReturnPath::default(),
            },
        })
    }

    pub(super) fn build(
        self,
        metadata: &Metadata,
        request: Checked,
        entry: &Entry,
    ) -> Result<SignIn, SignInError> {
        let response_mode = self.response_mode(metadata)?;
        let client = self.client;
        let begun_at = client.now();
        let pending = PendingSignIn {
            issuer: client.issuer().to_owned(),
            client_id: client.client_id().to_owned(),
            redirect_uri: client.redirect_uri_as_given().clone(),
            state: random::token(client.random())?,
            nonce: random::token(client.random())?,
            verifier: CodeVerifier::draw(),
            purpose: request.purpose,
            return_path: request.return_path,
            max_age: self.max_age,
            issuer_promised: metadata.authorization_response_iss_parameter_supported,
            form_post: self.form_post,
            begun_at,
            expires_at: begun_at + client.pending_lifetime(),
        };

        let scopes = scopes::requested(
            &self.scopes,
            self.reserved_scopes,
            metadata.scopes_supported.as_deref(),
        );
        let prompt = request.prompts.parameter(scopes::offline_access(&scopes));
        let resources = scopes::resources(self.resources, &scopes);
        let endpoints = client.oauth2(metadata);
        let mut url = endpoints
            .authorize_url(|| CsrfToken::new(pending.state.expose().to_owned()))
            .add_scopes(scopes.into_iter().map(Scope::new))
            .set_pkce_challenge(pending.verifier.challenge())
            .add_extra_param("nonce", pending.nonce.expose());
        let identifiers: Vec<&str> = self.identifiers.iter().map(|kind| kind.as_str()).collect();
        let optional: [(&'static str, Option<Cow<'_, str>>); 10] = [
            ("response_mode", response_mode.map(Cow::Borrowed)),
            ("first_screen", entry.first_screen().map(Cow::Borrowed)),
            (
                "identifier",
                (!identifiers.is_empty()).then(|| identifiers.join(" ").into()),
            ),
            ("prompt", prompt.map(Cow::Owned)),
            (
                "direct_sign_in",
                self.direct_sign_in.map(|way| way.spelling().into()),
            ),
            (
                "one_time_token",
                self.one_time_token.map(|token| token.expose().to_owned().into()),
            ),
            ("organization_id", self.organization_id.map(Cow::Owned)),
            ("login_hint", self.login_hint.map(Cow::Owned)),
            (
                "ui_locales",
                (!self.ui_locales.is_empty()).then(|| self.ui_locales.join(" ").into()),
            ),
            (
                "max_age",
                self.max_age.map(|age| age.as_secs().to_string().into()),
            ),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                url = url.add_extra_param(name, value);
            }
        }
        for resource in resources {
            url = url.add_extra_param("resource", resource);
        }
        for (name, value) in self.extra {
            url = url.add_extra_param(name, value);
        }
        let (url, _state) = url.url();
        Ok(SignIn { url, pending })
    }
}

/// RFC 6749 section 3.3: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
pub(crate) fn is_scope(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}
