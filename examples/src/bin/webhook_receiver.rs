//! A receiver of webhooks that prints the events it has verified.
//!
//! Start the demo with the receiver's address, and then the receiver with the key that the demo prints:
//!
//! ```text
//! cargo run --release --bin keyback -- demo --webhook http://localhost:8090/webhooks
//! KEYBACK_WEBHOOK_KEY=… cargo run -p keyback-examples --bin webhook_receiver
//! ```
//!
//! and reset the password on the demo's site. For Logto's webhooks set `KEYBACK_WEBHOOK_SENDER=logto`. While one key
//! takes another's place, `KEYBACK_WEBHOOK_KEY` may hold both, separated by a comma.

use std::env;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use keyback::logto::webhook::{Delivery, Event, MemoryDeliveries, WebhookReceiver};
use tokio::net::TcpListener;

struct Receiver {
    webhooks: WebhookReceiver,
    /// What was handled already. Behind several servers this is a table of their database.
    seen: MemoryDeliveries,
}

#[tokio::main]
async fn main() -> Result<()> {
    let keys =
        env::var("KEYBACK_WEBHOOK_KEY").context("set KEYBACK_WEBHOOK_KEY to the webhook's signing key")?;
    let keys = keys.split(',').map(str::trim);
    let webhooks = match env::var("KEYBACK_WEBHOOK_SENDER").as_deref() {
        Err(_) | Ok("keyback") => WebhookReceiver::keyback(keys)?,
        Ok("logto") => WebhookReceiver::logto(keys)?,
        Ok(other) => bail!("KEYBACK_WEBHOOK_SENDER is {other:?}; it may be \"keyback\" or \"logto\""),
    };
    let listen = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8090".to_owned());
    let listener = TcpListener::bind(&listen)
        .await
        .with_context(|| format!("{listen} can't be listened to"))?;
    println!(
        "Waiting for webhooks at http://{}/webhooks",
        listener.local_addr()?
    );
    let seen = MemoryDeliveries::new();
    let routes = Router::new()
        .route("/webhooks", post(receive))
        .with_state(Arc::new(Receiver { webhooks, seen }));
    Ok(axum::serve(listener, routes).await?)
}

/// The body as bytes: what was signed are these, and not what they mean.
async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, raw_body: Bytes) -> StatusCode {
    // At least once means that it may come again.
    let handled = receiver
        .webhooks
        .receive(&receiver.seen, &headers, &raw_body, async |delivery| {
            println!("{}", told(&delivery));
            Ok(())
        });
    match handled.await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(error) => {
            eprintln!("refused: {error}");
            StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST)
        }
    }
}

/// One line for an event.
fn told(delivery: &Delivery) -> String {
    let name = delivery.name();
    match delivery.event() {
        Event::PostResetPassword(reset) => {
            let app = reset.application.as_ref().and_then(|app| app.name.as_deref());
            let of = reset
                .user
                .primary_email
                .as_deref()
                .or(reset.user.primary_phone.as_deref());
            let of = of.unwrap_or("no address");
            let at = app.unwrap_or("no app");
            format!(
                "{name}: {} ({of}) has a new password, by a reset that began at {at}",
                reset.user.id
            )
        }
        Event::UserDataUpdated(update) => {
            let user = update.user.as_ref().map_or("somebody", |user| user.id.as_str());
            format!("{name}: {user} was changed")
        }
        _ => format!("{name}: nothing is done for this event"),
    }
}
