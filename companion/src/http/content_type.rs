//! What a body says that it is.

use axum::http::{HeaderMap, header};

/// Whether there is one `Content-Type`, and it is this one, with whatever parameters (RFC 9110 8.3.1). Of two, nobody knows
/// which the sender means.
pub fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).into_iter();
    let first = types
        .next()
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next());
    first.is_some_and(|first| first.trim().eq_ignore_ascii_case(media_type)) && types.next().is_none()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(types: &[&'static str]) -> HeaderMap {
        let all = types
            .iter()
            .map(|value| (header::CONTENT_TYPE, HeaderValue::from_static(value)));
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn rfc9110_8_3_1_the_one_type_counts_whatever_its_case_and_parameters() {
        let json = "application/json";
        for types in [
            ["application/json"],
            ["Application/JSON"],
            ["application/json; charset=utf-8"],
            [" application/json ;q"],
        ] {
            assert!(is_of_type(&headers(&types), json), "{types:?}");
        }
        let others: [&[&str]; 7] = [
            &[],
            &[""],
            &["application/jsonp"],
            &["text/plain; application/json"],
            &["application/json", "text/plain"],
            &["application/json, text/plain"],
            &["application/json", "application/json"],
        ];
        for types in others {
            assert!(!is_of_type(&headers(types), json), "{types:?}");
        }
        assert!(!is_of_type(
            &HeaderMap::from_iter([(
                header::CONTENT_TYPE,
                HeaderValue::from_bytes(b"application/json\xff").unwrap()
            )]),
            json
        ));
    }
}
