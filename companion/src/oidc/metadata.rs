//! Discovery: OIDC Discovery 1.0 section 3 and RFC 8414 section 2, one document for both.

use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::authorize::{first_screen, prompt, response_mode};
use super::registry::Registry;
use super::{Provider, acr, claims, client_auth, scope, token};

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

pub(super) async fn get(State(provider): State<Provider>, request: Request) -> Response {
    provider.0.metadata.answer(request.headers())
}

/// The key set (RFC 7517 5).
pub(super) async fn get_keys(State(provider): State<Provider>, request: Request) -> Response {
    let inner = &provider.0;
    inner
        .keys
        .ring(inner.clock.now())
        .await
        .document()
        .answer(request.headers())
}
