//! Which URLs may carry a sign-in: https, plain http where it never leaves the machine, and, for the way back to a native
//! application, a scheme of its own.

use std::net::IpAddr;

use url::{Host, Url};

/// Whether `url` is https, or http to a loopback address (RFC 8252 section 7.3).
pub(crate) fn is_secure(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(url),
        _ => false,
    }
}

/// Whether a browser may be sent back to `url`: it is secure, or has a native application's own scheme, made of a
/// domain name in reverse order such as `com.example.app` (RFC 8252 section 7.1). No scheme that browsers run or
/// open themselves, such as `javascript` or `file`, has a dot.
pub(crate) fn may_return_to(url: &Url) -> bool {
    is_secure(url) || (url.scheme().contains('.') && !url.cannot_be_a_base())
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

pub(crate) fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}
