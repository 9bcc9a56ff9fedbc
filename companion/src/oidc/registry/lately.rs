//! Apps of the store that were read a moment ago.
//!
//! Another process may change or remove an app at any time. What is decided for an app (a code, a token, a session's end)
//! always looks it up anew; a sign-in that only begins may do so by what was true within the last second.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use keyback_core::time::Timestamp;

use super::App;

/// How long an app that was read counts.
const FRESH: Duration = Duration::from_secs(1);

/// Apps that are remembered at most; of more, all are forgotten and read again.
const MOST: usize = 1_000;

/// The apps, each with when its reading began.
#[derive(Debug, Default)]
pub(super) struct Lately(RwLock<HashMap<String, (Timestamp, Arc<App>)>>);

impl Lately {
    /// The app of a client id, if it was read within the last second.
    pub(super) fn get(&self, client_id: &str, now: Timestamp) -> Option<Arc<App>> {
        let apps = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (read_at, app) = apps.get(client_id)?;
        // A clock that was set back tells no age.
        let is_fresh = *read_at <= now && now.since(*read_at) < FRESH;
        is_fresh.then(|| Arc::clone(app))
    }

    /// Remembers the app that was found at a time. Where none was, the one that is remembered is forgotten.
    pub(super) fn note(&self, client_id: &str, found: Option<&Arc<App>>, read_at: Timestamp) {
        // Client ids that nobody has are a stranger's choice: they must not make others wait.
        if found.is_none() && !self.holds(client_id) {
            return;
        }
        let mut apps = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match found {
            Some(app) => {
                if apps.len() >= MOST && !apps.contains_key(client_id) {
                    apps.clear();
                }
                apps.insert(client_id.to_owned(), (read_at, Arc::clone(app)));
            }
            None => {
                apps.remove(client_id);
            }
        }
    }

    fn holds(&self, client_id: &str) -> bool {
        let apps = self.0.read().unwrap_or_else(PoisonError::into_inner);
        apps.contains_key(client_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::app::{AppConfig, AppKind};

    fn app(client_id: &str) -> Arc<App> {
        Arc::new(App::new(AppConfig::new(client_id, AppKind::Spa), None))
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn an_app_counts_for_a_second_after_its_reading() {
        let lately = Lately::default();
        lately.note("shop", Some(&app("shop")), at(5_000));
        assert!(lately.get("shop", at(5_999)).is_some());
        assert!(lately.get("shop", at(6_000)).is_none());
        assert!(lately.get("shop", at(4_999)).is_none(), "the clock was set back");
        assert!(lately.get("books", at(5_000)).is_none());
    }

    #[test]
    fn an_app_that_is_gone_is_forgotten() {
        let lately = Lately::default();
        lately.note("shop", Some(&app("shop")), at(5_000));
        lately.note("shop", None, at(5_001));
        assert!(lately.get("shop", at(5_001)).is_none());
    }

    /// Whoever sends client ids that nobody has keeps nobody from reading.
    #[test]
    fn an_app_that_never_was_is_noted_beside_readers() {
        let lately = Lately::default();
        let reading = lately.0.read().unwrap();
        // This would wait for ever if it asked to write.
        lately.note("nobody", None, at(5_000));
        drop(reading);
    }

    #[test]
    fn no_more_than_a_thousand_are_remembered() {
        let lately = Lately::default();
        let shared = app("any");
        for n in 0..=MOST {
            lately.note(&n.to_string(), Some(&shared), at(0));
        }
        assert!(lately.get("0", at(0)).is_none());
        assert!(lately.get(&MOST.to_string(), at(0)).is_some());
    }
}
