//! Cross-site request forgery: a form POST passes when the browser says it comes from our own pages.
//!
//! `Sec-Fetch-Site` must be `same-origin`; where a browser doesn't send it, `Origin` must equal the public URL.
//! There is no token in the page: nothing to leak, nothing to expire. Who is exempt stands in one table.

use axum::http::{HeaderMap, HeaderValue, Method};
use url::Url;

/// The verdict on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From our own pages, or of no effect.
    Ours,
    /// From another site, or from nowhere that can be told.
    Foreign,
}

/// The routes that are exempt, each with its reason. A prefix ends in `/`.
pub const EXEMPT: [(&str, &str); 17] = [
    (
        "/oidc/token",
        "authenticated by the client's own credentials and the code or refresh token; no cookies",
    ),
    (
        "/oidc/token/",
        "revocation and introspection: authenticated like the token endpoint; no cookies",
    ),
    (
        "/oidc/request",
        "a pushed authorization request: authenticated like the token endpoint; no cookies",
    ),
    (
        "/oidc/device/auth",
        "a device asks to be signed in: authenticated like the token endpoint; no cookies",
    ),
    ("/oidc/me", "authenticated by a bearer token; no cookies"),
    (
        "/api/users",
        "the Management API: authenticated by a bearer token; no cookies",
    ),
    ("/api/users/", "the Management API, as above"),
    ("/api/sign-in-exp/", "the Management API, as above"),
    ("/api/verification-codes", "the Management API, as above"),
    ("/api/verification-codes/", "the Management API, as above"),
    ("/api/one-time-tokens", "the Management API, as above"),
    ("/api/one-time-tokens/", "the Management API, as above"),
    (
        "/api/my-account",
        "the Account API: authenticated by a bearer token; no cookies",
    ),
    ("/api/my-account/", "the Account API, as above"),
    ("/api/verifications/", "the Account API, as above"),
    (
        "/oidc/auth",
        "an authorization request may come from any site by POST (OIDC Core 3.1.2.1); redirected to its GET",
    ),
    (
        "/oidc/session/end",
        "a sign-out may come from any site by POST (RP-Initiated Logout 2); redirected to its GET",
    ),
];

/// Whether a request may change something on behalf of the browser's cookies.
pub fn check(method: &Method, path: &str, headers: &HeaderMap, public_url: &Url) -> Origin {
    let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || is_exempt(path) || is_same_origin(headers, public_url) {
        Origin::Ours
    } else {
        Origin::Foreign
    }
}

/// Whether the browser says that the request comes from our own origin.
pub fn is_same_origin(headers: &HeaderMap, public_url: &Url) -> bool {
    let one = |name: &str| {
        let mut values = headers.get_all(name).into_iter();
        let value = values.next().map(HeaderValue::as_bytes);
        (value, values.next().is_none())
    };
    match one("sec-fetch-site") {
        (Some(site), single) => single && site == b"same-origin",
        (None, _) => match one("origin") {
            (Some(origin), single) => {
                single && origin == public_url.origin().ascii_serialization().as_bytes()
            }
            (None, _) => false,
        },
    }
}

fn is_exempt(path: &str) -> bool {
    EXEMPT.iter().any(|(exempt, _)| {
        if exempt.ends_with('/') {
            path.starts_with(exempt)
        } else {
            path == *exempt
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(path: &str, headers: &[(&'static str, &str)]) -> Origin {
        let headers = headers
            .iter()
            .map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap()))
            .collect();
        check(
            &Method::POST,
            path,
            &headers,
            &Url::parse("https://id.example").unwrap(),
        )
    }

    #[test]
    fn sr66_a_post_passes_only_from_our_own_pages() {
        let page = "/sign-in";
        assert_eq!(verdict(page, &[("sec-fetch-site", "same-origin")]), Origin::Ours);
        assert_eq!(verdict(page, &[("origin", "https://id.example")]), Origin::Ours);
        for foreign in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", "https://id.example.evil.example")],
            &[("origin", "http://id.example")],
            // The stronger word wins: a page can't set Sec-Fetch-Site.
            &[("sec-fetch-site", "cross-site"), ("origin", "https://id.example")],
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "cross-site"),
            ],
            &[],
        ] {
            assert_eq!(verdict(page, foreign), Origin::Foreign, "{foreign:?}");
        }
    }

    #[test]
    fn sr66_exempt_are_the_routes_of_the_table_and_no_others() {
        assert_eq!(verdict("/oidc/token", &[]), Origin::Ours);
        assert_eq!(verdict("/oidc/token/revocation", &[]), Origin::Ours);
        assert_eq!(verdict("/oidc/tokens", &[]), Origin::Foreign);
        assert_eq!(verdict("/oidc/session/end/confirm", &[]), Origin::Foreign);
        assert_eq!(verdict("/api/users/abc/password", &[]), Origin::Ours);
        assert_eq!(verdict("/api/experience/submit", &[]), Origin::Foreign);
    }
}
