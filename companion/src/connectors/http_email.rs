//! E-mail by an HTTP endpoint that takes the payload of Logto's HTTP e-mail connector: who has written one for Logto
//! keeps it. The finished mail stands in the payload too, among the values that templates there may use.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use serde::Serialize;

use super::http_sms::{describe, not_taken, post, probe};
use super::{DeliveryError, Outgoing};
use crate::config::http_message::HttpEmailSettings;
use crate::outgoing::OutgoingHttp;

/// Hands mails to an HTTP endpoint.
#[derive(Clone, Debug)]
pub struct HttpEmailConnector {
    settings: Arc<HttpEmailSettings>,
    outgoing: Arc<OutgoingHttp>,
}

/// Logto's `SendMessageData`.
#[derive(Serialize)]
struct Body<'a> {
    to: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    payload: Payload<'a>,
}

/// What a template may use. `code` is there in messages with a code alone, as at Logto.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    locale: &'static str,
    application: Application<'a>,
    /// The mail as the companion wrote it.
    subject: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<&'a str>,
}

#[derive(Serialize)]
struct Application<'a> {
    name: &'a str,
}

impl HttpEmailConnector {
    pub fn new(settings: Box<HttpEmailSettings>, outgoing: &Arc<OutgoingHttp>) -> Self {
        Self {
            settings: Arc::from(settings),
            outgoing: Arc::clone(outgoing),
        }
    }

    /// What it is, for the operator.
    pub(super) fn describe(&self) -> String {
        describe(&self.settings.endpoint, "the e-mail endpoint")
    }

    pub(super) async fn deliver(&self, outgoing: &Outgoing<'_>) -> Result<(), DeliveryError> {
        let body = Body {
            to: outgoing.to.as_str(),
            kind: outgoing.kind.logtos_type(),
            payload: Payload {
                code: outgoing.code,
                // The language of the templates there are.
                locale: "en",
                application: Application {
                    name: outgoing.app_name,
                },
                subject: &outgoing.message.subject,
                text: &outgoing.message.text,
                html: outgoing.message.html.as_ref().map(|html| html.as_str()),
            },
        };
        let body = serde_json::to_vec(&body)
            .map_err(|error| DeliveryError::Unwritable(format!("the payload can't be written: {error}")))?;
        let mut endpoint = self.settings.endpoint.clone();
        endpoint
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let answer = post(
            &self.outgoing,
            Method::POST,
            endpoint,
            Bytes::from(body),
            outgoing,
        )
        .await?;
        if answer.status.is_success() {
            Ok(())
        } else {
            Err(not_taken(&answer, "the e-mail endpoint", outgoing))
        }
    }

    pub(super) async fn probe(&self) -> Result<(), DeliveryError> {
        probe(&self.outgoing, &self.settings.endpoint).await
    }
}
