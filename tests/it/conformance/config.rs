//! The modules of the Config OP plan: discovery and the keys.

use std::collections::HashSet;

use serde_json::Value;

use super::relying_party::{Mode, Suite};

fn list<'v>(document: &'v Value, name: &str) -> Vec<&'v str> {
    let values = document[name]
        .as_array()
        .unwrap_or_else(|| panic!("{name} is no list"));
    values.iter().map(|value| value.as_str().unwrap()).collect()
}

/// `oidcc-discovery-endpoint-verification` (OIDC Discovery 3, 4.3), and those of the plans for logout:
/// `oidcc-rp-initiated-logout-discovery-endpoint-verification` (RP-Initiated Logout 2.1) and
/// `oidcc-backchannel-logout-discovery-endpoint-verification` (Back-Channel Logout 2.1).
#[tokio::test]
async fn oidc_discovery_3_the_document_says_what_there_is() {
    let suite = Suite::start(Mode::Query).await;
    let document = suite.document("/.well-known/openid-configuration").await;
    let issuer = suite.issuer();
    assert_eq!(document["issuer"], issuer);
    for endpoint in [
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "revocation_endpoint",
        "introspection_endpoint",
        "end_session_endpoint",
        "pushed_authorization_request_endpoint",
        "device_authorization_endpoint",
    ] {
        let url = document[endpoint]
            .as_str()
            .unwrap_or_else(|| panic!("no {endpoint}"));
        assert!(url.starts_with(&format!("{issuer}/")), "{endpoint}: {url}");
    }
    let expected: [(&str, &[&str]); 12] = [
        ("response_types_supported", &["code"]),
        ("response_modes_supported", &["query", "form_post"]),
        (
            "grant_types_supported",
            &[
                "authorization_code",
                "refresh_token",
                "client_credentials",
                "urn:ietf:params:oauth:grant-type:device_code",
            ],
        ),
        ("subject_types_supported", &["public"]),
        // RS256 MUST be there (OIDC Discovery 3).
        ("id_token_signing_alg_values_supported", &["RS256", "ES384"]),
        (
            "token_endpoint_auth_methods_supported",
            &[
                "client_secret_basic",
                "client_secret_post",
                "private_key_jwt",
                "none",
            ],
        ),
        (
            "scopes_supported",
            &["openid", "profile", "email", "phone", "address", "offline_access"],
        ),
        ("code_challenge_methods_supported", &["S256"]),
        ("display_values_supported", &["page"]),
        ("claim_types_supported", &["normal"]),
        ("acr_values_supported", &["0"]),
        (
            "prompt_values_supported",
            &["none", "login", "consent", "select_account"],
        ),
    ];
    for (name, values) in expected {
        let has = list(&document, name);
        for value in values {
            assert!(has.contains(value), "{name} lacks {value}: {has:?}");
        }
    }
    assert!(
        !list(&document, "response_types_supported")
            .iter()
            .any(|one| one.contains("token"))
    );
    assert!(!list(&document, "id_token_signing_alg_values_supported").contains(&"none"));
    for claim in super::person::PROFILE {
        assert!(list(&document, "claims_supported").contains(&claim), "{claim}");
    }
    for flag in [
        "claims_parameter_supported",
        "authorization_response_iss_parameter_supported",
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
    ] {
        assert_eq!(document[flag], true, "{flag}");
    }
    // `request_uri_parameter_supported` is true where it is left out, so it must be there.
    for flag in ["request_parameter_supported", "request_uri_parameter_supported"] {
        assert_eq!(document[flag], false, "{flag}");
    }
    // RFC 8414 3: the same document for clients of OAuth alone.
    assert_eq!(
        suite.document("/.well-known/oauth-authorization-server").await,
        document
    );
}

/// `oidcc-discovery-jwks-uri-keys` (RFC 7517 4, 5; OIDC Core 10.1).
#[tokio::test]
async fn rfc7517_4_the_keys() {
    let suite = Suite::start(Mode::Query).await;
    let keys = suite.document("/jwks").await;
    let keys = keys["keys"].as_array().unwrap();
    let ids: HashSet<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), keys.len(), "a kid is there twice");
    for alg in ["RS256", "ES384"] {
        assert!(keys.iter().any(|key| key["alg"] == alg), "{alg}");
    }
    for key in keys {
        assert_eq!(key["use"], "sig");
        let public: &[&str] = match key["kty"].as_str().unwrap() {
            "RSA" => &["n", "e"],
            "EC" => &["crv", "x", "y"],
            other => panic!("{other}"),
        };
        assert!(public.iter().all(|member| key[member].is_string()));
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none(), "{private}");
        }
    }
}
