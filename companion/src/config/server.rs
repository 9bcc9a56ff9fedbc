//! `[server]`: where it listens, what it is called outside, and whom it believes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::Problems;
use super::duration::Span;

/// `[server]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Where it listens, plain http: TLS is the proxy's.
    pub listen: SocketAddr,
    /// What browsers call it; base of the issuer, of links in mails and of cookies. https, or http on loopback.
    pub public_url: Option<Url>,
    /// Where `/healthz`, `/readyz` and `/metrics` are served; nowhere unless set.
    pub admin_listen: Option<SocketAddr>,
    /// Proxies whose word about a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The one header in which they write it.
    pub forwarded_header: ForwardedHeader,
    pub max_connections: usize,
    /// A client that hasn't sent its request's head by then is let go.
    pub header_timeout: Span,
    /// A request that isn't answered by then, its body included, is given up. So is a client that takes nothing of its answer for
    /// so long.
    pub request_timeout: Span,
    /// Bytes of a request's body.
    pub max_body: usize,
}

/// Where trusted proxies write a client's address. The other header is the client's own invention: most proxies
/// pass it on as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum ForwardedHeader {
    #[default]
    #[serde(rename = "x-forwarded-for")]
    XForwardedFor,
    /// RFC 7239.
    #[serde(rename = "forwarded")]
    Forwarded,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3001),
            public_url: None,
            admin_listen: None,
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::XForwardedFor,
            max_connections: 4096,
            header_timeout: Span::seconds(10),
            request_timeout: Span::seconds(30),
            max_body: 64 * 1024,
        }
    }
}

impl ServerConfig {
    /// The public URL without a trailing slash in its path. `check` has seen that it is there.
    pub fn public_url(&self) -> Option<&Url> {
        self.public_url.as_ref()
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        let place = "[server] public_url";
        let Some(url) = &self.public_url else {
            problems.add(
                place,
                "is missing; write the https address by which browsers reach the companion",
            );
            return;
        };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(url) => {}
            "http" => problems.add(place, "must be https; plain http is allowed on loopback only"),
            other => problems.add(place, format!("must be https, not {other}")),
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            problems.add(
                place,
                "must have no path, query or fragment: pages and issuer live at the root",
            );
        }
        if !url.username().is_empty() || url.password().is_some() {
            problems.add(place, "must hold no user name or password");
        }
        if self.max_connections == 0 {
            problems.add("[server] max_connections", "must be at least 1");
        }
        let lengths = [
            ("header_timeout", self.header_timeout),
            ("request_timeout", self.request_timeout),
        ];
        for (key, length) in lengths {
            if !(Span::seconds(1)..=Span::minutes(10)).contains(&length) {
                problems.add(format!("[server] {key}"), "must be 1s to 10m");
            }
        }
        if !(1024..=16 * 1024 * 1024).contains(&self.max_body) {
            problems.add(
                "[server] max_body",
                "must be between 1024 (1 KiB) and 16777216 (16 MiB) bytes",
            );
        }
    }
}

/// Whether a URL's host is this very machine by name or address.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
