//! The modules of the Basic OP plan, each by its name there; with `response_mode=form_post` they are the Form Post
//! OP plan. Every test runs in both modes.

use std::time::Duration;

use keyback_tests::{ADA, OLD_PASSWORD};
use url::Url;

use super::person;
use super::relying_party::{Mode, Suite};

pub(super) const BOTH: [Mode; 2] = [Mode::Query, Mode::FormPost];

/// `oidcc-server` (OIDC Core 3.1): a sign-in, its tokens, and userinfo.
#[tokio::test]
async fn oidc_core_3_1_server() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        let tokens = suite.sign_in(&[]).await;
        assert!(
            tokens["token_type"]
                .as_str()
                .unwrap()
                .eq_ignore_ascii_case("bearer")
        );
        assert!(tokens["expires_in"].as_u64().unwrap() > 0);
        assert!(tokens.get("refresh_token").is_none());
        let claims = suite.id_token(&tokens).await;
        assert_eq!(claims["nonce"], "nonce-of-the-suite");
        let (status, info) = suite.user_info(tokens["access_token"].as_str().unwrap()).await;
        assert_eq!((status, &info["sub"]), (200, &claims["sub"]));
    }
}

/// `oidcc-response-type-missing` (RFC 6749 3.1.1, 4.1.2.1).
#[tokio::test]
async fn rfc6749_3_1_1_response_type_missing() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        let answer = suite.authorize_silently(&[("response_type", "")]).await;
        assert_eq!(answer["error"], "invalid_request");
        assert!(answer.contains_key("state"));
    }
}

/// `oidcc-userinfo-get`, `-post-header`, `-post-body` (OIDC Core 5.3.1, RFC 6750 2).
#[tokio::test]
async fn oidc_core_5_3_1_userinfo_by_get_and_post() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        let tokens = suite.sign_in(&[]).await;
        let access_token = tokens["access_token"].as_str().unwrap();
        let (status, by_get) = suite.user_info(access_token).await;
        assert_eq!(status, 200);
        assert_eq!(suite.user_info_by_post(access_token).await, (200, by_get.clone()));
        let in_body = suite.post("me", &[("access_token", access_token)], false).await;
        assert_eq!(in_body, (200, by_get));
    }
}

/// `oidcc-ensure-request-without-nonce-succeeds-for-code-flow` (OIDC Core 3.1.2.1).
#[tokio::test]
async fn oidc_core_3_1_2_1_a_code_request_needs_no_nonce() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        let tokens = suite.sign_in(&[("nonce", "")]).await;
        assert!(suite.id_token(&tokens).await.get("nonce").is_none());
    }
}

/// `oidcc-scope-profile`, `-email`, `-address`, `-phone`, `-all` (OIDC Core 5.4): every claim of a scope is there, and no
/// other.
#[tokio::test]
async fn oidc_core_5_4_a_scope_asks_for_its_claims() {
    let plans: [(&str, &[&[&str]]); 5] = [
        ("openid profile", &[&person::PROFILE]),
        ("openid email", &[&person::EMAIL]),
        ("openid address", &[&person::ADDRESS]),
        ("openid phone", &[&person::PHONE]),
        (
            "openid profile email address phone",
            &[&person::PROFILE, &person::EMAIL, &person::ADDRESS, &person::PHONE],
        ),
    ];
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        for (scope, claims) in plans {
            let tokens = suite.sign_in(&[("scope", scope)]).await;
            let (status, info) = suite.user_info(tokens["access_token"].as_str().unwrap()).await;
            assert_eq!(status, 200);
            let expected: Vec<&str> = claims.concat();
            for claim in &expected {
                assert!(!info[claim].is_null(), "{claim} is missing for {scope}: {info}");
            }
            let standard = [
                &person::PROFILE[..],
                &person::EMAIL,
                &person::ADDRESS,
                &person::PHONE,
            ]
            .concat();
            for claim in standard.iter().filter(|claim| !expected.contains(claim)) {
                assert!(info.get(claim).is_none(), "{claim} came for {scope}");
            }
            person::check_types(&info);
        }
    }
}

/// `oidcc-alternate-happy-flow` (RFC 6749 3.1, 3.3): neither the order of the parameters nor that of the scopes means
/// anything.
#[tokio::test]
async fn rfc6749_3_3_no_order_means_anything() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        let mut parameters = suite.request(&[("scope", "email openid")]);
        parameters.reverse();
        let names: Vec<_> = parameters.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((names[0], names.last()), ("scope", Some(&"client_id")));
        let mut url = Url::parse(&format!("{}/auth", suite.issuer())).unwrap();
        url.query_pairs_mut().extend_pairs(parameters);
        suite.browser.open(url.as_str()).await;
        suite.browser.assert_at("/sign-in");
        suite.browser.sign_in(ADA, OLD_PASSWORD).await;
        let tokens = suite.tokens(&suite.answer()["code"]).await;
        assert_eq!(suite.id_token(&tokens).await["nonce"], "nonce-of-the-suite");
        let (_, info) = suite.user_info(tokens["access_token"].as_str().unwrap()).await;
        assert_eq!((&info["email"], info.get("name")), (&ADA.into(), None));
    }
}

/// `oidcc-display-page`, `-popup`; `oidcc-login-hint`; `oidcc-ui-locales`; `oidcc-claims-locales`;
/// `oidcc-ensure-request-with-acr-values-succeeds`; `oidcc-ensure-request-with-unknown-parameter-succeeds`
/// (OIDC Core 3.1.2.1): parameters that may be ignored do no harm.
#[tokio::test]
async fn oidc_core_3_1_2_1_voluntary_parameters_do_no_harm() {
    for mode in BOTH {
        for voluntary in [
            ("display", "page"),
            ("display", "popup"),
            ("display", "touch"),
            ("display", "wap"),
            ("login_hint", "ada@example.com"),
            ("login_hint", "buffy@client.example.net"),
            ("ui_locales", "se de-CH en"),
            ("claims_locales", "se"),
            ("acr_values", "1 2"),
            ("acr_values", "0"),
            ("extra", "foobar"),
        ] {
            let mut suite = Suite::start(mode).await;
            let tokens = suite.sign_in(&[voluntary]).await;
            let claims = suite.id_token(&tokens).await;
            // The one that discovery advertises, whichever is asked for.
            assert_eq!(claims["acr"], "0", "{voluntary:?}");
        }
    }
}

/// `oidcc-prompt-login` (OIDC Core 3.1.2.1): the person is asked again, and `auth_time` tells.
#[tokio::test]
async fn oidc_core_3_1_2_1_prompt_login_asks_again() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        let tokens = suite.sign_in(&[]).await;
        let first = suite.id_token(&tokens).await;
        suite.app.advance(Duration::from_secs(5));
        suite.begin(&[("prompt", "login")]).await;
        suite.browser.assert_at("/sign-in");
        suite.browser.sign_in(ADA, OLD_PASSWORD).await;
        let code = suite.answer()["code"].clone();
        let second = suite.tokens(&code).await;
        let second = suite.id_token(&second).await;
        assert_eq!(first["sub"], second["sub"]);
        assert!(second["auth_time"].as_u64() > first["auth_time"].as_u64());
    }
}

/// `oidcc-prompt-none-not-logged-in`, `oidcc-prompt-none-logged-in` (OIDC Core 3.1.2.6).
#[tokio::test]
async fn oidc_core_3_1_2_6_prompt_none_shows_no_page() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        let answer = suite.authorize_silently(&[("prompt", "none")]).await;
        assert_eq!(answer["error"], "login_required");
        assert!(!answer.contains_key("code"));
        let tokens = suite.sign_in(&[]).await;
        let first = suite.id_token(&tokens).await;
        let answer = suite.authorize_silently(&[("prompt", "none")]).await;
        let again = suite.tokens(&answer["code"]).await;
        let again = suite.id_token(&again).await;
        for claim in ["sub", "auth_time", "sid"] {
            assert_eq!(first[claim], again[claim], "{claim}");
        }
    }
}

/// `oidcc-max-age-1`, `oidcc-max-age-10000` (OIDC Core 3.1.2.1).
#[tokio::test]
async fn oidc_core_3_1_2_1_max_age() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        let tokens = suite.sign_in(&[]).await;
        let first = suite.id_token(&tokens).await;
        suite.app.advance(Duration::from_secs(2));
        let answer = suite.authorize_silently(&[("max_age", "10000")]).await;
        let same = suite.tokens(&answer["code"]).await;
        assert_eq!(suite.id_token(&same).await["auth_time"], first["auth_time"]);
        suite.begin(&[("max_age", "1")]).await;
        suite.browser.assert_at("/sign-in");
        suite.browser.sign_in(ADA, OLD_PASSWORD).await;
        let code = suite.answer()["code"].clone();
        let again = suite.tokens(&code).await;
        let again = suite.id_token(&again).await;
        assert!(again["auth_time"].as_u64() > first["auth_time"].as_u64());
    }
}

/// `oidcc-id-token-hint` (OIDC Core 3.1.2.1).
#[tokio::test]
async fn oidc_core_3_1_2_1_id_token_hint_with_prompt_none() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        let tokens = suite.sign_in(&[]).await;
        let hint = tokens["id_token"].as_str().unwrap();
        // A hint may be old: past its `exp` it names the person all the same.
        suite.app.advance(Duration::from_secs(2 * 3600));
        let answer = suite
            .authorize_silently(&[("prompt", "none"), ("id_token_hint", hint)])
            .await;
        let again = suite.tokens(&answer["code"]).await;
        let (first, again) = (suite.verified(hint, "JWT").await, suite.id_token(&again).await);
        assert_eq!(first["sub"], again["sub"]);
    }
}

/// `oidcc-ensure-registered-redirect-uri` (OIDC Core 3.1.2.1, RFC 6749 4.1.2.1): a page, and no way to the stranger.
#[tokio::test]
async fn rfc6749_4_1_2_1_an_unregistered_redirect_uri_gets_a_page() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        let longer = format!("{}/more", suite.callback());
        for bad in ["https://evil.example/callback", &longer] {
            let page = suite.begin(&[("redirect_uri", bad)]).await;
            assert_eq!((page.status, page.url.path()), (400, "/oidc/auth"));
            assert!(!page.body.contains("evil.example"), "{}", page.body);
            assert!(page.forms().is_empty());
        }
    }
}

/// `oidcc-ensure-request-object-with-redirect-uri` (OIDC Core 6.1, RFC 6749 4.1.2.1): the address in the query is not
/// registered, and the one in the request object is. It is not gone by: a page.
#[tokio::test]
async fn oidc_core_6_1_the_redirect_uri_of_a_request_object_is_not_gone_by() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        let object = suite.request_object(&[]);
        let parameters = [
            ("request", object.as_str()),
            ("redirect_uri", "https://evil.example/callback"),
        ];
        let page = suite.begin(&parameters).await;
        assert_eq!((page.status, page.url.path()), (400, "/oidc/auth"));
        assert!(!page.body.contains("evil.example"), "{}", page.body);
        assert!(page.forms().is_empty());
    }
}

/// `oidcc-ensure-post-request-succeeds` (OIDC Core 3.1.2.1): the request may be a form.
#[tokio::test]
async fn oidc_core_3_1_2_1_the_request_may_be_posted() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        // The suite's form stands on a page of its own, hence of another site.
        suite.browser.open(&suite.app.site.at("/")).await;
        let form = suite.browser.page().forms().into_iter().next();
        assert!(form.is_none(), "nobody is signed in at the shop");
        let url = Url::parse(&format!("{}/auth", suite.issuer())).unwrap();
        let fields = suite.request(&[]);
        suite.browser.post_from_here(&url, fields).await;
        suite.browser.assert_at("/sign-in");
        suite.browser.sign_in(ADA, OLD_PASSWORD).await;
        let code = suite.answer()["code"].clone();
        suite.tokens(&code).await;
    }
}

/// `oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported` (OIDC Core 3.1.2.6, 6.1, 6.2).
#[tokio::test]
async fn oidc_core_3_1_2_6_request_objects_are_refused_by_their_own_errors() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        // {"alg":"none"}.{}.
        for (name, value, error) in [
            ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
            (
                "request_uri",
                "https://client.example/request.jwt",
                "request_uri_not_supported",
            ),
            ("registration", "{}", "registration_not_supported"),
        ] {
            let answer = suite.authorize_silently(&[(name, value)]).await;
            assert_eq!(answer["error"], error);
            assert!(answer.contains_key("state"));
        }
        // As the plan sends it: how to answer, and with what state, stands in the object alone.
        let object = suite.request_object(&[("state", "of the object")]);
        let alone = [
            ("request", object.as_str()),
            ("state", ""),
            ("nonce", ""),
            ("response_mode", ""),
        ];
        let answer = suite.authorize_silently(&alone).await;
        assert_eq!(answer["error"], "request_not_supported");
        assert_eq!(answer["state"], "of the object");
        assert!(!answer.contains_key("code"));
    }
}

/// `oidcc-claims-essential` (OIDC Core 5.5): a claim asked for by name, at userinfo and in the ID token.
#[tokio::test]
async fn oidc_core_5_5_claims_asked_for_by_name() {
    for mode in BOTH {
        let mut suite = Suite::start(mode).await;
        let asked = r#"{"userinfo":{"name":{"essential":true}},"id_token":{"email":null,"auth_time":{"essential":true}}}"#;
        let tokens = suite.sign_in(&[("claims", asked)]).await;
        let (_, info) = suite.user_info(tokens["access_token"].as_str().unwrap()).await;
        assert_eq!(info["name"], person::NAME);
        assert!(info.get("email").is_none());
        let claims = suite.id_token(&tokens).await;
        assert_eq!(claims["email"], ADA);
        assert!(claims["auth_time"].is_u64());
    }
}
