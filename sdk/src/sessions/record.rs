//! What is kept of a session: versioned, and always sealed before it leaves the process.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::access_token::AccessToken;
use super::id::SessionKey;
use super::store::SealedSession;
use crate::client::Client;
use crate::dpop::DpopKey;
use crate::random::{Random, fraction};
use crate::sealing::{KeyRing, SealError};
use crate::secret::Secret;
use crate::session::{Claims, Session, TokenSet};
use crate::sign_in::{Purpose, ReturnPath};

/// The only version of the stored form so far.
const FORM: u8 = 1;
/// Access tokens that one session keeps; those that expire first make room.
const MOST_TOKENS: usize = 32;

/// For whom an access token is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Audience {
    /// The API. `None` is the provider itself, or the organization.
    pub(super) resource: Option<String>,
    pub(super) organization: Option<String>,
}

/// The stored form. Short names, because it may have to fit cookies.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    v: u8,
    /// When the session began here.
    at: u64,
    /// When the first ID token was issued, by the provider's clock, which a logout token has as well.
    iat: u64,
    #[serde(default)]
    why: Purpose,
    id: Secret,
    /// `sid` and `nonce` as the session began with them: an ID token of a refresh may leave them out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh: Option<Secret>,
    /// What the access tokens are bound to (RFC 9449).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dpop: Option<DpopKey>,
    #[serde(default)]
    tokens: Vec<Kept>,
}

/// An access token that is kept until it expires.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    org: Option<String>,
    token: Secret,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exp: Option<u64>,
    /// When to fetch the next one, a little before `exp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    early: Option<u64>,
}

/// How an access token stands with the time.
#[derive(Clone, Debug)]
pub(super) enum Freshness {
    /// Nothing needs to be done.
    Fresh(AccessToken),
    /// It still works, and a new one is due.
    Due(AccessToken),
    /// There is none that works.
    Missing,
}

impl Record {
    pub(super) fn begin(session: &Session, now: SystemTime, early: Duration, random: &dyn Random) -> Self {
        let mut record = Self {
            v: FORM,
            at: seconds(now),
            iat: seconds(session.claims().issued_at().unwrap_or(now)),
            why: session.purpose(),
            id: session.id_token.clone(),
            sid: session.claims().session_id().map(str::to_owned),
            nonce: session.claims().text("nonce").map(str::to_owned),
            refresh: session.tokens.refresh_token.clone(),
            dpop: session.dpop_key.clone(),
            tokens: Vec::new(),
        };
        record.keep(Audience::default(), &session.tokens, now, early, random);
        record
    }

    /// Takes in what a refresh gave.
    pub(super) fn renew(&mut self, id_token: Secret, refresh_token: Option<Secret>) {
        self.id = id_token;
        self.refresh = refresh_token;
        if self.sid.is_none() {
            self.sid = self
                .claims()
                .as_ref()
                .and_then(Claims::session_id)
                .map(str::to_owned);
        }
    }

    /// Takes in the refresh token alone.
    pub(super) fn succeed_refresh_token(&mut self, successor: Secret) {
        self.refresh = Some(successor);
    }

    /// Keeps an access token in place of an earlier one for the same audience. `early` is how long before its end it is
    /// replaced: half of it at least, so that not all sessions of a busy hour refresh in the same second, and a fourth of
    /// the token's life at most.
    pub(super) fn keep(
        &mut self,
        audience: Audience,
        tokens: &TokenSet,
        now: SystemTime,
        early: Duration,
        random: &dyn Random,
    ) {
        let life = tokens.expires_at.and_then(|end| end.duration_since(now).ok());
        let margin = life.map(|life| early.mul_f64(0.5 + fraction(random) / 2.0).min(life / 4));
        let kept = Kept {
            api: audience.resource,
            org: audience.organization,
            token: tokens.access_token.clone(),
            scope: tokens.scopes.clone(),
            exp: tokens.expires_at.map(seconds),
            early: tokens
                .expires_at
                .zip(margin)
                .map(|(end, margin)| seconds(end - margin)),
        };
        self.tokens
            .retain(|old| (&old.api, &old.org) != (&kept.api, &kept.org));
        let own = self.tokens.iter().position(Kept::is_own);
        if self.tokens.len() >= MOST_TOKENS {
            let first = (0..self.tokens.len())
                .filter(|index| Some(*index) != own)
                .min_by_key(|index| self.tokens[*index].exp);
            if let Some(first) = first {
                self.tokens.remove(first);
            }
        }
        self.tokens.push(kept);
    }

    /// Drops what was kept for `audience`, which has turned out not to work.
    pub(super) fn drop_token(&mut self, audience: &Audience) {
        self.tokens.retain(|kept| !kept.is_for(audience));
    }

    /// Leaves out the access tokens that can be fetched again, but for that of `spare`.
    pub(super) fn slim(&mut self, spare: Option<&Audience>) {
        let refreshable = self.refresh.is_some();
        self.tokens
            .retain(|kept| !refreshable || spare.is_some_and(|spare| kept.is_for(spare)));
    }

    pub(super) fn token(&self, audience: &Audience, now: SystemTime) -> Freshness {
        let now = seconds(now);
        let Some(kept) = self.tokens.iter().find(|kept| kept.is_for(audience)) else {
            return Freshness::Missing;
        };
        if kept.exp.is_some_and(|end| end <= now) {
            return Freshness::Missing;
        }
        let token = AccessToken {
            token: kept.token.clone(),
            resource: kept.api.clone(),
            organization: kept.org.clone(),
            scopes: kept.scope.clone(),
            expires_at: kept.exp.and_then(time),
            binding: self.dpop.clone(),
        };
        let due = self.refresh.is_some() && kept.early.is_some_and(|early| early <= now);
        if due {
            Freshness::Due(token)
        } else {
            Freshness::Fresh(token)
        }
    }

    /// Whether there is anything left to act with: an access token that has not expired, or a refresh token.
    pub(super) fn is_live(&self, now: SystemTime) -> bool {
        self.refresh.is_some() || !matches!(self.token(&Audience::default(), now), Freshness::Missing)
    }

    /// The claims of the ID token, which was verified before it was sealed, and those of the first one by which the session
    /// is known.
    pub(super) fn claims(&self) -> Option<Claims> {
        let claims = Claims::of_jwt(self.id.expose())?;
        Some(
            claims
                .or_text("sid", self.sid())
                .or_text("nonce", self.nonce.as_deref()),
        )
    }

    /// The session of the provider that this one began with.
    pub(super) fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    pub(super) fn id_token(&self) -> &Secret {
        &self.id
    }

    pub(super) fn refresh_token(&self) -> Option<&Secret> {
        self.refresh.as_ref()
    }

    pub(super) fn purpose(&self) -> Purpose {
        self.why
    }

    pub(super) fn begun_at(&self) -> SystemTime {
        time(self.at).unwrap_or(UNIX_EPOCH)
    }

    /// Whether the sign-in was in an earlier second, by the provider's clock.
    pub(super) fn began_before(&self, at: SystemTime) -> bool {
        self.iat < seconds(at)
    }

    /// As `finish` gave it, for the calls that take one.
    pub(super) fn to_session(&self, claims: Claims) -> Session {
        let own = self.tokens.iter().find(|kept| kept.is_own());
        Session {
            claims,
            id_token: self.id.clone(),
            tokens: TokenSet {
                access_token: own.map_or_else(|| Secret::new(""), |kept| kept.token.clone()),
                refresh_token: self.refresh.clone(),
                expires_at: own.and_then(|kept| kept.exp).and_then(time),
                scopes: own.and_then(|kept| kept.scope.clone()),
            },
            purpose: self.why,
            return_path: ReturnPath::default(),
            dpop_key: self.dpop.clone(),
        }
    }

    pub(super) fn seal(
        &self,
        keys: &KeyRing,
        client: &Client,
        key: &SessionKey,
        version: u64,
        expires_at: SystemTime,
    ) -> Result<SealedSession, SealError> {
        let plain = Zeroizing::new(serde_json::to_vec(self).map_err(|_| SealError::Failed)?);
        let sealed = keys.seal(&bound_to(client, key, version), &plain)?;
        Ok(SealedSession::new(version, expires_at, sealed))
    }

    /// `None` for what was not sealed for this client, key and version, or is of another form.
    pub(super) fn open(
        keys: &KeyRing,
        client: &Client,
        key: &SessionKey,
        session: &SealedSession,
    ) -> Option<Self> {
        let plain = keys.open(&bound_to(client, key, session.version()), session.sealed())?;
        let record: Self = serde_json::from_slice(&plain).ok()?;
        (record.v == FORM).then_some(record)
    }
}

impl Kept {
    /// Whether it is the provider's own.
    fn is_own(&self) -> bool {
        self.api.is_none() && self.org.is_none()
    }

    fn is_for(&self, audience: &Audience) -> bool {
        self.api == audience.resource && self.org == audience.organization
    }
}

/// A session of one client, name or version does not pass for another, although the secret or the store is the same. Each
/// text goes with its length, so that no two lists of them are the same bytes.
fn bound_to(client: &Client, key: &SessionKey, version: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in [client.issuer(), client.client_id(), key.as_str()] {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes.extend_from_slice(&version.to_be_bytes());
    bytes
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn time(seconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}
