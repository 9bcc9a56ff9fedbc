//! An answer as it is compared with another.

use keyback_core::identifier::Identifier;
use keyback_tests::Hop;

/// What differs from answer to answer by design: what follows these marks, and is so many characters of base64url. The id of a
/// flow, in addresses and in the name of its cookie; the id of a challenge; the binding, behind the moment in a cookie.
const DRAWN: [(&str, usize); 4] = [("f=", 22), ("kb_flow_", 22), ("c=", 22), (".", 43)];

/// An answer without what is drawn, the moment and what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    url: String,
    status: u16,
    /// In the order in which they came.
    headers: Vec<(String, String)>,
    body: String,
}

impl Shown {
    pub(super) fn of(hop: &Hop, typed: &str) -> Self {
        let same = |text: &str| without_drawn(&without_typed(text, typed));
        let headers = hop.headers.iter().map(|(name, value)| {
            let value = value.to_str().unwrap();
            let value = if name == "date" { shape(value) } else { same(value) };
            (name.to_string(), value)
        });
        Self {
            url: same(hop.url.as_str()),
            status: hop.status,
            headers: headers.collect(),
            body: same(&hop.body),
        }
    }
}

fn without_typed(text: &str, typed: &str) -> String {
    let shown = Identifier::parse(typed).unwrap().shown();
    text.replace(&shown, "[shown]").replace(typed, "[typed]")
}

fn without_drawn(text: &str) -> String {
    let mut text = text.to_owned();
    for (mark, length) in DRAWN {
        let mut parts = text.split(mark);
        let mut masked = parts.next().unwrap().to_owned();
        for part in parts {
            let is_drawn = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            let end = part.find(|c| !is_drawn(c)).unwrap_or(part.len());
            let rest = if end == length { &part[end..] } else { part };
            masked.push_str(mark);
            masked.push_str(if end == length { "[drawn]" } else { "" });
            masked.push_str(rest);
        }
        text = masked;
    }
    text
}

/// Digits and letters made equal: all that two moments written in one form have in common.
fn shape(text: &str) -> String {
    let same = |c: char| match c {
        '0'..='9' => '0',
        'a'..='z' | 'A'..='Z' => 'a',
        other => other,
    };
    text.chars().map(same).collect()
}
