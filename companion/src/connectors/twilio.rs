//! SMS by Twilio's Programmable Messaging: `POST …/Messages.json`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use super::provider::{IDEMPOTENCY_KEY, header_value, not_reached, refused, words};
use super::{DeliveryError, Outgoing};
use crate::config::twilio::{TwilioSender, TwilioSettings};
use crate::outgoing::{Answer, Call, OutgoingHttp, Targets};

/// How long Twilio may keep a message in its queue: its least and its most, in seconds.
const VALIDITY: (u64, u64) = (1, 36_000);
/// Twilio's errors that pass: too many requests, a sender's queue that is full, and a service that is away.
const PASSING: [u32; 3] = [20_429, 21_611, 20_503];
/// Those that are about the number alone: it is none, it wants nothing of ours, it takes no text messages; there is no such
/// handset, or it is a landline.
const ABOUT_THE_NUMBER: [u32; 5] = [21_211, 21_610, 21_614, 30_005, 30_006];
const WHOM: &str = "Twilio";

/// Hands text messages to Twilio.
#[derive(Clone, Debug)]
pub struct TwilioConnector {
    settings: Arc<TwilioSettings>,
    outgoing: Arc<OutgoingHttp>,
}

/// A message as Twilio took it.
#[derive(Deserialize)]
struct Taken {
    sid: String,
    error_code: Option<u32>,
}

/// Why Twilio did not take it.
#[derive(Deserialize)]
struct Refusal {
    code: Option<u32>,
    #[serde(default)]
    message: String,
}

impl TwilioConnector {
    pub fn new(settings: Box<TwilioSettings>, outgoing: &Arc<OutgoingHttp>) -> Self {
        Self {
            settings: Arc::from(settings),
            outgoing: Arc::clone(outgoing),
        }
    }

    /// What it is, for the operator: the host alone.
    pub(super) fn describe(&self) -> String {
        format!(
            "Twilio at {}",
            self.settings.account.host_str().unwrap_or_default()
        )
    }

    pub(super) async fn deliver(&self, outgoing: &Outgoing<'_>) -> Result<(), DeliveryError> {
        let mut headers = self.authorization()?;
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        headers.insert(IDEMPOTENCY_KEY, header_value(outgoing.id)?);
        let answer = self
            .call(
                Method::POST,
                &self.below(&["Messages.json"])?,
                headers,
                self.form(outgoing),
            )
            .await?;
        if !answer.status.is_success() {
            return Err(not_taken(&answer, outgoing));
        }
        match serde_json::from_slice::<Taken>(&answer.body) {
            Ok(Taken {
                sid,
                error_code: None,
            }) => {
                // By this the operator finds the message at Twilio.
                tracing::debug!(job = outgoing.id, sid = %words(&sid, outgoing), "Twilio took a message");
                Ok(())
            }
            Ok(Taken {
                error_code: Some(code),
                ..
            }) => {
                let why = format!("Twilio took the message and failed it with error {code}");
                Err(if ABOUT_THE_NUMBER.contains(&code) {
                    DeliveryError::Permanent(why)
                } else {
                    DeliveryError::Transient(why)
                })
            }
            // By its status Twilio has taken it; to send it again would be to send it twice.
            Err(_) if answer.status == StatusCode::CREATED => {
                tracing::warn!(
                    job = outgoing.id,
                    "Twilio took a message, and what it said of it can't be read"
                );
                Ok(())
            }
            // Not what Twilio says: something stands between.
            Err(_) => Err(DeliveryError::Transient(format!(
                "Twilio answered {} without the sid of a message; is [sms] endpoint Twilio's?",
                answer.status.as_u16()
            ))),
        }
    }

    /// Whether Twilio answers, and knows the account. Sends nothing, and reads no message.
    pub(super) async fn probe(&self) -> Result<(), DeliveryError> {
        let mut url = self.settings.account.clone();
        url.set_path(&format!("{}.json", url.path()));
        let answer = self
            .call(Method::GET, &url, self.authorization()?, Bytes::new())
            .await?;
        let why = format!("Twilio answered {}", answer.status.as_u16());
        match answer.status {
            // A key may be allowed to send, and not to read the account.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if self.settings.are_the_accounts => Err(
                DeliveryError::Permanent(format!("{why}: it refuses account_sid and auth_token")),
            ),
            StatusCode::NOT_FOUND if self.settings.are_the_accounts => Err(DeliveryError::Permanent(
                format!("{why}: it knows no such account_sid"),
            )),
            status if status.is_server_error() => Err(DeliveryError::Transient(why)),
            _ => Ok(()),
        }
    }

    async fn call(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, DeliveryError> {
        let call = Call {
            method,
            url,
            headers,
            body,
            timeout: self.settings.timeout,
            // The operator named it, or left it at Twilio's own.
            targets: Targets::Any,
        };
        self.outgoing
            .send(call)
            .await
            .map_err(|error| not_reached(WHOM, &error))
    }

    fn form(&self, outgoing: &Outgoing<'_>) -> Bytes {
        let left = outgoing.expires_at.since(outgoing.now).as_secs();
        let mut form = Serializer::new(String::new());
        form.append_pair("To", outgoing.to.as_str());
        match &self.settings.sender {
            TwilioSender::From(from) => form.append_pair("From", from),
            TwilioSender::MessagingService(sid) => form.append_pair("MessagingServiceSid", sid),
        };
        form.append_pair("Body", &outgoing.message.text);
        // A code that waits in Twilio's queue until it is worth nothing must not come at all.
        form.append_pair("ValidityPeriod", &left.clamp(VALIDITY.0, VALIDITY.1).to_string());
        form.finish().into()
    }

    fn authorization(&self) -> Result<HeaderMap, DeliveryError> {
        let (name, secret) = &self.settings.credentials;
        let pair = Zeroizing::new(format!("{name}:{}", secret.expose()));
        let mut value = header_value(&Zeroizing::new(format!("Basic {}", STANDARD.encode(&*pair))))?;
        value.set_sensitive(true);
        Ok(HeaderMap::from_iter([
            (AUTHORIZATION, value),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ]))
    }

    fn below(&self, segments: &[&str]) -> Result<Url, DeliveryError> {
        let mut url = self.settings.account.clone();
        url.path_segments_mut()
            .map_err(|()| {
                DeliveryError::Unwritable("[sms] endpoint is no address that has paths".to_owned())
            })?
            .extend(segments);
        Ok(url)
    }
}

/// Its words are the operator's to read; they name no recipient.
fn not_taken(answer: &Answer, outgoing: &Outgoing<'_>) -> DeliveryError {
    let status = answer.status;
    let refusal = serde_json::from_slice::<Refusal>(&answer.body).ok();
    let code = refusal.as_ref().and_then(|refusal| refusal.code);
    let mut why = format!("Twilio answered {}", status.as_u16());
    if let Some(code) = code {
        why.push_str(&format!(", error {code}"));
    }
    if let Some(refusal) = refusal.filter(|refusal| !refusal.message.is_empty()) {
        why.push_str(": ");
        why.push_str(&words(&refusal.message, outgoing));
    }
    match code {
        // Twilio gives some of these with a status that says "never".
        Some(code) if PASSING.contains(&code) => {
            refused(StatusCode::TOO_MANY_REQUESTS, &answer.headers, why, outgoing.now)
        }
        Some(code) if ABOUT_THE_NUMBER.contains(&code) => DeliveryError::Permanent(why),
        // There is nothing at this address but the messages of the account (SR-59).
        _ if status == StatusCode::NOT_FOUND => DeliveryError::down(format!(
            "{why}; compare [sms] account_sid and endpoint with Twilio's"
        )),
        _ => refused(status, &answer.headers, why, outgoing.now),
    }
}
