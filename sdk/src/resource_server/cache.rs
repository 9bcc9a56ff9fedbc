//! Tokens whose signature was checked, so that it is checked once and not with every request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};

use super::AccessToken;

/// A key that is withdrawn stops counting after this time at the latest.
const BELIEVED_FOR: Duration = Duration::from_secs(5 * 60);

/// By the token's digest: neither the tokens stay in memory, nor does the time of a look-up tell of them.
type Verified = HashMap<[u8; 32], (AccessToken, SystemTime)>;

/// Two generations, each of half the size. A full one takes the place of the older, which is dropped: what is used stays, and
/// nothing is ever searched for what may go.
pub(super) struct Cache {
    half: usize,
    generations: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    young: Verified,
    old: Verified,
}

impl Cache {
    pub(super) fn new(most: usize) -> Self {
        Self {
            half: most.div_ceil(2),
            generations: Mutex::default(),
        }
    }

    /// The token, if its signature was checked lately. Its times are the caller's to check.
    pub(super) fn find(&self, token: &str, now: SystemTime) -> Option<AccessToken> {
        if self.half == 0 {
            return None;
        }
        let key = key(token);
        let mut generations = self.lock();
        let found = generations.young.get(&key);
        if let Some((verified, until)) = found {
            return (now < *until).then(|| verified.clone());
        }
        let (verified, until) = generations.old.remove(&key)?;
        if now >= until {
            return None;
        }
        generations.insert(key, (verified.clone(), until), self.half);
        Some(verified)
    }

    pub(super) fn remember(&self, token: &str, verified: &AccessToken, now: SystemTime) {
        if self.half == 0 {
            return;
        }
        let until = now + BELIEVED_FOR;
        self.lock()
            .insert(key(token), (verified.clone(), until), self.half);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn insert(&mut self, key: [u8; 32], value: (AccessToken, SystemTime), half: usize) {
        if self.young.len() >= half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

fn key(token: &str) -> [u8; 32] {
    let mut key = [0; 32];
    key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    key
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use serde_json::{Map, json};

    use super::*;

    fn token() -> AccessToken {
        let claims = Map::from_iter([
            ("sub".to_owned(), json!("a")),
            ("client_id".to_owned(), json!("b")),
        ]);
        AccessToken::new(claims).expect("subject and client are there")
    }

    #[test]
    fn it_never_holds_more_than_it_may_and_keeps_what_is_used() {
        let cache = Cache::new(100);
        let now = UNIX_EPOCH;
        cache.remember("used", &token(), now);
        for number in 0..10_000 {
            cache.remember(&format!("token {number}"), &token(), now);
            assert!(cache.find("used", now).is_some(), "{number}");
            let generations = cache.lock();
            assert!(generations.young.len() + generations.old.len() <= 100);
        }
        assert!(cache.find("token 1", now).is_none());
        assert!(cache.find("token 9999", now).is_some());
    }

    #[test]
    fn nothing_is_believed_for_long_and_nothing_is_kept_on_request() {
        let cache = Cache::new(10);
        cache.remember("a", &token(), UNIX_EPOCH);
        assert!(
            cache
                .find("a", UNIX_EPOCH + BELIEVED_FOR - Duration::from_secs(1))
                .is_some()
        );
        assert!(cache.find("a", UNIX_EPOCH + BELIEVED_FOR).is_none());
        let none = Cache::new(0);
        none.remember("a", &token(), UNIX_EPOCH);
        assert!(none.find("a", UNIX_EPOCH).is_none());
    }
}
