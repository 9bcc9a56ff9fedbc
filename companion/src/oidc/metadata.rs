//! Discovery: OIDC Discovery 1.0 section 3 and RFC 8414 section 2, one document for both.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{self, HeaderMap, Method};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::Full;
use serde_json::{Value, json};

use super::authorize::{first_screen, prompt, response_mode};
use super::registry::Registry;
use super::{Inner, Provider, acr, claims, client_auth, scope, token};

/// What the provider can do.
pub(super) fn document(issuer: &str, registry: &Registry) -> Value {
    let mut scopes: Vec<&str> = scope::STANDARD.to_vec();
    scopes.extend(
        registry
            .resources()
            .flat_map(|resource| resource.scopes.iter().map(String::as_str)),
    );
    scopes[scope::STANDARD.len()..].sort_unstable();
    scopes.dedup();
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "pushed_authorization_request_endpoint": format!("{issuer}/request"),
        "require_pushed_authorization_requests": false,
        "device_authorization_endpoint": format!("{issuer}/device/auth"),
        "userinfo_endpoint": format!("{issuer}/me"),
        "jwks_uri": format!("{issuer}/jwks"),
        "revocation_endpoint": format!("{issuer}/token/revocation"),
        "introspection_endpoint": format!("{issuer}/token/introspection"),
        "end_session_endpoint": format!("{issuer}/session/end"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": response_mode::SUPPORTED,
        "grant_types_supported": token::GRANT_TYPES,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES384", "RS256"],
        "token_endpoint_auth_methods_supported": client_auth::METHODS,
        "token_endpoint_auth_signing_alg_values_supported": client_auth::SIGNING_ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": client_auth::METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": client_auth::SIGNING_ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": client_auth::CONFIDENTIAL_METHODS,
        "introspection_endpoint_auth_signing_alg_values_supported": client_auth::SIGNING_ALGORITHMS,
        "code_challenge_methods_supported": ["S256"],
        "claim_types_supported": ["normal"],
        "claims_supported": claims::supported(),
        "acr_values_supported": acr::SUPPORTED,
        // No "popup": the pages are cut off from whoever opened their window (Cross-Origin-Opener-Policy).
        "display_values_supported": ["page", "touch"],
        "ui_locales_supported": ["en"],
        "prompt_values_supported": prompt::SUPPORTED,
        "first_screen_values_supported": first_screen::supported(),
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "claims_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    })
}

/// Where the documents are published: discovery by both specifications, and the key set (RFC 7517 5).
pub(super) const PATHS: [&str; 3] = [
    "/oidc/.well-known/openid-configuration",
    "/oidc/.well-known/oauth-authorization-server",
    KEY_SET,
];
const KEY_SET: &str = "/oidc/jwks";

pub(super) async fn get(State(provider): State<Provider>, request: Request) -> Response {
    let inner = &*provider.0;
    let document = if request.uri().path() == KEY_SET {
        let ring = inner.keys.ring(inner.clock.now()).await;
        ring.document().answer(request.headers())
    } else {
        inner.metadata.answer(request.headers())
    };
    document.map(Body::new)
}

/// The answer to a GET of one of the paths, where it is in memory; nothing to all else.
pub(super) fn published(
    inner: &Inner,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Option<http::Response<Full<Bytes>>> {
    if method != Method::GET || !PATHS.contains(&path) {
        None
    } else if path == KEY_SET {
        let ring = inner.keys.known(inner.clock.now())?;
        Some(ring.document().answer(headers))
    } else {
        Some(inner.metadata.answer(headers))
    }
}
