//! The way back at providers that have one, and the word of those that have none.

use std::collections::HashMap;

use keyback::{Client, ConfigError, Error, FirstScreen, Product, Provider, SignIn, SignInError, Url};
use serde_json::json;

use crate::provider::{CLIENT_ID, ISSUER, REDIRECT_URI, World};

fn world(provider: Provider, authorization_endpoint: &str) -> World {
    let world = World::with(|builder| builder.provider(provider));
    {
        let mut state = world.provider.lock();
        state.metadata["authorization_endpoint"] = json!(authorization_endpoint);
        let metadata = state.metadata.as_object_mut().unwrap();
        metadata.remove("first_screen_values_supported");
    }
    world
}

async fn reset(world: &World) -> SignIn {
    let reset = world.client.forgot_password().login_hint("ada@example.com");
    reset.start().await.unwrap()
}

async fn refused(world: &World) -> &'static str {
    match world.client.forgot_password().start().await.unwrap_err() {
        Error::SignIn(SignInError::NoResetEntry { nearest }) => nearest,
        other => panic!("{other}"),
    }
}

/// Every parameter that makes a request safe is there, and none that the provider doesn't know.
fn whole(begun: &SignIn, query: &str) -> HashMap<String, String> {
    let url = Url::parse(&format!("https://x.example/?{query}")).unwrap();
    let sent: HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(sent["client_id"], CLIENT_ID);
    assert_eq!(sent["redirect_uri"], REDIRECT_URI);
    assert_eq!(sent["response_type"], "code");
    assert_eq!(sent["code_challenge_method"], "S256");
    assert_eq!(sent["state"], begun.pending.state());
    assert!(
        sent.contains_key("nonce") && !sent.contains_key("first_screen"),
        "{sent:?}"
    );
    sent
}

/// Where the entry is a page of its own, the prompt would ask for what was just forgotten.
fn asks_for_the_password(sent: &HashMap<String, String>) -> bool {
    sent.get("prompt").is_some_and(|prompt| prompt.contains("login"))
}

#[tokio::test]
async fn keycloak_gets_the_request_at_forgot_credentials() {
    let realm = "https://id.example/realms/shop/protocol/openid-connect";
    let world = world(Provider::Keycloak, &format!("{realm}/auth"));
    let begun = reset(&world).await;
    assert!(
        begun
            .url
            .as_str()
            .starts_with(&format!("{realm}/forgot-credentials?"))
    );
    let sent = whole(&begun, begun.url.query().unwrap());
    assert!(!asks_for_the_password(&sent));
    let callback = world.provider.answer(&begun.url);
    world.client.finish(begun.pending, callback).await.unwrap();
    // An ordinary sign-in stays one.
    let begun = world.begin().await;
    assert!(begun.url.as_str().starts_with(&format!("{realm}/auth?")));
}

#[tokio::test]
async fn cognito_gets_the_request_at_its_forgot_password_page() {
    let world = world(Provider::Cognito, "https://id.example/oauth2/authorize");
    let begun = reset(&world).await;
    assert!(
        begun
            .url
            .as_str()
            .starts_with("https://id.example/forgotPassword?")
    );
    whole(&begun, begun.url.query().unwrap());
}

#[tokio::test]
async fn fusionauth_gets_the_request_at_its_forgot_page_with_the_tenant() {
    for (tenant_id, expected) in [(None, None), (Some("t-1".to_owned()), Some("t-1"))] {
        let world = world(
            Provider::FusionAuth { tenant_id },
            "https://id.example/oauth2/authorize",
        );
        let begun = reset(&world).await;
        assert!(
            begun
                .url
                .as_str()
                .starts_with("https://id.example/password/forgot?")
        );
        let sent = whole(&begun, begun.url.query().unwrap());
        assert_eq!(sent.get("tenantId").map(String::as_str), expected);
    }
}

#[tokio::test]
async fn authentik_gets_the_request_as_the_relative_next_of_its_recovery_flow() {
    let provider = Provider::Authentik {
        recovery_flow: "default-recovery-flow".to_owned(),
    };
    let world = world(provider, "https://id.example/application/o/authorize/");
    let begun = reset(&world).await;
    assert_eq!(begun.url.path(), "/if/flow/default-recovery-flow/");
    let pairs: Vec<(String, String)> = begun.url.query_pairs().into_owned().collect();
    let [(name, next)] = pairs.as_slice() else {
        panic!("{pairs:?}")
    };
    assert_eq!(name, "next");
    let query = next.strip_prefix("/application/o/authorize/?").unwrap();
    let sent = whole(&begun, query);
    assert!(
        !asks_for_the_password(&sent),
        "the flow has just signed the person in"
    );
}

#[tokio::test]
async fn kratos_leads_back_to_where_the_application_begins_a_sign_in() {
    let provider = Provider::OryKratos {
        public_url: Url::parse("https://kratos.example/auth/").unwrap(),
        return_to: Url::parse("https://app.example/sign-in").unwrap(),
    };
    let world = world(provider, "https://id.example/oauth2/auth");
    let begun = reset(&world).await;
    let expected = "https://kratos.example/auth/self-service/recovery/browser?return_to=https%3A%2F%2Fapp.example%2Fsign-in";
    assert_eq!(begun.url.as_str(), expected);
}

#[tokio::test]
async fn azure_ad_b2c_resets_at_the_client_of_the_reset_policy() {
    let provider = Provider::AzureAdB2c {
        reset_policy: "B2C_1_reset".to_owned(),
    };
    let endpoint =
        |policy: &str| format!("https://id.example/shop.onmicrosoft.com/{policy}/oauth2/v2.0/authorize");
    let resetting = world(provider.clone(), &endpoint("b2c_1_reset"));
    let begun = reset(&resetting).await;
    assert!(begun.url.as_str().starts_with(&endpoint("b2c_1_reset")));
    assert!(asks_for_the_password(&whole(&begun, begun.url.query().unwrap())));
    let nearest = refused(&world(provider, &endpoint("b2c_1_signin"))).await;
    assert!(nearest.contains("second client"), "{nearest}");
}

/// Fail closed: an address that was guessed leads people nowhere, or elsewhere.
#[tokio::test]
async fn an_endpoint_of_another_shape_is_not_guessed_at() {
    for provider in [
        Provider::Keycloak,
        Provider::Cognito,
        Provider::FusionAuth { tenant_id: None },
    ] {
        for endpoint in [
            "https://id.example/auth",
            "https://id.example/oauth2/authorize/",
            "https://id.example/protocol/openid-connect/auth/x",
        ] {
            let nearest = refused(&world(provider.clone(), endpoint)).await;
            assert!(nearest.contains("ordinary sign-in"), "{nearest}");
        }
    }
}

#[tokio::test]
async fn providers_without_an_entry_say_so_and_name_the_nearest_thing() {
    for (issuer, words) in [
        ("https://shop.eu.auth0.com/", "change_password"),
        ("https://accounts.google.com", "ordinary sign-in"),
        ("https://shop.ciamlogin.com/t/v2.0", "login_hint"),
        ("https://shop.okta.com", "widget"),
        ("https://shop.oktapreview.com/oauth2/default", "widget"),
        ("https://shop.kinde.com", "login_hint"),
        ("https://api.workos.com", "password_reset_url"),
        ("https://shop.authkit.app", "password_reset_url"),
        ("https://shop.clerk.accounts.dev", "a step of it"),
        ("https://shop.us1.zitadel.cloud", "password_reset"),
        ("https://shop.supabase.co/auth/v1", "/recover"),
    ] {
        let world = World::new();
        world.provider.lock().metadata["issuer"] = json!(issuer);
        let client = Client::builder(issuer, CLIENT_ID)
            .redirect_uri(REDIRECT_URI)
            .provider(Provider::Generic)
            .http(at_any_address(&world))
            .build()
            .unwrap();
        let error = client.forgot_password().start().await.unwrap_err();
        let Error::SignIn(error) = error else {
            panic!("{error}")
        };
        assert!(error.to_string().contains(words), "{issuer}: {error}");
        assert_eq!(error.code(), "sign_in.no_reset_entry");
        let _ = client.sign_in().start().await.unwrap();
    }
    // What is not known to have none is asked, whatever its name resembles.
    let world = World::with(|builder| builder.provider(Provider::Generic));
    assert!(
        reset(&world)
            .await
            .url
            .as_str()
            .contains("first_screen=reset-password")
    );
}

#[tokio::test]
async fn a_product_without_an_entry_is_named_on_whichever_domain() {
    for (product, words) in [
        (Product::Auth0, "change_password"),
        (Product::Authelia, "/reset-password/step1"),
        (Product::Casdoor, "/forget/{application}"),
        (Product::Dex, "connector"),
        (Product::Duende, "PromptValuesSupported"),
        (Product::Hanko, "ordinary sign-in"),
        (Product::Kanidm, "/ui/recover"),
        (Product::MatrixAuthenticationService, "/recover"),
        (Product::Okta, "widget"),
        (Product::Rauthy, "email_hint"),
        (Product::SuperTokens, "/auth/reset-password"),
        (Product::Zitadel, "password_reset"),
    ] {
        let world = World::with(|builder| builder.provider(Provider::WithoutEntry(product)));
        let Error::SignIn(error) = world.client.forgot_password().start().await.unwrap_err() else {
            panic!("another error for {product:?}")
        };
        assert_eq!(error.code(), "sign_in.no_reset_entry");
        assert!(error.to_string().contains(words), "{product:?}: {error}");
        let asked = world.client.sign_in().first_screen(FirstScreen::ResetPassword);
        assert!(asked.start().await.is_err(), "{product:?}");
        let plain = world.client.sign_in().start().await.unwrap();
        assert!(!plain.url.as_str().contains("first_screen"), "{product:?}");
    }
}

/// The provider of `world`, wherever it is asked for.
fn at_any_address(world: &World) -> std::sync::Arc<dyn keyback::HttpTransport> {
    struct Anywhere(World);
    impl keyback::HttpTransport for Anywhere {
        fn send(&self, mut request: http::Request<bytes::Bytes>) -> keyback::TransportFuture<'_> {
            let path = request.uri().path();
            if path.ends_with("/.well-known/openid-configuration") {
                *request.uri_mut() = "https://id.example/oidc/.well-known/openid-configuration"
                    .parse()
                    .unwrap();
            }
            self.0.provider.send(request)
        }
    }
    std::sync::Arc::new(Anywhere(world.clone()))
}

#[test]
fn a_profile_that_cannot_work_is_refused_when_the_client_is_built() {
    let url = |text: &str| Url::parse(text).unwrap();
    for provider in [
        Provider::Authentik {
            recovery_flow: String::new(),
        },
        Provider::Authentik {
            recovery_flow: "../admin".to_owned(),
        },
        Provider::AzureAdB2c {
            reset_policy: "a/b".to_owned(),
        },
        Provider::FusionAuth {
            tenant_id: Some("a&b".to_owned()),
        },
        Provider::OryKratos {
            public_url: url("http://kratos.example"),
            return_to: url("https://app.example/sign-in"),
        },
        Provider::OryKratos {
            public_url: url("https://kratos.example"),
            return_to: url("javascript:alert(1)"),
        },
    ] {
        let error = Client::builder(ISSUER, CLIENT_ID)
            .redirect_uri(REDIRECT_URI)
            .provider(provider.clone())
            .build()
            .unwrap_err();
        assert!(
            matches!(error, Error::Config(ConfigError::Profile)),
            "{provider:?}: {error}"
        );
    }
}
