//! What a relying party may use beyond the plain sign-in: keys in place of secrets, pushed requests, posted answers, bound tokens,
//! devices, the back channel and revocation.

use std::sync::Arc;

use keyback::{
    AssertionAudience, Client, ClientKey, DeviceError, DevicePoll, DeviceSignIn, Error, ExchangeError, SignIn,
};
use keyback_tests::{Browser, eventually};
use url::form_urlencoded;

use super::peer::{Peer, agree, answer_of, sign_in};
use super::{Ahead, parameters};

#[tokio::test]
async fn rfc7523_a_key_of_every_kind_proves_the_client() {
    let mut peer = Peer::start().await;
    for id in ["key-rs256", "key-es256", "key-es384", "key-eddsa"] {
        let key = peer.key_of(id).await;
        for audience in [AssertionAudience::Issuer, AssertionAudience::TokenEndpoint] {
            let key = ClientKey::from_jwk(&key).unwrap().audience(audience);
            let client = peer.client(id).client_key(key).build().unwrap();
            let (_, session) = sign_in(&peer, &client)
                .await
                .unwrap_or_else(|error| panic!("{id}: {error}"));
            client.refresh(&session).await.unwrap();
        }
    }
    // The key of another client.
    let key = ClientKey::from_jwk(peer.key_of("key-es256").await).unwrap();
    let client = peer.client("key-es384").client_key(key).build().unwrap();
    let error = sign_in(&peer, &client).await.unwrap_err();
    assert!(
        matches!(error, Error::Exchange(ExchangeError::InvalidClient)),
        "{error}"
    );
}

#[tokio::test]
async fn rfc9126_a_pushed_request_signs_in_by_reference() {
    let mut peer = Peer::start().await;
    let client = peer.client("pushed").pushed_requests().build().unwrap();
    let SignIn { url, pending } = client.sign_in().scope("email").start().await.unwrap();
    let names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["client_id", "request_uri"]);
    let callback = answer_of(&mut peer.browser(), &url, "ada").await;
    let session = client.finish(pending, callback).await.unwrap();
    assert_eq!(session.claims().subject(), "ada");

    // By a key, at that endpoint too.
    let key = ClientKey::from_jwk(peer.key_of("key-es256").await).unwrap();
    let by_key = peer.client("key-es256").client_key(key).pushed_requests();
    sign_in(&peer, &by_key.build().unwrap()).await.unwrap();

    // This client's requests are refused when they come through the browser.
    let plain = peer.client("pushed").build().unwrap();
    let SignIn { url, .. } = plain.sign_in().start().await.unwrap();
    let mut browser = peer.browser();
    browser.open(url.as_str()).await;
    assert!(
        browser
            .page()
            .url
            .query()
            .is_some_and(|query| query.contains("error=invalid_request"))
    );
}

#[tokio::test]
async fn form_post_the_answer_is_posted_and_nothing_stands_in_the_url() {
    let peer = Peer::start().await;
    let client = peer.client("es384").build().unwrap();
    let SignIn { url, pending } = client.sign_in().form_post().start().await.unwrap();
    let mut browser = peer.browser();
    browser.open(url.as_str()).await;
    let form = browser.page().form_with("login");
    browser
        .submit(form.fill("login", "ada").fill("password", "any"))
        .await;
    let form = browser.page().form_with("prompt");
    browser.submit(form).await;
    // The page would post it by a script.
    let form = browser.page().form_with("code");
    assert_eq!(form.action.as_str(), peer.callback);
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&form.fields)
        .finish();
    let callback = client.posted_callback("/callback", body).unwrap();
    let session = client.finish_posted(pending, &callback).await.unwrap();
    assert_eq!(session.claims().subject(), "ada");
}

/// The provider demands its own nonce in every proof, as RFC 9449 section 8 allows.
#[tokio::test]
async fn rfc9449_bound_tokens_need_the_key_at_every_step() {
    let peer = Peer::start().await;
    let client = peer.client("es384").dpop().build().unwrap();
    let (_, session) = sign_in(&peer, &client).await.unwrap();
    assert!(session.dpop_key().is_some());
    let claims = client.user_info(&session).await.unwrap();
    assert_eq!(claims.email(), Some("ada@example.com"));
    let renewed = client.refresh(&session).await.unwrap();
    client.user_info(&renewed).await.unwrap();

    // Without the key the token is worth nothing.
    let stolen = reqwest::Client::new()
        .get(format!("{}/me", peer.issuer))
        .header("authorization", format!("Bearer {}", renewed.access_token()))
        .send()
        .await
        .unwrap();
    assert_eq!(stolen.status(), 401);

    // Another client object learns the provider's nonce by itself, with a key that was kept.
    let again = peer.client("es384").dpop().build().unwrap();
    again.user_info(&renewed).await.unwrap();
}

async fn begin_on_device(client: &Client) -> DeviceSignIn {
    let device = client.begin_on_device(["email", "offline_access"]).await.unwrap();
    assert!(device.user_code().len() >= 8);
    device
}

/// Types the code on another machine, up to the page that asks to confirm it.
async fn enter_code(browser: &mut Browser, device: &DeviceSignIn) {
    browser.open(device.verification_uri().as_str()).await;
    let form = browser.page().form_with("user_code");
    browser.submit(form.fill("user_code", device.user_code())).await;
}

#[tokio::test]
async fn rfc8628_a_device_is_signed_in_once_the_person_has_confirmed_elsewhere() {
    let peer = Peer::start().await;
    let clock = Arc::new(Ahead::default());
    let client = peer
        .client("device")
        .clock(Arc::clone(&clock) as _)
        .build()
        .unwrap();
    let mut device = begin_on_device(&client).await;
    assert!(device.verification_uri_complete().is_some());
    clock.put(device.interval());
    let DevicePoll::Wait(_) = client.poll_device(&mut device).await.unwrap() else {
        panic!("nobody has confirmed")
    };
    let mut browser = peer.browser();
    enter_code(&mut browser, &device).await;
    let form = browser.page().form_with("confirm");
    browser.submit(form).await;
    let form = browser.page().form_with("login");
    browser
        .submit(form.fill("login", "ada").fill("password", "any"))
        .await;
    let form = browser.page().form_with("prompt");
    browser.submit(form).await;
    browser.assert_says("was successful");

    clock.put(device.interval() * 2);
    let session = client
        .finish_on_device(device, |_| std::future::ready(()))
        .await
        .unwrap();
    assert_eq!(session.claims().subject(), "ada");
    assert_eq!(
        client.user_info(&session).await.unwrap().email(),
        Some("ada@example.com")
    );
    client.refresh(&session).await.unwrap();
}

#[tokio::test]
async fn rfc8628_a_device_that_is_declined_is_told_so() {
    let peer = Peer::start().await;
    let clock = Arc::new(Ahead::default());
    let client = peer
        .client("device")
        .clock(Arc::clone(&clock) as _)
        .build()
        .unwrap();
    let mut device = begin_on_device(&client).await;
    let mut browser = peer.browser();
    enter_code(&mut browser, &device).await;
    let form = browser.page().form_with("confirm");
    let mut declined = form.clone();
    declined.fields.retain(|(name, _)| name != "confirm");
    declined.fields.push(("abort".to_owned(), "yes".to_owned()));
    browser.submit(declined).await;
    clock.put(device.interval());
    let error = client.poll_device(&mut device).await.unwrap_err();
    assert!(matches!(error, Error::Device(DeviceError::Denied)), "{error}");
}

#[tokio::test]
async fn bcl_2_5_a_session_that_ends_at_the_provider_ends_here() {
    let peer = Peer::start().await;
    let client = peer.client("told").build().unwrap();
    let (mut browser, session) = sign_in(&peer, &client).await.unwrap();
    assert!(session.claims().session_id().is_some());
    let out = client
        .sign_out_url(&session, &peer.signed_out, None)
        .await
        .unwrap();
    browser.open(out.as_str()).await;
    let form = browser.page().form_with("xsrf").fill("logout", "yes");
    browser.submit(form).await;
    browser.assert_at("/signed-out");
    let told = Arc::clone(&peer.told);
    let body = eventually("the back channel", async || told.lock().unwrap().first().cloned()).await;
    let form: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let [(name, logout_token)] = form.as_slice() else {
        panic!("one field is expected")
    };
    assert_eq!(name, "logout_token");
    let token = client.verify_logout_token(logout_token).await.unwrap();
    assert!(token.names(session.claims()));
    let twice = client.verify_logout_token(logout_token).await.unwrap_err();
    assert_eq!(twice.code(), "logout_token.replayed");
}

#[tokio::test]
async fn rfc7009_2_1_what_was_revoked_is_of_no_use() {
    let peer = Peer::start().await;
    let client = peer.client("es384").build().unwrap();
    let (mut browser, session) = sign_in(&peer, &client).await.unwrap();
    client.revoke(&session).await.unwrap();
    client.revoke(&session).await.unwrap();
    let error = client.refresh(&session).await.unwrap_err();
    assert!(
        matches!(error, Error::Exchange(ExchangeError::InvalidGrant)),
        "{error}"
    );
    // The session at the provider is another matter.
    let SignIn { url, pending } = client.sign_in().start().await.unwrap();
    browser.open(url.as_str()).await;
    let callback = agree(&mut browser).await;
    assert!(parameters(&callback).contains_key("code"));
    client.finish(pending, callback).await.unwrap();
}
