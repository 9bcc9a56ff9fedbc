//! Forged callbacks, each refused by its own check. SR-76.

use std::time::Duration;

use keyback::{CallbackError, Client, Error, Fault, Purpose, Remedy};
use url::Url;

use crate::provider::{CODE, ISSUER, REDIRECT_URI, World, checked};

fn callback_error(error: Error) -> CallbackError {
    match error {
        Error::Callback(error) => error,
        other => panic!("not about the callback: {other:?}"),
    }
}

/// The refusal of a callback whose query was changed. The code is never sent to the provider.
async fn refusal(tamper: impl Fn(&mut Vec<(String, String)>) + Send + 'static) -> CallbackError {
    let world = World::new();
    world.provider.lock().callback = Some(Box::new(tamper));
    let error = callback_error(world.refused().await);
    assert_eq!(world.provider.requests("/oidc/token"), 0);
    error
}

/// The refusal of a good callback that arrived at another address.
async fn arrived_at(change: impl Fn(&mut Url)) -> CallbackError {
    let world = World::new();
    let begun = world.begin().await;
    let mut callback = world.provider.answer(&begun.url);
    change(&mut callback);
    let error = checked(world.client.finish(begun.pending, callback).await).expect_err("it must be refused");
    assert_eq!(world.provider.requests("/oidc/token"), 0);
    callback_error(error)
}

fn set(query: &mut Vec<(String, String)>, name: &str, value: &str) {
    query.retain(|(key, _)| key != name);
    query.push((name.to_owned(), value.to_owned()));
}

#[tokio::test]
async fn a_good_callback_ends_in_a_session() {
    let world = World::new();
    let begun = world
        .client
        .forgot_password()
        .return_path("/orders?page=2")
        .start()
        .await
        .unwrap();
    let callback = world.provider.answer(&begun.url);
    let session = world.client.finish(begun.pending, callback).await.unwrap();
    assert_eq!(session.purpose(), Purpose::ResetPassword);
    assert_eq!(session.return_path(), "/orders?page=2");
    assert_eq!(world.sign_in().await.unwrap().purpose(), Purpose::SignIn);
}

#[tokio::test]
async fn another_state_is_refused() {
    assert_eq!(
        refusal(|query| set(query, "state", "another")).await,
        CallbackError::StateMismatch
    );
    assert_eq!(
        refusal(|query| set(query, "state", "")).await,
        CallbackError::StateMismatch
    );
    let missing = refusal(|query| query.retain(|(name, _)| name != "state"));
    assert_eq!(missing.await, CallbackError::MissingState);
}

#[tokio::test]
async fn the_states_of_two_tabs_do_not_pass_for_each_other() {
    let world = World::new();
    let (one, other) = (world.begin().await, world.begin().await);
    let callback = world.provider.answer(&other.url);
    let error = checked(world.client.finish(one.pending, callback.clone()).await).unwrap_err();
    assert_eq!(callback_error(error), CallbackError::StateMismatch);
    world.client.finish(other.pending, callback).await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_believed_only_with_the_right_state() {
    let forged = refusal(|query| {
        set(query, "error", "access_denied");
        set(query, "state", "another");
    });
    assert_eq!(forged.await, CallbackError::StateMismatch);

    let CallbackError::Provider(error) = refusal(|query| {
        query.retain(|(name, _)| name != "code");
        set(query, "error", "access_denied");
        set(query, "error_description", "The person\nchanged their mind");
    })
    .await
    else {
        panic!("the provider's refusal is expected")
    };
    assert_eq!(error.code(), "access_denied");
    assert_eq!(error.description(), Some("The personchanged their mind"));
    assert_eq!(CallbackError::Provider(error).fault(), Fault::Visitor);
}

/// A refusal of a stranger's provider is not ours to believe either.
#[tokio::test]
async fn a_refusal_is_believed_only_from_the_right_issuer() {
    let forged = refusal(|query| {
        set(query, "error", "access_denied");
        set(query, "iss", "https://evil.example");
    });
    assert_eq!(forged.await, CallbackError::IssuerMismatch);
}

#[tokio::test]
async fn an_error_beside_a_code_is_an_error() {
    let error = refusal(|query| set(query, "error", "server_error")).await;
    assert!(matches!(&error, CallbackError::Provider(provider) if provider.code() == "server_error"));
    assert_eq!(
        (error.fault(), error.remedy()),
        (Fault::Provider, Remedy::SignInAgain)
    );
}

#[tokio::test]
async fn parameters_that_come_twice_are_refused() {
    for name in ["state", "code", "iss", "error", "error_description"] {
        let error = refusal(move |query| {
            query.push((name.to_owned(), "x".to_owned()));
            query.push((name.to_owned(), "x".to_owned()));
        });
        assert_eq!(error.await, CallbackError::Repeated { name });
    }
}

#[tokio::test]
async fn unknown_parameters_are_ignored() {
    let world = World::new();
    world.provider.lock().callback = Some(Box::new(|query| set(query, "session_state", "abc")));
    world.sign_in().await.unwrap();
}

#[tokio::test]
async fn another_issuer_is_refused() {
    for issuer in [
        "https://evil.example",
        "",
        "https://id.example/oidc/",
        "https://ID.example/oidc",
    ] {
        let error = refusal(move |query| set(query, "iss", issuer));
        assert_eq!(error.await, CallbackError::IssuerMismatch, "{issuer}");
    }
    let missing = refusal(|query| query.retain(|(name, _)| name != "iss"));
    assert_eq!(missing.await, CallbackError::MissingIssuer);
}

#[tokio::test]
async fn a_provider_that_promises_no_iss_may_leave_it_out_but_not_lie() {
    let world = World::new();
    world.provider.lock().metadata["authorization_response_iss_parameter_supported"] = false.into();
    world.provider.lock().callback = Some(Box::new(|query| query.retain(|(name, _)| name != "iss")));
    world.sign_in().await.unwrap();
    world.provider.lock().callback = Some(Box::new(|query| set(query, "iss", "https://evil.example")));
    assert_eq!(
        callback_error(world.refused().await),
        CallbackError::IssuerMismatch
    );
}

/// Logto's JS SDK lets `/callback-evil` pass, since it compares beginnings.
#[tokio::test]
async fn the_callback_arrives_exactly_at_the_redirect_uri() {
    for path in [
        "/callback-evil",
        "/callback/",
        "/callback/evil",
        "/Callback",
        "/",
        "//callback",
    ] {
        let error = arrived_at(|url| url.set_path(path));
        assert_eq!(error.await, CallbackError::ForeignRedirectUri, "{path}");
    }
    let error = arrived_at(|url| url.set_host(Some("evil.example")).unwrap());
    assert_eq!(error.await, CallbackError::ForeignRedirectUri);
    let error = arrived_at(|url| url.set_host(Some("app.example.evil.example")).unwrap());
    assert_eq!(error.await, CallbackError::ForeignRedirectUri);
    let error = arrived_at(|url| url.set_port(Some(8443)).unwrap());
    assert_eq!(error.await, CallbackError::ForeignRedirectUri);
    // The port of https written out, so that the scheme alone differs.
    let error = arrived_at(|url| {
        url.set_scheme("http").unwrap();
        url.set_port(Some(443)).unwrap();
    });
    assert_eq!(error.await, CallbackError::ForeignRedirectUri);
    let error = arrived_at(|url| url.set_username("app.example").unwrap());
    assert_eq!(error.await, CallbackError::ForeignRedirectUri);
}

#[tokio::test]
async fn the_usual_port_may_be_written_out() {
    let world = World::new();
    let begun = world.begin().await;
    let callback = world
        .provider
        .answer(&begun.url)
        .to_string()
        .replace("app.example/", "app.example:443/");
    world.client.finish(begun.pending, callback).await.unwrap();
}

#[tokio::test]
async fn a_server_behind_a_proxy_knows_path_and_query_only() {
    let world = World::new();
    let begun = world.begin().await;
    let callback = world.provider.answer(&begun.url);
    let seen = format!("{}?{}", callback.path(), callback.query().unwrap());
    let callback = world.client.callback_url(&seen).unwrap();
    assert!(callback.as_str().starts_with(REDIRECT_URI));
    world.client.finish(begun.pending, callback).await.unwrap();

    for neither in [
        "callback",
        "",
        "*",
        "app.example:443",
        ".evil.example/callback",
        "@evil.example/",
        "ftp://app.example/callback",
        "javascript:alert(1)",
    ] {
        assert!(world.client.callback_url(neither).is_err(), "{neither}");
    }
    let other = world.client.callback_url("//evil.example/callback").unwrap();
    assert_eq!(other.host_str(), Some("app.example"));
}

/// HTTP/2 and proxies give whole URLs. Where the request went is known from the redirect URI alone.
#[tokio::test]
async fn a_server_that_sees_a_whole_url_believes_its_path_and_query_only() {
    let world = World::with(|builder| builder.redirect_uri("https://app.example:8443/callback"));
    for origin in [
        "https://app.example:8443",
        "http://app.example",
        "http://10.0.0.7:8080",
        "https://ada:word@evil.example",
    ] {
        let begun = world.begin().await;
        let answer = world.provider.answer(&begun.url);
        let target = format!("{origin}{}?{}", answer.path(), answer.query().unwrap());
        let request = http::Request::get(target)
            .version(http::Version::HTTP_2)
            .body(())
            .unwrap();
        let callback = world.client.callback_url(&request.uri().to_string()).unwrap();
        assert_eq!(callback, answer);
        world.client.finish(begun.pending, callback).await.unwrap();
    }
    let elsewhere = world
        .client
        .callback_url("https://app.example:8443/callback-evil?code=1")
        .unwrap();
    assert_eq!(
        elsewhere.as_str(),
        "https://app.example:8443/callback-evil?code=1"
    );
    let bare = world
        .client
        .callback_url("https://app.example:8443#code=1")
        .unwrap();
    assert_eq!(bare.as_str(), "https://app.example:8443/");
}

/// RFC 8252 section 7.1: the operating system hands the whole URL to the application.
#[tokio::test]
async fn a_native_application_is_called_back_by_its_own_scheme() {
    for own in ["com.example.app:/callback", "com.example.app://callback"] {
        let world = World::with(|builder| builder.redirect_uri(own));
        let begun = world.begin().await;
        let callback = world.provider.answer(&begun.url);
        assert!(callback.as_str().starts_with(own));
        world.client.finish(begun.pending, callback).await.unwrap();

        let begun = world.begin().await;
        let other = world
            .provider
            .answer(&begun.url)
            .to_string()
            .replace("com.example", "com.evil");
        let error = checked(world.client.finish(begun.pending, other).await).unwrap_err();
        assert_eq!(callback_error(error), CallbackError::ForeignRedirectUri);
    }
}

#[tokio::test]
async fn a_late_callback_is_refused() {
    let world = World::with(|builder| builder.pending_lifetime(Duration::from_secs(600)));
    let begun = world.begin().await;
    let callback = world.provider.answer(&begun.url);
    world.clock.advance(Duration::from_secs(607));
    let error = checked(world.client.finish(begun.pending, callback).await).unwrap_err();
    assert_eq!(error.remedy(), Remedy::SignInAgain);
    assert_eq!(
        callback_error(error),
        CallbackError::Expired {
            ago: Duration::from_secs(7)
        }
    );

    let begun = world.begin().await;
    let callback = world.provider.answer(&begun.url);
    world.clock.advance(Duration::from_secs(599));
    world.client.finish(begun.pending, callback).await.unwrap();
}

#[tokio::test]
async fn a_callback_without_a_code_is_refused() {
    let missing = refusal(|query| query.retain(|(name, _)| name != "code"));
    assert_eq!(missing.await, CallbackError::MissingCode);
    assert_eq!(
        refusal(|query| set(query, "code", "")).await,
        CallbackError::MissingCode
    );
}

#[tokio::test]
async fn a_callback_that_is_no_url_is_refused() {
    let world = World::new();
    for text in ["", "/callback?code=a", "callback", "https://", "\u{0}", "data:,x"] {
        let begun = world.begin().await;
        let error = checked(world.client.finish(begun.pending, text).await).unwrap_err();
        let expected = if text == "data:,x" {
            CallbackError::ForeignRedirectUri
        } else {
            CallbackError::Malformed
        };
        assert_eq!(callback_error(error), expected, "{text:?}");
    }
    let begun = world.begin().await;
    let long = format!("{REDIRECT_URI}?state={}", "a".repeat(20_000));
    let error = checked(world.client.finish(begun.pending, long).await).unwrap_err();
    assert!(matches!(callback_error(error), CallbackError::TooLarge { .. }));
}

/// Two providers with one redirect URI: the answer to one request is no answer to the other's.
#[tokio::test]
async fn the_pending_sign_in_of_another_client_is_refused() {
    let world = World::new();
    let begun = world.begin().await;
    let callback = world.provider.answer(&begun.url);
    let other = Client::builder(ISSUER, "other-app")
        .redirect_uri(REDIRECT_URI)
        .http(world.provider.clone())
        .clock(world.clock.clone())
        .build()
        .unwrap();
    let error = checked(other.finish(begun.pending, callback).await).unwrap_err();
    assert_eq!(callback_error(error), CallbackError::OtherClient);

    let begun = world.begin().await;
    let other = Client::builder("https://other.example/oidc", "my-app")
        .redirect_uri(REDIRECT_URI)
        .http(world.provider.clone())
        .clock(world.clock.clone())
        .build()
        .unwrap();
    let callback = world.provider.answer(&begun.url);
    let error = checked(other.finish(begun.pending, callback).await).unwrap_err();
    assert_eq!(callback_error(error), CallbackError::OtherClient);
}

#[tokio::test]
async fn the_code_goes_out_with_the_verifier_and_the_redirect_uri() {
    let world = World::new();
    world.sign_in().await.unwrap();
    let request = world.provider.lock().token_request.clone().unwrap();
    assert_eq!(request.field("grant_type"), Some("authorization_code"));
    assert!(request.field("code").unwrap().starts_with(CODE));
    assert_eq!(request.field("redirect_uri"), Some(REDIRECT_URI));
    assert_eq!(request.field("code_verifier").map(str::len), Some(64));
}
