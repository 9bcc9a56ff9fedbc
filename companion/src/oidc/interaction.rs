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
use super::scope::Scopes;
use crate::secrets::random_id_and_nonce;
use crate::store::interactions::{self, NewInteraction, Saved};

const COOKIE_PREFIX: &str = "kb_ix_";
/// Bytes of a cookie's value at most.
const MOST_BYTES: usize = 1_200;
/// Bytes that sealing adds before base64url: key id, nonce and tag.
const SEAL_BYTES: usize = 4 + 12 + 16;
/// Waiting requests of one browser at most.
const MOST_PER_BROWSER: usize = 4;

/// An authorization request that passed every check.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct AuthorizationRequest {
    pub client_id: String,
    pub redirect_uri: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub response_mode: ResponseMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The S256 challenge (RFC 7636); confidential apps may go without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_challenge: Option<String>,
    /// What is granted of the scopes that were asked.
    pub scopes: Scopes,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub first_screen: FirstScreen,
    #[serde(default, skip_serializing_if = "is_default")]
    pub prompt: Prompt,
    /// Seconds that may have passed since the person authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
    /// Of a reset: the digest of the token that is to prove the address of `login_hint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_time_token: Option<SecretDigest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ui_locales: Option<String>,
    /// Which kinds of identifier the first screen asks for: any of `username`, `email`, `phone`; none is all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<String>,
    /// The person that `id_token_hint` names: nobody else may answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The claims asked for by name.
    #[serde(default, skip_serializing_if = "ClaimsRequest::is_empty")]
    pub claims: ClaimsRequest,
    /// The app that `/reset-password` was opened for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_app: Option<String>,
}

/// An authorization request that waits for the person.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Interaction {
    /// Public and random: names the cookie, and stands in the address of the pages.
    #[serde(skip)]
    pub id: String,
    #[serde(flatten)]
    pub request: AuthorizationRequest,
    pub requested_at: Timestamp,
    pub expires_at: Timestamp,
    /// Whether it is a row, because it was too large for its cookie.
    #[serde(skip)]
    pub(super) is_row: bool,
}

/// [`Interaction`] as it is written.
#[derive(Serialize)]
struct Waiting<'a> {
    #[serde(flatten)]
    request: &'a AuthorizationRequest,
    requested_at: Timestamp,
    expires_at: Timestamp,
}

/// The browser that an authorization request comes by.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) address: Option<IpAddr>,
    /// The way the request itself came.
    pub(super) channel: Channel,
}

/// What the cookie holds.
#[derive(Deserialize)]
#[serde(untagged)]
enum Sealed {
    Whole(Box<Interaction>),
    Row(Row),
}

/// What the cookie of a request holds that is too large for it.
#[derive(Deserialize, Serialize)]
struct Row {
    row: String,
    requested_at: Timestamp,
    expires_at: Timestamp,
}

impl Sealed {
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

impl Inner {
    /// Lets a request wait. Answers its id and the cookies to set: its own, and removals of the oldest ones above
    /// the number that a browser may hold.
    pub(super) async fn begin_interaction(
        &self,
        asker: Asker<'_>,
        request: &AuthorizationRequest,
        now: Timestamp,
    ) -> Result<(String, Vec<HeaderValue>), ProtocolError> {
        let (id, nonce) = random_id_and_nonce(&*self.random);
        let life = self.tokens.interaction.0;
        let waiting = Waiting {
            request,
            requested_at: now,
            expires_at: now + life,
        };
        let whole = written(&waiting)?;
        let plain = if sealed_length(whole.len()) <= MOST_BYTES {
            whole
        } else {
            Box::pin(self.save_large(asker, &id, &waiting, &whole, now)).await?
        };
        let name = cookie_name(&id);
        let mut cookies = self.crowded_out(asker.headers);
        cookies.push(self.cookies.set_written(&name, Some(life), |value| {
            self.sealer.seal_onto(nonce, name.as_bytes(), &plain, value);
        }));
        Ok((id, cookies))
    }

    /// The waiting request of an id, if this browser holds its cookie and it has not expired.
    pub(super) async fn find_interaction(
        &self,
        headers: &HeaderMap,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Interaction>, Failure> {
        let Some(sealed) = self.open_cookie(headers, &cookie_name(id)) else {
            return Ok(None);
        };
        if sealed.expires_at() <= now {
            return Ok(None);
        }
        let (found, is_row) = match sealed {
            Sealed::Whole(interaction) => (Some(*interaction), false),
            Sealed::Row(Row { row, .. }) => {
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
        self.cookies.clear(&cookie_name(id))
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
        id: &str,
        waiting: &Waiting<'_>,
        whole: &[u8],
        now: Timestamp,
    ) -> Result<Vec<u8>, ProtocolError> {
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
            // JSON is UTF-8: nothing is replaced.
            request: &String::from_utf8_lossy(whole),
            pushed_by,
            expires_at: waiting.expires_at,
        };
        let mut tx = self.store.begin().await?;
        let saved = interactions::save(&mut tx, &new, now).await?;
        tx.commit().await?;
        match saved {
            Saved::Saved => {
                let sealed = Row {
                    row: id.to_owned(),
                    requested_at: waiting.requested_at,
                    expires_at: waiting.expires_at,
                };
                Ok(serde_json::to_vec(&sealed).map_err(Failure::from)?)
            }
            Saved::Full => Err(ProtocolError::new(
                ErrorCode::TemporarilyUnavailable,
                "The request is large and too many large ones are waiting. Send a shorter one, or try later.",
            )),
        }
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

    fn open_cookie(&self, headers: &HeaderMap, name: &str) -> Option<Sealed> {
        let plain = self
            .sealer
            .open_text(name.as_bytes(), self.cookies.read(headers, name)?)
            .ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

/// As JSON, in a buffer that need not grow.
fn written(waiting: &Waiting<'_>) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::with_capacity(MOST_BYTES);
    serde_json::to_writer(&mut bytes, waiting)?;
    Ok(bytes)
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn cookie_name(id: &str) -> String {
    [COOKIE_PREFIX, id].concat()
}

fn sealed_length(plain: usize) -> usize {
    ((plain + SEAL_BYTES) * 4).div_ceil(3)
}
