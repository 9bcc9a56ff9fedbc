//! The ID token's checks (OpenID Connect Core section 3.1.3.7), in the order they run.

mod access_token_hash;
mod algorithm;
mod auth_time;
mod authorized_party;
mod claims_rules;
mod header;
mod issue_time;
mod subject;

use std::cell::OnceCell;
use std::str::FromStr as _;
use std::time::{Duration, SystemTime};

use self::claims_rules::Token;
use self::header::Header;
use crate::checks;
use crate::client::{Algorithm, Client, KeySet, Metadata};
use crate::error::{Error, IdTokenError};
use crate::secret::Secret;
use crate::session::Claims;

/// What an ID token must say to be accepted. Nothing in it comes from the token.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) algorithms: &'a [Algorithm],
    pub(crate) nonce: NonceRule<'a>,
    pub(crate) access_token: &'a str,
    pub(crate) max_age: Option<Duration>,
    /// After a refresh: who the session is about.
    pub(crate) subject: Option<&'a str>,
    pub(crate) now: SystemTime,
    pub(crate) leeway: Duration,
}

#[derive(Clone, Copy)]
pub(crate) enum NonceRule<'a> {
    /// The answer to a request that had this nonce.
    Required(&'a Secret),
    /// The answer to a refresh: a nonce may be missing, but not another (OpenID Connect Core section 12.2). Without an earlier
    /// one, as on a device, there must be none.
    IfPresent(Option<&'a str>),
}

/// A token that no check has passed yet.
pub(crate) struct Candidate<'a> {
    raw: &'a str,
    header: &'a Header,
    claims: &'a Claims,
    keys: &'a KeySet,
    expected: &'a Expected<'a>,
    token: OnceCell<Token>,
}

impl Candidate<'_> {
    /// The token as openidconnect reads it. Read after its algorithm was judged: it knows no other than ours.
    fn token(&self) -> Result<&Token, IdTokenError> {
        if let Some(token) = self.token.get() {
            return Ok(token);
        }
        let token = Token::from_str(self.raw).map_err(|_| IdTokenError::Malformed)?;
        Ok(self.token.get_or_init(|| token))
    }
}

pub(crate) type Check = fn(&Candidate<'_>) -> Result<(), IdTokenError>;

/// What the log calls the table.
pub(crate) const TABLE: &str = "ID token";

pub(crate) const CHECKS: [(&str, Check); 12] = [
    ("algorithm", algorithm::check),
    ("header", claims_rules::header),
    ("issuer", claims_rules::issuer),
    ("audience", claims_rules::audience),
    ("signature", claims_rules::signature),
    ("expiry", claims_rules::expiry),
    ("nonce", claims_rules::nonce),
    ("authorized_party", authorized_party::check),
    ("issue_time", issue_time::check),
    ("access_token_hash", access_token_hash::check),
    ("auth_time", auth_time::check),
    ("subject", subject::check),
];

/// The claims of `raw`, once every check has passed.
pub(crate) async fn verify(
    client: &Client,
    metadata: &Metadata,
    raw: &str,
    expected: &Expected<'_>,
) -> Result<Claims, Error> {
    let header = Header::parse(raw)?;
    let keys = client.keys(metadata).await?;
    let mut outcome = check(raw, &header, &keys, expected);
    // The provider may have changed its keys. A token without a key id cannot say so, its signature only fails.
    let may_be_newer = match &outcome {
        Err(IdTokenError::UnknownKey) => true,
        Err(IdTokenError::BadSignature) => header.key_id.is_none(),
        _ => false,
    };
    if may_be_newer && let Some(keys) = client.newer_keys(metadata, &keys, header.key_id.as_deref()).await {
        outcome = check(raw, &header, &keys, expected);
    }
    Ok(outcome.map_err(|error| error.with_drift(client.clock_drift()))?)
}

fn check(raw: &str, header: &Header, keys: &KeySet, expected: &Expected<'_>) -> Result<Claims, IdTokenError> {
    let claims = header::claims(raw)?;
    let candidate = Candidate {
        raw,
        header,
        claims: &claims,
        keys,
        expected,
        token: OnceCell::new(),
    };
    let candidate = &candidate;
    checks::run(
        TABLE,
        CHECKS.map(|(name, check)| (name, move || check(candidate))),
    )?;
    Ok(claims)
}
