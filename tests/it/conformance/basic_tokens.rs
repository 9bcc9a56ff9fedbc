//! The modules of the Basic OP plan that are about the token endpoint, in both of its modes.

use std::time::Duration;

use serde_json::Value;

use super::basic::BOTH;
use super::relying_party::{CLIENT_ID, CLIENT_SECRET, Mode, Suite};

/// `oidcc-codereuse`, `oidcc-codereuse-30seconds` (RFC 6749 4.1.2): a second use revokes what the first gave.
#[tokio::test]
async fn rfc6749_4_1_2_a_code_is_good_once() {
    for mode in BOTH {
        for wait in [0, 30] {
            let mut suite = Suite::start(mode).await;
            let code = suite.authorize(&[]).await["code"].clone();
            let tokens = suite.tokens(&code).await;
            suite.app.advance(Duration::from_secs(wait));
            let (status, refused) = suite.exchange(&code).await;
            assert_eq!((status, refused["error"].as_str()), (400, Some("invalid_grant")));
            let access_token = tokens["access_token"].as_str().unwrap();
            assert_eq!(suite.user_info(access_token).await.0, 401);
        }
    }
}

/// `oidcc-server-client-secret-post` (OIDC Core 9).
#[tokio::test]
async fn oidc_core_9_client_secret_post() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        let code = suite.authorize(&[]).await["code"].clone();
        let callback = suite.callback();
        let mut form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &callback),
            ("client_id", CLIENT_ID),
            ("client_secret", "another-secret-of-the-conformance-client"),
        ];
        let (status, refused) = suite.post("token", &form, false).await;
        assert_eq!((status, refused["error"].as_str()), (401, Some("invalid_client")));
        form[4].1 = CLIENT_SECRET;
        let (status, tokens) = suite.post("token", &form, false).await;
        assert_eq!(status, 200, "{tokens}");
    }
}

/// `oidcc-refresh-token` (OIDC Core 11, 12): `offline_access` gives a refresh token, and that a new ID token of the
/// same person and sign-in.
#[tokio::test]
async fn oidc_core_12_refresh() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        let tokens = suite
            .sign_in(&[("scope", "openid offline_access"), ("prompt", "consent")])
            .await;
        let first = suite.id_token(&tokens).await;
        suite.app.advance(Duration::from_secs(60));
        let refresh_token = tokens["refresh_token"].as_str().unwrap();
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        let (status, renewed) = suite.token(&form).await;
        assert_eq!(status, 200, "{renewed}");
        let second = suite.id_token(&renewed).await;
        for claim in ["iss", "sub", "aud", "auth_time"] {
            assert_eq!(first[claim], second[claim], "{claim}");
        }
        assert!(second["iat"].as_u64() > first["iat"].as_u64());
        // OIDC Core 12.2: it should have no nonce, and if it has one, the same.
        assert!(second.get("nonce").is_none_or(|nonce| *nonce == first["nonce"]));
        // A refresh token of one client is nothing to another.
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", renewed["refresh_token"].as_str().unwrap()),
            ("client_id", "shop"),
            ("client_secret", keyback_tests::APP_SECRET),
        ];
        let (status, refused) = suite.post("token", &form, false).await;
        assert_eq!((status, refused["error"].as_str()), (400, Some("invalid_grant")));
    }
}

/// `oidcc-ensure-request-with-valid-pkce-succeeds` (RFC 7636 4, appendix B).
#[tokio::test]
async fn rfc7636_4_pkce() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        let challenge = [
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
        ];
        let callback = suite.callback();
        for (verifier, expected) in [
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", 200),
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl", 400),
        ] {
            let code = suite.authorize(&challenge).await["code"].clone();
            let form = [
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", &callback),
                ("code_verifier", verifier),
            ];
            let (status, answer) = suite.token(&form).await;
            assert_eq!(status, expected, "{answer}");
        }
    }
}

/// Every error that a plan provokes at the token endpoint has the form of RFC 6749 5.2. It never learns how a code
/// travelled, so this is no matter of a mode.
#[tokio::test]
async fn rfc6749_5_2_errors_of_the_token_endpoint() {
    let suite = Suite::start(Mode::Query).await;
    let callback = suite.callback();
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[], "invalid_request"),
        (&[("grant_type", "password")], "unsupported_grant_type"),
        (&[("grant_type", "authorization_code")], "invalid_request"),
        (
            &[
                ("grant_type", "authorization_code"),
                ("code", "made-up"),
                ("redirect_uri", &callback),
            ],
            "invalid_grant",
        ),
    ];
    for (form, error) in cases {
        let (status, body) = suite.token(form).await;
        assert_eq!((status, &body["error"]), (400, &Value::from(error)), "{form:?}");
    }
}
