//! What all providers behind HTTP have in common: what an answer means for the message, and what of it an operator may
//! read.

use std::time::Duration;

use chrono::DateTime;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use keyback_core::time::Timestamp;

use super::{DeliveryError, Outgoing};
use crate::outgoing::CallError;

/// One value for all tries of a message (draft-ietf-httpapi-idempotency-key-header), so that a provider which knows it
/// sends once (SR-34).
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The most characters of a provider's words that are passed on.
const MOST_WORDS: usize = 200;
/// A run with this many digits may be a number or a code.
const TELLING_DIGITS: usize = 5;

/// A text as the value of a header; ids of ours always are.
pub(super) fn header_value(text: &str) -> Result<HeaderValue, DeliveryError> {
    HeaderValue::from_str(text)
        .map_err(|error| DeliveryError::Unwritable(format!("a header can't be written: {error}")))
}

/// No answer came: another try may do. What can't be connected to serves nobody; what then says nothing, or hangs up, may do so
/// at this one message. The words name no address but the host.
pub(super) fn not_reached(whom: &str, error: &CallError) -> DeliveryError {
    let why = format!("{whom}: {}", error.in_full());
    if error.may_be_about_the_call() {
        DeliveryError::stuck(why)
    } else {
        DeliveryError::down(why)
    }
}

/// The message was not taken.
///
/// Troubles of the provider pass; they may be about one number alone (SR-87). "Too many" passes too, and says nothing of the
/// others. 401 is about the operator's key and nobody's message. What else it refuses may be the operator's to mend, and no status
/// tells that from a number that is none: it is tried again until its time is over (SR-59).
///
/// A redirect is not followed: a code goes where the operator said, and nowhere else.
pub(super) fn refused(status: StatusCode, headers: &HeaderMap, why: String, now: Timestamp) -> DeliveryError {
    let after = retry_after(headers, now);
    if status.is_redirection() {
        DeliveryError::Down {
            why: format!("{why}; redirects are not followed: write the address it leads to"),
            after,
        }
    } else if says_it_is_down(status) {
        DeliveryError::Stuck { why, after }
    } else if status == StatusCode::UNAUTHORIZED {
        DeliveryError::Down {
            why: format!("{why}; compare its credentials with the provider's"),
            after,
        }
    } else if is_about_the_way(status) {
        DeliveryError::Stuck {
            why: format!("{why}; compare its address and what its key may do with the provider's"),
            after,
        }
    } else if let Some(after) = after {
        DeliveryError::Later { why, after }
    } else {
        DeliveryError::Transient(why)
    }
}

/// Whether a status says that nobody can be served now (SR-87).
pub(crate) fn says_it_is_down(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT
}

/// Whether it is more likely about where and by whom it was asked than about what.
fn is_about_the_way(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::PROXY_AUTHENTICATION_REQUIRED
            | StatusCode::GONE
    )
}

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some(Timestamp::from_millis(date.timestamp_millis()).since(now))
}

/// A provider's words for the log and the job: on one line (SR-63), not too many, and without what names the person or
/// the code (SR-31): the message's own texts, runs of digits, and addresses.
pub(super) fn words(text: &str, outgoing: &Outgoing<'_>) -> String {
    let plain: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let plain = plain.replace(outgoing.to.as_str(), "[recipient]");
    let plain = plain.replace(outgoing.message.text.as_str(), "[message]");
    let mut kept = String::new();
    for word in without_numbers(&plain).split_whitespace() {
        if !kept.is_empty() {
            kept.push(' ');
        }
        kept.push_str(if word.contains('@') { "[address]" } else { word });
    }
    if kept.chars().count() > MOST_WORDS {
        kept = kept.chars().take(MOST_WORDS).chain(['…']).collect();
    }
    kept
}

/// Runs of digits with at most separators between them, when they are long enough to tell something.
fn without_numbers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut run = String::new();
    for letter in text.chars().chain(['\0']) {
        let goes_on = letter.is_numeric() || (!run.is_empty() && " -.()/".contains(letter));
        if goes_on || (run.is_empty() && letter == '+') {
            run.push(letter);
            continue;
        }
        let digits = run.chars().filter(|letter| letter.is_numeric()).count();
        if digits >= TELLING_DIGITS {
            let end = run.trim_end_matches([' ', '-', '.', '(', ')', '/']).len();
            kept.push_str("[number]");
            kept.push_str(&run[end..]);
        } else {
            kept.push_str(&run);
        }
        run.clear();
        if letter == '+' {
            run.push(letter);
        } else if letter != '\0' {
            kept.push(letter);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use keyback_core::identifier::Identifier;
    use proptest::prelude::*;

    use super::*;
    use crate::breakers::TellsOfPeer as _;
    use crate::connectors::MessageKind;
    use crate::messages::Message;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000)
    }

    fn said(text: &str) -> String {
        let message = Message {
            subject: String::new(),
            text: "Hello there".to_owned().into(),
            html: None,
        };
        let outgoing = Outgoing {
            to: &Identifier::parse("ada@example.com").unwrap(),
            kind: MessageKind::ResetCode,
            message: &message,
            app_name: "Larkspur Books",
            code: Some("004217"),
            id: "job-1",
            now: now(),
            expires_at: now(),
        };
        words(text, &outgoing)
    }

    fn after(value: &str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(value).unwrap())]);
        retry_after(&headers, now())
    }

    /// SR-31, SR-63.
    #[test]
    fn sr31_the_words_of_a_provider_name_nobody_and_stay_on_one_line() {
        assert_eq!(
            said("Error 21211: '+1 (415) 555-0123' is\r\nnot valid, see docs/21211"),
            "Error [number]: '[number]' is not valid, see docs/[number]"
        );
        assert_eq!(
            said("code 004217 to ada@example.com, eve@example.org"),
            "code [number] to [recipient], [address]"
        );
        assert_eq!(
            said("Hello there was refused: 30 s"),
            "[message] was refused: 30 s"
        );
        assert_eq!(said("tried 3 of 5 (1/2)"), "tried 3 of 5 (1/2)");
        assert_eq!(said("++1234567"), "+[number]");
        assert_eq!(said(&"x ".repeat(500)).chars().count(), MOST_WORDS + 1);
    }

    #[test]
    fn rfc9110_10_2_3_retry_after_is_seconds_or_a_date() {
        assert_eq!(after("120"), Some(Duration::from_secs(120)));
        assert_eq!(
            after("Tue, 14 Nov 2023 22:14:20 GMT"),
            Some(Duration::from_secs(60))
        );
        assert_eq!(after("Tue, 14 Nov 2023 22:13:00 GMT"), Some(Duration::ZERO));
        for wrong in ["soon", "-1", "1.5", ""] {
            assert_eq!(after(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sr59_what_the_operator_may_mend_is_tried_again() {
        let none = HeaderMap::new();
        let told = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            refused(status, &none, "no".to_owned(), now())
        };
        for status in [400, 409, 413, 415, 422, 425, 429] {
            assert!(matches!(told(status), DeliveryError::Transient(_)), "{status}");
        }
        for status in [403, 404, 405, 407, 408, 410, 500, 502, 503, 504] {
            let told = told(status);
            assert!(told.may_pass() && told.peer_is_down(), "{status}");
            assert!(told.may_be_about_the_call(), "{status}");
        }
        // Nor does a key that was changed at the provider lose a notice, or an address.
        for status in [301, 302, 307, 308, 401] {
            let told = told(status);
            assert!(told.may_pass() && told.peer_is_down(), "{status}");
            assert!(!told.may_be_about_the_call(), "{status}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn sr31_sr63_whatever_a_provider_says_names_nobody_and_stays_on_one_line(
            before in prop_oneof!["[ -~\r\n]{0,30}", "(?s).{0,30}", "[0-9+ ()-]{0,12}"],
            named in prop::sample::select(vec!["ada@example.com", "Hello there", "004217", "+14155550123", "eve@example.org"]),
            behind in prop_oneof!["[ -~\r\n]{0,400}", "(?s).{0,30}", "[0-9+ ()-]{0,12}"],
        ) {
            let told = said(&format!("{before}{named}{behind}"));
            prop_assert!(!told.contains(named), "{}", told);
            prop_assert!(!told.chars().any(char::is_control) && told.chars().count() <= MOST_WORDS + 1);
        }

        #[test]
        fn rfc9110_10_2_3_any_retry_after_is_a_time_or_none(value in prop_oneof!["[ -~]{0,40}", "[0-9]{1,25}", "Tue, [0-9]{1,2} Nov [0-9]{1,6} 22:14:20 GMT"]) {
            let wait = after(&value);
            if value.bytes().all(|byte| byte.is_ascii_digit()) {
                prop_assert_eq!(wait.map(|wait| wait.as_secs()), value.parse().ok());
            }
            if let Some(wait) = wait {
                prop_assert!(now() + wait >= now());
            }
        }
    }
}
