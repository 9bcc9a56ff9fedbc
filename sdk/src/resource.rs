//! Resource indicators: the identifiers of APIs (RFC 8707).

use url::Url;

/// What Logto calls the API of organizations, which an organization token is asked for by.
pub(crate) const ORGANIZATIONS: &str = "urn:logto:resource:organizations";

/// Section 2: an absolute URI without a fragment.
pub(crate) fn is_resource(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.fragment().is_none())
}
