//! The parameters of protocol requests, from a query or a form body, read strictly.

use axum::body::Body;
use axum::http::HeaderMap;

use super::error::ProtocolError;
use crate::http::forms::{self, NotAForm, Pairs};

/// Bytes of a query or a form body at most.
pub(super) const MOST_BYTES: usize = 64 * 1024;
/// Bytes of an authorization request's query at most: what a redirect can carry.
pub(super) const MOST_QUERY_BYTES: usize = 16 * 1024;

/// The one parameter that is JSON (OIDC Core 5.5).
const CLAIMS: &str = "claims";

/// Parameters as sent. A parameter without a value counts as omitted (RFC 6749 3.1).
#[derive(Clone, Default)]
pub(super) struct Params(Pairs);

impl Params {
    /// Reads a query or form.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, NotAForm> {
        Ok(Self(Pairs::parse(bytes, |_, value| !value.is_empty())?))
    }

    /// Reads the form body of a request to the token endpoint and its like: each parameter once, but for
    /// `resource` (RFC 8707 2), and no control character in any.
    pub(super) async fn of_form(headers: &HeaderMap, body: Body) -> Result<Self, ProtocolError> {
        let params = Self::of_body(headers, body).await?;
        if let Some(name) = params.repeated() {
            return Err(ProtocolError::invalid_request(format!(
                "Send the parameter {name} once."
            )));
        }
        if let Some(name) = params.with_control_character() {
            return Err(ProtocolError::invalid_request(format!(
                "{name} holds a control character."
            )));
        }
        Ok(params)
    }

    /// Reads the form body of a request; what it holds is checked by others.
    pub(super) async fn of_body(headers: &HeaderMap, body: Body) -> Result<Self, ProtocolError> {
        if !forms::is_form(headers) {
            let description =
                "Send the parameters as a form: Content-Type application/x-www-form-urlencoded.";
            return Err(ProtocolError::invalid_request(description));
        }
        let bytes = axum::body::to_bytes(body, MOST_BYTES).await.map_err(|_| {
            ProtocolError::invalid_request("The body is larger than 64 KiB, or ended before its end.")
        })?;
        Self::parse(&bytes).map_err(|NotAForm| {
            ProtocolError::invalid_request("The body is no form in UTF-8, or has too many fields.")
        })
    }

    /// The value of a parameter that is sent once; the first where it is sent more often.
    #[inline(always)]
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.0.first(name)
    }

    /// The value of a parameter that must be there.
    pub(super) fn required(&self, name: &'static str) -> Result<&str, ProtocolError> {
        self.one(name)
            .ok_or_else(|| ProtocolError::invalid_request(format!("The parameter {name} is missing.")))
    }

    /// All values of a parameter that may repeat.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.all(name)
    }

    /// Whether a parameter is sent more than once.
    pub(super) fn is_repeated(&self, name: &str) -> bool {
        !self.0.are_distinct() && self.all(name).nth(1).is_some()
    }

    /// A parameter that is sent more than once though it may not (RFC 6749 3.1), by a name fit to be shown.
    pub(super) fn repeated(&self) -> Option<String> {
        if self.0.are_distinct() {
            return None;
        }
        let names: Vec<&str> = self.0.iter().map(|(name, _)| name).collect();
        let repeated = |(at, name): &(usize, &&str)| **name != "resource" && names[..*at].contains(name);
        let found = names.iter().enumerate().find(repeated);
        found.map(|(_, name)| shown(name))
    }

    /// A parameter whose name or value holds a control character, by a name fit to be shown.
    pub(super) fn with_control_character(&self) -> Option<String> {
        // All of the text is looked at first, many bytes at a time: hardly any parameter holds one. Those beyond ASCII need
        // a look at whole characters.
        let is_plain = |byte| matches!(byte, b' '..=b'~');
        if self
            .0
            .text()
            .bytes()
            .fold(true, |plain, byte| plain & is_plain(byte))
        {
            return None;
        }
        let bad = |text: &str| text.chars().any(char::is_control);
        // JSON may be written in lines.
        let bad_json = |text: &str| text.chars().any(|c| c.is_control() && !"\t\n\r".contains(c));
        self.0
            .iter()
            .find(|(name, value)| match *name {
                CLAIMS => bad_json(value),
                _ => bad(name) || bad(value),
            })
            .map(|(name, _)| shown(name))
    }

    /// The parameters as a query again, for a redirect to one's own GET.
    pub(super) fn to_query(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.0.iter())
            .finish()
    }
}

impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// A parameter's name, cut to what an `error_description` may hold.
fn shown(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .take(40)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_3_1_a_parameter_without_a_value_counts_as_omitted() {
        let params = Params::parse(b"scope=&state=a%20b+c&&x").unwrap();
        assert_eq!(params.one("scope"), None);
        assert_eq!(params.one("state"), Some("a b c"));
        assert_eq!(params.one("x"), None);
    }

    #[test]
    fn repeated_and_control_characters_are_seen() {
        let twice = Params::parse(b"a=1&a=2&resource=x&resource=y").unwrap();
        assert_eq!(twice.repeated().as_deref(), Some("a"));
        assert_eq!(twice.all("resource").count(), 2);
        assert_eq!(Params::parse(b"resource=x&resource=y").unwrap().repeated(), None);
        for bad in ["n=%00", "n=a%0Ab", "n=%7f", "n=%C2%85"] {
            assert_eq!(
                Params::parse(bad.as_bytes())
                    .unwrap()
                    .with_control_character()
                    .as_deref(),
                Some("n"),
                "{bad}"
            );
        }
        assert_eq!(
            Params::parse(b"claims=%7B%0A%7D")
                .unwrap()
                .with_control_character(),
            None
        );
        let bad = Params::parse(b"claims=%7B%00%7D").unwrap();
        assert_eq!(bad.with_control_character().as_deref(), Some("claims"));
        assert_eq!(Params::parse(b"n=%ff").unwrap_err(), NotAForm);
        // Left out as it is: but no text.
        assert_eq!(Params::parse(b"\xff=&n=1").unwrap_err(), NotAForm);
        assert_eq!(
            Params::parse(b"a%22%5C%0d=1&a%22%5C%0d=2")
                .unwrap()
                .repeated()
                .as_deref(),
            Some("a")
        );
    }

    #[test]
    fn a_query_survives_its_writing() {
        let query = "state=a%26b&resource=https%3A%2F%2Fapi.example&resource=urn%3Ax";
        assert_eq!(Params::parse(query.as_bytes()).unwrap().to_query(), query);
    }
}
