//! Ends everything that a person is signed in with once they have reset their password, with Logto.
//!
//! A reset in Logto ends no session and no refresh token: whoever stole the old password stays signed in. This receiver of
//! Logto's webhooks waits for `PostResetPassword`, and then ends the person's sessions and grants by the Management API. Keyback's
//! companion does that itself, in the same transaction.
//!
//! In Logto's console make a webhook for `PostResetPassword` that posts to `/webhooks`, and a machine-to-machine app with the
//! role "Logto Management API access". Then
//!
//! ```text
//! LOGTO_ENDPOINT=https://tenant.logto.app LOGTO_APP_ID=… LOGTO_APP_SECRET=… LOGTO_WEBHOOK_KEY=… \
//!     cargo run -p keyback-examples --bin sign_out_everywhere
//! ```
//!
//! Your own site's sessions end here too: by `Sessions` of the SDK, or in your own table, where the comment says so.

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
use tokio::net::TcpListener;

struct Site {
    webhooks: WebhookReceiver,
    /// Behind several servers this is a table of their database.
    seen: MemoryDeliveries,
    logto: Management,
}

#[tokio::main]
async fn main() -> Result<()> {
    let site = Site {
        webhooks: WebhookReceiver::logto([setting("LOGTO_WEBHOOK_KEY")?])?,
        seen: MemoryDeliveries::new(),
        logto: Management::builder(
            setting("LOGTO_ENDPOINT")?,
            setting("LOGTO_APP_ID")?,
            setting("LOGTO_APP_SECRET")?,
        )
        .build()?,
    };
    let listen = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8091".to_owned());
    let listener = TcpListener::bind(&listen)
        .await
        .with_context(|| format!("{listen} can't be listened to"))?;
    println!("Waiting for resets at http://{}/webhooks", listener.local_addr()?);
    let routes = Router::new()
        .route("/webhooks", post(receive))
        .with_state(Arc::new(site));
    Ok(axum::serve(listener, routes).await?)
}

fn setting(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("set {name}"))
}

async fn receive(State(site): State<Arc<Site>>, headers: HeaderMap, raw_body: Bytes) -> StatusCode {
    let handle = |delivery| site.handle(delivery);
    match site
        .webhooks
        .receive(&site.seen, &headers, &raw_body, handle)
        .await
    {
        Ok(Received::Handled | Received::Repeated) => StatusCode::NO_CONTENT,
        Err(error) => {
            eprintln!("not handled: {error}");
            StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST)
        }
    }
}

impl Site {
    async fn handle(&self, delivery: Delivery) -> Result<(), HandlerError> {
        let Event::PostResetPassword(reset) = delivery.event() else {
            return Ok(());
        };
        // End the person's sessions at this site here, first: that needs nobody else.
        let ended = self.logto.sign_out_everywhere(&reset.user.id).await?;
        println!(
            "{}: {} sessions and {} more grants ended after a reset",
            reset.user.id, ended.sessions, ended.grants
        );
        Ok(())
    }
}
