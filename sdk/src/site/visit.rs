//! One request, and whose it is.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use super::Site;
use crate::cookies::{Reach, cookies, set_cookie};
use crate::error::Error;
use crate::sessions::{CookieStore, SessionId, Sessions, SignedIn, session_prefix};

/// One request to a [`Site`]: whose it is, and the cookies for its answer. Cheap to clone.
#[derive(Clone)]
pub struct Visit {
    inner: Arc<Inner>,
}

struct Inner {
    site: Site,
    sessions: Sessions,
    in_cookies: Option<Arc<CookieStore>>,
    cookie_header: String,
    /// More than one, where a neighbour has planted another.
    ids: Vec<SessionId>,
    set: Mutex<Vec<String>>,
}

impl Visit {
    pub(super) fn new(site: Site, headers: &HeaderMap) -> Self {
        // HTTP/2 may split the header (RFC 9113 section 8.2.3).
        let values = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let cookie_header = values.collect::<Vec<_>>().join("; ");
        let name = id_cookie(&site);
        let ids = cookies(&cookie_header)
            .filter(|(cookie, _)| *cookie == name)
            .filter_map(|(_, value)| SessionId::parse(value))
            .take(4)
            .collect();
        let in_cookies =
            (!site.has_own_store()).then(|| Arc::new(CookieStore::of_request(site.client(), &cookie_header)));
        let sessions = match &in_cookies {
            Some(store) => site.sessions_in(store.clone()),
            None => site.sessions().clone(),
        };
        Self {
            inner: Arc::new(Inner {
                site,
                sessions,
                in_cookies,
                cookie_header,
                ids,
                set: Mutex::default(),
            }),
        }
    }

    /// Who is signed in.
    ///
    /// # Errors
    ///
    /// When the store fails: [`SessionError::Store`](crate::SessionError::Store).
    pub async fn signed_in(&self) -> Result<Option<SignedIn>, Error> {
        for id in &self.inner.ids {
            if let Some(signed_in) = self.inner.sessions.find(id).await? {
                return Ok(Some(signed_in));
            }
        }
        Ok(None)
    }

    /// Writes the cookies that this request has changed into the headers of its answer.
    pub fn finish(&self, headers: &mut HeaderMap) {
        let stored = self.inner.in_cookies.as_ref().map(|store| store.set_cookies());
        let own = std::mem::take(&mut *self.inner.set.lock().unwrap_or_else(PoisonError::into_inner));
        for cookie in own.into_iter().chain(stored.into_iter().flatten()) {
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                headers.append(SET_COOKIE, value);
            }
        }
    }

    pub(super) fn site(&self) -> &Site {
        &self.inner.site
    }

    pub(super) fn cookie_header(&self) -> &str {
        &self.inner.cookie_header
    }

    pub(super) fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }

    pub(super) fn set_cookie(&self, cookie: String) {
        let mut set = self.inner.set.lock().unwrap_or_else(PoisonError::into_inner);
        set.push(cookie);
    }

    /// The browser gets this id in place of any other.
    pub(super) fn keep_id(&self, id: &SessionId) {
        self.set_id(id.as_str(), self.site().inner.lifetime.as_secs());
    }

    pub(super) fn clear_id(&self) {
        self.set_id("", 0);
    }

    /// Ends whatever session this browser had.
    pub(super) async fn end_earlier(&self) -> Result<(), Error> {
        for id in &self.inner.ids {
            let revocation = self.inner.sessions.end(id).await?;
            self.site().revoke(revocation).await;
        }
        Ok(())
    }

    fn set_id(&self, value: &str, life: u64) {
        let secure = self.site().client().redirect_uri().scheme() == "https";
        self.set_cookie(set_cookie(
            &id_cookie(self.site()),
            value,
            life,
            Reach::Navigations { secure },
        ));
    }
}

/// Without the cookies, which are keys.
impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit")
            .field("site", &self.inner.site)
            .field("ids", &self.inner.ids.len())
            .finish_non_exhaustive()
    }
}

fn id_cookie(site: &Site) -> String {
    format!("{}id", session_prefix(site.client()))
}
