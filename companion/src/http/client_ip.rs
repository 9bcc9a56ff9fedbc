//! Whose address a request counts for: the connection's, unless that is a proxy the operator trusts.

use std::net::{IpAddr, SocketAddr};

use axum::http::{Extensions, HeaderMap, header};
use ipnet::IpNet;

use crate::config::server::ForwardedHeader;

/// The address a request counts for, found out once and kept with the request.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// The address that was found out for a request.
pub fn address_of(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get().map(|ClientAddress(address)| *address)
}

/// What the client says it is, cut to what is worth keeping.
pub fn user_agent(headers: &HeaderMap) -> Option<&str> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    agent.get(..agent.len().min(256))
}

/// The address a request came from. Forwarding headers are read only from trusted proxies, from the right,
/// up to the first address that is not one of them: what stands further left may be the client's invention.
pub fn client_ip(
    peer: SocketAddr,
    headers: &HeaderMap,
    trusted: &[IpNet],
    header: ForwardedHeader,
) -> IpAddr {
    let mut address = peer.ip().to_canonical();
    if !is_trusted(address, trusted) {
        return address;
    }
    for hop in forwarded(headers, header).into_iter().rev() {
        let Some(hop) = hop else { return address };
        address = hop;
        if !is_trusted(address, trusted) {
            break;
        }
    }
    address
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

/// The hops of the header that the proxies write; `None` for one that can't be read.
fn forwarded(headers: &HeaderMap, header: ForwardedHeader) -> Vec<Option<IpAddr>> {
    let elements = |name: &str| -> Vec<String> {
        headers
            .get_all(name)
            .into_iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|element| element.trim().to_owned())
            .collect()
    };
    match header {
        ForwardedHeader::XForwardedFor => elements("x-forwarded-for")
            .iter()
            .map(|hop| parse_hop(hop))
            .collect(),
        ForwardedHeader::Forwarded => elements("forwarded")
            .iter()
            .map(|element| parse_rfc7239(element))
            .collect(),
    }
}

/// The `for` of one element of `Forwarded`.
fn parse_rfc7239(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for")
            .then(|| parse_hop(value.trim_matches('"')))
            .flatten()
    })
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let bare = hop
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(hop);
    bare.parse::<IpAddr>()
        .ok()
        .or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(peer: &str, headers: &[(&'static str, &str)]) -> String {
        ip_by(ForwardedHeader::XForwardedFor, peer, headers)
    }

    fn ip_by(header: ForwardedHeader, peer: &str, headers: &[(&'static str, &str)]) -> String {
        let headers = headers
            .iter()
            .map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap()))
            .collect();
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        client_ip(peer.parse().unwrap(), &headers, &trusted, header).to_string()
    }

    #[test]
    fn sr07_forwarding_headers_count_only_from_trusted_proxies() {
        assert_eq!(
            ip("198.51.100.7:1", &[("x-forwarded-for", "203.0.113.9")]),
            "198.51.100.7"
        );
        assert_eq!(
            ip("10.0.0.1:1", &[("x-forwarded-for", "203.0.113.9")]),
            "203.0.113.9"
        );
        assert_eq!(ip("10.0.0.1:1", &[]), "10.0.0.1");
    }

    #[test]
    fn sr07_what_a_client_invents_on_the_left_is_not_believed() {
        assert_eq!(
            ip(
                "10.0.0.1:1",
                &[("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.0.0.2")]
            ),
            "203.0.113.9"
        );
        assert_eq!(
            ip(
                "10.0.0.1:1",
                &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.9")]
            ),
            "203.0.113.9"
        );
        assert_eq!(
            ip(
                "10.0.0.1:1",
                &[("x-forwarded-for", "203.0.113.9, junk, 10.0.0.2")]
            ),
            "10.0.0.2"
        );
    }

    #[test]
    fn forwarded_of_rfc_7239_is_read_in_all_its_forms() {
        let forwarded =
            |peer: &str, value: &str| ip_by(ForwardedHeader::Forwarded, peer, &[("forwarded", value)]);
        assert_eq!(
            forwarded("10.0.0.1:1", "for=203.0.113.9;proto=https"),
            "203.0.113.9"
        );
        assert_eq!(
            forwarded("10.0.0.1:1", "For=\"[2001:db8::1]:4711\""),
            "2001:db8::1"
        );
        assert_eq!(forwarded("[fd00::1]:1", "for=unknown"), "fd00::1");
        assert_eq!(ip("[::ffff:198.51.100.7]:1", &[]), "198.51.100.7");
    }

    /// A proxy that appends to the one header passes the other on as the client invented it.
    #[test]
    fn sr07_only_the_header_that_the_proxies_write_is_read() {
        let both = [
            ("x-forwarded-for", "203.0.113.9"),
            ("forwarded", "for=198.51.100.7"),
        ];
        assert_eq!(ip("10.0.0.1:1", &both), "203.0.113.9");
        assert_eq!(
            ip_by(ForwardedHeader::Forwarded, "10.0.0.1:1", &both),
            "198.51.100.7"
        );
        assert_eq!(ip("10.0.0.1:1", &both[1..]), "10.0.0.1");
    }
}
