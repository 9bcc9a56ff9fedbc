//! One delivery to one webhook.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::Webhook;
use crate::app::Companion;
use crate::breakers::Circuit;
use crate::connectors::DeliveryError;
use crate::connectors::provider::says_it_is_down;
use crate::jobs::Ended;
use crate::outbox::WebhookDelivery;
use crate::outgoing::signature::sign_with_all;
use crate::outgoing::{Answer, Call, CallError};

/// For the whole call: as long as Logto gives a receiver.
const TIMEOUT: Duration = Duration::from_secs(10);

const LOGTO_SIGNATURE: HeaderName = HeaderName::from_static("logto-signature-sha-256");
const KEYBACK_SIGNATURE: HeaderName = HeaderName::from_static("keyback-signature");
const KEYBACK_DELIVERY: HeaderName = HeaderName::from_static("keyback-delivery");

/// Delivers, with signatures made for this very try and the job's id for all of them. A webhook that is no longer
/// configured is told nothing.
pub(crate) async fn deliver(
    companion: &Companion,
    job_id: &str,
    delivery: &WebhookDelivery,
) -> Result<Ended, DeliveryError> {
    let Some(hook) = companion.webhooks.find(&delivery.hook_id) else {
        return Ok(Ended::Withheld);
    };
    let headers = headers(companion, hook, job_id, delivery.body.as_bytes())
        .map_err(|error| DeliveryError::Permanent(error.to_string()))?;
    let call = Call {
        method: Method::POST,
        url: &hook.url,
        headers,
        body: Bytes::from(delivery.body.clone()),
        timeout: TIMEOUT,
        targets: hook.targets,
    };
    let circuit = Circuit::Webhook(hook.id.clone());
    let told = async { judge(&hook.target, companion.outgoing.send(call).await) };
    companion.breakers.call(circuit, told).await?;
    tracing::info!(job = %job_id, event = %delivery.event, webhook = %hook.target, "a webhook was told");
    Ok(Ended::Arrived(None))
}

fn headers(
    companion: &Companion,
    hook: &Webhook,
    job_id: &str,
    body: &[u8],
) -> Result<HeaderMap, http::header::InvalidHeaderValue> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(KEYBACK_DELIVERY, HeaderValue::from_str(job_id)?);
    let timed = sign_with_all(&hook.keys, body, companion.clock.now());
    headers.insert(KEYBACK_SIGNATURE, HeaderValue::from_str(&timed)?);
    if let Some(first) = hook.keys.first() {
        headers.insert(LOGTO_SIGNATURE, HeaderValue::from_str(&first.sign_body(body))?);
    }
    Ok(headers)
}

/// Only a 2xx is done. Everything else is tried again until the delivery expires: a receiver that is being repaired
/// answers anything, and a name that leads nowhere today may be right tomorrow. `target` says to the operator which of
/// the webhooks it is.
fn judge(target: &str, answer: Result<Answer, CallError>) -> Result<(), DeliveryError> {
    let answer = answer.map_err(|error| {
        let why = match error {
            CallError::NotPublic(_) => {
                format!("{error}; if that is meant, set allow_private for this [[webhook]]")
            }
            _ => error.in_full(),
        };
        DeliveryError::down(format!("the webhook {target} could not be told: {why}"))
    })?;
    let status = answer.status;
    if status.is_success() {
        return Ok(());
    }
    let why = match status.as_u16() {
        300..=399 => format!(
            "the webhook {target} answered {status}, and no redirect is followed: set its url to where it leads"
        ),
        401 | 403 => {
            format!("the webhook {target} answered {status}: compare its signing_key with the receiver's")
        }
        _ => format!("the webhook {target} answered {status}"),
    };
    Err(if says_it_is_down(status) {
        DeliveryError::down(why)
    } else {
        DeliveryError::Transient(why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breakers::TellsOfPeer as _;

    const TARGET: &str = "https://hook.example/a";

    fn answer(status: u16) -> Result<Answer, CallError> {
        Ok(Answer {
            status: http::StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        })
    }

    #[test]
    fn sr60_a_2xx_is_done_and_everything_else_is_tried_again() {
        for status in [200, 201, 202, 204] {
            assert!(judge(TARGET, answer(status)).is_ok(), "{status}");
        }
        for (status, is_down) in [
            (301, false),
            (307, false),
            (400, false),
            (401, false),
            (404, false),
            (408, true),
            (410, false),
            (429, false),
            (500, true),
            (503, true),
        ] {
            let error = judge(TARGET, answer(status)).unwrap_err();
            assert_eq!(
                (error.may_pass(), error.peer_is_down()),
                (true, is_down),
                "{status}"
            );
        }
    }

    #[test]
    fn the_operator_is_told_what_to_do() {
        let told = |answer| {
            let told = judge(TARGET, answer).unwrap_err().to_string();
            assert!(told.contains(TARGET), "{told}");
            told
        };
        assert!(told(answer(302)).contains("no redirect is followed"));
        assert!(told(answer(401)).contains("signing_key"));
        assert!(told(Err(CallError::NotPublic([127, 0, 0, 1].into()))).contains("allow_private"));
    }
}
