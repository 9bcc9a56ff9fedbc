//! Resource indicators: the identifiers of APIs (RFC 8707).

use url::Url;

/// Section 2: an absolute URI without a fragment.
pub(crate) fn is_resource(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.fragment().is_none())
}
