//! `Link` headers (RFC 8288): whether a list goes on.

use http::HeaderMap;
use http::header::LINK;

/// Whether the answer links to a next page; `None` when it links to nothing at all.
pub(super) fn has_next(headers: &HeaderMap) -> Option<bool> {
    let values = headers.get_all(LINK).iter();
    let mut values = values.filter_map(|value| value.to_str().ok()).peekable();
    values.peek()?;
    Some(values.flat_map(|value| split(value, ',')).any(is_next))
}

fn is_next(link: &str) -> bool {
    split(link, ';').skip(1).any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
        name.trim().eq_ignore_ascii_case("rel")
            && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
    })
}

/// Splits `text`, but neither within the angle brackets of a URL nor within quotation marks.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut in_url, mut in_quotes) = (false, false);
    text.split(move |character| {
        match character {
            '<' if !in_quotes => in_url = true,
            '>' if !in_quotes => in_url = false,
            '"' if !in_url => in_quotes = !in_quotes,
            _ => {}
        }
        character == separator && !in_url && !in_quotes
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(values: &[&'static str]) -> Option<bool> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(LINK, HeaderValue::from_static(value));
        }
        has_next(&headers)
    }

    #[test]
    fn a_next_page_is_found_in_any_spelling() {
        assert_eq!(of(&[]), None);
        for next in [
            r#"<https://id.example/api/users?page=2>; rel="next""#,
            "</api/users?page=2>;rel=next",
            r#"</a>; rel="last"; title="x", </b>; REL="prev NEXT""#,
            r#"</a,b;c>; title="one; two, <three"; rel="next""#,
        ] {
            assert_eq!(of(&[next]), Some(true), "{next}");
            assert_eq!(of(&[r#"</first>; rel="first""#, next]), Some(true), "{next}");
        }
        for other in [
            r#"</a?rel=next>; rel="last""#,
            r#"</a>; title="rel=next"; rel="prev""#,
            r#"</a>; title="; rel=next""#,
            "</a>; rel=nextcloud",
            "</next>",
            "next",
            "",
            "<;,\"=",
        ] {
            assert_eq!(of(&[other]), Some(false), "{other}");
        }
    }
}
