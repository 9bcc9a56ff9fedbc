//! What every answer carries, and the content security policy of pages.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use url::{Origin, Url};

/// A year: what HSTS asks for (SR-67).
const HSTS: &str = "max-age=31536000; includeSubDomains";

/// The headers that belong on every answer, whatever made it. Written once: each answer gets a copy.
#[derive(Clone, Debug)]
pub struct Guards(HeaderMap);

impl Guards {
    pub fn new(public_url: &Url) -> Self {
        // Room for what answers bring of their own, and for what hyper adds.
        let mut headers = HeaderMap::with_capacity(24);
        fill(&mut headers, public_url);
        Self(headers)
    }

    /// Puts them on. An answer may have set its own `Cache-Control`, since discovery and keys may be cached, and its
    /// own policy; what it has set of the others gives way.
    pub fn put_on(&self, headers: &mut HeaderMap) {
        let own = std::mem::replace(headers, self.0.clone());
        // Of several values of one name, the first alone brings the name.
        let mut named = None;
        for (name, value) in own {
            if let Some(name) = name {
                named = (!FIXED.contains(&name)).then_some(name);
                if let Some(name) = &named {
                    headers.insert(name, value);
                }
            } else if let Some(name) = &named {
                headers.append(name, value);
            }
        }
    }
}

/// What no answer may have otherwise.
const FIXED: [HeaderName; 6] = [
    header::X_CONTENT_TYPE_OPTIONS,
    header::REFERRER_POLICY,
    HeaderName::from_static("cross-origin-opener-policy"),
    header::X_FRAME_OPTIONS,
    HeaderName::from_static("permissions-policy"),
    header::STRICT_TRANSPORT_SECURITY,
];

fn fill(headers: &mut HeaderMap, public_url: &Url) {
    let fixed: [(HeaderName, &'static str); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // `no-referrer` would make Chromium send `Origin: null` with our own forms.
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
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
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    );
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

/// Origins of somebody else that a page embeds: their script, what it frames and what it talks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedded(String);

impl Embedded {
    pub fn new(sources: impl IntoIterator<Item = String>) -> Self {
        let sources: BTreeSet<_> = sources.into_iter().collect();
        Self(sources.into_iter().collect::<Vec<_>>().join(" "))
    }
}

/// [`page_csp`] of a page that embeds something, and nothing of anybody else.
pub fn embedding_csp(style: &str, script: &str, redirects: &[Url], embedded: &Embedded) -> HeaderValue {
    let sources = &embedded.0;
    let both = |own: &str| format!("{own} {sources}");
    let policy = page_csp(&both(style), &both(script), redirects);
    let mut bytes = policy.as_bytes().to_vec();
    bytes.extend_from_slice(format!("; frame-src {sources}; connect-src {sources}").as_bytes());
    HeaderValue::from_bytes(&bytes).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The same policy for a page whose script also fetches from our own origin.
pub fn with_connect(policy: &HeaderValue) -> HeaderValue {
    let mut bytes = policy.as_bytes().to_vec();
    bytes.extend_from_slice(b"; connect-src 'self'");
    HeaderValue::from_bytes(&bytes).unwrap_or(HeaderValue::from_static("default-src 'none'"))
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
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        Guards::new(&Url::parse("https://id.example").unwrap()).put_on(&mut headers);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("x-frame-options", "DENY"),
            ("strict-transport-security", HSTS),
        ] {
            assert_eq!(headers[name], value);
        }
        let mut plain = HeaderMap::new();
        plain.insert(header::CACHE_CONTROL, HeaderValue::from_static("public"));
        plain.append(header::SET_COOKIE, HeaderValue::from_static("a=1"));
        plain.append(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        plain.append(header::X_FRAME_OPTIONS, HeaderValue::from_static("ALLOWALL"));
        plain.append(header::SET_COOKIE, HeaderValue::from_static("b=2"));
        Guards::new(&Url::parse("http://localhost:3001").unwrap()).put_on(&mut plain);
        assert!(!plain.contains_key("strict-transport-security"));
        // What an answer has set of its own, it keeps.
        assert_eq!(plain["cache-control"], "public");
        assert_eq!(plain.get_all(header::SET_COOKIE).iter().count(), 2);
        let frames: Vec<_> = plain.get_all(header::X_FRAME_OPTIONS).iter().collect();
        assert_eq!(frames, ["DENY"]);
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
        assert!(
            page_csp("s", "s", &[native])
                .to_str()
                .unwrap()
                .contains("form-action 'self' com.example.app:;")
        );
        assert!(
            page_csp("s", "s", &[])
                .to_str()
                .unwrap()
                .contains("form-action 'self';")
        );
    }
}
