//! A pending sign-in sealed into a cookie of its own, so that tabs never collide.

use std::fmt;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::PendingSignIn;
use crate::callback::{PostedCallback, state_of};
use crate::client::Client;
use crate::cookies::{Reach, client_hash, cookies, set_cookie, short_hash};
use crate::error::CookieError;
use crate::sealing::{KeyRing, SealError};

/// Sign-ins that one browser may have pending for one client.
const KEPT: usize = 5;
/// Browsers drop a cookie whose name, value and attributes exceed 4096 bytes, without a word.
const LONGEST_VALUE: usize = 3800;
const LABEL: &[u8] = b"keyback pending sign-in cookie v1";

/// Seals pending sign-ins into cookies and opens them again.
///
/// Each sign-in has its own cookie, named for the client and the `state`. The value is encrypted with
/// AES-256-GCM, and the name is bound to it, so that no cookie passes for another. With a redirect URI of https
/// the name begins with `__Host-`, which no other host can set (RFC 6265bis section 4.1.3.2).
///
/// ```
/// use keyback::CookieSealer;
///
/// # fn main() -> Result<(), keyback::CookieError> {
/// # let (new_key, old_key) = ([1_u8; 32], [2_u8; 32]);
/// // Keys are 32 random bytes or more, the same on every replica. To change them without losing the sign-ins that
/// // are under way: the new one seals, both open.
/// let sealer = CookieSealer::new(new_key)?.and_opens(old_key)?;
/// # Ok(())
/// # }
/// ```
pub struct CookieSealer {
    keys: KeyRing,
}

impl CookieSealer {
    /// A sealer with this secret, from which the key is derived (HKDF-SHA256, RFC 5869).
    ///
    /// # Errors
    ///
    /// [`CookieError::ShortKey`] for less than 32 bytes.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, CookieError> {
        Ok(Self {
            keys: KeyRing::new(secret.as_ref(), LABEL)?,
        })
    }

    /// Also opens what an earlier secret has sealed.
    ///
    /// # Errors
    ///
    /// [`CookieError::ShortKey`] for less than 32 bytes.
    pub fn and_opens(mut self, earlier: impl AsRef<[u8]>) -> Result<Self, CookieError> {
        self.keys.and_opens(earlier.as_ref())?;
        Ok(self)
    }

    /// The `Set-Cookie` value that keeps `pending` in this browser until it expires.
    ///
    /// # Errors
    ///
    /// [`CookieError::TooLarge`] when it does not fit a cookie.
    pub fn set_cookie(&self, pending: &PendingSignIn) -> Result<String, CookieError> {
        let name = Name::of(pending);
        let value = self.seal(pending, name.as_str())?;
        let life = pending
            .expires_at
            .duration_since(pending.begun_at)
            .unwrap_or_default()
            .as_secs();
        Ok(name.set(&value, life))
    }

    /// The `Set-Cookie` value of [`set_cookie`](Self::set_cookie), followed by those that clear the oldest
    /// sign-ins of the same client, so that abandoned ones cannot pile up: five are kept.
    ///
    /// `cookie_header` is the request's `Cookie` header, or empty.
    ///
    /// # Errors
    ///
    /// As [`set_cookie`](Self::set_cookie).
    pub fn set_cookies(
        &self,
        pending: &PendingSignIn,
        cookie_header: &str,
    ) -> Result<Vec<String>, CookieError> {
        let own = Name::of(pending);
        let mut others: Vec<(Option<SystemTime>, &str)> = cookies(cookie_header)
            .filter(|(name, _)| name.starts_with(&own.prefix()) && *name != own.as_str())
            .map(|(name, value)| (self.unseal(name, value).ok().map(|other| other.begun_at), name))
            .collect();
        // What cannot be opened is `None` and sorts first: it is of no use to anybody.
        others.sort_unstable();
        let surplus = (others.len() + 1).saturating_sub(KEPT);
        let cleared = others
            .into_iter()
            .take(surplus)
            .map(|(_, name)| own.renamed(name).clear());
        Ok(std::iter::once(self.set_cookie(pending)?)
            .chain(cleared)
            .collect())
    }

    /// Opens the pending sign-in that the callback's `state` belongs to, out of the request's `Cookie` header.
    ///
    /// # Errors
    ///
    /// [`CookieError::Missing`] when this browser has no such sign-in: it took too long, or the callback was
    /// opened elsewhere. The person should simply sign in again.
    pub fn open(
        &self,
        cookie_header: &str,
        callback_url: impl AsRef<str>,
        client: &Client,
    ) -> Result<PendingSignIn, CookieError> {
        let state = state_of(callback_url.as_ref()).ok_or(CookieError::NoState)?;
        self.open_of(&state, cookie_header, client)
    }

    /// [`open`](Self::open) for a callback that was posted, with [`form_post`](crate::SignInBuilder::form_post).
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_posted(
        &self,
        cookie_header: &str,
        callback: &PostedCallback,
        client: &Client,
    ) -> Result<PendingSignIn, CookieError> {
        let state = callback.state().ok_or(CookieError::NoState)?;
        self.open_of(&state, cookie_header, client)
    }

    fn open_of(
        &self,
        state: &str,
        cookie_header: &str,
        client: &Client,
    ) -> Result<PendingSignIn, CookieError> {
        let name = Name::new(
            client.issuer(),
            client.client_id(),
            state,
            client.redirect_uri().scheme() == "https",
        );
        let mut found = cookies(cookie_header)
            .filter(|(n, _)| *n == name.as_str())
            .peekable();
        if found.peek().is_none() {
            return Err(CookieError::Missing);
        }
        // A neighbouring host may have set a cookie of the same name: the one that opens is ours.
        let mut outcome = Err(CookieError::Sealed);
        for (name, value) in found {
            outcome = self.unseal(name, value);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// The `Set-Cookie` value that clears the cookie of `pending`. Send it when [`Client::finish`] has succeeded, or
    /// failed for good. After a failure that [is retryable](crate::Error::is_retryable) leave it out: reloading the
    /// callback may still work. A cookie that nobody clears goes when the sign-in expires, and
    /// [`set_cookies`](Self::set_cookies) keeps five at most.
    #[must_use]
    pub fn clear_cookie(&self, pending: &PendingSignIn) -> String {
        Name::of(pending).clear()
    }

    fn seal(&self, pending: &PendingSignIn, name: &str) -> Result<String, CookieError> {
        let plain = Zeroizing::new(serde_json::to_vec(pending).map_err(|_| CookieError::Seal)?);
        let value = URL_SAFE_NO_PAD.encode(self.keys.seal(name.as_bytes(), &plain)?);
        if value.len() > LONGEST_VALUE {
            Err(CookieError::TooLarge)
        } else {
            Ok(value)
        }
    }

    fn unseal(&self, name: &str, value: &str) -> Result<PendingSignIn, CookieError> {
        if value.len() > LONGEST_VALUE {
            return Err(CookieError::TooLarge);
        }
        let bytes = URL_SAFE_NO_PAD.decode(value).map_err(|_| CookieError::Sealed)?;
        let plain = self
            .keys
            .open(name.as_bytes(), &bytes)
            .ok_or(CookieError::Sealed)?;
        serde_json::from_slice(&plain).map_err(|_| CookieError::Version)
    }
}

impl From<SealError> for CookieError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::ShortKey => Self::ShortKey,
            SealError::Failed => Self::Seal,
        }
    }
}

impl fmt::Debug for CookieSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieSealer").field("keys", &self.keys).finish()
    }
}

/// The cookie's name: a prefix, the client's hash, the state's hash.
///
/// The client is part of it because cookies ignore ports: on localhost, two sites share one jar.
struct Name {
    text: String,
    secure: bool,
    /// The answer is posted from the provider's page, and the cookie has to come along.
    cross_site: bool,
}

impl Name {
    fn of(pending: &PendingSignIn) -> Self {
        let secure = pending.redirect_uri.url().scheme() == "https";
        Self {
            cross_site: pending.form_post,
            ..Self::new(
                &pending.issuer,
                &pending.client_id,
                pending.state.expose(),
                secure,
            )
        }
    }

    fn new(issuer: &str, client_id: &str, state: &str, secure: bool) -> Self {
        let client = client_hash(issuer, client_id);
        let state = short_hash(state);
        let host = if secure { "__Host-" } else { "" };
        Self {
            text: format!("{host}kbrp_{client}_{state}"),
            secure,
            cross_site: false,
        }
    }

    fn as_str(&self) -> &str {
        &self.text
    }

    /// What the names of one client have in common.
    fn prefix(&self) -> String {
        let end = self
            .text
            .rfind('_')
            .map_or(self.text.len(), |position| position + 1);
        self.text[..end].to_owned()
    }

    fn renamed(&self, name: &str) -> Self {
        Self {
            text: name.to_owned(),
            secure: self.secure,
            cross_site: self.cross_site,
        }
    }

    fn set(&self, value: &str, life: u64) -> String {
        let reach = if self.cross_site {
            Reach::All
        } else {
            Reach::Navigations { secure: self.secure }
        };
        set_cookie(&self.text, value, life, reach)
    }

    fn clear(&self) -> String {
        self.set("", 0)
    }
}
