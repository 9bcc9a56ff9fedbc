//! The captcha before a code is sent, where one is configured (SR-13).
//!
//! It is asked before anything is looked up, so that whatever comes of it is the same for every address. Who has no script
//! can't answer, and is not refused: their codes wait, and few are sent.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use keyback_core::ports::Failure;
use keyback_core::rate_limit::{ClientPrefix, IdentifierHasher, Limiter, RetryAfter};
use keyback_core::time::Timestamp;
use serde::Deserialize;
use url::form_urlencoded;

use crate::backends::reset_rows::ResetRows;
use crate::breakers::{Breakers, Circuit, Paused, TellsOfPeer};
use crate::config::captcha::{CaptchaRoute, CaptchaSettings, Tells};
use crate::connectors::provider::says_it_is_down;
use crate::http::headers::Embedded;
use crate::outgoing::{Call, CallError, OutgoingHttp, Targets};
use crate::store::{Store, captcha_answers};
use crate::views::captcha::Widget;

/// Providers take an answer for minutes; a custom one may take longer.
const REMEMBERED: Duration = Duration::from_secs(3_600);
/// The longest that a provider gives out are a few thousand bytes.
const MOST_ANSWER_BYTES: usize = 8_192;

/// Asks, and has answers verified.
pub struct Captcha {
    settings: CaptchaSettings,
    embedded: Embedded,
    parts: CaptchaParts,
}

/// What a captcha works with.
pub struct CaptchaParts {
    pub store: Store,
    pub limiter: Limiter<ResetRows>,
    pub outgoing: Arc<OutgoingHttp>,
    pub identifiers: IdentifierHasher,
    pub breakers: Breakers,
}

/// What becomes of a request for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It goes on; the code is sent after this time.
    Open { send_after: Duration },
    /// The answer was none, or not for this.
    Wrong,
    /// Too many answers, or too many requests without one.
    Limited { retry_after: Duration },
    /// Nobody can say whether the answer is right.
    Down,
}

impl Passage {
    /// At once.
    pub const FREE: Self = Self::Open {
        send_after: Duration::ZERO,
    };
}

/// What the provider says of an answer.
#[derive(Debug, Deserialize)]
struct Verdict {
    success: bool,
    hostname: Option<String>,
    action: Option<String>,
    #[serde(default, rename = "error-codes")]
    error_codes: Vec<String>,
}

/// Why there is no verdict. It names neither the answer nor the secret.
///
/// Silence opens the circuit, which is there so that nobody waits for it, and so does a trouble of the provider's own, which its
/// gateway may tell of after a long wait. Either may be about the answer, which the visitor has chosen: it counts once for each
/// client.
#[derive(Debug, thiserror::Error)]
enum NoVerdict {
    #[error("{}", .0.in_full())]
    Call(#[from] CallError),
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("it answered with no verdict")]
    Unreadable,
    #[error("it does not accept the secret; compare [captcha] secret with the provider's")]
    Secret,
    /// It is not asked: nobody waits for its silence.
    #[error(transparent)]
    Paused(#[from] Paused),
}

impl TellsOfPeer for NoVerdict {
    fn peer_is_down(&self) -> bool {
        match self {
            Self::Call(_) => true,
            Self::Status(status) => says_it_is_down(*status),
            Self::Unreadable | Self::Secret | Self::Paused(_) => false,
        }
    }

    fn may_be_about_the_call(&self) -> bool {
        match self {
            Self::Call(error) => error.may_be_about_the_call(),
            Self::Status(_) => true,
            Self::Unreadable | Self::Secret | Self::Paused(_) => false,
        }
    }
}

impl Captcha {
    pub fn new(settings: CaptchaSettings, parts: CaptchaParts) -> Self {
        let embedded = Embedded::new(settings.sources.iter().cloned());
        Self {
            settings,
            embedded,
            parts,
        }
    }

    /// What the page of a route shows, if it is asked there.
    pub fn widget(&self, route: CaptchaRoute) -> Option<Widget<'_>> {
        self.asks(route).then(|| Widget {
            script_url: self.settings.script_url.as_str(),
            class: &self.settings.widget_class,
            site_key: &self.settings.site_key,
            action: route.action(),
        })
    }

    /// What the policy of such a page allows beside the page's own.
    pub fn embedded(&self) -> &Embedded {
        &self.embedded
    }

    /// The form field of the answer.
    pub fn token_field(&self) -> &str {
        &self.settings.token_field
    }

    /// Whether a request for a code may go on. `answer` is what the script has written into the form.
    pub async fn check(
        &self,
        route: CaptchaRoute,
        answer: &str,
        client: ClientPrefix,
        now: Timestamp,
    ) -> Result<Passage, Failure> {
        if !self.asks(route) {
            return Ok(Passage::FREE);
        }
        if answer.is_empty() {
            let limited = self.parts.limiter.slow_send(client, now).await?;
            return Ok(match limited {
                Ok(()) => Passage::Open {
                    send_after: self.settings.slow_lane,
                },
                Err(RetryAfter(retry_after)) => Passage::Limited { retry_after },
            });
        }
        // Each costs a call of the provider.
        if let Err(RetryAfter(retry_after)) = self.parts.limiter.captcha(client, now).await? {
            return Ok(Passage::Limited { retry_after });
        }
        if answer.len() > MOST_ANSWER_BYTES || !self.is_new(answer, now).await? {
            return Ok(Passage::Wrong);
        }
        let verdict = self.verdict(answer);
        let breakers = &self.parts.breakers;
        let whom = client.to_string();
        Ok(
            match breakers.call_about(Circuit::Captcha, &whom, verdict).await {
                Ok(verdict) if self.fits(&verdict, route) => Passage::FREE,
                Ok(_) => Passage::Wrong,
                Err(error) => {
                    tracing::error!(%error, host = self.settings.verify_url.host_str(), "no captcha can be verified; codes are sent to nobody who answers one");
                    Passage::Down
                }
            },
        )
    }

    fn asks(&self, route: CaptchaRoute) -> bool {
        self.settings.on.contains(&route)
    }

    /// Before it is verified: of many requests with one answer, one alone has it looked at.
    async fn is_new(&self, answer: &str, now: Timestamp) -> Result<bool, Failure> {
        let digest = self.parts.identifiers.hash_text(&format!("captcha {answer}"));
        captcha_answers::use_once(self.parts.store.writer(), digest.as_str(), now + REMEMBERED)
            .await
            .map_err(|error| Failure::broken("remember an answer", error))
    }

    /// Bound to this site and to the route, as far as the provider says what it was solved for.
    fn fits(&self, verdict: &Verdict, route: CaptchaRoute) -> bool {
        let is = |said: &Option<String>, wanted: &str| {
            said.as_deref().map(|said| said.eq_ignore_ascii_case(wanted))
        };
        let here = is(&verdict.hostname, &self.settings.hostname);
        let for_this = is(&verdict.action, route.action());
        verdict.success
            && match self.settings.tells {
                Tells::SiteAndAction => here == Some(true) && for_this == Some(true),
                Tells::Site => here == Some(true) && for_this.is_none(),
                Tells::WhatItKnows => here != Some(false) && for_this != Some(false),
            }
    }

    /// What the provider is sent. The visitor's address is nobody else's business.
    fn question(&self, answer: &str) -> Bytes {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("secret", self.settings.secret.expose())
            .append_pair("response", answer);
        if self.settings.names_site {
            form.append_pair("sitekey", &self.settings.site_key);
        }
        form.finish().into()
    }

    async fn verdict(&self, answer: &str) -> Result<Verdict, NoVerdict> {
        let mut headers = HeaderMap::new();
        let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, content_type);
        let call = Call {
            method: Method::POST,
            url: &self.settings.verify_url,
            headers,
            body: self.question(answer),
            timeout: self.settings.timeout,
            targets: if self.settings.allow_private {
                Targets::Any
            } else {
                Targets::Public
            },
        };
        let answer = self.parts.outgoing.send(call).await?;
        // Some providers say what is wrong with the answer under a 400.
        let verdict = serde_json::from_slice::<Verdict>(&answer.body);
        let verdict = match verdict {
            Ok(verdict) if answer.status.is_success() || answer.status.is_client_error() => verdict,
            Ok(_) | Err(_) if !answer.status.is_success() => {
                return Err(NoVerdict::Status(answer.status));
            }
            Ok(_) | Err(_) => return Err(NoVerdict::Unreadable),
        };
        if verdict
            .error_codes
            .iter()
            .any(|code| code.ends_with("-input-secret"))
        {
            return Err(NoVerdict::Secret);
        }
        Ok(verdict)
    }
}

impl std::fmt::Debug for Captcha {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Captcha(..)")
    }
}
