//! The site with Logto: a reset there ends everything, here and there.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use keyback::{Clock as _, SystemClock};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::running::start;

#[tokio::test]
async fn a_reset_in_logto_signs_the_person_out_everywhere() -> anyhow::Result<()> {
    let logto = Arc::new(Logto::default());
    let endpoint = Arc::clone(&logto).start().await?;
    let folder = tempfile::tempdir()?;
    let logouts = folder.path().join("logouts");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sign_out_everywhere"));
    command
        .env("SITE_APP_ID", "site")
        .env("SITE_APP_SECRET", "of nobody's app, for this test only")
        .env("SITE_REDIRECT_URI", "http://localhost:8091/callback")
        .env("SITE_SECRET", "of nobody's cookies, for this test only")
        .env("SITE_LOGOUTS", &logouts)
        .env("LISTEN", "127.0.0.1:0")
        .env("LOGTO_ENDPOINT", &endpoint)
        .env("LOGTO_APP_ID", "machine")
        .env("LOGTO_APP_SECRET", "of nobody's account, for this test only")
        .env("LOGTO_WEBHOOK_KEY", WEBHOOK_KEY);
    let (_running, line) = start(&mut command)?;
    let webhooks = line.rsplit(' ').next().unwrap_or_default().to_owned();

    let now = chrono::DateTime::<chrono::Utc>::from(SystemClock.now()).to_rfc3339();
    let reset = json!({ "event": "PostResetPassword", "createdAt": now, "user": { "id": "u1" } }).to_string();
    let other = json!({ "event": "PostSignIn", "createdAt": now, "user": { "id": "u2" } }).to_string();
    let deliver = async |body: &str, key: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        let signature = hex::encode(hmac::sign(&key, body.as_bytes()));
        let request = Client::new()
            .post(&webhooks)
            .header("logto-signature-sha-256", signature);
        anyhow::Ok(request.body(body.to_owned()).send().await?.status().as_u16())
    };
    assert_eq!(deliver(&reset, "another key").await?, 401);
    assert_eq!(deliver(&other, WEBHOOK_KEY).await?, 204);
    assert_eq!(logto.ended(), [""; 0]);
    assert!(!std::fs::read_to_string(&logouts)?.contains("u2"));
    // While Logto is out of reach nothing is forgotten: the same delivery is handled later, and then once.
    logto.away.store(true, Ordering::SeqCst);
    assert_eq!(deliver(&reset, WEBHOOK_KEY).await?, 500);
    // Here the person is signed out, and stays so after a restart.
    assert!(std::fs::read_to_string(&logouts)?.contains("/oidc:u1"));
    logto.away.store(false, Ordering::SeqCst);
    for _ in 0..2 {
        assert_eq!(deliver(&reset, WEBHOOK_KEY).await?, 204);
    }
    assert_eq!(
        logto.ended(),
        ["/api/users/u1/sessions/s1", "/api/users/u1/grants/g1"]
    );
    Ok(())
}

const WEBHOOK_KEY: &str = "a-signing-key-for-this-test";

/// A Logto in which u1 has a session and a grant.
#[derive(Default)]
struct Logto {
    away: AtomicBool,
    ended: Mutex<Vec<String>>,
}

impl Logto {
    async fn start(self: Arc<Self>) -> anyhow::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let routes = Router::new().fallback(move |method: Method, uri: Uri| {
            let answer = self.answer(&method, uri.path());
            async move { answer }
        });
        tokio::spawn(async { axum::serve(listener, routes).await });
        Ok(endpoint)
    }

    fn answer(&self, method: &Method, path: &str) -> (StatusCode, axum::Json<Value>) {
        if self.away.load(Ordering::SeqCst) {
            return (StatusCode::BAD_GATEWAY, axum::Json(json!({})));
        }
        if *method == Method::DELETE {
            self.lock().push(path.to_owned());
        }
        let body = match path {
            "/oidc/token" => json!({ "access_token": "t", "token_type": "Bearer", "expires_in": 3600 }),
            "/api/users/u1/sessions" => json!({ "sessions": [{ "payload": { "uid": "s1" } }] }),
            "/api/users/u1/grants" => json!({ "grants": [{ "id": "g1" }] }),
            _ => json!({}),
        };
        (StatusCode::OK, axum::Json(body))
    }

    fn ended(&self) -> Vec<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
