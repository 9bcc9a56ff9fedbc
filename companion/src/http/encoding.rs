//! Which encodings of a body a client takes (RFC 9110 12.5.3).

use axum::http::{HeaderMap, header};

/// Whether a client takes gzip. One that says nothing gets the plain form, which everybody can read.
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut by_name = None;
    let mut by_star = None;
    for element in headers
        .get_all(header::ACCEPT_ENCODING)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
    {
        let (coding, weight) = element.split_once(';').unwrap_or((element, ""));
        let taken = !is_zero(weight.trim());
        let coding = coding.trim();
        if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
            by_name = Some(taken);
        } else if coding == "*" {
            by_star = Some(taken);
        }
    }
    by_name.or(by_star).unwrap_or(false)
}

/// Whether a weight refuses what it belongs to: `q=0`, `q=0.`, `q=0.000`.
fn is_zero(weight: &str) -> bool {
    let number = weight
        .strip_prefix("q=")
        .or_else(|| weight.strip_prefix("Q="))
        .map(str::trim);
    number.is_some_and(|number| {
        number.starts_with('0') && number.bytes().all(|byte| matches!(byte, b'0' | b'.'))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn rfc9110_12_5_3_gzip_is_taken_where_it_is_named_or_all_are_and_not_refused() {
        let accepts = |value: &'static str| {
            accepts_gzip(&HeaderMap::from_iter([(
                header::ACCEPT_ENCODING,
                HeaderValue::from_static(value),
            )]))
        };
        for taken in [
            "gzip",
            "GZIP",
            "deflate, gzip;q=0.1",
            "x-gzip",
            "*",
            "br;q=0, *;q=0.5",
            "gzip, *;q=0",
        ] {
            assert!(accepts(taken), "{taken}");
        }
        for refused in [
            "",
            "identity",
            "br",
            "gzip;q=0",
            "gzip; q=0.000",
            "*;q=0",
            "*, gzip;q=0",
        ] {
            assert!(!accepts(refused), "{refused}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
