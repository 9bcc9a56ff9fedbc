//! What webhooks are told of accounts that come, stop and go.

use keyback::http::{HeaderMap, HeaderName, HeaderValue};
use keyback::logto::webhook::{Event, WebhookReceiver};
use keyback_companion::config::webhook::WebhookEvent;
use keyback_tests::{ADA, Asked, Behaviour, MessageProvider, OLD_PASSWORD, eventually};
use serde_json::json;

use super::*;
use crate::webhooks::{KEY, hook};

fn event(app: &TestApp, asked: &Asked) -> Event {
    let clock = Arc::new(SharedClock(Arc::clone(&app.clock)));
    let headers: HeaderMap = asked
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect();
    let receiver = WebhookReceiver::keyback([KEY]).unwrap().clock(clock);
    let delivery = receiver.verify(&headers, asked.body.as_bytes()).unwrap();
    delivery.event().clone()
}

#[tokio::test]
async fn sr60_accounts_that_come_stop_and_go_are_told_of_in_their_order() {
    let peer = MessageProvider::start(Behaviour::Says(204, "", "")).await;
    let app = with_backend(|config| config.webhooks = vec![hook(&peer, &WebhookEvent::ALL)]).await;
    let (api, token) = (management(&app), machine_token(&app, BACKEND).await);
    let new = json!({ "primaryEmail": ADA, "password": OLD_PASSWORD });
    let added = call(&app, &token, Method::POST, "/api/users", new.clone()).await;
    let id = added.body["id"].as_str().unwrap();
    // What is refused is not told.
    assert!(
        call(&app, &token, Method::POST, "/api/users", new)
            .await
            .status
            .is_client_error()
    );
    api.set_suspended(id, true).await.unwrap();
    api.set_suspended(id, false).await.unwrap();
    let path = format!("/api/users/{id}");
    for (status, times) in [(204, 1), (404, 2)] {
        let answer = call(&app, &token, Method::DELETE, &path, Value::Null).await;
        assert_eq!(answer.status.as_u16(), status, "{times}");
    }
    let asked = eventually("four deliveries", async || {
        Some(peer.asked()).filter(|all| all.len() >= 4)
    })
    .await;
    app.settle().await;
    assert_eq!(peer.asked().len(), 4);
    let told: Vec<_> = asked.iter().map(|asked| event(&app, asked)).collect();
    let Event::UserCreated(created) = &told[0] else {
        panic!("{told:?}")
    };
    assert_eq!(created.user_id(), Some(id));
    assert_eq!(created.user.as_ref().unwrap().primary_email.as_deref(), Some(ADA));
    for (event, suspended) in told[1..3].iter().zip([true, false]) {
        let Event::UserSuspensionUpdated(change) = event else {
            panic!("{told:?}")
        };
        assert_eq!(change.user_id(), Some(id));
        assert_eq!(change.user.as_ref().unwrap().is_suspended, suspended);
    }
    let Event::UserDeleted(deleted) = &told[3] else {
        panic!("{told:?}")
    };
    assert!(deleted.user.is_none());
    assert_eq!(deleted.user_id(), Some(id));
    assert!(!asked.iter().any(|asked| asked.body.contains(OLD_PASSWORD)));
}
