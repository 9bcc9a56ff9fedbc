//! `client_credentials` (RFC 6749 4.4): a machine app gets an access token for itself. No person, hence no ID token, and
//! no refresh token (4.4.3): it can ask again.

use keyback_core::time::Timestamp;
use serde_json::json;

use super::super::Inner;
use super::super::error::{ErrorCode, Failure, ProtocolError};
use super::super::params::Params;
use super::super::registry::App;
use super::super::scope::Scopes;
use super::mint::TokenAnswer;
use super::target;
use crate::config::app::{IdTokenAlg, ResourceConfig};
use crate::secrets::{digest_of, random_id, random_token};
use crate::store::machine_tokens;
use crate::store::tokens::NewAccessToken;

pub(super) async fn exchange(
    inner: &Inner,
    app: &App,
    params: &Params,
) -> Result<TokenAnswer, ProtocolError> {
    let now = inner.clock.now();
    let resource = target::check(inner, params, &app.resources)?;
    let scopes = granted(params, resource.map_or(&app.scopes, |resource| &resource.scopes))?;
    let expires_at = now + inner.tokens.access_token.0;
    let token = match resource {
        None => random_token(&*inner.random),
        Some(resource) => jwt(inner, app, resource, &scopes, expires_at, now).await?,
    };
    let scope = scopes.to_string();
    let new = NewAccessToken {
        digest: &digest_of(&token),
        scope: &scope,
        resource: resource.map(|resource| resource.indicator.as_str()),
        expires_at,
    };
    machine_tokens::add(inner.store.writer(), &app.client_id, &new, now).await?;
    Ok(TokenAnswer::of_machine(token, scope, expires_at.since(now)))
}

/// What is asked for, all of which must be allowed: nobody is there to see that something is missing. Whoever asks for
/// nothing gets all of it (RFC 6749 3.3: the default is documented, in the reference of the configuration).
fn granted(params: &Params, allowed: &[String]) -> Result<Scopes, ProtocolError> {
    let Some(text) = params.one("scope") else {
        return Ok(Scopes::from(allowed.join(" ")));
    };
    let invalid = || {
        ProtocolError::new(
            ErrorCode::InvalidScope,
            "The scope holds more than this app, or the resource it asks for, has.",
        )
    };
    let asked = Scopes::parse(text).map_err(|_| invalid())?;
    if asked.iter().all(|scope| allowed.iter().any(|own| own == scope)) {
        Ok(asked)
    } else {
        Err(invalid())
    }
}

/// RFC 9068 2.2: without a person, the subject is the app.
async fn jwt(
    inner: &Inner,
    app: &App,
    resource: &ResourceConfig,
    scopes: &Scopes,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<String, Failure> {
    let mut claims = json!({
        "iss": inner.issuer,
        "sub": app.client_id,
        "aud": resource.indicator,
        "client_id": app.client_id,
        "exp": expires_at.as_secs(),
        "iat": now.as_secs(),
        "jti": random_id(&*inner.random),
    });
    if !scopes.is_empty() {
        claims["scope"] = scopes.to_string().into();
    }
    inner
        .keys
        .ring(now)
        .await
        .sign(IdTokenAlg::ES384, "at+jwt", &claims, now)
}
