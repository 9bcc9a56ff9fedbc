//! The nonces that servers want in the next proof (RFC 9449 sections 8 and 9).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use url::{Origin, Url};

/// Of a nonce: the proof has to fit a header.
const LONGEST: usize = 1024;
/// A client asks one provider, whose endpoints may have a few origins.
const MOST: usize = 16;

/// The latest nonce of each origin.
#[derive(Default)]
pub(crate) struct Nonces {
    by_origin: Mutex<HashMap<Origin, String>>,
}

impl Nonces {
    pub(super) fn of(&self, url: &Url) -> Option<String> {
        let nonces = self.by_origin.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.get(&url.origin()).cloned()
    }

    /// RFC 9449 section 8.1: `nonce = 1*NQCHAR`.
    pub(super) fn remember(&self, url: &Url, nonce: &str) {
        let well_formed = (1..=LONGEST).contains(&nonce.len())
            && nonce
                .bytes()
                .all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E));
        if !well_formed {
            return;
        }
        let mut nonces = self.by_origin.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = url.origin();
        if nonces.len() < MOST || nonces.contains_key(&origin) {
            nonces.insert(origin, nonce.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_are_of_an_origin_and_well_formed() {
        let url = |text: &str| Url::parse(text).expect("a URL");
        let nonces = Nonces::default();
        nonces.remember(&url("https://id.example/token"), "one");
        nonces.remember(&url("https://id.example/token"), "with space");
        nonces.remember(&url("https://id.example/token"), "");
        assert_eq!(nonces.of(&url("https://id.example/me")).as_deref(), Some("one"));
        assert_eq!(nonces.of(&url("https://api.example/")), None);
        for n in 0..50 {
            nonces.remember(&url(&format!("https://{n}.example/")), "n");
        }
        nonces.remember(&url("https://id.example/token"), "two");
        assert_eq!(nonces.of(&url("https://id.example/me")).as_deref(), Some("two"));
        assert_eq!(nonces.of(&url("https://49.example/")), None);
    }
}
