//! An authorization request that waits for the person, riding sealed in a cookie of its own.
//!
//! Nothing is written before somebody types: anybody can send authorization requests. A cookie per request lets
//! tabs live side by side; a request too large for a cookie becomes one of a bounded number of rows.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue};
use keyback_core::rate_limit::ClientPrefix;
use keyback_core::secret::SecretDigest;
use keyback_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::Inner;
use super::authorize::Channel;
use super::authorize::first_screen::FirstScreen;
use super::authorize::prompt::Prompt;
use super::authorize::response_mode::ResponseMode;
use super::claims::ClaimsRequest;
use super::error::{ErrorCode, Failure, ProtocolError};
use super::kept::{self, Kept, ToKeep};
use super::scope::Scopes;
use crate::secrets::{FreshNonce, ToSeal, random_name_and_nonce};
use crate::store::interactions::{self, NewInteraction, Saved};

const COOKIE_PREFIX: &str = "kb_ix_";
/// Waiting requests of one browser at most.
const MOST_PER_BROWSER: usize = 4;

/// An authorization request that passed every check.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct AuthorizationRequest {
    pub client_id: String,
    pub redirect_uri: String,
    #[serde(default)]
    pub response_mode: ResponseMode,
    #[serde(default)]
    pub state: Option<String>,
    #[serde(default)]
    pub nonce: Option<String>,
    /// The S256 challenge (RFC 7636); confidential apps may go without.
    #[serde(default)]
    pub code_challenge: Option<String>,
    /// What is granted of the scopes that were asked.
    pub scopes: Scopes,
    #[serde(default)]
    pub resources: Vec<String>,
    #[serde(default)]
    pub first_screen: FirstScreen,
    #[serde(default)]
    pub prompt: Prompt,
    /// Seconds that may have passed since the person authenticated.
    #[serde(default)]
    pub max_age: Option<u32>,
    #[serde(default)]
    pub login_hint: Option<String>,
    /// Of a reset: the digest of the token that is to prove the address of `login_hint`.
    #[serde(default)]
    pub one_time_token: Option<SecretDigest>,
    #[serde(default)]
    pub ui_locales: Option<String>,
    /// Which kinds of identifier the first screen asks for: any of `username`, `email`, `phone`; none is all.
    #[serde(default)]
    pub identifiers: Vec<String>,
    /// The person that `id_token_hint` names: nobody else may answer.
    #[serde(default)]
    pub subject: Option<String>,
    /// The claims asked for by name.
    #[serde(default, with = "as_text")]
    pub claims: ClaimsRequest,
    /// The app that `/reset-password` was opened for.
    #[serde(default)]
    pub for_app: Option<String>,
}

/// An authorization request that waits for the person.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Interaction {
    /// Public and random: names the cookie, and stands in the address of the pages.
    #[serde(skip)]
    pub id: String,
    pub request: AuthorizationRequest,
    pub requested_at: Timestamp,
    pub expires_at: Timestamp,
    /// Whether it is a row, because it was too large for its cookie.
    #[serde(skip)]
    pub(super) is_row: bool,
}

/// [`Interaction`] as it is written.
#[derive(Serialize)]
pub(super) struct Waiting<'a> {
    pub(super) request: &'a AuthorizationRequest,
    pub(super) requested_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

/// A request that is about to wait.
struct Beginning<'r> {
    name: CookieName,
    nonce: FreshNonce,
    waiting: Waiting<'r>,
}

/// A request that waits from now on, and what the browser is to be told of it.
pub(super) struct Begun {
    name: CookieName,
    /// The `Set-Cookie` that brings it.
    pub(super) cookie: HeaderValue,
    /// Those that take the oldest ones away, above the number that a browser may hold.
    pub(super) crowded_out: Vec<HeaderValue>,
}

impl Begun {
    /// What stands in the address of the pages.
    pub(super) fn id(&self) -> &str {
        self.name.id()
    }
}

/// The name of the cookie of a waiting request, which ends in its id.
struct CookieName(String);

impl CookieName {
    fn of(id: &str) -> Self {
        Self([COOKIE_PREFIX, id].concat())
    }

    fn id(&self) -> &str {
        &self.0[COOKIE_PREFIX.len()..]
    }
}

/// The browser that an authorization request comes by.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) address: Option<IpAddr>,
    /// The way the request itself came.
    pub(super) channel: Channel,
}

/// What the cookie of a request holds that is too large for it.
#[derive(Deserialize, Serialize)]
pub(super) struct Row {
    row: String,
    requested_at: Timestamp,
    expires_at: Timestamp,
}

impl Kept {
    fn requested_at(&self) -> Timestamp {
        match self {
            Self::Whole(interaction) => interaction.requested_at,
            Self::Row(row) => row.requested_at,
        }
    }

    fn expires_at(&self) -> Timestamp {
        match self {
            Self::Whole(interaction) => interaction.expires_at,
            Self::Row(row) => row.expires_at,
        }
    }
}

/// Claims as the text that rests with a grant: values of any kind have no place in what says nothing of kinds.
mod as_text {
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::ClaimsRequest;

    pub(super) fn serialize<S: Serializer>(claims: &ClaimsRequest, to: S) -> Result<S::Ok, S::Error> {
        claims.to_stored().map_err(S::Error::custom)?.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ClaimsRequest, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        ClaimsRequest::from_stored(text.as_deref()).map_err(D::Error::custom)
    }
}

impl Inner {
    /// Lets a request wait.
    pub(super) async fn begin_interaction(
        &self,
        asker: Asker<'_>,
        request: &AuthorizationRequest,
        now: Timestamp,
    ) -> Result<Begun, ProtocolError> {
        let beginning = self.begin(request, now);
        let plain = match kept::write(&ToKeep::Whole(&beginning.waiting)) {
            Some(whole) => whole,
            None => Box::pin(self.save_large(asker, &beginning, now)).await?,
        };
        Ok(self.keep(asker.headers, beginning, plain))
    }

    /// [`Self::begin_interaction`] of a request that fits its cookie; nothing for a larger one.
    pub(super) fn begin_small_interaction(
        &self,
        headers: &HeaderMap,
        request: &AuthorizationRequest,
        now: Timestamp,
    ) -> Option<Begun> {
        let beginning = self.begin(request, now);
        let plain = kept::write(&ToKeep::Whole(&beginning.waiting))?;
        Some(self.keep(headers, beginning, plain))
    }

    fn begin<'r>(&self, request: &'r AuthorizationRequest, now: Timestamp) -> Beginning<'r> {
        let (name, nonce) = random_name_and_nonce(&*self.random, COOKIE_PREFIX);
        let waiting = Waiting {
            request,
            requested_at: now,
            expires_at: now + self.tokens.interaction.0,
        };
        Beginning {
            name: CookieName(name),
            nonce,
            waiting,
        }
    }

    fn keep(&self, headers: &HeaderMap, beginning: Beginning<'_>, plain: ToSeal) -> Begun {
        let Beginning { name, nonce, .. } = beginning;
        let length = plain.text_length();
        let seal = |value: &mut String| self.sealer.seal_onto(nonce, name.0.as_bytes(), plain, value);
        let cookie = self
            .cookies
            .set_written(&name.0, length, &self.waiting_cookie, seal);
        Begun {
            name,
            cookie,
            crowded_out: self.crowded_out(headers),
        }
    }

    /// The waiting request of an id, if this browser holds its cookie and it has not expired.
    pub(super) async fn find_interaction(
        &self,
        headers: &HeaderMap,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Interaction>, Failure> {
        let Some(sealed) = self.open_cookie(headers, &CookieName::of(id).0) else {
            return Ok(None);
        };
        if sealed.expires_at() <= now {
            return Ok(None);
        }
        let (found, is_row) = match sealed {
            Kept::Whole(interaction) => (Some(*interaction), false),
            Kept::Row(Row { row, .. }) => {
                let json = interactions::find(self.store.reader(), &row, now).await?;
                (json.map(|json| serde_json::from_str(&json)).transpose()?, true)
            }
        };
        Ok(found.map(|interaction| Interaction {
            id: id.to_owned(),
            is_row,
            ..interaction
        }))
    }

    /// The `Set-Cookie` that takes an answered request from the browser.
    pub(super) fn clear_interaction(&self, id: &str) -> HeaderValue {
        self.cookies.clear(&CookieName::of(id).0)
    }

    /// Refuses a client that has had too many requests written down lately.
    pub(super) async fn limit_written_requests(
        &self,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), ProtocolError> {
        let Some(address) = address else { return Ok(()) };
        let limited = self
            .limiter
            .write_request(ClientPrefix::from(address), now)
            .await?;
        limited.map_err(|wait| {
            let description =
                "Too many sign-in requests that must be kept come from this address. Try again later.";
            ProtocolError::too_often(wait, description)
        })
    }

    async fn save_large(
        &self,
        asker: Asker<'_>,
        beginning: &Beginning<'_>,
        now: Timestamp,
    ) -> Result<ToSeal, ProtocolError> {
        let Beginning { name, waiting, .. } = beginning;
        let id = name.id();
        let pushed_by = match asker.channel {
            Channel::Browser => {
                self.limit_written_requests(asker.address, now).await?;
                None
            }
            // Its app has proved itself, or the push was limited; and a reference serves once.
            Channel::Pushed => Some(waiting.request.client_id.as_str()),
        };
        let new = NewInteraction {
            id,
            request: &serde_json::to_string(waiting).map_err(Failure::from)?,
            pushed_by,
            expires_at: waiting.expires_at,
        };
        let mut tx = self.store.begin().await?;
        let saved = interactions::save(&mut tx, &new, now).await?;
        tx.commit().await?;
        let row = Row {
            row: id.to_owned(),
            requested_at: waiting.requested_at,
            expires_at: waiting.expires_at,
        };
        let kept = match saved {
            Saved::Saved => kept::write(&ToKeep::Row(&row)),
            Saved::Full => None,
        };
        kept.ok_or_else(|| {
            ProtocolError::new(
                ErrorCode::TemporarilyUnavailable,
                "The request is large and too many large ones are waiting. Send a shorter one, or try later.",
            )
        })
    }

    /// Removals of the oldest waiting requests, so that with one more the browser holds no more than it may.
    fn crowded_out(&self, headers: &HeaderMap) -> Vec<HeaderValue> {
        let names = self.cookies.names(headers, COOKIE_PREFIX);
        if names.len() < MOST_PER_BROWSER {
            return Vec::new();
        }
        let age = |name: &&str| {
            self.open_cookie(headers, name)
                .map(|sealed| sealed.requested_at())
        };
        let mut by_age: Vec<_> = names.iter().map(|name| (age(name), *name)).collect();
        // What can't be opened has no age and goes first.
        by_age.sort();
        let surplus = names.len() + 1 - MOST_PER_BROWSER;
        by_age
            .into_iter()
            .take(surplus)
            .map(|(_, name)| self.cookies.clear(name))
            .collect()
    }

    fn open_cookie(&self, headers: &HeaderMap, name: &str) -> Option<Kept> {
        let plain = self
            .sealer
            .open_text(name.as_bytes(), self.cookies.read(headers, name)?)
            .ok()?;
        kept::read(&plain)
    }
}
