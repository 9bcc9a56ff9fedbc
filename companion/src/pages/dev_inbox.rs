//! The development inbox, as a page and as JSON. There is a route to it only where a connector is the inbox,
//! which the configuration allows on loopback alone.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::app::Companion;
use crate::connectors::inbox::Letter;
use crate::http::headers::with_connect;
use crate::views::DevInbox;
use crate::views::dev_inbox::InboxMessage;

pub(super) async fn page(State(companion): State<Arc<Companion>>) -> Response {
    let letters = letters(&companion);
    let messages: Vec<_> = letters
        .iter()
        .map(|letter| InboxMessage {
            to: &letter.to,
            channel: letter.channel,
            subject: &letter.subject,
            text: &letter.text,
            code: letter.code.as_deref(),
            at: &letter.at,
        })
        .collect();
    let origin = companion.public_url.origin().ascii_serialization();
    let view = DevInbox {
        shell: companion.shell(),
        origin: &origin,
        shop_url: companion
            .welcome
            .as_ref()
            .map(|welcome| welcome.site_url.as_str()),
        messages: &messages,
    };
    let mut response = companion.page(StatusCode::OK, &view, &[]);
    // The page fetches itself to stay fresh.
    if let Some(policy) = response.headers().get(header::CONTENT_SECURITY_POLICY) {
        let policy = with_connect(policy);
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

pub(super) async fn json(State(companion): State<Arc<Companion>>) -> Response {
    match serde_json::to_vec(&letters(&companion)) {
        Ok(json) => (
            [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            json,
        )
            .into_response(),
        Err(error) => companion.failure(&error),
    }
}

fn letters(companion: &Companion) -> Vec<Letter> {
    companion
        .inbox
        .as_ref()
        .map(crate::connectors::Inbox::letters)
        .unwrap_or_default()
}
