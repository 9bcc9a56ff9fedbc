//! What counts as one client: an IPv4 address, or the /64 that an IPv6 host is given.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The part of a client's address that it can't change at will (SR-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientPrefix {
    /// An IPv4 address, /32; also one that came as an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2).
    V4(Ipv4Addr),
    /// The first 64 bits of an IPv6 address.
    V6([u16; 4]),
}

impl From<IpAddr> for ClientPrefix {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}

impl fmt::Display for ClientPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::V4(address) => write!(f, "{address}/32"),
            Self::V6([a, b, c, d]) => write!(f, "{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(address: &str) -> String {
        ClientPrefix::from(address.parse::<IpAddr>().unwrap()).to_string()
    }

    /// SR-5: IPv6 by /64, one canonical form.
    #[test]
    fn prefixes_are_canonical() {
        assert_eq!(prefix("192.0.2.7"), "192.0.2.7/32");
        assert_eq!(prefix("::ffff:192.0.2.7"), "192.0.2.7/32");
        assert_eq!(prefix("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(prefix("2001:0DB8:1:2::"), "2001:db8:1:2::/64");
        assert_ne!(prefix("2001:db8:1:3::1"), prefix("2001:db8:1:2::1"));
    }
}
