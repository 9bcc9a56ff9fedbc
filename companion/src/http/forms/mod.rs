//! Form bodies and queries, read strictly and in one place: for the pages, where a field is there once or not at all,
//! and for the provider, whose own rules stand in `oidc/params.rs`.

mod pairs;
mod percent;

use std::collections::HashSet;

use axum::http::HeaderMap;

pub use self::pairs::{MOST_FIELDS, Pairs};
pub use self::percent::decode;
use super::content_type::is_of_type;

/// The bytes are no form: they hold what is no text in UTF-8, a NUL character, or too many fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the form holds bytes that are not text in UTF-8, a NUL character, or more than {MOST_FIELDS} fields"
)]
pub struct NotAForm;

/// The fields of a form or query, each at most once. Field names nobody asks for have no effect.
#[derive(Clone, Default)]
pub struct Fields(Pairs);

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
    is_of_type(headers, "application/x-www-form-urlencoded")
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
        let pairs = Pairs::parse(bytes, |_, _| true)?;
        if pairs.text().contains('\0') {
            return Err(FieldsError::Nul);
        }
        let mut names = HashSet::with_capacity(pairs.len());
        if pairs.iter().all(|(name, _)| names.insert(name)) {
            Ok(Self(pairs))
        } else {
            Err(FieldsError::Repeated)
        }
    }

    /// The value of a field; empty counts as absent.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.0.first(name).filter(|value| !value.is_empty())
    }
}

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

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
        // A character whose bytes are shared out is text in no field.
        for split in [
            "identifier=%c3&%a9=1",
            "identifier%c3=%a9",
            "identifier=%c3&x=%a9",
            "identifier%c3=%a9&x=1",
        ] {
            assert_eq!(form(split).unwrap_err(), NotAForm.into(), "{split}");
        }
        let json = HeaderMap::from_iter([(header::CONTENT_TYPE, "application/json".parse().unwrap())]);
        assert_eq!(
            Fields::from_form(&json, b"{}").unwrap_err(),
            FieldsError::ContentType
        );
    }

    #[test]
    fn values_are_decoded_and_malformed_escapes_stay_as_typed() {
        let fields = form("password=a+b%2Bc%20%C3%A9&p=100%&q=%zz&=empty&k&r=%4&s=%%41").unwrap();
        assert_eq!(fields.one("password"), Some("a b+c é"));
        assert_eq!(fields.one("p"), Some("100%"));
        assert_eq!(fields.one("q"), Some("%zz"));
        assert_eq!(fields.one("k"), None);
        assert_eq!(fields.one("r"), Some("%4"));
        assert_eq!(fields.one("s"), Some("%A"));
        // A byte of meaning is seen wherever it stands, behind whatever.
        for before in 0..20 {
            for filling in ['a', '7', '-', 'é', '\u{7f}'] {
                let text: String = std::iter::repeat_n(filling, before).collect();
                let fields = form(&format!("{text}n={text}+%41{text}&last={text}=")).unwrap();
                let expected = format!("{text} A{text}");
                assert_eq!(fields.one(&format!("{text}n")), Some(expected.as_str()));
                assert_eq!(fields.one("last"), Some(format!("{text}=").as_str()));
            }
        }
    }
}
