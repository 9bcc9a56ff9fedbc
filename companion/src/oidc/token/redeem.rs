//! The way from what was granted to tokens, which a code goes once: an authorization code, or a device's.

use keyback_core::time::Timestamp;

use super::super::Inner;
use super::super::error::ProtocolError;
use super::super::params::Params;
use super::super::registry::App;
use super::mint::{Basis, TokenAnswer, mint};
use super::target;
use crate::store::granted::Granted;
use crate::store::users::User;
use crate::store::{StoreError, Transaction, codes, device_codes};

/// A code that was found good, by its digest.
#[derive(Clone, Copy)]
pub(super) enum Code<'a> {
    Authorization(&'a str),
    Device(&'a str),
}

impl Code<'_> {
    /// Uses it by a conditional write: of any number of requests at once, one is answered true (SR-78).
    async fn consume(self, tx: &mut Transaction, now: Timestamp) -> Result<bool, StoreError> {
        match self {
            Self::Authorization(digest) => codes::consume(&mut **tx, digest, now).await,
            Self::Device(digest) => device_codes::consume(&mut **tx, digest, now).await,
        }
    }
}

/// What a code is redeemed for.
pub(super) struct Redemption<'a> {
    pub(super) code: Code<'a>,
    pub(super) granted: &'a Granted,
    /// Who gave it.
    pub(super) user: &'a User,
    /// When the person gave it: where all was cut off since, it gives nothing (SR-55).
    pub(super) given_at: Timestamp,
    pub(super) nonce: Option<&'a str>,
    /// What is told of a code that gives nothing.
    pub(super) dead: fn() -> ProtocolError,
}

impl Redemption<'_> {
    /// Makes tokens, and writes them with the use of the code. None where another request has used it meanwhile.
    pub(super) async fn redeem(
        self,
        inner: &Inner,
        app: &App,
        params: &Params,
        now: Timestamp,
    ) -> Result<Option<TokenAnswer>, ProtocolError> {
        let granted = self.granted;
        let resource = target::check(inner, params, &granted.resources()?)?;
        if !self.user.honours(self.given_at) {
            return Err((self.dead)());
        }
        let basis = Basis {
            nonce: self.nonce,
            ..Basis::of(app, self.user, granted, resource)?
        };
        let minted = mint(inner, &basis, granted.offline, now).await?;
        let mut tx = inner.store.begin().await?;
        if !self.code.consume(&mut tx, now).await? {
            return Ok(None);
        }
        if !minted.write(&mut tx, basis.grant_id, now).await? {
            return Err((self.dead)());
        }
        tx.commit().await?;
        Ok(Some(minted.answer))
    }
}
