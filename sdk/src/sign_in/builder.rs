//! What an application may ask for.

use std::time::Duration;

use super::entry::Entry;
use super::{DirectSignIn, FirstScreen, Identifier, Prompt, SignIn};
use crate::client::Client;
#[cfg(feature = "loopback")]
use crate::device::DeviceSignIn;
use crate::error::Error;
use crate::secret::Secret;

/// Builds an authorization request. [`Client::sign_in`] and [`Client::forgot_password`] make one.
#[derive(Clone)]
#[must_use = "nothing happens before `start`"]
pub struct SignInBuilder {
    pub(super) client: Client,
    pub(super) first_screen: Option<FirstScreen>,
    pub(super) identifiers: Vec<Identifier>,
    pub(super) login_hint: Option<String>,
    pub(super) ui_locales: Vec<String>,
    pub(super) prompts: Vec<Prompt>,
    pub(super) max_age: Option<Duration>,
    pub(super) direct_sign_in: Option<DirectSignIn>,
    pub(super) one_time_token: Option<Secret>,
    pub(super) organization_id: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) reserved_scopes: bool,
    pub(super) resources: Vec<String>,
    pub(super) extra: Vec<(String, String)>,
    pub(super) return_path: Option<String>,
    pub(super) form_post: bool,
}

impl SignInBuilder {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            scopes: client.default_scopes().to_vec(),
            resources: client.default_resources().to_vec(),
            reserved_scopes: client.has_reserved_scopes(),
            client,
            first_screen: None,
            identifiers: Vec::new(),
            login_hint: None,
            ui_locales: Vec::new(),
            prompts: Vec::new(),
            max_age: None,
            direct_sign_in: None,
            one_time_token: None,
            organization_id: None,
            extra: Vec::new(),
            return_path: None,
            form_post: false,
        }
    }

    #[cfg(feature = "loopback")]
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The same client and scopes, by a code that the person types elsewhere (RFC 8628).
    #[cfg(feature = "loopback")]
    pub(crate) async fn begin_on_device(&self) -> Result<DeviceSignIn, Error> {
        self.client.begin_device(&self.scopes, self.reserved_scopes).await
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

    /// The e-mail address, phone number or user name to fill in beforehand. An empty one is left out.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.login_hint = Some(hint.into()).filter(|hint| !hint.is_empty());
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

    /// Goes to a social or enterprise connector at once, past the first screen (`direct_sign_in`, Logto's).
    pub fn direct_sign_in(mut self, way: DirectSignIn) -> Self {
        self.direct_sign_in = Some(way);
        self
    }

    /// A one-time token of Logto's or Keyback's, which proves the address of [`login_hint`](Self::login_hint): give that in
    /// the very spelling that the token was made for. At Logto, being opened uses it up, so it belongs into the redirect that
    /// follows a click, not into a link that mail scanners open. Keyback takes it for a reset alone, by a button of its page.
    pub fn one_time_token(mut self, token: impl Into<String>) -> Self {
        self.one_time_token = Some(Secret::new(token));
        self
    }

    /// The organization whose branding the pages have (`organization_id`, Logto's). An access token for an organization
    /// is asked for by [`SignedIn::organization_token`](crate::SignedIn::organization_token).
    pub fn organization_id(mut self, organization: impl Into<String>) -> Self {
        self.organization_id = Some(organization.into());
        self
    }

    /// Adds a scope to those of the client ([`ClientBuilder::scope`](crate::ClientBuilder::scope)). `openid` is always
    /// there.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        let scope = scope.into();
        if !self.scopes.contains(&scope) {
            self.scopes.push(scope);
        }
        self
    }

    /// This sign-in has neither `offline_access` nor `profile` by itself: no refresh token, and no consent prompt for it.
    /// For all of a client see [`ClientBuilder::without_reserved_scopes`](crate::ClientBuilder::without_reserved_scopes).
    pub fn without_reserved_scopes(mut self) -> Self {
        self.reserved_scopes = false;
        self
    }

    /// Adds an API that this application wants to call for the person (RFC 8707). Call it once for each.
    ///
    /// The access token of the sign-in is not for it, but for the provider: for [`Client::user_info`]. One for the API
    /// comes from [`Client::access_token_for`], which needs the scope `offline_access`. Scopes of the API are asked for
    /// here, by [`scope`](Self::scope).
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        let resource = resource.into();
        if !self.resources.contains(&resource) {
            self.resources.push(resource);
        }
        self
    }

    /// Adds a parameter that this crate has no method for, such as `acr_values`. Names of the protocol
    /// are refused by [`start`](Self::start).
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra.push((name.into(), value.into()));
        self
    }

    /// Where to go in this site after the sign-in. It may come straight from a query parameter:
    /// [`start`](Self::start) refuses everything but a path of this site, by [`ReturnPath::parse`](crate::ReturnPath::parse).
    pub fn return_path(mut self, path: impl Into<String>) -> Self {
        self.return_path = Some(path.into());
        self
    }

    /// Builds the authorization request, after fetching the provider's metadata where it is not yet known.
    ///
    /// # Errors
    ///
    /// [`SignInError`](crate::SignInError) for wrong arguments and for a reset at a provider that has no entry to one,
    /// [`DiscoveryError`](crate::DiscoveryError) while the provider is out of reach, [`EndpointError`](crate::EndpointError) for
    /// a request that had to be pushed and could not be.
    pub async fn start(self) -> Result<SignIn, Error> {
        let request = self.checked()?;
        let client = self.client.clone();
        let metadata = client.metadata().await?;
        let entry = self.entry(&metadata)?;
        let SignIn { url, pending } = self.build(&metadata, request, &entry)?;
        let url = match &entry {
            Entry::Elsewhere(_) => url,
            _ => client.pushed(&metadata, url).await?,
        };
        Ok(SignIn {
            url: entry.lead(url),
            pending,
        })
    }
}
