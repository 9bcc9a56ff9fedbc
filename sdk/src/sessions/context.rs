//! All that a page may want to know, in one call.

use super::access_token::AccessToken;
use super::id::SessionId;
use super::{Sessions, SignedIn};
use crate::error::Error;
use crate::session::Claims;

/// What a [`Context`] is to have beside the claims. Nothing more by default, and then nothing is fetched.
#[derive(Clone, Debug, Default)]
pub struct ContextRequest {
    access_token: bool,
    resource: Option<String>,
    organization: Option<String>,
    user_info: bool,
}

impl ContextRequest {
    /// The claims of the ID token alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// And an access token for the provider.
    #[must_use]
    pub fn access_token(mut self) -> Self {
        self.access_token = true;
        self
    }

    /// And an access token for this API.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self.access_token()
    }

    /// And an access token for this organization.
    #[must_use]
    pub fn organization(mut self, organization: impl Into<String>) -> Self {
        self.organization = Some(organization.into());
        self.access_token()
    }

    /// And the claims of the userinfo endpoint.
    #[must_use]
    pub fn user_info(mut self) -> Self {
        self.user_info = true;
        self
    }
}

/// Who is there, and what was asked for besides.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Context {
    /// Whether somebody is signed in. If not, all else is `None`.
    pub is_authenticated: bool,
    /// The claims of the ID token.
    pub claims: Option<Claims>,
    /// The access token, with its scopes and its expiry.
    pub access_token: Option<AccessToken>,
    /// The claims of the userinfo endpoint.
    pub user_info: Option<Claims>,
}

impl Sessions {
    /// Who is there by this id, and all that `request` asks for, in one call. For nobody it is an empty context, not an
    /// error: with no id, and for a session that has ended.
    ///
    /// # Errors
    ///
    /// As [`SignedIn::access_token`] and [`SignedIn::user_info`], of a session that is live.
    pub async fn context(&self, id: Option<&SessionId>, request: &ContextRequest) -> Result<Context, Error> {
        let found = match id {
            Some(id) => self.find(id).await?,
            None => None,
        };
        let Some(signed_in) = found else {
            return Ok(Context::default());
        };
        match fill(&signed_in, request).await {
            // It ended while the request was under way.
            Err(Error::Session(error)) if error.is_end() => Ok(Context::default()),
            context => context,
        }
    }
}

async fn fill(signed_in: &SignedIn, request: &ContextRequest) -> Result<Context, Error> {
    let mut context = Context {
        is_authenticated: true,
        claims: Some(signed_in.claims().clone()),
        ..Context::default()
    };
    if request.access_token {
        let token = signed_in.access_token(request.resource.as_deref(), request.organization.as_deref());
        context.access_token = Some(token.await?);
    }
    if request.user_info {
        context.user_info = Some(signed_in.user_info().await?);
    }
    Ok(context)
}
