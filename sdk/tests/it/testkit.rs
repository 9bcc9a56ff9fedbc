//! The provider for others' tests: honest until it is told otherwise, and then seen through.

use std::time::Duration;

use keyback::resource_server::ResourceServer;
use keyback::testkit::{Misbehaviour, Person, TestProvider, TestkitError};
use keyback::{Client, Error, Purpose, Session, Sessions, Url};

const REDIRECT_URI: &str = "https://app.example/callback";

fn ada() -> Person {
    Person::new("ada").email("ada@example.com")
}

async fn sign_in(provider: &TestProvider, client: &Client) -> Result<Session, Error> {
    let begun = client.forgot_password().scope("offline_access").start().await?;
    let callback = provider.sign_in(&begun.url, &ada()).unwrap();
    client.finish(begun.pending, callback).await
}

#[tokio::test]
async fn a_sign_in_ends_in_a_session_with_everything() {
    let provider = TestProvider::new().unwrap();
    provider.register_secret("my-app", "a+secret%");
    let wrong = provider
        .client("my-app", REDIRECT_URI)
        .client_secret("another")
        .build()
        .unwrap();
    assert_eq!(
        sign_in(&provider, &wrong).await.unwrap_err().code(),
        "exchange.invalid_client"
    );
    let client = provider
        .client("my-app", REDIRECT_URI)
        .client_secret("a+secret%")
        .build()
        .unwrap();
    let session = sign_in(&provider, &client).await.unwrap();
    assert_eq!(session.purpose(), Purpose::ResetPassword);
    assert_eq!(
        (session.claims().subject(), session.claims().email()),
        ("ada", Some("ada@example.com"))
    );
    assert!(session.claims().session_id().is_some() && session.claims().auth_time().is_some());
    assert_eq!(
        client.user_info(&session).await.unwrap().email(),
        Some("ada@example.com")
    );

    // Refresh tokens rotate, and one that comes twice ends the session.
    let next = client.refresh(&session).await.unwrap();
    assert_ne!(next.refresh_token(), session.refresh_token());
    let stolen = client.refresh(&session).await.unwrap_err();
    assert_eq!(stolen.code(), "exchange.invalid_grant");
    assert_eq!(
        client.refresh(&next).await.unwrap_err().code(),
        "exchange.invalid_grant"
    );
    assert_eq!(
        client.user_info(&next).await.unwrap_err().code(),
        "user_info.token_refused"
    );
}

/// What a program keeps of its sign-ins can be tested against it too.
#[tokio::test]
async fn kept_sessions_are_refreshed_ended_and_revoked() {
    let provider = TestProvider::new().unwrap();
    let client = provider.client("my-app", REDIRECT_URI).build().unwrap();
    let sessions = Sessions::builder(&client, [7; 32]).build().unwrap();
    let session = sign_in(&provider, &client).await.unwrap();
    let signed_in = sessions.begin(&session).await.unwrap();
    provider.clock().advance(Duration::from_secs(2 * 3600));
    let token = signed_in.access_token(None, None).await.unwrap();
    assert_ne!(token.as_str(), session.access_token());
    assert_eq!(
        signed_in.user_info().await.unwrap().email(),
        Some("ada@example.com")
    );
    assert_eq!(provider.requests("/oidc/token"), 2);

    let of_now = signed_in.to_session().await.unwrap();
    let out = signed_in.sign_out("https://app.example/").await.unwrap();
    out.revocation.run().await.unwrap();
    assert_eq!(provider.requests("/oidc/token/revocation"), 1);
    let error = client.refresh(&of_now).await.unwrap_err();
    assert_eq!(error.code(), "exchange.invalid_grant");
    let error = client.user_info(&of_now).await.unwrap_err();
    assert_eq!(error.code(), "user_info.token_refused");

    let session = sign_in(&provider, &client).await.unwrap();
    let id = sessions.begin(&session).await.unwrap().id().clone();
    let logout_token = provider.logout_token("my-app", &ada(), session.claims().session_id());
    let answer = sessions
        .back_channel_logout(format!("logout_token={logout_token}").as_bytes())
        .await;
    assert_eq!(answer.status, 200);
    assert!(sessions.find(&id).await.unwrap().is_none());
}

#[tokio::test]
async fn codes_serve_once_and_not_for_long() {
    let provider = TestProvider::new().unwrap();
    let client = provider.client("my-app", REDIRECT_URI).build().unwrap();
    let begun = client.sign_in().start().await.unwrap();
    let callback = provider.sign_in(&begun.url, &ada()).unwrap();
    provider.clock().advance(Duration::from_secs(61));
    let late = client.finish(begun.pending, &callback).await.unwrap_err();
    assert_eq!(late.code(), "exchange.invalid_grant");

    // What a provider would answer with an error page.
    let mut unknown = begun.url.clone();
    unknown.set_query(Some(
        "client_id=another&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback",
    ));
    assert!(matches!(
        provider.sign_in(&unknown, &ada()),
        Err(TestkitError::Request(_))
    ));
    let without_pkce = Url::parse(&begun.url.as_str().replace("S256", "plain")).unwrap();
    assert!(matches!(
        provider.sign_in(&without_pkce, &ada()),
        Err(TestkitError::Request(_))
    ));
}

#[tokio::test]
async fn every_misbehaviour_is_seen_through() {
    use Misbehaviour as M;
    for (how, code) in [
        (M::Down, "discovery.unreachable"),
        (M::Status(503), "discovery.status"),
        (M::Slow(Duration::from_secs(10)), "discovery.unreachable"),
        (M::Huge, "discovery.too_large"),
        (M::ForeignIssuerInMetadata, "discovery.foreign_issuer"),
    ] {
        let provider = TestProvider::new().unwrap();
        let client = provider.client("my-app", REDIRECT_URI).build().unwrap();
        provider.misbehave(how.clone());
        assert_eq!(client.ready().await.unwrap_err().code(), code, "{how:?}");
    }
    let provider = TestProvider::new().unwrap();
    for (how, code) in [
        (M::ForeignIssuerInCallback, "callback.issuer_mismatch"),
        (M::NoIssuerInCallback, "callback.missing_issuer"),
        (M::ForeignState, "callback.state_mismatch"),
        (M::AccessDenied, "callback.access_denied"),
        (M::ForeignIssuer, "id_token.wrong_issuer"),
        (M::ForeignAudience, "id_token.wrong_audience"),
        (M::ForeignNonce, "id_token.nonce_mismatch"),
        (M::NoNonce, "id_token.missing_nonce"),
        (M::Expired, "id_token.expired"),
        (M::FromTheFuture, "id_token.issued_in_future"),
        (M::ForeignAccessToken, "id_token.access_token_mismatch"),
        (M::Unsigned, "id_token.unsigned"),
        (M::HmacWithPublicKey, "id_token.algorithm_refused"),
        (M::SwappedAlgorithm, "id_token.unknown_key"),
        (M::BrokenSignature, "id_token.bad_signature"),
        (M::UnpublishedKey, "id_token.unknown_key"),
    ] {
        let client = provider.client("my-app", REDIRECT_URI).build().unwrap();
        provider.misbehave(how.clone());
        assert_eq!(
            sign_in(&provider, &client).await.unwrap_err().code(),
            code,
            "{how:?}"
        );
        provider.behave();
        sign_in(&provider, &client).await.unwrap();
    }
    let client = provider.client("my-app", REDIRECT_URI).build().unwrap();
    let session = sign_in(&provider, &client).await.unwrap();
    provider.misbehave(M::AnotherPersonInUserInfo);
    let error = client.user_info(&session).await.unwrap_err();
    assert_eq!(error.code(), "user_info.subject_mismatch");
}

#[tokio::test]
async fn keys_rotate_and_apis_and_logouts_go_by_them() {
    let provider = TestProvider::new().unwrap();
    let client = provider.client("my-app", REDIRECT_URI).build().unwrap();
    let session = sign_in(&provider, &client).await.unwrap();
    provider.rotate_keys().unwrap();
    sign_in(&provider, &client).await.unwrap();
    assert_eq!(provider.requests("/oidc/jwks"), 2);

    let api: ResourceServer = client.resource_server("https://orders.example").build().unwrap();
    let token = provider.access_token("https://orders.example", "my-app", "read:orders", &ada());
    assert!(api.verify(&token).await.unwrap().has_scope("read:orders"));

    let logout = provider.logout_token("my-app", &ada(), session.claims().session_id());
    let ended = client.verify_logout_token(&logout).await.unwrap();
    assert!(ended.names(session.claims()));
    // Itself as the app: the token is posted, and the answer's status comes back.
    let status = provider
        .sign_out_everywhere(
            &provider,
            "https://app.example/backchannel-logout",
            "my-app",
            &ada(),
        )
        .await;
    assert_eq!(status.unwrap(), 404);
    assert_eq!(provider.requests("/backchannel-logout"), 1);
    assert_eq!(
        client.refresh(&session).await.unwrap_err().code(),
        "exchange.invalid_grant"
    );
}

#[cfg(feature = "reqwest")]
#[tokio::test]
async fn it_listens_on_a_port_as_well() {
    let provider = TestProvider::listen().await.unwrap();
    provider.browser_is(ada());
    provider.register("my-app", REDIRECT_URI);
    let client = Client::builder(provider.issuer(), "my-app")
        .redirect_uri(REDIRECT_URI)
        .build()
        .unwrap();
    let begun = client.sign_in().start().await.unwrap();
    // What a browser does.
    let browser = keyback::ReqwestTransport::new().unwrap();
    let request = http::Request::get(begun.url.as_str())
        .body(bytes::Bytes::new())
        .unwrap();
    let answer = keyback::HttpTransport::send(&browser, request).await.unwrap();
    assert_eq!(answer.status(), 303);
    let callback = answer.headers()["location"].to_str().unwrap();
    let session = client.finish(begun.pending, callback).await.unwrap();
    assert_eq!(session.claims().email(), Some("ada@example.com"));
    assert_eq!(client.user_info(&session).await.unwrap().subject(), "ada");

    provider.misbehave(Misbehaviour::Down);
    let error = client.user_info(&session).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
}
