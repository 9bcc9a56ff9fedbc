//! SMS by any provider with an HTTP interface: method, headers and body are the operator's words.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use http::header::CONTENT_TYPE;

use super::body_template::{BodyTemplate, Values};
use super::provider::{IDEMPOTENCY_KEY, header_value, not_reached, refused, words};
use super::{DeliveryError, Outgoing};
use crate::config::http_message::{HttpEndpoint, HttpSmsSettings};
use crate::outgoing::{Answer, Call, OutgoingHttp, Targets};

/// Hands text messages to an HTTP endpoint.
#[derive(Clone, Debug)]
pub struct HttpSmsConnector {
    settings: Arc<HttpSmsSettings>,
    outgoing: Arc<OutgoingHttp>,
}

impl HttpSmsConnector {
    pub fn new(settings: Box<HttpSmsSettings>, outgoing: &Arc<OutgoingHttp>) -> Self {
        Self {
            settings: Arc::from(settings),
            outgoing: Arc::clone(outgoing),
        }
    }

    /// What it is, for the operator: the host alone, since paths hold keys.
    pub(super) fn describe(&self) -> String {
        describe(&self.settings.endpoint, "the SMS endpoint")
    }

    pub(super) async fn deliver(&self, outgoing: &Outgoing<'_>) -> Result<(), DeliveryError> {
        let settings = &self.settings;
        let values = Values {
            to: outgoing.to.as_str(),
            text: &outgoing.message.text,
            code: outgoing.code,
            kind: outgoing.kind.logtos_type(),
            id: outgoing.id,
            from: settings.from.as_deref(),
            app_name: outgoing.app_name,
        };
        let body = settings
            .body
            .as_ref()
            .map(|body| fill(body, &values))
            .transpose()?;
        let mut endpoint = settings.endpoint.clone();
        if let Some(query) = &settings.query {
            endpoint.url.set_query(Some(&fill(query, &values)?));
        }
        if body.is_some() {
            endpoint
                .headers
                .insert(CONTENT_TYPE, settings.content_type.clone());
        }
        let body = body.map(Bytes::from).unwrap_or_default();
        let answer = post(&self.outgoing, settings.method.clone(), endpoint, body, outgoing).await?;
        let taken = if settings.success.is_empty() {
            answer.status.is_success()
        } else {
            settings.success.contains(&answer.status)
        };
        if taken {
            Ok(())
        } else {
            Err(not_taken(&answer, "the SMS endpoint", outgoing))
        }
    }

    pub(super) async fn probe(&self) -> Result<(), DeliveryError> {
        probe(&self.outgoing, &self.settings.endpoint).await
    }
}

fn fill(template: &BodyTemplate, values: &Values<'_>) -> Result<String, DeliveryError> {
    // It was tried out at the start. What fails now fails again, and its error would quote a value.
    template
        .render(values)
        .map(|filled| filled.to_string())
        .map_err(|_| DeliveryError::Unwritable("the template of [sms] can't be filled in".to_owned()))
}

pub(super) fn describe(endpoint: &HttpEndpoint, what: &str) -> String {
    format!("{what} at {}", endpoint.url.host_str().unwrap_or_default())
}

/// Calls the endpoint with a body, signed where there is a key.
pub(super) async fn post(
    outgoing_http: &OutgoingHttp,
    method: Method,
    endpoint: HttpEndpoint,
    body: Bytes,
    outgoing: &Outgoing<'_>,
) -> Result<Answer, DeliveryError> {
    let HttpEndpoint {
        url,
        mut headers,
        signature,
        timeout,
    } = endpoint;
    headers.insert(IDEMPOTENCY_KEY, header_value(outgoing.id)?);
    if let Some((name, key)) = signature {
        headers.insert(name, header_value(&key.sign(&body, outgoing.now))?);
    }
    let call = Call {
        method,
        url: &url,
        headers,
        body,
        timeout,
        // The operator's own word.
        targets: Targets::Any,
    };
    outgoing_http
        .send(call)
        .await
        .map_err(|error| not_reached("the endpoint", &error))
}

pub(super) fn not_taken(answer: &Answer, whom: &str, outgoing: &Outgoing<'_>) -> DeliveryError {
    let mut why = format!("{whom} answered {}", answer.status.as_u16());
    let said = words(&String::from_utf8_lossy(&answer.body), outgoing);
    if !said.is_empty() {
        why.push_str(": ");
        why.push_str(&said);
    }
    refused(answer.status, &answer.headers, why, outgoing.now)
}

/// Whether anybody answers there: `HEAD`, which changes nothing (RFC 9110 section 9.2.1), without the operator's headers
/// and without a query. An endpoint that takes messages has no answer to it, so any will do, but for those by which a
/// proxy says that nobody is behind it.
pub(super) async fn probe(outgoing: &OutgoingHttp, endpoint: &HttpEndpoint) -> Result<(), DeliveryError> {
    let mut url = endpoint.url.clone();
    url.set_query(None);
    let call = Call {
        method: Method::HEAD,
        url: &url,
        headers: http::HeaderMap::new(),
        body: Bytes::new(),
        timeout: endpoint.timeout,
        targets: Targets::Any,
    };
    let answer = outgoing
        .send(call)
        .await
        .map_err(|error| DeliveryError::Transient(error.in_full()))?;
    match answer.status.as_u16() {
        status @ 502..=504 => Err(DeliveryError::Transient(format!("it answered {status}"))),
        _ => Ok(()),
    }
}
