//! Keys that an app publishes at its `jwks_uri`, and those that the configuration holds.

use std::time::Duration;

use super::super::*;
use super::signer::{Key, es256};
use crate::http::server::{ServingLimits, serve};
use crate::oidc::client_keys::KeySet;

/// An address where an app publishes its keys, and how often it was asked.
struct Published {
    url: String,
    keys: Arc<std::sync::Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicU64>,
    /// Serves until this is dropped.
    _running: tokio::sync::watch::Sender<bool>,
}

impl Published {
    async fn new() -> Self {
        let keys = Arc::new(std::sync::Mutex::new((StatusCode::OK, String::new())));
        let asked = Arc::new(AtomicU64::new(0));
        let (held, count) = (keys.clone(), asked.clone());
        let router = Router::new().fallback(async move || {
            count.fetch_add(1, Ordering::SeqCst);
            let (status, body) = held.lock().unwrap().clone();
            // Elsewhere the same would be found: only a redirect that is followed gets there.
            (status, [(header::LOCATION, "/elsewhere")], body)
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let limits = ServingLimits {
            max_connections: 10,
            header_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
        };
        let (running, stop) = tokio::sync::watch::channel(false);
        tokio::spawn(serve(listener, router, limits, stop));
        Self {
            url,
            keys,
            asked,
            _running: running,
        }
    }

    fn publish(&self, keys: &[Value]) {
        *self.keys.lock().unwrap() = (StatusCode::OK, json!({ "keys": keys }).to_string());
    }

    fn break_down(&self, status: u16, body: &str) {
        *self.keys.lock().unwrap() = (StatusCode::from_u16(status).unwrap(), body.to_owned());
    }

    fn asked(&self) -> u64 {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

#[tokio::test]
async fn oidc_core_10_1_1_published_keys_are_kept_and_fetched_anew_for_a_new_key() {
    let bench = Bench::new().await;
    let published = Published::new().await;
    let config = json!({ "client_id": "signer", "type": "machine", "jwks_uri": published.url,
        "token_endpoint_auth_method": "private_key_jwt" });
    bench.add_app(config).await;
    let (one, two) = (Key::p256(), Key::p256());
    published.publish(&[one.jwk("one")]);
    let mut drawn = 0;
    let mut signed = |key: &Key, kid: &str| {
        drawn += 1;
        key.sign(&es256(kid), &bench.claims(&drawn.to_string(), &json!({})))
    };
    // At once: one request for all.
    let three = [signed(&one, "one"), signed(&one, "one"), signed(&one, "one")];
    let (a, b, c) = tokio::join!(
        bench.with_assertion(&three[0]),
        bench.with_assertion(&three[1]),
        bench.with_assertion(&three[2])
    );
    assert!([a, b, c].iter().all(|answer| answer.status == StatusCode::OK));
    assert_eq!(published.asked(), 1);
    // Made-up keys are looked for once a minute at most.
    published.publish(&[one.jwk("one"), two.jwk("two")]);
    for _ in 0..3 {
        assert_eq!(bench.with_assertion(&signed(&two, "two")).await.status, 401);
    }
    assert_eq!(published.asked(), 0);
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!(
        bench.with_assertion(&signed(&two, "two")).await.status,
        StatusCode::OK
    );
    assert_eq!(
        bench.with_assertion(&signed(&one, "one")).await.status,
        StatusCode::OK
    );
    assert_eq!(bench.with_assertion(&signed(&one, "three")).await.status, 401);
    assert_eq!(published.asked(), 1);
    // A withdrawn key dies with the copy that is kept.
    published.publish(&[two.jwk("two")]);
    bench.clock.advance(Duration::from_secs(600));
    assert_eq!(bench.with_assertion(&signed(&one, "one")).await.status, 401);
    assert_eq!(published.asked(), 1);
    // While the address fails, what is known serves on for an hour, and it is asked every ten seconds at most.
    published.break_down(503, "");
    bench.clock.advance(Duration::from_secs(600));
    for _ in 0..3 {
        assert_eq!(
            bench.with_assertion(&signed(&two, "two")).await.status,
            StatusCode::OK
        );
    }
    assert_eq!(published.asked(), 1);
    bench.clock.advance(Duration::from_secs(3_600));
    assert_eq!(bench.with_assertion(&signed(&two, "two")).await.status, 401);
    assert_eq!(published.asked(), 1);
    // Back again.
    published.publish(&[two.jwk("two")]);
    assert_eq!(bench.with_assertion(&signed(&two, "two")).await.status, 401);
    bench.clock.advance(Duration::from_secs(10));
    assert_eq!(
        bench.with_assertion(&signed(&two, "two")).await.status,
        StatusCode::OK
    );
    assert_eq!(published.asked(), 1);
}

#[tokio::test]
async fn sr61_what_is_no_key_set_opens_nothing_and_redirects_are_not_followed() {
    let bench = Bench::new().await;
    let published = Published::new().await;
    let config = json!({ "client_id": "signer", "type": "machine", "jwks_uri": published.url,
        "token_endpoint_auth_method": "private_key_jwt" });
    bench.add_app(config).await;
    let key = Key::p256();
    let set = json!({ "keys": [key.jwk("one")] }).to_string();
    for (at, (status, body)) in [
        (302, set.clone()),
        (500, set.clone()),
        (200, "<html>".to_owned()),
        (200, "{\"keys\":[]}".to_owned()),
        (200, format!("{}{set}", " ".repeat(20 * 1024))),
    ]
    .iter()
    .enumerate()
    {
        published.break_down(*status, body);
        let assertion = key.sign(&es256("one"), &bench.claims(&at.to_string(), &json!({})));
        let answer = bench.with_assertion(&assertion).await;
        assert_eq!(
            (answer.status.as_u16(), answer.error().as_str()),
            (401, "invalid_client"),
            "{body}"
        );
        assert_eq!(published.asked(), 1, "{status}");
        bench.clock.advance(Duration::from_secs(10));
    }
}

#[test]
fn rfc7517_4_a_key_set_of_the_configuration_keeps_its_keys_in_the_store() {
    let document = json!({ "keys": [Key::p256().jwk("one")] });
    let read: crate::config::client_keys::ClientKeys =
        serde_json::from_value(Value::String(document.to_string())).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), document);
    assert!(KeySet::parse(&serde_json::to_value(&read).unwrap()).is_ok());
}
