//! What other sites may cause here (Fetch Metadata Request Headers).

use http::HeaderMap;
use http::header::ORIGIN;
use url::Url;

/// Whether a request is a visitor's own step to another page: no image, frame or script of another page's, and no page
/// that a browser fetches in case it may be wanted. Browsers without these headers are believed.
pub(super) fn is_navigation(headers: &HeaderMap) -> bool {
    let is = |name: &str, expected: &str| headers.get(name).is_none_or(|value| value == expected);
    let is_prefetch = ["sec-purpose", "purpose", "x-moz"].iter().any(|name| {
        headers
            .get(*name)
            .is_some_and(|value| value.to_str().is_ok_and(|value| value.contains("prefetch")))
    });
    is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document") && !is_prefetch
}

/// Whether a form was sent by a page of this site: where the browser does not say so, by its origin. Without either it is
/// not.
pub(super) fn is_own_form(headers: &HeaderMap, site: &Url) -> bool {
    match headers.get("sec-fetch-site") {
        Some(from) => from == "same-origin",
        None => headers
            .get(ORIGIN)
            .is_some_and(|from| *from == *site.origin().ascii_serialization()),
    }
}
