//! The way from what was granted to tokens, which a code goes once: an authorization code, or a device's.

use keyback_core::time::Timestamp;

use super::super::Inner;
use super::super::error::ProtocolError;
use super::super::params::Params;
use super::super::registry::App;
use super::mint::{Basis, TokenAnswer, mint};
use super::target;
use crate::store::granted::Granted;
use crate::store::redemption::{self, Code};
use crate::store::users::User;

/// What a code is redeemed for.
pub(super) struct Redemption<'a> {
    /// Found good.
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
        // That an authorization code was used may be lost with the power; a machine that boots anew ends those that nobody seems to
        // have come for (store::boots). Codes of devices live long, and are not among them.
        let tx = match self.code {
            Code::Authorization(_) => inner.store.begin_quick().await?,
            Code::Device(_) => inner.store.begin().await?,
        };
        let is_redeemed = redemption::redeem(tx, self.code, &minted.tokens(basis.grant_id), now).await?;
        Ok(is_redeemed.then_some(minted.answer))
    }
}
