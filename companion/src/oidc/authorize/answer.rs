//! Answers at the redirect URI (RFC 6749 4.1.2, 4.1.2.1), each with its issuer (RFC 9207).

use url::form_urlencoded::Serializer;

use super::super::error::ProtocolError;
use super::super::params::Params;

/// The redirect that carries a code.
pub(super) fn code(issuer: &str, redirect_uri: &str, state: Option<&str>, code: &str) -> String {
    append(
        redirect_uri,
        [("code", Some(code)), ("state", state), ("iss", Some(issuer))],
    )
}

/// The redirect that carries an error.
pub(super) fn error(issuer: &str, redirect_uri: &str, state: Option<&str>, error: &ProtocolError) -> String {
    let description = Some(error.description());
    let parameters = [
        ("error", Some(error.code().as_str())),
        ("error_description", description),
        ("state", state),
        ("iss", Some(issuer)),
    ];
    append(redirect_uri, parameters)
}

/// The state to send back with an error: none where it is sent twice, or is no plain text.
pub(super) fn state_of(params: &Params) -> Option<&str> {
    let state = params.one("state")?;
    (!params.is_repeated("state") && !state.chars().any(char::is_control)).then_some(state)
}

/// Appends parameters to a URI, leaving what it has byte for byte (RFC 6749 3.1.2).
pub(in crate::oidc) fn append<const N: usize>(uri: &str, parameters: [(&str, Option<&str>); N]) -> String {
    let mut location = String::with_capacity(uri.len() + 256);
    location.push_str(uri);
    if !uri.contains('?') {
        location.push('?');
    } else if !uri.ends_with(['?', '&']) {
        location.push('&');
    }
    let start = location.len();
    let mut query = Serializer::for_suffix(location, start);
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_3_1_2_the_query_of_a_redirect_uri_is_kept() {
        let add = |uri| {
            append(
                uri,
                [
                    ("code", Some("a b")),
                    ("state", None),
                    ("iss", Some("https://i/oidc")),
                ],
            )
        };
        let tail = "code=a+b&iss=https%3A%2F%2Fi%2Foidc";
        assert_eq!(add("https://a/cb"), format!("https://a/cb?{tail}"));
        assert_eq!(add("https://a/cb?x=%2f"), format!("https://a/cb?x=%2f&{tail}"));
        assert_eq!(add("app:/cb?"), format!("app:/cb?{tail}"));
    }
}
