//! The authorization request. SR-75.

use std::collections::HashMap;

use keyback::{
    DirectSignIn, Error, FirstScreen, Identifier, Prompt, Provider, Purpose, Random, RandomError, SignIn,
    SignInBuilder, SignInError,
};
use url::Url;

use crate::provider::{CLIENT_ID, ISSUER, REDIRECT_URI, World};

fn parameters(url: &Url) -> HashMap<String, String> {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let map: HashMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(map.len(), pairs.len(), "a parameter is repeated");
    map
}

async fn refused(builder: SignInBuilder) -> SignInError {
    match builder.start().await.expect_err("the request must be refused") {
        Error::SignIn(error) => error,
        other => panic!("not about the request: {other:?}"),
    }
}

/// Every request, whatever its purpose, has what protects it.
fn protected(begun: &SignIn) -> HashMap<String, String> {
    assert!(begun.url.as_str().starts_with(&format!("{ISSUER}/auth?")));
    let sent = parameters(&begun.url);
    assert_eq!(sent["response_type"], "code");
    assert_eq!(sent["client_id"], CLIENT_ID);
    assert_eq!(sent["redirect_uri"], REDIRECT_URI);
    assert_eq!(sent["code_challenge_method"], "S256");
    assert_eq!(sent["code_challenge"].len(), 43);
    assert_eq!(sent["state"].len(), 43);
    assert_eq!(sent["state"], begun.pending.state());
    assert_eq!(sent["nonce"].len(), 43);
    assert_ne!(sent["nonce"], sent["state"]);
    assert!(sent["scope"].split(' ').any(|scope| scope == "openid"));
    sent
}

#[tokio::test]
async fn a_sign_in_asks_for_nothing_more_than_it_was_told() {
    let world = World::new();
    let begun = world.begin().await;
    let sent = protected(&begun);
    assert_eq!(sent.len(), 8);
    assert_eq!(begun.pending.purpose(), Purpose::SignIn);
    assert_eq!(begun.pending.return_path(), "/");
}

/// Keyback advertises both spellings; the hyphen is preferred. A live session must not skip the page.
#[tokio::test]
async fn a_reset_request_to_keyback_names_the_screen_and_forces_the_login_prompt() {
    let world = World::new();
    for builder in [
        world.client.forgot_password(),
        world.client.sign_in().first_screen(FirstScreen::ResetPassword),
    ] {
        let begun = builder.login_hint("ada@example.com").start().await.unwrap();
        let sent = protected(&begun);
        assert_eq!(sent["first_screen"], "reset-password");
        assert_eq!(sent["prompt"], "login");
        assert_eq!(sent["login_hint"], "ada@example.com");
        assert_eq!(begun.pending.purpose(), Purpose::ResetPassword);
    }
}

/// Logto ignores the hyphen, and with it every extra parameter.
#[tokio::test]
async fn a_reset_request_to_logto_has_logtos_spelling_and_prompts() {
    let world = World::with(|builder| builder.provider(Provider::Logto));
    let begun = world.client.forgot_password().start().await.unwrap();
    let sent = protected(&begun);
    assert_eq!(sent["first_screen"], "reset_password");
    assert_eq!(sent["prompt"], "login consent");
}

#[tokio::test]
async fn other_providers_get_the_spelling_they_advertise() {
    let world = World::with(|builder| builder.provider(Provider::Generic));
    world.provider.lock().metadata["first_screen_values_supported"] = serde_json::json!(["reset_password"]);
    let begun = world.client.forgot_password().start().await.unwrap();
    let sent = protected(&begun);
    assert_eq!(
        (sent["first_screen"].as_str(), sent["prompt"].as_str()),
        ("reset_password", "login")
    );
}

/// Keyback says so itself. Another provider is not sent a screen that it does not list, and a reset is refused here.
#[tokio::test]
async fn a_screen_that_is_not_listed_goes_to_keyback_alone() {
    let world = |provider| {
        let world = World::with(|builder| builder.provider(provider));
        world.provider.lock().metadata["first_screen_values_supported"] = serde_json::json!(["sign_in"]);
        world
    };
    let keyback = world(Provider::Keyback);
    let begun = keyback.client.forgot_password().start().await.unwrap();
    assert_eq!(protected(&begun)["first_screen"], "reset-password");
    assert_eq!(begun.pending.purpose(), Purpose::ResetPassword);

    let generic = world(Provider::Generic);
    let register = generic.client.sign_in().first_screen(FirstScreen::Register);
    let sent = protected(&register.start().await.unwrap());
    assert_eq!(sent.get("first_screen"), None);
    let refused = refused(generic.client.forgot_password()).await;
    assert!(
        matches!(refused, SignInError::NoResetEntry { nearest } if nearest.contains("login_hint")),
        "{refused}"
    );
}

/// Most providers list no screens. What they do not know they have to ignore (RFC 6749 section 3.1).
#[tokio::test]
async fn a_provider_without_a_list_gets_the_usual_spelling() {
    for provider in [Provider::Keyback, Provider::Generic] {
        let world = World::with(|builder| builder.provider(provider));
        let unlisted = "first_screen_values_supported";
        world
            .provider
            .lock()
            .metadata
            .as_object_mut()
            .unwrap()
            .remove(unlisted);
        let begun = world.client.forgot_password().start().await.unwrap();
        assert_eq!(protected(&begun)["first_screen"], "reset-password");
    }
}

#[tokio::test]
async fn a_reset_request_for_offline_access_asks_for_consent_as_well() {
    let world = World::new();
    let begun = world
        .client
        .forgot_password()
        .scope("offline_access")
        .start()
        .await
        .unwrap();
    let sent = protected(&begun);
    assert_eq!(sent["prompt"], "login consent");
    assert_eq!(sent["scope"], "openid offline_access");
}

#[tokio::test]
async fn everything_that_can_be_asked_is_sent() {
    let begun = World::new()
        .client
        .sign_in()
        .first_screen(FirstScreen::Register)
        .identifier(Identifier::Email)
        .identifier(Identifier::Phone)
        .identifier(Identifier::Email)
        .login_hint("ada+1@example.com&x=1")
        .ui_locales(["fr-CA", "fr"])
        .prompt(Prompt::SelectAccount)
        .prompt(Prompt::Login)
        .scope("email")
        .scope("email")
        .resource("https://api.example/")
        .organization_id("org 1")
        .direct_sign_in(DirectSignIn::Social("google".to_owned()))
        .one_time_token("0123")
        .extra("acr_values", "urn:example:high")
        .return_path("/orders")
        .start()
        .await
        .unwrap();
    let sent = protected(&begun);
    assert_eq!(sent["first_screen"], "register");
    assert_eq!(sent["identifier"], "email phone");
    assert_eq!(sent["login_hint"], "ada+1@example.com&x=1");
    assert_eq!(sent["ui_locales"], "fr-CA fr");
    assert_eq!(sent["prompt"], "login select_account");
    assert_eq!(sent["scope"], "openid email");
    assert_eq!(sent["resource"], "https://api.example/");
    assert_eq!(sent["organization_id"], "org 1");
    assert_eq!(sent["direct_sign_in"], "social:google");
    assert_eq!(sent["one_time_token"], "0123");
    assert_eq!(sent["acr_values"], "urn:example:high");
    assert_eq!(begun.pending.return_path(), "/orders");
}

/// Logto's conventions: tokens can be refreshed, and there is a name to greet with.
#[tokio::test]
async fn the_reserved_scopes_are_on_every_sign_in_unless_the_client_opts_out() {
    let world = World::conventional(|builder| builder.scope("email").resource("https://api.example"));
    let sent = protected(&world.begin().await);
    assert_eq!(sent["scope"], "openid offline_access profile email");
    assert_eq!(sent["prompt"], "consent");
    assert_eq!(sent["resource"], "https://api.example");

    let once = world
        .client
        .sign_in()
        .without_reserved_scopes()
        .start()
        .await
        .unwrap();
    assert_eq!(protected(&once)["scope"], "openid email");

    let world = World::new();
    assert_eq!(protected(&world.begin().await)["scope"], "openid");
}

/// Some providers refuse a request for a scope that they don't know.
#[tokio::test]
async fn a_reserved_scope_that_the_provider_does_not_list_is_not_sent() {
    let world = World::conventional(|builder| builder);
    world.provider.lock().metadata["scopes_supported"] = serde_json::json!(["openid", "profile", "email"]);
    let sent = protected(&world.begin().await);
    assert_eq!(sent["scope"], "openid profile");
    assert!(!sent.contains_key("prompt"));
}

#[tokio::test]
async fn the_organizations_scope_brings_its_resource() {
    let world = World::conventional(|builder| builder.scope("urn:logto:scope:organizations"));
    let sent = protected(&world.begin().await);
    assert_eq!(sent["resource"], "urn:logto:resource:organizations");
}

#[tokio::test]
async fn no_two_requests_share_a_secret() {
    let world = World::new();
    let (one, other) = (world.begin().await, world.begin().await);
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(parameters(&one.url)[name], parameters(&other.url)[name]);
    }
}

/// What a stranger could otherwise change through a passed-on query parameter.
#[tokio::test]
async fn protocol_parameters_cannot_be_set_as_extra_ones() {
    let world = World::new();
    for name in [
        "redirect_uri",
        "state",
        "nonce",
        "code_challenge",
        "scope",
        "response_type",
        "prompt",
        "first_screen",
    ] {
        let error = refused(world.client.sign_in().extra(name, "x")).await;
        assert!(matches!(error, SignInError::ProtocolParameter { name: n } if n == name));
    }
}

#[tokio::test]
async fn wrong_arguments_are_refused_without_asking_the_provider() {
    let world = World::new();
    let sign_in = || world.client.sign_in();
    assert!(matches!(
        refused(sign_in().return_path("//evil.example")).await,
        SignInError::ReturnPath(_)
    ));
    assert!(matches!(
        refused(sign_in().scope("a b")).await,
        SignInError::Scope
    ));
    assert!(matches!(refused(sign_in().scope("")).await, SignInError::Scope));
    assert!(matches!(
        refused(sign_in().resource("not a uri")).await,
        SignInError::Resource
    ));
    assert!(matches!(
        refused(sign_in().resource("https://api.example/#x")).await,
        SignInError::Resource
    ));
    let silent_reset = world.client.forgot_password().prompt(Prompt::None);
    assert!(matches!(refused(silent_reset).await, SignInError::PromptNone));
    assert_eq!(
        world.provider.requests("/oidc/.well-known/openid-configuration"),
        0
    );
}

#[tokio::test]
async fn without_randomness_there_is_no_request() {
    struct Broken;
    impl Random for Broken {
        fn fill(&self, _destination: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError)
        }
    }
    let world = World::with(|builder| builder.random(std::sync::Arc::new(Broken)));
    assert!(matches!(
        refused(world.client.sign_in()).await,
        SignInError::Random(_)
    ));
}

/// The provider compares the redirect URI by its characters.
#[tokio::test]
async fn the_redirect_uri_is_sent_as_it_was_given() {
    let world = World::with(|builder| builder.redirect_uri("https://APP.example"));
    let begun = world.begin().await;
    assert_eq!(parameters(&begun.url)["redirect_uri"], "https://APP.example");
    let callback = world.provider.answer(&begun.url);
    world.client.finish(begun.pending, callback).await.unwrap();
}

/// A query that the authorization endpoint has by itself is kept (RFC 6749 section 3.1).
#[tokio::test]
async fn the_endpoints_own_query_is_kept() {
    let world = World::new();
    world.provider.lock().metadata["authorization_endpoint"] = format!("{ISSUER}/auth?tenant=7").into();
    let begun = world.begin().await;
    assert_eq!(parameters(&begun.url)["tenant"], "7");
}
