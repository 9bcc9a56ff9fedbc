//! Tokens for a code or a refresh token (RFC 6749 sections 4.1.3 and 6).

use std::borrow::Cow;
use std::pin::Pin;
use std::time::SystemTime;

use bytes::Bytes;
use oauth2::basic::{BasicErrorResponse, BasicErrorResponseType, BasicTokenType};
use oauth2::{
    AsyncHttpClient, AuthorizationCode, HttpRequest, HttpResponse, RefreshToken, RequestTokenError,
    TokenResponse as _,
};

use crate::client::{Client, Metadata, TokenResponse};
use crate::error::{ExchangeError, ProviderError};
use crate::secret::Secret;
use crate::session::TokenSet;
use crate::sign_in::PendingSignIn;
use crate::transport::{HttpTransport, TransportError, send};

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
) -> Result<Exchanged, ExchangeError> {
    let endpoints = client.oauth2(metadata);
    let http = TokenEndpoint(client.http());
    let response = endpoints
        .exchange_code(AuthorizationCode::new(code))
        .set_redirect_uri(Cow::Borrowed(&pending.redirect_uri))
        .set_pkce_verifier(pending.verifier.to_oauth2())
        .request_async(&http)
        .await
        .map_err(translate)?;
    exchanged(&response, client.now())
}

/// Exchanges the refresh token for new tokens: for `resource`, for Logto's `organization`, for both, or for the provider
/// itself.
pub(crate) async fn refresh(
    client: &Client,
    metadata: &Metadata,
    refresh_token: &str,
    resource: Option<&str>,
    organization: Option<&str>,
) -> Result<Exchanged, ExchangeError> {
    let endpoints = client.oauth2(metadata);
    let http = TokenEndpoint(client.http());
    let refresh_token = RefreshToken::new(refresh_token.to_owned());
    let mut request = endpoints.exchange_refresh_token(&refresh_token);
    if let Some(resource) = resource {
        request = request.add_extra_param("resource", resource);
    }
    if let Some(organization) = organization {
        request = request.add_extra_param("organization_id", organization);
    }
    let response = request.request_async(&http).await.map_err(translate)?;
    exchanged(&response, client.now())
}

fn exchanged(response: &TokenResponse, now: SystemTime) -> Result<Exchanged, ExchangeError> {
    if *response.token_type() != BasicTokenType::Bearer {
        return Err(ExchangeError::NotBearer);
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

/// Our port as oauth2 wants it. The future is boxed, because otherwise it is `Send` for one lifetime only, and a
/// handler that awaits it is refused by `tokio::spawn`.
struct TokenEndpoint<'t>(&'t dyn HttpTransport);

impl<'c> AsyncHttpClient<'c> for TokenEndpoint<'_> {
    type Error = SendError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, SendError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(post(self.0, request))
    }
}

/// What can go wrong below oauth2.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("status {0}")]
    Unavailable(u16),
}

async fn post(transport: &dyn HttpTransport, request: HttpRequest) -> Result<HttpResponse, SendError> {
    let (head, body) = request.into_parts();
    let answer = send(transport, http::Request::from_parts(head, Bytes::from(body))).await?;
    // A broken or overloaded provider has no OAuth error to tell.
    if answer.status.is_server_error() || answer.status == http::StatusCode::TOO_MANY_REQUESTS {
        return Err(SendError::Unavailable(answer.status.as_u16()));
    }
    let mut response = HttpResponse::new(answer.body.to_vec());
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    Ok(response)
}

fn translate(error: RequestTokenError<SendError, BasicErrorResponse>) -> ExchangeError {
    match error {
        RequestTokenError::Request(SendError::Transport(error)) => ExchangeError::Unreachable(error),
        RequestTokenError::Request(SendError::Unavailable(status)) => ExchangeError::Unavailable { status },
        RequestTokenError::ServerResponse(response) => match response.error() {
            BasicErrorResponseType::InvalidGrant => ExchangeError::InvalidGrant,
            BasicErrorResponseType::InvalidClient => ExchangeError::InvalidClient,
            other => ExchangeError::Refused(ProviderError::new(
                other.as_ref(),
                response.error_description().map(String::as_str),
            )),
        },
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => ExchangeError::Malformed,
    }
}
