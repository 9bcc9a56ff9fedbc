//! The fields of a form as often as they are sent, found by their names.

use zeroize::{Zeroize as _, Zeroizing};

use super::NotAForm;
use super::percent::decode_in_place;

/// Fields of a form or query at most: more than any page or specification names together.
pub const MOST_FIELDS: usize = 100;

/// The fields of a form or query in their order, as often as they are sent. All their text is in one buffer, which is
/// wiped when dropped: forms carry passwords, codes and client secrets.
#[derive(Clone)]
pub struct Pairs {
    /// What was sent, the names and values of [`Self::fields`] decoded where they stand. What is left of the room that they took is
    /// `&`. What `keep` leaves out stands here too, as it was sent.
    text: Zeroizing<String>,
    fields: Vec<Field>,
    /// For each [`mark`] the first field whose name has it.
    firsts: [u8; MARKS],
    /// Whether no two names have the same mark: then none is there twice.
    distinct: bool,
}

/// Where a field stands in the text.
#[derive(Clone, Copy)]
struct Field {
    begin: usize,
    name_end: usize,
    /// One behind the end of the name, or the same where there was no `=`.
    value: usize,
    end: usize,
}

/// The marks that there are.
const MARKS: usize = 64;
/// In place of a field: none.
const NONE: u8 = u8::MAX;
const _: () = assert!(MOST_FIELDS < NONE as usize);

/// A small number for a name: names with different marks differ. Of a name that stands in the program the compiler
/// knows it. Those of an authorization request have one each, and so have those of an exchange.
#[inline(always)]
fn mark(name: &[u8]) -> usize {
    let at = |byte: Option<&u8>| byte.copied().map_or(0, usize::from);
    // The last two letters of many names are alike.
    let third_last = name.iter().nth_back(2);
    (name.len() * 5 + at(name.first()) * 3 + at(third_last) * 5) % MARKS
}

impl Default for Pairs {
    fn default() -> Self {
        Self {
            text: Zeroizing::default(),
            fields: Vec::new(),
            firsts: [NONE; MARKS],
            distinct: true,
        }
    }
}

impl Pairs {
    /// Reads them, but for those that `keep` leaves out.
    pub fn parse(bytes: &[u8], keep: impl Fn(&[u8], &[u8]) -> bool) -> Result<Self, NotAForm> {
        // Decoded text is never longer than what was sent: it is decoded where it stands, and leaves no copy behind.
        let mut text = Zeroizing::new(bytes.to_vec());
        let mut pairs = Self {
            fields: Vec::with_capacity(16),
            ..Self::default()
        };
        let (mut begin, mut sent) = (0, 0);
        while begin < text.len() {
            let Found { field, has_escapes } = find(&text, begin);
            begin = field.end + 1;
            if field.begin == field.end {
                continue;
            }
            sent += 1;
            if sent > MOST_FIELDS {
                return Err(NotAForm);
            }
            if keep(&text[field.begin..field.name_end], &text[field.value..field.end]) {
                let field = if has_escapes {
                    decoded(&mut text, field)
                } else {
                    field
                };
                pairs.add(field, &text[field.begin..field.name_end]);
            }
        }
        let text = String::from_utf8(std::mem::take(&mut *text)).map_err(|error| {
            error.into_bytes().zeroize();
            NotAForm
        })?;
        pairs.text = Zeroizing::new(text);
        Ok(pairs)
    }

    fn add(&mut self, field: Field, name: &[u8]) {
        let first = &mut self.firsts[mark(name)];
        if *first == NONE {
            // There are no more of them than it can hold.
            *first = u8::try_from(self.fields.len()).unwrap_or(NONE);
        } else {
            self.distinct = false;
        }
        self.fields.push(field);
    }

    /// How many fields there are.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// All names and values, with more between them than was sent: what is not in here is in none of them.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is known at a glance that no name is there twice.
    pub fn are_distinct(&self) -> bool {
        self.distinct
    }

    /// The value of the first field of a name. Most names that are asked for are not there, which needs no look at those that
    /// are.
    #[inline(always)]
    pub fn first(&self, name: &str) -> Option<&str> {
        if self.firsts[mark(name.as_bytes())] == NONE {
            None
        } else {
            self.first_of(name)
        }
    }

    fn first_of(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The values of the fields of a name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let first = usize::from(self.firsts[mark(name.as_bytes())]);
        let end = if self.distinct {
            first + 1
        } else {
            self.fields.len()
        };
        let fields = self.fields.get(first..end).unwrap_or_default();
        fields.iter().filter_map(move |field| {
            // As bytes, which need no look at where characters begin.
            let is_named = self.text.as_bytes()[field.begin..field.name_end] == *name.as_bytes();
            is_named.then(|| &self.text[field.value..field.end])
        })
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let of = |field: &Field| {
            (
                &self.text[field.begin..field.name_end],
                &self.text[field.value..field.end],
            )
        };
        self.fields.iter().map(of)
    }
}

/// A field as it was sent.
struct Found {
    field: Field,
    has_escapes: bool,
}

/// The field that begins somewhere.
fn find(text: &[u8], begin: usize) -> Found {
    let (mut name_end, mut has_escapes, mut end) = (None, false, text.len());
    for (at, byte) in text.iter().enumerate().skip(begin) {
        match byte {
            // Hardly any byte has another answer than this first one.
            b'>'.. => {}
            b'=' => name_end = name_end.or(Some(at)),
            b'&' => {
                end = at;
                break;
            }
            b'+' | b'%' => has_escapes = true,
            _ => {}
        }
    }
    let field = Field {
        begin,
        name_end: name_end.unwrap_or(end),
        value: name_end.map_or(end, |at| at + 1),
        end,
    };
    Found { field, has_escapes }
}

/// A field once its name and its value are decoded where they stand. What room they leave is no part of any field.
fn decoded(text: &mut [u8], field: Field) -> Field {
    let mut decode = |begin: usize, end: usize| {
        let length = decode_in_place(&mut text[begin..end]);
        text[begin + length..end].fill(b'&');
        begin + length
    };
    Field {
        name_end: decode(field.begin, field.name_end),
        end: decode(field.value, field.end),
        ..field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
