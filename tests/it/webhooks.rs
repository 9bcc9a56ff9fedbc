//! Webhooks, from the change of a password to the SDK's receiver.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keyback::http::{HeaderMap, HeaderName, HeaderValue};
use keyback::logto::webhook::{Delivery, Event, WebhookError, WebhookReceiver};
use keyback_companion::config::app::Secret;
use keyback_companion::config::webhook::{WebhookConfig, WebhookEvent};
use keyback_core::testing::ManualClock;
use keyback_core::time::Clock as _;
use keyback_tests::{
    ADA, Asked, Behaviour, Browser, MessageProvider, NEW_PASSWORD, OLD_PASSWORD, TestApp, eventually,
};
use serde_json::Value;

pub(crate) const KEY: &str = "a signing key of the tests, long enough";
const NEXT_KEY: &str = "the signing key that takes its place now";

/// The companion's clock, as the receiver's.
struct Shared(Arc<ManualClock>);

impl keyback::Clock for Shared {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.0.now().as_millis().unsigned_abs())
    }
}

pub(crate) fn hook(peer: &MessageProvider, events: &[WebhookEvent]) -> WebhookConfig {
    WebhookConfig {
        url: peer.url.join("/hooks").unwrap(),
        events: events.to_vec(),
        signing_key: vec![Secret::new(KEY)],
        allow_private: true,
    }
}

/// A companion with Ada's account, that tells these webhooks.
pub(crate) async fn telling(hooks: Vec<WebhookConfig>) -> TestApp {
    let app = TestApp::with(|config| config.webhooks = hooks).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    app
}

pub(crate) async fn reset(app: &TestApp) {
    let mut browser = app.browser();
    browser.open("/reset-password?client_id=shop").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
}

/// Signs in and changes the password on the account page.
async fn change(app: &TestApp, browser: &mut Browser, current: &str, new: &str) {
    browser.open("/account/password").await;
    if browser.page().url.path() == "/sign-in" {
        browser.sign_in(ADA, current).await;
    }
    browser.change_password(current, new).await;
    browser.assert_says("Password changed");
    app.advance(Duration::from_millis(1));
}

async fn deliveries(peer: &MessageProvider, count: usize) -> Vec<Asked> {
    eventually("a delivery", async || {
        let asked = peer.asked();
        (asked.len() >= count).then_some(asked)
    })
    .await
}

/// What was asked, once it was tried so often. Time passes at every look: a try that has failed may not have been put
/// back yet.
async fn tried(app: &TestApp, peer: &MessageProvider, tries: usize) -> Vec<Asked> {
    eventually("another try", async || {
        app.advance(Duration::from_secs(5));
        let asked = peer.asked();
        (asked.len() >= tries).then_some(asked)
    })
    .await
}

fn headers(asked: &Asked) -> HeaderMap {
    let pair = |(name, value): (&String, &String)| {
        (
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_str(value).unwrap(),
        )
    };
    asked.headers.iter().map(pair).collect()
}

/// What the SDK's receiver makes of a delivery.
pub(crate) fn received(app: &TestApp, key: &str, asked: &Asked) -> Result<Delivery, WebhookError> {
    let receiver = WebhookReceiver::keyback([key])?.clock(Arc::new(Shared(Arc::clone(&app.clock))));
    receiver.verify(&headers(asked), asked.body.as_bytes())
}

fn members(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn sr60_a_reset_tells_the_webhook_who_it_was_signed_and_with_an_id() {
    let peer = MessageProvider::start(Behaviour::Says(204, "", "")).await;
    let app = telling(vec![hook(&peer, &[WebhookEvent::PostResetPassword])]).await;
    reset(&app).await;
    let asked = deliveries(&peer, 1).await.remove(0);
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/hooks"));
    assert_eq!(asked.headers["content-type"], "application/json");
    let delivery = received(&app, KEY, &asked).unwrap();
    assert_eq!(delivery.id(), Some(asked.headers["keyback-delivery"].as_str()));
    let Event::PostResetPassword(event) = delivery.event() else {
        panic!("{delivery:?}")
    };
    assert_eq!(event.user.id, app.user(ADA).await.id);
    assert_eq!(event.user.primary_email.as_deref(), Some(ADA));
    let shop = event.application.as_ref().unwrap();
    assert_eq!(
        (shop.id.as_str(), shop.name.as_deref()),
        ("shop", Some("Larkspur Books"))
    );
    assert!(event.user_ip.is_some() && event.session_id.is_some());
    // Never a code, a proof or a password (SR-31).
    assert!(!asked.body.contains(NEW_PASSWORD));

    // A receiver made for Logto takes it as it is.
    let clock = Arc::new(Shared(Arc::clone(&app.clock)));
    let logtos = WebhookReceiver::logto([KEY]).unwrap().clock(clock);
    logtos.verify(&headers(&asked), asked.body.as_bytes()).unwrap();
    app.settle().await;
    assert_eq!(peer.asked().len(), 1);
}

/// What a running Logto sent has no member that ours lack.
#[tokio::test]
async fn the_bodies_have_the_members_of_logtos() {
    let peer = MessageProvider::start(Behaviour::Says(200, "", "")).await;
    let app = telling(vec![hook(&peer, &WebhookEvent::ALL)]).await;
    let mut browser = app.browser();
    change(&app, &mut browser, OLD_PASSWORD, "lavender ferry whistles").await;
    reset(&app).await;
    let ours = deliveries(&peer, 3).await;
    let ours: Vec<Value> = ours
        .iter()
        .map(|asked| serde_json::from_str(&asked.body).unwrap())
        .collect();
    let recorded = include_str!("../../sdk/tests/it/logto/webhooks.jsonl").lines();
    let recorded = recorded.map(|line| serde_json::from_str::<Value>(line).unwrap());
    for logtos in recorded.map(|line| serde_json::from_str::<Value>(line["body"].as_str().unwrap()).unwrap())
    {
        // Those of a reset; what its Management API sends names that API's own requests.
        if logtos["interactionEvent"] != "ForgotPassword" {
            continue;
        }
        let same = |ours: &&Value| ours["event"] == logtos["event"] && ours.get("interactionEvent").is_some();
        let ours = ours.iter().find(same).unwrap();
        // The test's browser says nothing of itself.
        let mut expected = members(&logtos);
        expected.remove("userAgent");
        let missing: Vec<_> = expected.difference(&members(ours)).copied().collect();
        assert!(missing.is_empty(), "{missing:?} of {}", logtos["event"]);
        for part in ["user", "data", "application"] {
            if let Some(logtos) = logtos.get(part) {
                assert_eq!(members(&ours[part]), members(logtos), "{part}");
            }
        }
    }
    let signed_in = ours[0]["data"]["lastSignInAt"].as_i64().unwrap();
    assert!(signed_in > 0 && signed_in <= app.clock.now().as_millis());
}

#[tokio::test]
async fn a_change_on_the_account_page_is_an_update_and_no_reset() {
    let peer = MessageProvider::start(Behaviour::Says(200, "", "")).await;
    let app = telling(vec![hook(&peer, &WebhookEvent::ALL)]).await;
    change(&app, &mut app.browser(), OLD_PASSWORD, NEW_PASSWORD).await;
    let asked = deliveries(&peer, 1).await.remove(0);
    let delivery = received(&app, KEY, &asked).unwrap();
    let Event::UserDataUpdated(event) = delivery.event() else {
        panic!("{delivery:?}")
    };
    assert_eq!(event.user.as_ref().unwrap().id, app.user(ADA).await.id);
    app.settle().await;
    assert_eq!(peer.asked().len(), 1);
}

#[tokio::test]
async fn sr60_what_fails_is_tried_again_with_the_same_id_and_body_and_a_new_signature() {
    let peer = MessageProvider::start(Behaviour::Says(503, "", "")).await;
    let app = telling(vec![hook(&peer, &[WebhookEvent::PostResetPassword])]).await;
    reset(&app).await;
    deliveries(&peer, 1).await;
    app.settle().await;
    peer.behave(Behaviour::Says(204, "", ""));
    app.advance(Duration::from_secs(400));
    let asked = deliveries(&peer, 2).await;
    let [first, second] = [&asked[0], &asked[1]];
    assert_eq!(first.body, second.body);
    assert_eq!(
        first.headers["keyback-delivery"],
        second.headers["keyback-delivery"]
    );
    assert_ne!(
        first.headers["keyback-signature"],
        second.headers["keyback-signature"]
    );
    // Whoever sends the first again is too late, and the second is in time.
    let late = received(&app, KEY, first).unwrap_err();
    assert!(matches!(late, WebhookError::TooOld { .. }), "{late}");
    received(&app, KEY, second).unwrap();
    app.settle().await;
    assert_eq!(peer.asked().len(), 2);
}

#[tokio::test]
async fn sr60_events_of_one_account_come_in_their_order() {
    let peer = MessageProvider::start(Behaviour::Says(500, "", "")).await;
    let app = telling(vec![hook(&peer, &[WebhookEvent::UserDataUpdated])]).await;
    let mut browser = app.browser();
    let passwords = [OLD_PASSWORD, "lavender ferry whistles", "marble tractor hums"];
    for pair in passwords.windows(2) {
        change(&app, &mut browser, pair[0], pair[1]).await;
    }
    deliveries(&peer, 1).await;
    let updated_at = |asked: &Asked| {
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        body["createdAt"].as_str().unwrap().to_owned()
    };
    // While the first fails the second waits, however often it is tried.
    let first = updated_at(&peer.asked()[0]);
    for tries in 2..4 {
        let asked = tried(&app, &peer, tries).await;
        assert!(asked.iter().all(|asked| updated_at(asked) == first));
    }
    peer.behave(Behaviour::Says(200, "", ""));
    let asked = eventually("the second event", async || {
        app.advance(Duration::from_secs(5));
        peer.asked().into_iter().find(|asked| updated_at(asked) != first)
    })
    .await;
    assert!(updated_at(&asked) > first);
    app.settle().await;
}

/// One change tells a webhook two things: that it was a reset comes first, and while that can't be told, nothing else.
#[tokio::test]
async fn sr60_what_one_reset_tells_comes_in_its_order_to_each_target() {
    let failing = MessageProvider::start(Behaviour::Says(500, "", "")).await;
    let sound = MessageProvider::start(Behaviour::Says(200, "", "")).await;
    let app = telling(vec![
        hook(&failing, &WebhookEvent::ALL),
        hook(&sound, &WebhookEvent::ALL),
    ])
    .await;
    reset(&app).await;
    let events = |asked: &[Asked]| -> Vec<String> {
        let bodies = asked
            .iter()
            .map(|asked| serde_json::from_str::<Value>(&asked.body).unwrap());
        bodies
            .map(|body| body["event"].as_str().unwrap().to_owned())
            .collect()
    };
    // Another target's trouble is none of its own.
    let told = deliveries(&sound, 2).await;
    assert_eq!(events(&told), ["PostResetPassword", "User.Data.Updated"]);
    for tries in 1..4 {
        let told = tried(&app, &failing, tries).await;
        assert!(
            events(&told).iter().all(|event| event == "PostResetPassword"),
            "{told:?}"
        );
    }
    failing.behave(Behaviour::Says(200, "", ""));
    let told = eventually("the second event", async || {
        app.advance(Duration::from_secs(5));
        let told = events(&failing.asked());
        (told.last()? == "User.Data.Updated").then_some(told)
    })
    .await;
    assert_eq!(
        told.iter().filter(|event| *event == "User.Data.Updated").count(),
        1
    );
    app.settle().await;
    assert_eq!(failing.asked().len(), told.len());
}

/// The operator of several webhooks reads which of them failed, and nothing that its address may keep secret (SR-31).
#[tokio::test]
async fn sr31_a_failed_delivery_names_its_target_without_what_is_secret() {
    let peer = MessageProvider::start(Behaviour::Says(500, "", "")).await;
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let with_query = |base: &str| {
        let mut hook = hook(&peer, &[WebhookEvent::PostResetPassword]);
        hook.url = format!("{base}/s3cret/hook?token=s3cret-token").parse().unwrap();
        hook
    };
    let answering = peer.url.origin().ascii_serialization();
    let app = telling(vec![with_query(&answering), with_query(&gone)]).await;
    reset(&app).await;
    let mut errors = eventually("both to have failed", async || {
        let told = "SELECT last_error FROM jobs WHERE kind = 'webhook' AND last_error IS NOT NULL";
        let errors: Vec<String> = sqlx::query_scalar(told)
            .fetch_all(app.companion.store.reader())
            .await
            .unwrap();
        (errors.len() == 2).then_some(errors)
    })
    .await;
    errors.sort_by_key(|error| !error.contains("answered 500"));
    assert!(
        errors[0].contains(&format!("the webhook {answering} (number 1) answered 500")),
        "{errors:?}"
    );
    assert!(
        errors[1].contains(&format!("the webhook {gone} (number 2) could not be told")),
        "{errors:?}"
    );
    assert!(errors.iter().all(|error| !error.contains("s3cret")), "{errors:?}");
}

#[tokio::test]
async fn sr60_while_a_key_takes_anothers_place_receivers_of_either_accept() {
    let peer = MessageProvider::start(Behaviour::Says(200, "", "")).await;
    let both = WebhookConfig {
        signing_key: vec![Secret::new(NEXT_KEY), Secret::new(KEY)],
        ..hook(&peer, &[WebhookEvent::PostResetPassword])
    };
    let app = telling(vec![both]).await;
    reset(&app).await;
    let asked = deliveries(&peer, 1).await.remove(0);
    for key in [KEY, NEXT_KEY] {
        received(&app, key, &asked).unwrap();
    }
    let other = received(&app, "another key of forty characters, or so..", &asked).unwrap_err();
    assert_eq!(other, WebhookError::BadSignature);
}

#[tokio::test]
async fn sr61_private_targets_are_refused_after_the_name_was_resolved_and_redirects_not_followed() {
    let private = MessageProvider::start(Behaviour::Says(200, "", "")).await;
    let redirecting = MessageProvider::start(Behaviour::Redirects(private.url.clone())).await;
    let mut by_name = hook(&private, &[WebhookEvent::PostResetPassword]);
    by_name.allow_private = false;
    by_name.url.set_host(Some("localhost")).unwrap();
    let mut by_address = by_name.clone();
    by_address.url = private.url.join("/other").unwrap();
    let app = telling(vec![
        by_name,
        by_address,
        hook(&redirecting, &[WebhookEvent::PostResetPassword]),
    ])
    .await;
    reset(&app).await;
    deliveries(&redirecting, 1).await;
    let errors = eventually("all three to have failed", async || {
        let told = "SELECT last_error FROM jobs WHERE kind = 'webhook' AND last_error IS NOT NULL";
        let errors: Vec<String> = sqlx::query_scalar(told)
            .fetch_all(app.companion.store.reader())
            .await
            .unwrap();
        (errors.len() == 3).then_some(errors)
    })
    .await;
    assert_eq!(private.asked().len(), 0);
    let refused = errors
        .iter()
        .filter(|error| error.contains("allow_private"))
        .count();
    assert_eq!(refused, 2, "{errors:?}");
    assert!(
        errors
            .iter()
            .any(|error| error.contains("no redirect is followed")),
        "{errors:?}"
    );
}

/// A reset that ends in nothing tells nobody: the delivery is written with the password or not at all.
#[tokio::test]
async fn sr53_nothing_is_told_of_what_did_not_happen() {
    let peer = MessageProvider::start(Behaviour::Says(200, "", "")).await;
    let app = telling(vec![hook(&peer, &WebhookEvent::ALL)]).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset("nobody@example.com").await;
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password("short").await;
    browser.assert_status(422);
    app.settle().await;
    assert_eq!(peer.asked().len(), 0);
}
