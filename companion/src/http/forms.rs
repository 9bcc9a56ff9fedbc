//! Form bodies and queries, read strictly and in one place: for the pages, where a field is there once or not at all,
//! and for the provider, whose own rules stand in `oidc/params.rs`.

use std::collections::HashMap;

use axum::http::{HeaderMap, header};
use memchr::{memchr, memchr2};
use percent_encoding::percent_decode;
use zeroize::Zeroize as _;

/// Fields of a form or query at most: more than any page or specification names together.
pub const MOST_FIELDS: usize = 100;

/// The bytes are no form: they hold what is no text in UTF-8, a NUL character, or too many fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the form holds bytes that are not text in UTF-8, a NUL character, or more than {MOST_FIELDS} fields"
)]
pub struct NotAForm;

/// The fields of a form or query, each at most once. Field names nobody asks for have no effect.
#[derive(Clone, Default)]
pub struct Fields(HashMap<String, String>);

/// Why a form or query is refused, alike for every identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldsError {
    #[error("the form must be sent as application/x-www-form-urlencoded")]
    ContentType,
    #[error("the form holds a field twice; send each field once")]
    Repeated,
    #[error("the form holds a NUL character")]
    Nul,
    #[error(transparent)]
    NotAForm(#[from] NotAForm),
}

/// Whether the one `Content-Type` is that of an HTML form.
pub fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).into_iter();
    let form = types
        .next()
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            let mime = value.split(';').next().unwrap_or_default();
            mime.trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
    form && types.next().is_none()
}

/// The fields of a form or query in their order, as often as they are sent.
pub fn pairs(bytes: &[u8]) -> Result<Vec<(String, String)>, NotAForm> {
    let mut read = Vec::with_capacity(16);
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = memchr(b'&', rest).unwrap_or(rest.len());
        let pair = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        if pair.is_empty() {
            continue;
        }
        if read.len() == MOST_FIELDS {
            return Err(NotAForm);
        }
        let at = memchr(b'=', pair);
        let (name, value) = at.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
        read.push((decode(name)?, decode(value)?));
    }
    Ok(read)
}

/// Percent-decoding of the URL standard, but with bytes that are no UTF-8 refused instead of replaced.
pub fn decode(bytes: &[u8]) -> Result<String, NotAForm> {
    if memchr2(b'+', b'%', bytes).is_none() {
        // Most names and values stand for themselves.
        let text = std::str::from_utf8(bytes).map_err(|_| NotAForm)?;
        return Ok(text.to_owned());
    }
    let mut spaced: Vec<u8> = bytes
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    let text = percent_decode(&spaced)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned);
    // It may have been a secret.
    spaced.zeroize();
    text.map_err(|_| NotAForm)
}

impl Fields {
    /// Reads a form body. The `Content-Type` must be that of an HTML form.
    pub fn from_form(headers: &HeaderMap, body: &[u8]) -> Result<Self, FieldsError> {
        if is_form(headers) {
            Self::parse(body)
        } else {
            Err(FieldsError::ContentType)
        }
    }

    /// Reads a query.
    pub fn from_query(query: Option<&str>) -> Result<Self, FieldsError> {
        Self::parse(query.unwrap_or_default().as_bytes())
    }

    fn parse(bytes: &[u8]) -> Result<Self, FieldsError> {
        let mut fields = HashMap::new();
        for (name, value) in pairs(bytes)? {
            if name.contains('\0') || value.contains('\0') {
                return Err(FieldsError::Nul);
            }
            if fields.insert(name, value).is_some() {
                return Err(FieldsError::Repeated);
            }
        }
        Ok(Self(fields))
    }

    /// The value of a field; empty counts as absent.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        // Forms carry passwords and codes.
        self.0.values_mut().for_each(String::zeroize);
    }
}

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(body: &str) -> Result<Fields, FieldsError> {
        let headers = HeaderMap::from_iter([(
            header::CONTENT_TYPE,
            "application/x-www-form-urlencoded; charset=utf-8"
                .parse()
                .unwrap(),
        )]);
        Fields::from_form(&headers, body.as_bytes())
    }

    #[test]
    fn sr10_a_field_is_one_text_or_refused() {
        assert_eq!(
            form("identifier=a%40b.example&x=1").unwrap().one("identifier"),
            Some("a@b.example")
        );
        assert_eq!(
            form("identifier=a&identifier=b").unwrap_err(),
            FieldsError::Repeated
        );
        assert_eq!(form("identifier=a%00b").unwrap_err(), FieldsError::Nul);
        for bytes in ["identifier=%ff", &"a&".repeat(MOST_FIELDS + 1)] {
            assert_eq!(form(bytes).unwrap_err(), NotAForm.into());
        }
        assert_eq!(
            form("identifier[]=a&identifier[]=b").unwrap_err(),
            FieldsError::Repeated
        );
        assert_eq!(form("identifier[]=a").unwrap().one("identifier"), None);
        assert_eq!(form("").unwrap().one("identifier"), None);
        let json = HeaderMap::from_iter([(header::CONTENT_TYPE, "application/json".parse().unwrap())]);
        assert_eq!(
            Fields::from_form(&json, b"{}").unwrap_err(),
            FieldsError::ContentType
        );
    }

    #[test]
    fn values_are_decoded_and_malformed_escapes_stay_as_typed() {
        let fields = form("password=a+b%2Bc%20%C3%A9&p=100%&q=%zz&=empty&k").unwrap();
        assert_eq!(fields.one("password"), Some("a b+c é"));
        assert_eq!(fields.one("p"), Some("100%"));
        assert_eq!(fields.one("q"), Some("%zz"));
        assert_eq!(fields.one("k"), None);
    }
}
