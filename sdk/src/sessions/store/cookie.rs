//! A session in the browser's own cookies, for sites without a store.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::{SessionId, SessionKey};
use super::{Saved, SealedSession, StoreError, StoreFuture, TokenStore};
use crate::client::Client;
use crate::cookies::{Reach, client_hash, cookies, set_cookie, short_hash};

/// Browsers drop a cookie whose name, value and attributes exceed 4096 bytes, without a word.
const LONGEST_PIECE: usize = 3800;
/// Servers and proxies refuse a request whose headers are much longer.
const MOST_PIECES: usize = 4;
/// In base64url.
const LARGEST: usize = (LONGEST_PIECE - 32) * MOST_PIECES / 4 * 3;

/// The store of one request: it reads the session out of the request's cookies, and
/// [`set_cookies`](Self::set_cookies) gives what the response has to send along.
///
/// A session that does not fit one cookie is split into pieces. Each names the whole that it belongs to, so that pieces
/// of two versions are never put together.
///
/// ```no_run
/// # async fn handler(sessions: keyback::Sessions, client: keyback::Client, cookie_header: &str) -> Result<(), keyback::Error> {
/// use std::sync::Arc;
/// use keyback::CookieStore;
///
/// let cookies = Arc::new(CookieStore::of_request(&client, cookie_header));
/// let sessions = sessions.with_store(cookies.clone());
/// // … `sessions.find`, `access_token` and so on, then
/// for cookie in cookies.set_cookies() {
///     // response.header(SET_COOKIE, cookie)
/// }
/// # Ok(())
/// # }
/// ```
///
/// A browser can bring back an old cookie. So sign-outs are remembered by the
/// [`LogoutRegistry`](crate::LogoutRegistry), which replicas have to share, and which has to outlive the process: after a
/// restart with [`MemoryLogouts`](crate::MemoryLogouts), the default, a cookie of a session that had ended opens it again.
///
/// A cookie can't tell one replica what another has just saved. Where refresh tokens are good for one use, requests of a
/// browser must reach the same replica, or people are signed out when two of them refresh at once; a store that replicas
/// share needs no such care.
pub struct CookieStore {
    prefix: String,
    reach: Reach,
    now: SystemTime,
    /// What the browser sent of this client's sessions, by the names.
    sent: Vec<(String, String)>,
    /// What the names of those begin with that belong to an id of a [`Site`](crate::Site) that the browser sent.
    named: Vec<String>,
    held: Mutex<HashMap<SessionKey, Held>>,
}

struct Held {
    session: Option<SealedSession>,
    changed: bool,
    /// A new session takes the place of whatever this browser had.
    is_new: bool,
}

impl CookieStore {
    /// Reads the cookies of a request: `cookie_header` is its `Cookie` header, or empty.
    #[must_use]
    pub fn of_request(client: &Client, cookie_header: &str) -> Self {
        let secure = client.redirect_uri().scheme() == "https";
        let prefix = session_prefix(client);
        let sent = cookies(cookie_header).filter(|(name, _)| {
            // `{prefix}{session}.{index}`; the cookie of the id has no index.
            name.strip_prefix(&prefix).is_some_and(|rest| rest.contains('.'))
        });
        let id_cookie = format!("{prefix}id");
        let ids = cookies(cookie_header).filter(|(name, _)| *name == id_cookie);
        Self {
            sent: sent
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            named: ids
                .filter_map(|(_, id)| SessionId::parse(id))
                .map(|id| pieces_of(&prefix, &id.key()))
                .collect(),
            prefix,
            reach: Reach::Navigations { secure },
            now: client.now(),
            held: Mutex::default(),
        }
    }

    /// The `Set-Cookie` values for the response; none while nothing has changed, but for what is left of sessions that this
    /// browser had before: an answer to a posted form can't clear those, which were not with it.
    #[must_use]
    pub fn set_cookies(&self) -> Vec<String> {
        let held = self.held();
        let mut answer = Vec::new();
        let mut written = Vec::new();
        for (key, held) in held.iter().filter(|(_, held)| held.changed) {
            let Some(session) = &held.session else { continue };
            let life = session.expires_at().duration_since(self.now).unwrap_or_default();
            for (index, value) in split(session).into_iter().enumerate() {
                let name = self.name(key, index);
                answer.push(set_cookie(&name, &value, life.as_secs(), self.reach));
                written.push(name);
            }
        }
        let replaces_all = held.values().any(|held| held.is_new && held.session.is_some());
        let changed: Vec<String> = held
            .iter()
            .filter(|(_, held)| held.changed)
            .map(|(key, _)| pieces_of(&self.prefix, key))
            .collect();
        let cleared = self.sent.iter().map(|(name, _)| name).filter(|name| {
            let is_of = |of: &String| name.starts_with(of);
            let is_left = !self.named.is_empty() && !self.named.iter().any(is_of);
            let concerned = replaces_all || is_left || changed.iter().any(is_of);
            concerned && !written.contains(name)
        });
        answer.extend(cleared.map(|name| set_cookie(name, "", 0, self.reach)));
        answer
    }

    fn name(&self, key: &SessionKey, index: usize) -> String {
        format!("{}{index}", pieces_of(&self.prefix, key))
    }

    fn read(&self, key: &SessionKey) -> Option<SealedSession> {
        let sent: Vec<(&str, &str)> = self
            .sent
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let bytes = URL_SAFE_NO_PAD
            .decode(join(&pieces(&pieces_of(&self.prefix, key), &sent))?)
            .ok()?;
        SealedSession::from_bytes(&bytes)
    }

    fn with_held<T>(&self, key: &SessionKey, change: impl FnOnce(&mut Held) -> T) -> T {
        let mut all = self.held();
        let held = all.entry(key.clone()).or_insert_with(|| Held {
            session: self.read(key),
            changed: false,
            is_new: false,
        });
        change(held)
    }

    fn held(&self) -> MutexGuard<'_, HashMap<SessionKey, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CookieStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieStore")
            .field("cookies", &self.sent.len())
            .finish_non_exhaustive()
    }
}

/// The names of one session's cookies differ from another's: an answer that comes late can't clear those of a newer
/// session.
fn pieces_of(prefix: &str, key: &SessionKey) -> String {
    format!("{prefix}{}.", key.as_str().get(..8).unwrap_or_default())
}

/// What the names of a client's session cookies begin with.
pub(crate) fn session_prefix(client: &Client) -> String {
    let host = if client.redirect_uri().scheme() == "https" {
        "__Host-"
    } else {
        ""
    };
    format!("{host}kbrp_{}.", client_hash(client.issuer(), client.client_id()))
}

impl TokenStore for CookieStore {
    fn load<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<SealedSession>> {
        Box::pin(async move { Ok(self.with_held(key, |held| held.session.clone())) })
    }

    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        session: SealedSession,
        replaces: Option<u64>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(async move {
            if session.sealed().len() + 16 > LARGEST {
                return Err(StoreError::TooLarge { limit: LARGEST });
            }
            Ok(self.with_held(key, |held| {
                if held.session.as_ref().map(SealedSession::version) != replaces {
                    return Saved::Conflict;
                }
                held.session = Some(session);
                held.changed = true;
                held.is_new |= replaces.is_none();
                Saved::Done
            }))
        })
    }

    fn remove<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.with_held(key, |held| {
                held.session = None;
                held.changed = true;
            });
            Ok(())
        })
    }
}

/// `{number of pieces}.{whole}.{piece}`, where `whole` is a hash of all of them together.
fn split(session: &SealedSession) -> Vec<String> {
    let value = URL_SAFE_NO_PAD.encode(session.to_bytes());
    let whole = short_hash(&value).replace('.', "~");
    let pieces: Vec<&[u8]> = value.as_bytes().chunks(LONGEST_PIECE - 32).collect();
    let number = pieces.len();
    pieces
        .into_iter()
        .map(|piece| format!("{number}.{whole}.{}", String::from_utf8_lossy(piece)))
        .collect()
}

fn pieces<'s>(name: &str, sent: &[(&str, &'s str)]) -> [Option<&'s str>; MOST_PIECES] {
    let mut pieces = [None; MOST_PIECES];
    for (full, value) in sent.iter().copied() {
        let index = full
            .strip_prefix(name)
            .and_then(|index| index.parse::<usize>().ok());
        if let Some(piece) = index.and_then(|index| pieces.get_mut(index)) {
            *piece = Some(value);
        }
    }
    pieces
}

/// The whole, if all of its pieces are there and none is another's.
fn join(pieces: &[Option<&str>; MOST_PIECES]) -> Option<String> {
    let parse = |piece: &&str| -> Option<(usize, String, String)> {
        let (number, rest) = piece.split_once('.')?;
        let (whole, text) = rest.split_once('.')?;
        Some((number.parse().ok()?, whole.to_owned(), text.to_owned()))
    };
    let (number, whole, _) = pieces[0].as_ref().and_then(parse)?;
    let mut value = String::new();
    for piece in pieces.get(..number)? {
        let (_, of, text) = piece.as_ref().and_then(parse)?;
        if of != whole {
            return None;
        }
        value.push_str(&text);
    }
    (short_hash(&value).replace('.', "~") == whole).then_some(value)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn sealed(version: u64, length: usize) -> SealedSession {
        SealedSession::new(version, UNIX_EPOCH + Duration::from_secs(9), vec![7; length])
    }

    fn header(values: &[String]) -> String {
        let pairs = values
            .iter()
            .enumerate()
            .map(|(index, value)| format!("n.{index}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn read(header: &str) -> Option<SealedSession> {
        let bytes = URL_SAFE_NO_PAD
            .decode(join(&pieces("n.", &cookies(header).collect::<Vec<_>>()))?)
            .ok()?;
        SealedSession::from_bytes(&bytes)
    }

    #[test]
    fn large_sessions_are_split_and_put_together_again() {
        for length in [0, 10, 2_000, 3_000, 8_000, 11_000] {
            let values = split(&sealed(3, length));
            assert!(
                values.iter().all(|value| value.len() <= LONGEST_PIECE),
                "{length}"
            );
            assert_eq!(read(&header(&values)), Some(sealed(3, length)), "{length}");
        }
        assert!(split(&sealed(1, LARGEST - 16)).len() <= MOST_PIECES);
    }

    #[test]
    fn pieces_of_two_versions_are_never_put_together() {
        let (old, new) = (split(&sealed(1, 8_000)), split(&sealed(2, 8_000)));
        assert!(old.len() > 1);
        let mixed: Vec<String> = old.iter().take(1).chain(new.iter().skip(1)).cloned().collect();
        assert_eq!(read(&header(&mixed)), None);
        assert_eq!(read(&header(&old[..1])), None, "a piece is missing");
        for nonsense in [
            "",
            "n.0=",
            "n.0=1",
            "n.0=9.x.y",
            "n.0=1.x.y",
            "n.0=0..",
            "n.99=1.x.y",
        ] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }
}
