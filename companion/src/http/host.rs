//! Every route answers to its own name alone: a request for another `Host` gets 421, so that DNS rebinding
//! and mis-addressed requests fail before anything looks at them.

use axum::http::{HeaderMap, Uri, header};
use url::Url;

/// The names a listener answers to.
#[derive(Clone, Debug)]
pub struct HostGuard {
    authority: String,
    authority_with_port: String,
}

impl HostGuard {
    /// Answers to the host and port of the public URL.
    pub fn new(public_url: &Url) -> Self {
        let host = public_url.host_str().unwrap_or_default().to_owned();
        let with_port = match public_url.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        };
        // A default port may be left out; any other belongs to the name.
        let authority = if public_url.port().is_some() {
            with_port.clone()
        } else {
            host
        };
        Self {
            authority,
            authority_with_port: with_port,
        }
    }

    /// Whether a request is addressed to us: by its one `Host` header, or by `:authority` in HTTP/2.
    /// An absent host is refused and never taken from a forwarding header.
    pub fn admits(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).into_iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().ok(),
            (None, _) => uri.authority().map(axum::http::uri::Authority::as_str),
            (Some(_), Some(_)) => None,
        };
        host.is_some_and(|host| {
            host == self.authority
                || host.eq_ignore_ascii_case(&self.authority)
                || host.eq_ignore_ascii_case(&self.authority_with_port)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(public_url: &str, hosts: &[&str]) -> bool {
        let headers = hosts
            .iter()
            .map(|host| (header::HOST, host.parse().unwrap()))
            .collect();
        HostGuard::new(&Url::parse(public_url).unwrap()).admits(&Uri::from_static("/"), &headers)
    }

    #[test]
    fn sr07_only_the_public_name_is_answered_and_an_absent_host_is_refused() {
        assert!(admits("http://localhost:3001", &["localhost:3001"]));
        assert!(admits("https://id.example", &["id.example"]));
        assert!(admits("https://id.example", &["ID.example:443"]));
        assert!(!admits("https://id.example", &["id.example:8443"]));
        assert!(!admits("http://localhost:3001", &["localhost"]));
        assert!(!admits("http://localhost:3001", &["127.0.0.1:3001"]));
        assert!(!admits("http://localhost:3001", &["evil.example"]));
        assert!(!admits("http://localhost:3001", &[]));
        assert!(!admits(
            "http://localhost:3001",
            &["localhost:3001", "evil.example"]
        ));
    }
}
