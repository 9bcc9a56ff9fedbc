//! The pages that this crate shows by itself, where a site or a program has none of its own: a sentence or two, in the scheme of
//! the browser.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;min-height:100vh;display:grid;place-items:center;font:1.0625rem/1.5 system-ui,sans-serif;\
color:#1a2233;background:#f4f6fa}\
main{max-width:26rem;margin:1rem;padding:1.5rem 2rem;border:1px solid #d5dbe7;border-radius:.75rem;background:#fff}\
p{margin:.5rem 0}\
a{color:#1f49c8}\
@media(prefers-color-scheme:dark){\
body{color:#e6eaf3;background:#11151d}\
main{border-color:#323b4d;background:#1a202c}\
a{color:#9db4ff}\
}";

/// A page of this content, which is our own and HTML, with the headers that it needs.
pub(crate) fn plain_page(content: &str, headers: &mut HeaderMap) -> Bytes {
    let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!("default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'");
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Sign-in</title><style>{STYLE}</style><main>{content}</main></html>"
    )
    .into()
}
