//! What every answer carries, and the content security policy of pages.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use url::{Origin, Url};

/// A year: what HSTS asks for (SR-67).
const HSTS: &str = "max-age=31536000; includeSubDomains";

/// Puts the headers on that belong on every answer, whatever made it. An answer may have set its own
/// `Cache-Control`, since discovery and keys may be cached; all else must not be.
pub fn secure(headers: &mut HeaderMap, public_url: &Url) {
    let fixed: [(HeaderName, &'static str); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // `no-referrer` would make Chromium send `Origin: null` with our own forms.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=(), otp-credentials=(self)",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if public_url.scheme() == "https" {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'"));
}

/// The content security policy of a page.
///
/// `style` and `script` are the source expressions of the page's one style and one script. `redirects` are the verified redirect URIs
/// of the flow the page belongs to: Chromium applies `form-action` to the redirects after a POST too, so the way
/// back to the app must be named.
pub fn page_csp(style: &str, script: &str, redirects: &[Url]) -> HeaderValue {
    let mut form_action = String::from("'self'");
    for source in redirects.iter().map(form_action_source).collect::<BTreeSet<_>>() {
        form_action.push(' ');
        form_action.push_str(&source);
    }
    let policy = format!(
        "default-src 'none'; style-src {style}; script-src {script}; img-src 'self' data:; \
         form-action {form_action}; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    );
    // Hashes are base64 and origins ASCII; should one ever not be, the strictest policy stands in.
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The source expression of a redirect URI: its origin, or the scheme of a native app's own (RFC 8252 7.1).
fn form_action_source(redirect: &Url) -> String {
    match redirect.origin() {
        origin @ Origin::Tuple(..) => origin.ascii_serialization(),
        Origin::Opaque(_) => format!("{}:", redirect.scheme()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sr67_every_answer_is_guarded_and_not_stored() {
        let mut headers = HeaderMap::new();
        secure(&mut headers, &Url::parse("https://id.example").unwrap());
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("strict-transport-security", HSTS),
        ] {
            assert_eq!(headers[name], value);
        }
        let mut plain = HeaderMap::new();
        secure(&mut plain, &Url::parse("http://localhost:3001").unwrap());
        assert!(!plain.contains_key("strict-transport-security"));
    }

    #[test]
    fn sr67_the_policy_of_a_page_names_the_way_back_and_nothing_else() {
        let web = Url::parse("https://shop.example/callback?x=1").unwrap();
        let csp = page_csp("'sha256-a'", "'sha256-b'", &[web.clone(), web]);
        let csp = csp.to_str().unwrap();
        for part in [
            "form-action 'self' https://shop.example;",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "object-src 'none'",
            "style-src 'sha256-a'",
        ] {
            assert!(csp.contains(part), "{csp}");
        }
        let native = Url::parse("com.example.app:/callback").unwrap();
        assert!(page_csp("s", "s", &[native]).to_str().unwrap().contains("form-action 'self' com.example.app:;"));
        assert!(page_csp("s", "s", &[]).to_str().unwrap().contains("form-action 'self';"));
    }
}
