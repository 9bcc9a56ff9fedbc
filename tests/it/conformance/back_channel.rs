//! The modules of the Back-Channel Logout OP plan (OIDC Back-Channel Logout 1.0).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use keyback_companion::http::server::{ServingLimits, serve};
use keyback_tests::eventually;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use url::Url;

use super::relying_party::{CLIENT_ID, Mode, Suite};

/// The back channel of the client: keeps the logout tokens that it is sent.
#[derive(Clone, Default)]
struct BackChannel(Arc<Mutex<Vec<String>>>);

impl BackChannel {
    async fn listen(&self) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/back-channel", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/back-channel", post(receive))
            .with_state(self.clone());
        let limits = ServingLimits {
            max_connections: 10,
            header_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
        };
        // The sender is gone with the test's run time, and the server with it.
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move {
            serve(listener, router, limits, stopped).await;
            drop(stop);
        });
        Url::parse(&url).unwrap()
    }

    async fn one(&self) -> String {
        eventually("a logout token", async || self.0.lock().unwrap().pop()).await
    }
}

async fn receive(State(channel): State<BackChannel>, headers: HeaderMap, body: String) -> StatusCode {
    // Back-Channel Logout 2.5: a form with this one field. Further ones may be there; ours has none.
    if headers["content-type"] != "application/x-www-form-urlencoded" {
        return StatusCode::BAD_REQUEST;
    }
    let fields: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).collect();
    let [(name, token)] = fields.as_slice() else {
        return StatusCode::BAD_REQUEST;
    };
    if name != "logout_token" {
        return StatusCode::BAD_REQUEST;
    }
    channel.0.lock().unwrap().push(token.clone().into_owned());
    StatusCode::OK
}

/// `oidcc-backchannel-rp-initiated-logout` (Back-Channel Logout 2.4, 2.5): a sign-out at one's own wish is told by a
/// logout token of the session, the browser comes back with the state, and nobody is signed in any more.
#[tokio::test]
async fn bcl_2_4_a_sign_out_is_told_to_the_client() {
    let channel = BackChannel::default();
    let url = channel.listen().await;
    let mut suite = Suite::with(Mode::Query, |_, client| client.backchannel_logout_uri = Some(url)).await;
    let tokens = suite.sign_in(&[]).await;
    let id_token = suite.id_token(&tokens).await;
    assert!(id_token["sid"].is_string());
    let mut url = Url::parse(&format!("{}/session/end", suite.issuer())).unwrap();
    let back = suite.post_logout();
    url.query_pairs_mut()
        .append_pair("id_token_hint", tokens["id_token"].as_str().unwrap())
        .append_pair("post_logout_redirect_uri", &back)
        .append_pair("state", "s t&te");
    suite.browser.open(url.as_str()).await;
    assert_eq!(
        suite.browser.page().url.as_str(),
        format!("{back}&state=s+t%26te")
    );
    let token = channel.one().await;
    let logout = suite.verified(&token, "logout+jwt").await;
    assert_eq!(logout["aud"], CLIENT_ID);
    assert_eq!(logout["sid"], id_token["sid"]);
    assert_eq!(logout["sub"], id_token["sub"]);
    let events = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    assert_eq!(logout["events"], events);
    assert!(!logout["jti"].as_str().unwrap().is_empty());
    assert!(logout.get("nonce").is_none());
    let life = logout["exp"].as_u64().unwrap() - logout["iat"].as_u64().unwrap();
    assert!((1..=120).contains(&life), "{life}");
    let answer = suite.authorize_silently(&[("prompt", "none")]).await;
    assert_eq!(answer["error"], "login_required");
    assert!(!answer.contains_key("code"));
}
