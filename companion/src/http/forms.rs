//! Form bodies and queries, read strictly and in one place: for the pages, where a field is there once or not at all,
//! and for the provider, whose own rules stand in `oidc/params.rs`.

use std::collections::HashSet;

use axum::http::{HeaderMap, header};
use memchr::{memchr, memchr2};
use zeroize::{Zeroize as _, Zeroizing};

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

/// The fields of a form or query in their order, as often as they are sent. All their text is in one buffer, which is
/// wiped when dropped: forms carry passwords, codes and client secrets.
#[derive(Clone, Default)]
pub struct Pairs {
    text: Zeroizing<String>,
    ends: Vec<Ends>,
    /// The [`mark`]s of all names.
    marks: u64,
    /// Whether no two names have the same mark: then none is there twice.
    distinct: bool,
}

/// Where the name and the value of a field end in the text; a name begins where the field before it ends.
#[derive(Clone, Copy)]
struct Ends {
    name: usize,
    value: usize,
}

/// One of 64 bits for a name: where it is missing among the marks of all names, so is the name. Of a name that stands in
/// the program the compiler knows it. Those of an authorization request have one each, and so have those
/// of an exchange.
#[inline(always)]
fn mark(name: &[u8]) -> u64 {
    let at = |byte: Option<&u8>| byte.copied().map_or(0, usize::from);
    // The last two letters of many names are alike.
    let third_last = name.iter().nth_back(2);
    1 << ((name.len() * 5 + at(name.first()) * 3 + at(third_last) * 5) % 64)
}

impl Pairs {
    /// Reads them, but for those that `keep` leaves out.
    pub fn parse(bytes: &[u8], keep: impl Fn(&[u8], &[u8]) -> bool) -> Result<Self, NotAForm> {
        // Decoded text is never longer than what was sent: the buffer doesn't move, and leaves no copy behind.
        let mut text = Zeroizing::new(Vec::with_capacity(bytes.len()));
        let mut ends = Vec::with_capacity(16);
        let (mut rest, mut fields, mut marks, mut distinct) = (bytes, 0, 0, true);
        while !rest.is_empty() {
            let end = memchr(b'&', rest).unwrap_or(rest.len());
            let pair = &rest[..end];
            rest = rest.get(end + 1..).unwrap_or_default();
            if pair.is_empty() {
                continue;
            }
            fields += 1;
            if fields > MOST_FIELDS {
                return Err(NotAForm);
            }
            let at = memchr(b'=', pair);
            let (name, value) = at.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
            if keep(name, value) {
                let begin = text.len();
                // Most fields stand for themselves: all of their bytes are looked at together, many at a time.
                let has_escapes = pair
                    .iter()
                    .fold(false, |seen, byte| seen | matches!(byte, b'+' | b'%'));
                let mut add = |part: &[u8]| {
                    match has_escapes {
                        true => decode_into(part, &mut text),
                        false => text.extend_from_slice(part),
                    }
                    text.len()
                };
                let (name, value) = (add(name), add(value));
                let mark = mark(&text[begin..name]);
                distinct &= marks & mark == 0;
                marks |= mark;
                ends.push(Ends { name, value });
            }
        }
        let text = String::from_utf8(std::mem::take(&mut *text)).map_err(|error| {
            error.into_bytes().zeroize();
            NotAForm
        })?;
        let text = Zeroizing::new(text);
        // A character that one field begins and the next one ends is text in neither.
        let whole = |ends: &Ends| text.is_char_boundary(ends.name) && text.is_char_boundary(ends.value);
        if ends.iter().all(whole) {
            Ok(Self {
                text,
                ends,
                marks,
                distinct,
            })
        } else {
            Err(NotAForm)
        }
    }

    /// All names and values, one behind the other.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether no field of a name is there. Most names that are asked for are not, which needs no look at those that are;
    /// sometimes a name is missing all the same.
    #[inline(always)]
    pub fn lacks(&self, name: &str) -> bool {
        self.marks & mark(name.as_bytes()) == 0
    }

    /// Whether it is known at a glance that no name is there twice.
    pub fn are_distinct(&self) -> bool {
        self.distinct
    }

    /// The values of the fields of a name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let ends = if self.lacks(name) { &[] } else { &self.ends[..] };
        let mut begins = 0;
        ends.iter().filter_map(move |ends| {
            // As bytes, which need no look at where characters begin.
            let is_named = self.text.as_bytes()[begins..ends.name] == *name.as_bytes();
            begins = ends.value;
            is_named.then(|| &self.text[ends.name..ends.value])
        })
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut begins = 0;
        self.ends.iter().map(move |ends| {
            let pair = (&self.text[begins..ends.name], &self.text[ends.name..ends.value]);
            begins = ends.value;
            pair
        })
    }
}

/// Percent-decoding of the URL standard, but with bytes that are no UTF-8 refused instead of replaced.
pub fn decode(bytes: &[u8]) -> Result<String, NotAForm> {
    let mut decoded = Vec::with_capacity(bytes.len());
    decode_into(bytes, &mut decoded);
    String::from_utf8(decoded).map_err(|error| {
        // It may have been a secret.
        error.into_bytes().zeroize();
        NotAForm
    })
}

fn decode_into(bytes: &[u8], decoded: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(at) = memchr2(b'+', b'%', rest) {
        decoded.extend_from_slice(&rest[..at]);
        let (byte, escape) = match rest[at..] {
            [b'+', ..] => (b' ', 1),
            [_, high, low, ..] => hex_digit(high)
                .zip(hex_digit(low))
                .map_or((b'%', 1), |(high, low)| (high << 4 | low, 3)),
            // What is no escape stands for itself.
            _ => (b'%', 1),
        };
        decoded.push(byte);
        rest = &rest[at + escape..];
    }
    decoded.extend_from_slice(rest);
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
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
        if pairs.text.contains('\0') {
            return Err(FieldsError::Nul);
        }
        let mut names = HashSet::with_capacity(pairs.ends.len());
        if pairs.iter().all(|(name, _)| names.insert(name)) {
            Ok(Self(pairs))
        } else {
            Err(FieldsError::Repeated)
        }
    }

    /// The value of a field; empty counts as absent.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.0.all(name).next().filter(|value| !value.is_empty())
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
    fn the_parameters_of_a_sign_in_are_told_apart_at_a_glance() {
        let request = "client_id=a&redirect_uri=b&response_type=code&response_mode=query&scope=c&state=d&nonce=e\
            &code_challenge=f&code_challenge_method=S256&resource=g&prompt=login&first_screen=h&login_hint=i&ui_locales=j";
        let exchange =
            "grant_type=a&code=b&redirect_uri=c&client_id=d&client_secret=e&code_verifier=f&resource=g";
        let refresh = "grant_type=a&refresh_token=b&client_id=c&client_secret=d&scope=e&resource=f";
        for form in [request, exchange, refresh] {
            assert!(
                Pairs::parse(form.as_bytes(), |_, _| true).unwrap().are_distinct(),
                "{form}"
            );
        }
    }

    #[test]
    fn every_field_is_found_by_its_name_whatever_stands_beside_it() {
        let names: Vec<String> = (0..MOST_FIELDS)
            .map(|number| format!("n{}", number * 37))
            .collect();
        let body: Vec<String> = names.iter().map(|name| format!("{name}={name}v")).collect();
        let pairs = Pairs::parse(body.join("&").as_bytes(), |_, _| true).unwrap();
        for name in &names {
            let found: Vec<_> = pairs.all(name).collect();
            assert_eq!(found, [format!("{name}v")]);
        }
        assert_eq!(pairs.all("n").count(), 0);
        assert_eq!(pairs.all("").count(), 0);
        // By its name as it is meant, not as it was sent.
        let decoded = Pairs::parse(b"%6eame=1&=2&a+b=3&n%61me=4", |_, _| true).unwrap();
        assert_eq!(decoded.all("name").collect::<Vec<_>>(), ["1", "4"]);
        assert_eq!(decoded.all("").collect::<Vec<_>>(), ["2"]);
        assert_eq!(decoded.all("a b").collect::<Vec<_>>(), ["3"]);
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
    }
}
