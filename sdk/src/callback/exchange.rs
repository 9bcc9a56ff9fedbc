//! Tokens for a code or a refresh token (RFC 6749 sections 4.1.3 and 6).

use std::borrow::Cow;
use std::time::SystemTime;

use oauth2::TokenResponse as _;
use oauth2::basic::BasicTokenType;

use crate::client::endpoint::{Form, read};
use crate::client::{Client, Metadata, TokenResponse};
use crate::dpop::DpopKey;
use crate::error::ExchangeError;
use crate::secret::Secret;
use crate::session::TokenSet;
use crate::sign_in::PendingSignIn;

/// Tokens whose ID token nobody has looked at yet.
pub(crate) struct Exchanged {
    pub(crate) tokens: TokenSet,
    pub(crate) id_token: Option<Secret>,
}

/// Exchanges the code, with the verifier that only this application has.
///
/// Without a resource: an access token is for one (RFC 8707 section 2.2), and this one is the provider's own, for
/// userinfo.
pub(crate) async fn code(
    client: &Client,
    metadata: &Metadata,
    code: String,
    pending: &PendingSignIn,
    binding: Option<&DpopKey>,
) -> Result<Exchanged, ExchangeError> {
    let form = vec![
        ("grant_type", Cow::Borrowed("authorization_code")),
        ("code", Cow::Owned(code)),
        ("redirect_uri", Cow::Borrowed(pending.redirect_uri.as_str())),
        ("code_verifier", Cow::Borrowed(pending.verifier.expose())),
    ];
    ask(client, metadata, &form, binding).await
}

/// Exchanges the refresh token for new tokens: for `resource`, for Logto's `organization`, for both, or for the provider
/// itself.
pub(crate) async fn refresh(
    client: &Client,
    metadata: &Metadata,
    refresh_token: &str,
    resource: Option<&str>,
    organization: Option<&str>,
    binding: Option<&DpopKey>,
) -> Result<Exchanged, ExchangeError> {
    let mut form = vec![
        ("grant_type", Cow::Borrowed("refresh_token")),
        ("refresh_token", Cow::Borrowed(refresh_token)),
    ];
    form.extend(resource.map(|resource| ("resource", Cow::Borrowed(resource))));
    form.extend(organization.map(|organization| ("organization_id", Cow::Borrowed(organization))));
    ask(client, metadata, &form, binding).await
}

/// Asks the token endpoint. Where a proof is sent the tokens must be bound to its key.
pub(crate) async fn ask(
    client: &Client,
    metadata: &Metadata,
    form: &Form<'_>,
    binding: Option<&DpopKey>,
) -> Result<Exchanged, ExchangeError> {
    let answer = client
        .post(metadata, &metadata.token_endpoint, form, binding)
        .await?;
    exchanged(&read(&answer)?, binding.is_some(), client.now())
}

fn exchanged(response: &TokenResponse, bound: bool, now: SystemTime) -> Result<Exchanged, ExchangeError> {
    // RFC 6749 section 7.1: a client doesn't use a token whose type it doesn't know.
    match (response.token_type(), bound) {
        (BasicTokenType::Bearer, false) => {}
        (BasicTokenType::Extension(name), true) if name.eq_ignore_ascii_case("dpop") => {}
        (_, false) => return Err(ExchangeError::NotBearer),
        (_, true) => return Err(ExchangeError::NotBound),
    }
    let tokens = TokenSet {
        access_token: Secret::new(response.access_token().secret().as_str()),
        refresh_token: response
            .refresh_token()
            .map(|token| Secret::new(token.secret().as_str())),
        expires_at: response.expires_in().and_then(|life| now.checked_add(life)),
        scopes: response
            .scopes()
            .map(|scopes| scopes.iter().map(|scope| scope.as_str().to_owned()).collect()),
    };
    Ok(Exchanged {
        tokens,
        id_token: response.extra_fields().id_token.clone(),
    })
}
