//! The request out: first screen, PKCE, state and nonce.

mod cookie;
mod extra;
mod first_screen;
mod pending;
mod pkce;
mod prompt;
mod return_path;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use oauth2::{CsrfToken, Scope};
use url::Url;

pub use self::cookie::CookieSealer;
pub use self::first_screen::{FirstScreen, Identifier, Purpose};
pub use self::pending::PendingSignIn;
pub use self::prompt::Prompt;
pub use self::return_path::{ReturnPath, ReturnPathError};

use self::pkce::CodeVerifier;
use crate::client::{Client, Metadata};
use crate::error::{Error, SignInError};
use crate::random;

/// A begun sign-in: where to send the browser, and what to keep until it comes back.
#[must_use = "the browser has to be redirected, and the pending sign-in kept"]
pub struct SignIn {
    /// The authorization request. Redirect the browser here with status 303.
    pub url: Url,
    /// What the callback is checked against.
    pub pending: PendingSignIn,
}

/// Without the URL, which holds state, nonce and whatever the person typed.
impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}

/// Builds an authorization request. [`Client::sign_in`] and [`Client::forgot_password`] make one.
#[derive(Clone)]
#[must_use = "nothing happens before `start`"]
pub struct SignInBuilder {
    client: Client,
    first_screen: Option<FirstScreen>,
    identifiers: Vec<Identifier>,
    login_hint: Option<String>,
    ui_locales: Vec<String>,
    prompts: Vec<Prompt>,
    max_age: Option<Duration>,
    scopes: Vec<String>,
    resources: Vec<String>,
    extra: Vec<(String, String)>,
    return_path: Option<String>,
}

impl SignInBuilder {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            first_screen: None,
            identifiers: Vec::new(),
            login_hint: None,
            ui_locales: Vec::new(),
            prompts: Vec::new(),
            max_age: None,
            scopes: vec!["openid".to_owned()],
            resources: Vec::new(),
            extra: Vec::new(),
            return_path: None,
        }
    }

    /// The page that the provider shows first. [`FirstScreen::ResetPassword`] makes this a reset request: the
    /// login prompt is forced, since a live session would skip the page.
    pub fn first_screen(mut self, screen: FirstScreen) -> Self {
        self.first_screen = Some(screen);
        self
    }

    /// Limits the first screen to a kind of identifier. Call it once for each kind.
    pub fn identifier(mut self, identifier: Identifier) -> Self {
        if !self.identifiers.contains(&identifier) {
            self.identifiers.push(identifier);
        }
        self
    }

    /// The e-mail address, phone number or user name to fill in beforehand.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.login_hint = Some(hint.into());
        self
    }

    /// The languages of the provider's pages, as BCP 47 tags, the preferred one first.
    pub fn ui_locales<I>(mut self, locales: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.ui_locales = locales.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a prompt. A reset request has the login prompt by itself, and `offline_access` that for consent.
    pub fn prompt(mut self, prompt: Prompt) -> Self {
        self.prompts.push(prompt);
        self
    }

    /// How long ago the person may have signed in at the provider. The ID token must then prove it by `auth_time`.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// Adds a scope. `openid` is always there.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        let scope = scope.into();
        if !self.scopes.contains(&scope) {
            self.scopes.push(scope);
        }
        self
    }

    /// Adds an API that the access token is for (RFC 8707).
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// Adds a parameter that this crate has no method for, such as `organization_id`. Names of the protocol
    /// are refused by [`start`](Self::start).
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra.push((name.into(), value.into()));
        self
    }

    /// Where to go in this site after the sign-in. It may come straight from a query parameter:
    /// [`start`](Self::start) refuses everything but a path of this site, by [`ReturnPath::parse`].
    pub fn return_path(mut self, path: impl Into<String>) -> Self {
        self.return_path = Some(path.into());
        self
    }

    /// Builds the authorization request, after fetching the provider's metadata where it is not yet known.
    ///
    /// # Errors
    ///
    /// [`SignInError`] for wrong arguments, [`DiscoveryError`](crate::DiscoveryError) while the provider is
    /// out of reach.
    pub async fn start(self) -> Result<SignIn, Error> {
        let request = self.checked()?;
        let metadata = self.client.metadata().await?;
        Ok(self.build(&metadata, request)?)
    }

    /// Everything that can be refused without the provider is refused first.
    fn checked(&self) -> Result<Checked, SignInError> {
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
        let offline_access = self.scopes.iter().any(|scope| scope == "offline_access");
        Ok(Checked {
            purpose,
            prompt: prompt::parameter(&self.prompts, purpose, self.client.provider(), offline_access)?,
            return_path: match &self.return_path {
                Some(path) => ReturnPath::parse(path)?,
                None => ReturnPath::default(),
            },
        })
    }

    fn build(self, metadata: &Metadata, request: Checked) -> Result<SignIn, SignInError> {
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
            resources: self.resources,
            max_age: self.max_age,
            issuer_promised: metadata.authorization_response_iss_parameter_supported,
            begun_at,
            expires_at: begun_at + client.pending_lifetime(),
        };

        let endpoints = client.oauth2(metadata);
        let mut url = endpoints
            .authorize_url(|| CsrfToken::new(pending.state.expose().to_owned()))
            .add_scopes(self.scopes.into_iter().map(Scope::new))
            .set_pkce_challenge(pending.verifier.challenge())
            .add_extra_param("nonce", pending.nonce.expose());
        let screen = self.first_screen.map(|screen| {
            screen.spelling(
                client.provider(),
                metadata.first_screen_values_supported.as_deref(),
            )
        });
        let identifiers: Vec<&str> = self.identifiers.iter().map(|kind| kind.as_str()).collect();
        let optional: [(&'static str, Option<Cow<'_, str>>); 6] = [
            ("first_screen", screen.map(Cow::Borrowed)),
            (
                "identifier",
                (!identifiers.is_empty()).then(|| identifiers.join(" ").into()),
            ),
            ("prompt", request.prompt.map(Cow::Owned)),
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
        for resource in &pending.resources {
            url = url.add_extra_param("resource", resource.as_str());
        }
        for (name, value) in self.extra {
            url = url.add_extra_param(name, value);
        }
        let (url, _state) = url.url();
        Ok(SignIn { url, pending })
    }
}

/// What the arguments amount to, once they are known to be right.
struct Checked {
    purpose: Purpose,
    prompt: Option<String>,
    return_path: ReturnPath,
}

/// RFC 6749 section 3.3: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
fn is_scope(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

/// RFC 8707 section 2: an absolute URI without a fragment.
fn is_resource(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.fragment().is_none())
}
