//! Name look-up that gives public addresses alone. The HTTP client connects to what it gives, and to nothing else.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::is_public;

/// The system's resolver, less what is not public.
#[derive(Clone, Copy, Debug)]
pub(super) struct PublicOnly;

/// A name that leads to no public address.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to {0}, which is not a public address")]
pub(super) struct NotPublic(pub(super) IpAddr);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = look_up(name.as_str()).await?;
            Ok(Box::new(public(found)?.into_iter()) as Addrs)
        })
    }
}

/// The addresses of a name, with port 0: the client puts the port of the URL in its place.
pub(super) async fn look_up(host: &str) -> std::io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((host, 0)).await?.collect())
}

/// The public ones of the addresses of a name; an error where there are only others.
pub(super) fn public(found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NotPublic> {
    let other = found.iter().map(SocketAddr::ip).find(|ip| !is_public(*ip));
    let public: Vec<SocketAddr> = found.into_iter().filter(|to| is_public(to.ip())).collect();
    match other {
        Some(ip) if public.is_empty() => Err(NotPublic(ip)),
        _ => Ok(public),
    }
}

/// The address for which this resolver refused, if that is why a call failed.
pub(super) fn refused(error: &(dyn Error + 'static)) -> Option<IpAddr> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(NotPublic(address)) = error.downcast_ref() {
            return Some(*address);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts
            .iter()
            .map(|text| SocketAddr::new(text.parse().unwrap(), 0))
            .collect()
    }

    #[test]
    fn sr61_of_a_names_addresses_the_public_ones_are_left() {
        let mixed = public(addresses(&[
            "10.0.0.1",
            "93.184.216.34",
            "::1",
            "2606:2800:220:1::1",
        ]))
        .unwrap();
        assert_eq!(mixed, addresses(&["93.184.216.34", "2606:2800:220:1::1"]));
        assert!(public(Vec::new()).unwrap().is_empty());
    }

    #[test]
    fn sr61_a_name_with_private_addresses_alone_leads_nowhere() {
        let refused = public(addresses(&["127.0.0.1", "::ffff:10.0.0.1"])).unwrap_err();
        assert_eq!(refused.0, IpAddr::from([127, 0, 0, 1]));
    }
}
