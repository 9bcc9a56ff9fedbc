//! Ends everything that a person is signed in with once they have reset their password, with Logto.
//!
//! A reset in Logto ends no session and no refresh token: whoever stole the old password stays signed in. This site
//! receives Logto's webhooks and waits for `PostResetPassword`. Then it ends the person's sessions here, which is remembered in a file and holds after a
//! restart, and their sessions and grants in Logto by the Management API. Keyback's companion does the latter itself, in
//! the same transaction.
//!
//! In Logto's console make a webhook for `PostResetPassword` that posts to `/webhooks`, an app for the site, and a machine-to-machine app
//! with the role "Logto Management API access". Then
//!
//! ```text
//! LOGTO_ENDPOINT=https://tenant.logto.app LOGTO_WEBHOOK_KEY=… LOGTO_APP_ID=… LOGTO_APP_SECRET=… \
//!     SITE_APP_ID=… SITE_APP_SECRET=… SITE_REDIRECT_URI=http://localhost:8091/callback SITE_SECRET=32-random-bytes-or-more… \
//!     cargo run -p keyback-examples --bin sign_out_everywhere
//! ```

use std::env;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use keyback::logto::management::Management;
use keyback::logto::webhook::{Delivery, Event, HandlerError, MemoryDeliveries, Received, WebhookReceiver};
use keyback::{Client, Clock as _, FileLogouts, Provider, Sessions, Site, SystemClock};
use tokio::net::TcpListener;

struct Receiver {
    webhooks: WebhookReceiver,
    /// Behind several servers this is a table of their database.
    seen: MemoryDeliveries,
    logto: Management,
    /// Those of the people who are signed in here.
    sessions: Sessions,
}

#[tokio::main]
async fn main() -> Result<()> {
    let endpoint = setting("LOGTO_ENDPOINT")?;
    let client = Client::builder(format!("{endpoint}/oidc"), setting("SITE_APP_ID")?)
        .client_secret(setting("SITE_APP_SECRET")?)
        .redirect_uri(setting("SITE_REDIRECT_URI")?)
        .provider(Provider::Logto)
        .build()?;
    let ended = env::var("SITE_LOGOUTS").unwrap_or_else(|_| "logouts".to_owned());
    let logouts = FileLogouts::open(&ended, Arc::new(SystemClock))
        .with_context(|| format!("{ended} can't keep which sessions have ended"))?;
    // Sign-in, sign-out and back-channel logout; `/webhooks` is answered below.
    let site = Site::builder(client, setting("SITE_SECRET")?)
        .logout_registry(Arc::new(logouts))
        .build()?;
    let receiver = Receiver {
        webhooks: WebhookReceiver::logto([setting("LOGTO_WEBHOOK_KEY")?])?,
        seen: MemoryDeliveries::new(),
        logto: Management::builder(endpoint, setting("LOGTO_APP_ID")?, setting("LOGTO_APP_SECRET")?)
            .build()?,
        sessions: site.sessions().clone(),
    };
    let listen = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8091".to_owned());
    let listener = TcpListener::bind(&listen)
        .await
        .with_context(|| format!("{listen} can't be listened to"))?;
    println!("Waiting for resets at http://{}/webhooks", listener.local_addr()?);
    let routes = Router::new()
        .route("/webhooks", post(receive))
        .with_state(Arc::new(receiver))
        .layer(site);
    Ok(axum::serve(listener, routes).await?)
}

fn setting(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("set {name}"))
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, raw_body: Bytes) -> StatusCode {
    let handle = |delivery| receiver.handle(delivery);
    match receiver
        .webhooks
        .receive(&receiver.seen, &headers, &raw_body, handle)
        .await
    {
        Ok(Received::Handled | Received::Repeated) => StatusCode::NO_CONTENT,
        Err(error) => {
            eprintln!("not handled: {error}");
            StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST)
        }
    }
}

impl Receiver {
    async fn handle(&self, delivery: Delivery) -> Result<(), HandlerError> {
        let Event::PostResetPassword(reset) = delivery.event() else {
            return Ok(());
        };
        // First here, which needs nobody else. Told again later, it ends no session that began after the reset.
        let at = delivery.created_at().unwrap_or_else(|| SystemClock.now());
        self.sessions.end_all_begun_before(&reset.user.id, at).await?;
        let ended = self.logto.sign_out_everywhere(&reset.user.id).await?;
        println!(
            "{}: {} sessions and {} more grants ended after a reset",
            reset.user.id, ended.sessions, ended.grants
        );
        Ok(())
    }
}
