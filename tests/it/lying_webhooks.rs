//! Receivers of webhooks that babble, dribble, never end, say nothing or hang up: no page waits for them, nobody else's events do,
//! the operator is told, and when they are sound again they get all there was, in its order.

use std::time::{Duration, Instant};

use keyback_companion::config::webhook::WebhookEvent;
use keyback_companion::connectors::inbox::Letter;
use keyback_tests::{ADA, Asked, Behaviour, MessageProvider, TestApp, eventually};
use serde_json::Value;

use crate::webhooks::{KEY, hook, received, reset, telling};

/// More than any page takes that doesn't wait for a receiver, and less than a receiver has.
const QUICK: Duration = Duration::from_secs(5);

/// What a receiver was told, in its order, a repetition once.
fn told(peer: &MessageProvider) -> Vec<String> {
    let event = |asked: &Asked| {
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        body["event"].as_str().unwrap().to_owned()
    };
    let mut told: Vec<String> = peer.messages().iter().map(event).collect();
    told.dedup();
    told
}

/// Why deliveries to a receiver have failed so far.
async fn errors(app: &TestApp, peer: &MessageProvider) -> Vec<String> {
    let sql = "SELECT last_error FROM jobs WHERE kind = 'webhook' AND last_error IS NOT NULL";
    let errors: Vec<String> = sqlx::query_scalar(sql)
        .fetch_all(app.companion.store.reader())
        .await
        .unwrap();
    let origin = peer.url.origin().ascii_serialization();
    errors
        .into_iter()
        .filter(|error| error.contains(&origin))
        .collect()
}

#[tokio::test]
async fn sr60_receivers_that_lie_hold_nobody_up_and_miss_nothing_when_they_are_sound_again() {
    let sound = MessageProvider::start(Behaviour::Takes).await;
    // Slow is not wrong, and of an answer that doesn't end the status was given.
    let odd = [
        MessageProvider::start(Behaviour::Dribbles(Duration::from_millis(5))).await,
        MessageProvider::start(Behaviour::Endless).await,
    ];
    let mut lying = Vec::new();
    for (behaviour, why) in [
        (Behaviour::Babbles, "invalid HTTP"),
        (Behaviour::HangsUp, "connection closed"),
        (Behaviour::EndlessHead, "too large"),
        (Behaviour::Mute, "no answer came within 10 s"),
        (
            Behaviour::Dribbles(Duration::from_millis(500)),
            "no answer came within 10 s",
        ),
    ] {
        lying.push((MessageProvider::start(behaviour).await, why));
    }
    let peers = lying.iter().map(|(peer, _)| peer).chain(&odd).chain([&sound]);
    let app = telling(peers.map(|peer| hook(peer, &WebhookEvent::ALL)).collect()).await;
    let began = Instant::now();
    reset(&app).await;
    assert!(began.elapsed() < QUICK, "{:?}", began.elapsed());
    let both = ["PostResetPassword", "User.Data.Updated"];
    for peer in odd.iter().chain([&sound]) {
        eventually("both events", async || (told(peer) == both).then_some(())).await;
    }
    // The notice to the owner waits for none of them either.
    let inbox = app.companion.inbox.as_ref().unwrap();
    let notice = |letter: &Letter| letter.to == ADA && letter.kind == "password-changed";
    eventually("the notice", async || {
        inbox.letters().iter().any(notice).then_some(())
    })
    .await;

    for (peer, why) in &lying {
        let errors = eventually("a failure", async || {
            Some(errors(&app, peer).await).filter(|errors| !errors.is_empty())
        })
        .await;
        assert!(errors[0].contains(why), "{why}: {errors:?}");
        // The second event waits for the first.
        assert_eq!(told(peer), both[..1], "{why}");
        peer.behave(Behaviour::Takes);
    }
    assert!(app.audited("webhook_not_told").await >= 5);
    for (peer, why) in &lying {
        eventually("both events", async || {
            app.advance(Duration::from_secs(5));
            (told(peer) == both).then_some(())
        })
        .await;
        // The last try of each is one that a receiver of the SDK believes.
        let asked = peer.messages();
        received(&app, KEY, asked.last().unwrap()).unwrap_or_else(|error| panic!("{why}: {error}"));
    }
    app.settle().await;
}
