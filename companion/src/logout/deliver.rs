//! One logout token to one app (OIDC Back-Channel Logout 2.5 to 2.8, SR-56).

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;

use crate::app::Companion;
use crate::breakers::Circuit;
use crate::connectors::DeliveryError;
use crate::connectors::provider::says_it_is_down;
use crate::jobs::Ended;
use crate::oidc::error::Failure;
use crate::outbox::LogoutNotice;
use crate::outgoing::{Answer, Call, CallError, Targets};
use crate::store::{StoreError, grants};

/// For the whole call. An app that needs longer is tried again.
const TIMEOUT: Duration = Duration::from_secs(10);
/// What is repeated of an app's own words.
const MOST_WORDS: usize = 200;

/// Why an app was not told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogoutError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The token could not be signed.
    #[error(transparent)]
    Token(#[from] Failure),
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
}

/// Tells an app, with a token made for this very try. An app that is gone, or no longer wants to be told, is not
/// told; nor one that the person has signed in to since, in a session that lives on: it would end what is new.
pub(crate) async fn deliver(companion: &Companion, notice: &LogoutNotice) -> Result<Ended, LogoutError> {
    let Some(app) = companion.provider.app(&notice.client_id).await? else {
        return Ok(Ended::Withheld);
    };
    let Some(url) = &app.backchannel_logout_uri else {
        return Ok(Ended::Withheld);
    };
    let (client_id, sid) = (&notice.client_id, &notice.session_id);
    if grants::was_given_after(companion.store.reader(), client_id, sid, notice.ended_at).await? {
        return Ok(Ended::Withheld);
    }
    let now = companion.clock.now();
    let token = companion
        .provider
        .logout_token(&app, &notice.user_id, &notice.session_id, now)
        .await?;
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("logout_token", &token)
        .finish();
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let call = Call {
        method: Method::POST,
        url,
        headers: HeaderMap::from_iter([(header::CONTENT_TYPE, form)]),
        body: Bytes::from(body),
        timeout: TIMEOUT,
        // Apps of the file and of `keyback app add` are the operator's word.
        targets: Targets::Any,
    };
    let told = async { judge(companion.outgoing.send(call).await) };
    companion
        .breakers
        .call(Circuit::App(client_id.clone()), told)
        .await?;
    tracing::info!(app = %app.client_id, sid = %notice.session_id, "the app was told of a session's end");
    Ok(Ended::Arrived(None))
}

/// Back-Channel Logout 2.8: 200 is success, and 204 where a framework makes that of an empty answer; 400 says that
/// the app refused. All else is tried again: an app that is being repaired or set up anew answers anything.
fn judge(answer: Result<Answer, CallError>) -> Result<(), DeliveryError> {
    let answer = answer.map_err(|error| match error {
        CallError::NotPublic(_) => DeliveryError::Permanent(error.in_full()),
        _ => DeliveryError::down(error.in_full()),
    })?;
    let status = answer.status;
    if status.is_success() {
        return Ok(());
    }
    let words = words(&answer);
    Err(match status {
        StatusCode::BAD_REQUEST => DeliveryError::Permanent(format!(
            "the app refused the logout token{words}: its session may still be there. Compare its issuer, client id \
             and signature algorithm with those here"
        )),
        _ if status.is_redirection() => DeliveryError::Permanent(format!(
            "the app answered {status}: logout tokens follow no redirect. Set its backchannel_logout_uri to where \
             it listens"
        )),
        _ if says_it_is_down(status) => DeliveryError::down(format!("the app answered {status}{words}")),
        StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            DeliveryError::Transient(format!("the app answered {status}{words}"))
        }
        _ if status.is_client_error() => DeliveryError::Transient(format!(
            "the app answered {status}{words}. Check its backchannel_logout_uri"
        )),
        _ => DeliveryError::Transient(format!("the app answered {status}{words}")),
    })
}

/// The error of the answer's body (Back-Channel Logout 2.8), bounded and printable; empty where there is none.
fn words(answer: &Answer) -> String {
    #[derive(Deserialize)]
    struct Told {
        error: String,
        #[serde(default)]
        error_description: String,
    }

    let Ok(told) = serde_json::from_slice::<Told>(&answer.body) else {
        return String::new();
    };
    let all = format!("{}: {}", told.error, told.error_description);
    let printable: String = all
        .trim_end_matches([':', ' '])
        .chars()
        .filter(|c| c.is_ascii_graphic() || *c == ' ')
        .take(MOST_WORDS)
        .collect();
    format!(" ({printable})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breakers::TellsOfPeer as _;

    fn answer(status: u16, body: &'static str) -> Result<Answer, CallError> {
        Ok(Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
        })
    }

    #[test]
    fn bcl_2_8_an_app_that_has_signed_out_is_done_with() {
        for status in [200, 204] {
            assert!(judge(answer(status, "")).is_ok(), "{status}");
        }
    }

    #[test]
    fn bcl_2_8_a_refusal_is_final_and_tells_the_apps_reason() {
        let body = r#"{ "error": "invalid_request", "error_description": "bad\nsignature" }"#;
        let Err(DeliveryError::Permanent(told)) = judge(answer(400, body)) else {
            panic!("400 is final")
        };
        assert!(told.contains("(invalid_request: badsignature)"), "{told}");
        for status in [301, 302, 307] {
            assert!(
                matches!(judge(answer(status, "")), Err(DeliveryError::Permanent(_))),
                "{status}"
            );
        }
    }

    #[test]
    fn what_a_later_try_may_mend_is_tried_again() {
        for status in [401, 403, 404, 405, 410, 413, 425, 429] {
            assert!(
                matches!(judge(answer(status, "<html>")), Err(DeliveryError::Transient(_))),
                "{status}"
            );
        }
        let late = Err(CallError::TimedOut(TIMEOUT));
        let answers = [408, 500, 502, 503, 504].map(|status| answer(status, "<html>"));
        for answer in answers.into_iter().chain([late]) {
            let error = judge(answer).unwrap_err();
            assert!(error.may_pass() && error.peer_is_down(), "{error}");
        }
    }

    #[test]
    fn an_apps_words_are_bounded() {
        let long = format!(r#"{{ "error": "{}" }}"#, "x".repeat(5_000));
        let words = words(&Answer {
            status: StatusCode::BAD_REQUEST,
            headers: HeaderMap::new(),
            body: Bytes::from(long),
        });
        assert_eq!(words.len(), MOST_WORDS + 3);
    }
}
