//! What `build` refuses, without any I/O.

use keyback::{Client, ClientBuilder, ConfigError, Error, Fault};

fn refusal(builder: ClientBuilder) -> ConfigError {
    match builder.build().expect_err("the configuration must be refused") {
        Error::Config(error) => error,
        other => panic!("not about the configuration: {other:?}"),
    }
}

fn issuer(text: &str) -> ClientBuilder {
    Client::builder(text, "my-app").redirect_uri("https://app.example/callback")
}

fn redirect_uri(text: &str) -> ClientBuilder {
    Client::builder("https://id.example/oidc", "my-app").redirect_uri(text)
}

#[test]
fn addresses_are_https_or_loopback() {
    for good in [
        "https://id.example/oidc",
        "http://localhost:3001/oidc",
        "http://127.0.0.1:3001/oidc",
        "http://[::1]:3001/oidc",
    ] {
        issuer(good).build().unwrap();
        redirect_uri(good).build().unwrap();
    }
    for insecure in [
        "http://id.example/oidc",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "ftp://x/",
    ] {
        assert!(
            matches!(refusal(issuer(insecure)), ConfigError::IssuerInsecure),
            "{insecure}"
        );
        assert!(
            matches!(refusal(redirect_uri(insecure)), ConfigError::RedirectUriInsecure),
            "{insecure}"
        );
    }
    for unclear in [
        "https://x.example/?a=1",
        "https://x.example/#a",
        "https://user:word@x.example/",
    ] {
        assert!(
            matches!(refusal(issuer(unclear)), ConfigError::IssuerNotPlain),
            "{unclear}"
        );
        assert!(
            matches!(refusal(redirect_uri(unclear)), ConfigError::RedirectUriNotPlain),
            "{unclear}"
        );
    }
    for nothing in ["", "id.example", "/oidc"] {
        assert!(
            matches!(refusal(issuer(nothing)), ConfigError::IssuerNotUrl),
            "{nothing}"
        );
        assert!(
            matches!(refusal(redirect_uri(nothing)), ConfigError::RedirectUriNotUrl),
            "{nothing}"
        );
    }
}

/// RFC 8252 section 7.1: a scheme of one's own is a domain name in reverse order, which has a dot.
#[test]
fn a_native_application_may_have_a_scheme_of_its_own() {
    for own in ["com.example.app:/callback", "com.example.app://callback"] {
        redirect_uri(own).build().unwrap();
    }
    for nobodys in [
        "javascript:alert(1)",
        "javascript://x/%0aalert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "myapp:/callback",
        "com.example.app:callback",
    ] {
        assert!(
            matches!(refusal(redirect_uri(nobodys)), ConfigError::RedirectUriInsecure),
            "{nobodys}"
        );
    }
    assert!(matches!(
        refusal(redirect_uri("com.example.app:/callback?a=1")),
        ConfigError::RedirectUriNotPlain
    ));
    assert!(matches!(
        refusal(issuer("com.example.app:/oidc")),
        ConfigError::IssuerInsecure
    ));
}

#[test]
fn what_is_missing_is_named() {
    let complete = || redirect_uri("https://app.example/callback");
    let without = Client::builder("https://id.example/oidc", "my-app");
    assert!(matches!(refusal(without), ConfigError::MissingRedirectUri));
    let nobody = Client::builder("https://id.example/oidc", "").redirect_uri("https://app.example/callback");
    assert!(matches!(refusal(nobody), ConfigError::EmptyClientId));
    assert!(matches!(
        refusal(complete().client_secret("")),
        ConfigError::EmptyClientSecret
    ));
    let error = refusal(complete().algorithms([]));
    assert!(matches!(error, ConfigError::NoAlgorithms));
    assert_eq!(
        (error.code(), error.fault()),
        ("config.no_algorithms", Fault::Application)
    );
}

#[test]
fn nothing_secret_is_printed() {
    let client = redirect_uri("https://app.example/callback")
        .client_secret("hush-hush")
        .build()
        .unwrap();
    assert!(!format!("{client:?}").contains("hush"));
}
