//! The SDK against a provider that others wrote and the OpenID Foundation certified: `oidc-provider` (npm).

mod breadth;
mod peer;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use keyback::{
    CallbackError, Client, Clock, DiscoveryError, Error, ExchangeError, FirstScreen, IdTokenError,
    PendingSignIn, Prompt, Purpose, SignIn, SystemClock, UserInfoError,
};
use keyback_tests::Browser;
use url::Url;

use self::peer::{Peer, agree, answer_of, sign_in};

/// The system's clock, and how far it is put forward.
#[derive(Default)]
struct Ahead(Mutex<Duration>);

impl Ahead {
    fn put(&self, by: Duration) {
        *self.0.lock().unwrap() = by;
    }
}

impl Clock for Ahead {
    fn now(&self) -> SystemTime {
        SystemClock.now() + *self.0.lock().unwrap()
    }
}

fn parameters(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

/// Signed by each kind of key; the ways a client proves who it is.
#[tokio::test]
async fn the_sdk_signs_in_at_oidc_provider_with_every_kind_of_key_and_client() {
    let peer = Peer::start().await;
    for id in ["rs256", "ps256", "es256", "es384", "eddsa", "post", "public"] {
        let client = peer.client(id).build().unwrap();
        let (_, session) = sign_in(&peer, &client)
            .await
            .unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(session.claims().subject(), "ada");
        let more = client.user_info(&session).await.unwrap();
        assert_eq!(
            (more.email(), more.email_verified()),
            (Some("ada@example.com"), true),
            "{id}"
        );
        assert_eq!(more.name(), Some("Ada Lovelace"));
    }
}

/// OIDC Discovery 4: the provider's own document says where everything is, and nothing is guessed.
#[tokio::test]
async fn oidc_discovery_4_every_address_is_the_documents() {
    let peer = Peer::start().await;
    let client = peer.client("es384").build().unwrap();
    client.ready().await.unwrap();
    let document = reqwest::get(format!("{}/.well-known/openid-configuration", peer.issuer)).await;
    let document: serde_json::Value = serde_json::from_str(&document.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(document["issuer"], peer.issuer);
    let is_at = |url: &Url, endpoint: &str| {
        let mut address = url.clone();
        address.set_query(None);
        assert_eq!(document[endpoint], address.as_str());
    };
    let begun = client.sign_in().start().await.unwrap();
    is_at(&begun.url, "authorization_endpoint");
    // Token endpoint, keys and userinfo answer where it says they are.
    let (_, session) = sign_in(&peer, &client).await.unwrap();
    client.user_info(&session).await.unwrap();
    let out = client
        .sign_out_url(&session, &peer.signed_out, None)
        .await
        .unwrap();
    is_at(&out, "end_session_endpoint");
}

/// OIDC Core 5.3: userinfo is of the person who signed in, tells what the scopes allow, and ends with the token.
#[tokio::test]
async fn oidc_core_5_3_userinfo_tells_what_the_scopes_allow_while_the_token_lives() {
    let peer = Peer::start().await;
    let client = peer.client("es384").build().unwrap();
    let (_, session) = sign_in(&peer, &client).await.unwrap();
    // The ID token has none of it.
    assert_eq!((session.claims().email(), session.claims().name()), (None, None));
    let told = client.user_info(&session).await.unwrap();
    assert_eq!(told.subject(), session.claims().subject());
    assert_eq!(
        (told.email(), told.email_verified(), told.name()),
        (Some("ada@example.com"), true, Some("Ada Lovelace"))
    );

    let SignIn { url, pending } = client.sign_in().scope("email").start().await.unwrap();
    let callback = answer_of(&mut peer.browser(), &url, "grace").await;
    let other = client.finish(pending, callback).await.unwrap();
    let told = client.user_info(&other).await.unwrap();
    assert_eq!(told.subject(), "grace");
    assert_eq!((told.email(), told.name()), (Some("grace@example.com"), None));

    client.revoke(&session).await.unwrap();
    let refused = client.user_info(&session).await.unwrap_err();
    assert!(
        matches!(refused, Error::UserInfo(UserInfoError::TokenRefused)),
        "{refused}"
    );
    client.user_info(&other).await.unwrap();
}

/// RFC 9700 4.14: the provider ends the family when a token comes twice.
#[tokio::test]
async fn rfc6749_6_refresh_tokens_rotate_at_oidc_provider() {
    let peer = Peer::start().await;
    let client = peer.client("es384").build().unwrap();
    let (_, first) = sign_in(&peer, &client).await.unwrap();
    let second = client.refresh(&first).await.unwrap();
    assert_ne!(second.refresh_token(), first.refresh_token());
    assert_ne!(second.access_token(), first.access_token());
    assert_eq!(second.claims().subject(), "ada");
    client.user_info(&second).await.unwrap();

    let reused = client.refresh(&first).await.unwrap_err();
    assert!(
        matches!(reused, Error::Exchange(ExchangeError::InvalidGrant)),
        "{reused}"
    );
    let family = client.refresh(&second).await.unwrap_err();
    assert!(
        matches!(family, Error::Exchange(ExchangeError::InvalidGrant)),
        "{family}"
    );
    let info = client.user_info(&second).await.unwrap_err();
    assert!(
        matches!(info, Error::UserInfo(UserInfoError::TokenRefused)),
        "{info}"
    );
}

#[tokio::test]
async fn oidc_core_10_1_1_keys_change_in_the_middle_and_the_sdk_follows() {
    let mut peer = Peer::start().await;
    let clock = Arc::new(Ahead::default());
    let client = peer
        .client("es384")
        .clock(Arc::clone(&clock) as _)
        .build()
        .unwrap();
    let (mut browser, session) = sign_in(&peer, &client).await.unwrap();

    // The new key signs, the old one is still there.
    peer.publish("new old").await;
    clock.put(Duration::from_secs(120));
    let renewed = client.refresh(&session).await.unwrap();
    // The old one is gone, and a sign-in was begun under it.
    let SignIn { url, pending } = client.sign_in().start().await.unwrap();
    peer.publish("newest").await;
    clock.put(Duration::from_secs(240));
    browser.open(url.as_str()).await;
    let callback = agree(&mut browser).await;
    let session = client.finish(pending, callback).await.unwrap();
    assert_eq!(session.claims().subject(), renewed.claims().subject());
}

#[tokio::test]
async fn rp_logout_2_sign_out_ends_the_session_and_comes_back_with_the_state() {
    let peer = Peer::start().await;
    let client = peer.client("es384").build().unwrap();
    let (mut browser, session) = sign_in(&peer, &client).await.unwrap();
    let out = client
        .sign_out_url(&session, &peer.signed_out, Some("a state"))
        .await
        .unwrap();
    browser.open(out.as_str()).await;
    let form = browser.page().form_with("xsrf").fill("logout", "yes");
    browser.submit(form).await;
    browser.assert_at("/signed-out");
    assert_eq!(parameters(&browser.page().url)["state"], "a state");

    let SignIn { url, pending } = client.sign_in().prompt(Prompt::None).start().await.unwrap();
    browser.open(url.as_str()).await;
    assert_eq!(refused_code(&client, pending, &browser).await, "login_required");
}

/// The error that the provider sent the browser back with.
async fn refused_code(client: &Client, pending: PendingSignIn, browser: &Browser) -> String {
    let refused = client
        .finish(pending, browser.page().url.clone())
        .await
        .unwrap_err();
    let Error::Callback(CallbackError::Provider(error)) = refused else {
        panic!("{refused}")
    };
    error.code().to_owned()
}

/// SR-75: what other providers don't know they ignore, and the login prompt makes them ask.
#[tokio::test]
async fn sr75_a_reset_request_is_a_sign_in_that_asks_even_with_a_live_session() {
    let peer = Peer::start().await;
    let client = peer.client("es384").build().unwrap();
    let (mut browser, _) = sign_in(&peer, &client).await.unwrap();
    let SignIn { url, pending } = client.forgot_password().start().await.unwrap();
    let sent = parameters(&url);
    assert_eq!(
        (sent["first_screen"].as_str(), sent["prompt"].as_str()),
        ("reset-password", "login")
    );
    let callback = answer_of(&mut browser, &url, "ada").await;
    let session = client.finish(pending, callback).await.unwrap();
    assert_eq!(session.purpose(), Purpose::ResetPassword);

    let begun = client
        .sign_in()
        .first_screen(FirstScreen::SignIn)
        .max_age(Duration::ZERO);
    let SignIn { url, pending } = begun.start().await.unwrap();
    let callback = answer_of(&mut browser, &url, "ada").await;
    let session = client.finish(pending, callback).await.unwrap();
    assert!(session.claims().auth_time().is_some());
}

#[tokio::test]
async fn a_visitor_who_cancels_is_told_from_a_provider_that_fails() {
    let peer = Peer::start().await;
    let client = peer.client("es384").build().unwrap();
    let mut browser = peer.browser();
    let SignIn { url, pending } = client.sign_in().start().await.unwrap();
    browser.open(url.as_str()).await;
    browser.click("[ Cancel ]").await;
    assert_eq!(refused_code(&client, pending, &browser).await, "access_denied");
}

/// OIDC Discovery 4.3: the document is of the issuer that was asked, to the letter.
#[tokio::test]
async fn oidc_discovery_4_3_the_same_provider_by_another_name_is_another_issuer() {
    let peer = Peer::start().await;
    for issuer in [
        peer.issuer.replace("127.0.0.1", "localhost"),
        format!("{}/", peer.issuer),
    ] {
        let client = Client::builder(&issuer, "es384")
            .redirect_uri(&peer.callback)
            .build()
            .unwrap();
        let error = client.ready().await.unwrap_err();
        assert!(
            matches!(error, Error::Discovery(DiscoveryError::ForeignIssuer)),
            "{issuer}: {error}"
        );
    }
    let elsewhere = format!("{}/elsewhere", peer.issuer);
    let client = Client::builder(elsewhere, "es384")
        .redirect_uri(&peer.callback)
        .build()
        .unwrap();
    let error = client.ready().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Discovery(DiscoveryError::Status { status: 404, .. })
        ),
        "{error}"
    );
}

/// RFC 9207, and a code that was used already.
#[tokio::test]
async fn sr76_answers_of_another_issuer_or_that_come_twice_are_refused() {
    let peer = Peer::start().await;
    let client = peer.client("es384").build().unwrap();
    let SignIn { url, pending } = client.sign_in().start().await.unwrap();
    let kept = serde_json::to_string(&pending).unwrap();
    let callback = answer_of(&mut peer.browser(), &url, "ada").await;
    assert_eq!(parameters(&callback)["iss"], peer.issuer);

    let pending = || serde_json::from_str::<keyback::PendingSignIn>(&kept).unwrap();
    let without = |name: &str, instead: Option<&str>| {
        let mut url = callback.clone();
        let others = parameters(&callback)
            .into_iter()
            .filter(|(other, _)| other != name);
        url.query_pairs_mut().clear().extend_pairs(others);
        if let Some(value) = instead {
            url.query_pairs_mut().append_pair(name, value);
        }
        url
    };
    let other = client
        .finish(pending(), without("iss", Some("https://other.example")))
        .await
        .unwrap_err();
    assert!(
        matches!(other, Error::Callback(CallbackError::IssuerMismatch)),
        "{other}"
    );
    let none = client.finish(pending(), without("iss", None)).await.unwrap_err();
    assert!(
        matches!(none, Error::Callback(CallbackError::MissingIssuer)),
        "{none}"
    );
    let state = client
        .finish(pending(), without("state", Some("other")))
        .await
        .unwrap_err();
    assert!(
        matches!(state, Error::Callback(CallbackError::StateMismatch)),
        "{state}"
    );

    client.finish(pending(), callback.clone()).await.unwrap();
    let twice = client.finish(pending(), callback).await.unwrap_err();
    assert!(
        matches!(twice, Error::Exchange(ExchangeError::InvalidGrant)),
        "{twice}"
    );
}

#[tokio::test]
async fn oidc_core_3_1_3_7_tokens_that_are_signed_with_the_secret_or_encrypted_are_refused() {
    let peer = Peer::start().await;
    let hmac = sign_in(&peer, &peer.client("hs256").build().unwrap())
        .await
        .unwrap_err();
    assert!(
        matches!(hmac, Error::IdToken(IdTokenError::AlgorithmRefused { .. })),
        "{hmac}"
    );
    let encrypted = sign_in(&peer, &peer.client("encrypted").build().unwrap())
        .await
        .unwrap_err();
    assert!(matches!(encrypted, Error::IdToken(_)), "{encrypted}");
    // The client's own list is narrower than what the provider signs with.
    let narrow = peer
        .client("rs256")
        .algorithms([keyback::Algorithm::Es384])
        .build()
        .unwrap();
    let refused = sign_in(&peer, &narrow).await.unwrap_err();
    assert!(
        matches!(refused, Error::IdToken(IdTokenError::AlgorithmRefused { .. })),
        "{refused}"
    );
}

#[tokio::test]
async fn signed_userinfo_is_not_taken_for_claims() {
    let peer = Peer::start().await;
    let client = peer.client("signed-userinfo").build().unwrap();
    let (_, session) = sign_in(&peer, &client).await.unwrap();
    let error = client.user_info(&session).await.unwrap_err();
    assert!(
        matches!(error, Error::UserInfo(UserInfoError::Malformed)),
        "{error}"
    );
}

#[tokio::test]
async fn oidc_core_3_1_3_7_the_clock_decides_whether_a_token_is_still_good() {
    let peer = Peer::start().await;
    let clock = Arc::new(Ahead::default());
    let client = peer
        .client("es384")
        .clock(Arc::clone(&clock) as _)
        .build()
        .unwrap();
    clock.put(Duration::from_secs(3_600 + 90));
    let late = sign_in(&peer, &client).await.unwrap_err();
    assert!(
        matches!(late, Error::IdToken(IdTokenError::Expired { .. })),
        "{late}"
    );
}

#[tokio::test]
async fn a_wrong_secret_is_the_applications_fault() {
    let peer = Peer::start().await;
    let client = peer.client("es384").client_secret("another").build().unwrap();
    let error = sign_in(&peer, &client).await.unwrap_err();
    assert!(
        matches!(error, Error::Exchange(ExchangeError::InvalidClient)),
        "{error}"
    );
    assert_eq!(error.fault(), keyback::Fault::Application);
}
