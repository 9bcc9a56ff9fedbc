//! `request` and `request_uri` (OIDC Core 6) and `registration` (7.2.1): refused, each with its own error.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::super::error::{ErrorCode, ProtocolError};
use super::super::params::Params;
use super::Asked;

/// Bytes of a request object at most, for anything of it to be read.
const MOST_OBJECT_BYTES: usize = 8 * 1024;

pub(super) fn check(asked: &Asked<'_>) -> Result<(), ProtocolError> {
    let refused = [
        (
            "request",
            ErrorCode::RequestNotSupported,
            "Send the parameters themselves, not a request object.",
        ),
        (
            "request_uri",
            ErrorCode::RequestUriNotSupported,
            "Send the parameters themselves, not a request_uri.",
        ),
        (
            "registration",
            ErrorCode::RegistrationNotSupported,
            "Register the app with the operator of this provider; it can't register itself.",
        ),
    ];
    match refused
        .into_iter()
        .find(|(name, ..)| asked.params.one(name).is_some())
    {
        None => Ok(()),
        Some((_, code, description)) => Err(ProtocolError::new(code, description)),
    }
}

/// How the refusal of a request object is to be delivered, as the object itself says.
///
/// Whoever sends one may have put `response_mode` and `state` in there alone (OIDC Core 6.1), and waits for the refusal
/// accordingly. No signature is looked at: the two decide how an error reaches a redirect URI that was checked, which any
/// request may decide in its query as well. Nothing else of an object is read.
#[derive(Default)]
pub(super) struct Delivery {
    pub(super) response_mode: Option<String>,
    pub(super) state: Option<String>,
}

impl Delivery {
    /// What the request object says, if there is one that can be read.
    pub(super) fn of(params: &Params) -> Self {
        let object = params.one("request").filter(|_| !params.is_repeated("request"));
        object.and_then(Self::read).unwrap_or_default()
    }

    fn read(object: &str) -> Option<Self> {
        if object.len() > MOST_OBJECT_BYTES {
            return None;
        }
        let mut parts = object.split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let mut members: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
        let mut text = |name| match members.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        Some(Self {
            response_mode: text("response_mode"),
            state: text("state"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(object: &str) -> (Option<String>, Option<String>) {
        let sent = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("request", object)
            .finish();
        let delivery = Delivery::of(&Params::parse(sent.as_bytes()).unwrap());
        (delivery.response_mode, delivery.state)
    }

    fn unsigned(payload: &str) -> String {
        format!("eyJhbGciOiJub25lIn0.{}.", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn oidc_core_6_1_an_object_says_how_its_refusal_travels() {
        let both = (Some("form_post".to_owned()), Some("stäte".to_owned()));
        let object = unsigned(r#"{"response_mode":"form_post","state":"st\u00e4te","scope":"openid"}"#);
        assert_eq!(read(&object), both);
        // Nobody looks at the signature, or at the header.
        assert_eq!(read(&format!("{object}c2lnbmVk")), both);
        assert_eq!(read(&object.replace("eyJhbGciOiJub25lIn0", "")), both);
    }

    #[test]
    fn oidc_core_6_1_what_is_no_object_says_nothing() {
        let good = unsigned(r#"{"response_mode":"form_post","state":"s"}"#);
        let said = (Some("form_post".to_owned()), Some("s".to_owned()));
        assert_eq!(read(&good), said);
        let deep = format!(
            r#"{{"state":"s","deep":{}{}}}"#,
            "[".repeat(1_000),
            "]".repeat(1_000)
        );
        let huge = json!({ "state": "s", "more": "x".repeat(MOST_OBJECT_BYTES) });
        for bad in [
            "",
            "..",
            "eyJ",
            "a.b.c",
            "eyJhbGciOiJub25lIn0.e30.",
            good.trim_end_matches('.'),
            &format!("{good}.."),
            &good.replacen('.', ".=", 1),
            &unsigned("\u{0}\u{1}"),
            &unsigned("null"),
            &unsigned(r#""form_post""#),
            &unsigned(r#"["form_post","s"]"#),
            &unsigned(r#"{"response_mode":"form_post","state":"s""#),
            &unsigned(r#"{"response_mode":["form_post"],"state":{"s":1}}"#),
            &unsigned(r#"{"response_mode":true,"state":7}"#),
            &unsigned(r#"{"response_mode":null,"state":""}"#),
            &unsigned(&deep),
            &unsigned(&huge.to_string()),
        ] {
            let shown: String = bad.chars().take(60).collect();
            assert_eq!(read(bad), (None, None), "{shown}");
        }
        // One of a wrong type says nothing of the other.
        let half = unsigned(r#"{"response_mode":7,"state":"s"}"#);
        assert_eq!(read(&half), (None, Some("s".to_owned())));
        let twice = Params::parse(format!("request={good}&request={good}").as_bytes()).unwrap();
        assert!(Delivery::of(&twice).state.is_none());
    }
}
