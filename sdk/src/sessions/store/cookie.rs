//! A session in the browser's own cookies, for sites without a store.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::SessionKey;
use super::{Saved, SealedSession, StoreError, StoreFuture, TokenStore};
use crate::client::Client;
use crate::cookies::{client_hash, cookies, set_cookie, short_hash};

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
/// [`LogoutRegistry`](crate::LogoutRegistry), which replicas should share.
#[derive(Debug)]
pub struct CookieStore {
    name: String,
    secure: bool,
    /// How many pieces the browser has.
    pieces: usize,
    now: SystemTime,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    session: Option<SealedSession>,
    changed: bool,
}

impl CookieStore {
    /// Reads the cookies of a request: `cookie_header` is its `Cookie` header, or empty.
    #[must_use]
    pub fn of_request(client: &Client, cookie_header: &str) -> Self {
        let secure = client.redirect_uri().scheme() == "https";
        let host = if secure { "__Host-" } else { "" };
        let name = format!("{host}kbrp_{}.", client_hash(client.issuer(), client.client_id()));
        let pieces = pieces(&name, cookie_header);
        let session = join(&pieces).and_then(|value| {
            let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
            SealedSession::from_bytes(&bytes)
        });
        Self {
            name,
            secure,
            pieces: pieces.iter().filter(|piece| piece.is_some()).count(),
            now: client.now(),
            held: Mutex::new(Held {
                session,
                changed: false,
            }),
        }
    }

    /// The `Set-Cookie` values for the response; none while nothing has changed.
    #[must_use]
    pub fn set_cookies(&self) -> Vec<String> {
        let held = self.held();
        if !held.changed {
            return Vec::new();
        }
        let (values, life) = match &held.session {
            Some(session) => {
                let life = session.expires_at().duration_since(self.now).unwrap_or_default();
                (split(session), life.as_secs())
            }
            None => (Vec::new(), 0),
        };
        let written = values.len();
        let set = values
            .into_iter()
            .enumerate()
            .map(|(index, value)| set_cookie(&format!("{}{index}", self.name), &value, life, self.secure));
        let cleared = (written..self.pieces.max(written))
            .map(|index| set_cookie(&format!("{}{index}", self.name), "", 0, self.secure));
        set.chain(cleared).collect()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenStore for CookieStore {
    /// Whatever the key: the session is bound to it, and opens with no other.
    fn load<'a>(&'a self, _key: &'a SessionKey) -> StoreFuture<'a, Option<SealedSession>> {
        Box::pin(async move { Ok(self.held().session.clone()) })
    }

    fn save<'a>(
        &'a self,
        _key: &'a SessionKey,
        session: SealedSession,
        replaces: Option<u64>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(async move {
            if session.sealed().len() + 16 > LARGEST {
                return Err(StoreError::TooLarge { limit: LARGEST });
            }
            let mut held = self.held();
            // A new session takes the place of whatever this browser had.
            if replaces.is_some() && held.session.as_ref().map(SealedSession::version) != replaces {
                return Ok(Saved::Conflict);
            }
            *held = Held {
                session: Some(session),
                changed: true,
            };
            Ok(Saved::Done)
        })
    }

    fn remove<'a>(&'a self, _key: &'a SessionKey) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            *self.held() = Held {
                session: None,
                changed: true,
            };
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

fn pieces<'h>(name: &str, header: &'h str) -> [Option<&'h str>; MOST_PIECES] {
    let mut pieces = [None; MOST_PIECES];
    for (full, value) in cookies(header) {
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
        let bytes = URL_SAFE_NO_PAD.decode(join(&pieces("n.", header))?).ok()?;
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
