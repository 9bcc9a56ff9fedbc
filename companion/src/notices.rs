//! What the owner of an account is told of a change, each address with a link of its own that contests it (SR-59).

use std::sync::Arc;
use std::time::Duration;

use keyback_core::identifier::Identifier;
use keyback_core::random::Random;
use keyback_core::reset::Channels;
use keyback_core::secret::FreezeToken;
use keyback_core::time::Timestamp;
use zeroize::Zeroizing;

use crate::outbox::{AddressChanged, ChangedBy, Outbox, PasswordChanged};
use crate::store::users::User;
use crate::store::{StoreError, Transaction, former_addresses, freeze_links};

/// How long a link freezes the account, and how long an address that is no longer the account's thaws it.
const CONTESTABLE_FOR: Duration = Duration::from_secs(72 * 3_600);

/// Writes notices into the transaction of the change. Cheap to clone.
#[derive(Clone)]
pub struct Notices {
    outbox: Outbox,
    random: Arc<dyn Random>,
    channels: Channels,
}

/// How a password was changed, and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct PasswordChange<'a> {
    pub client_id: Option<&'a str>,
    pub by: ChangedBy,
    pub sessions_ended: u32,
}

impl Notices {
    /// `channels` are those with a connector: whom none reaches is not written to, and gets no link.
    pub fn new(outbox: Outbox, random: Arc<dyn Random>, channels: Channels) -> Self {
        Self {
            outbox,
            random,
            channels,
        }
    }

    /// Tells every verified address of an account that its password was changed.
    pub async fn password_changed(
        &self,
        tx: &mut Transaction,
        user: &User,
        change: PasswordChange<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for to in self.reached(user) {
            let notice = PasswordChanged {
                to,
                user_id: user.id.clone(),
                client_id: change.client_id.map(str::to_owned),
                changed_at: now,
                by: change.by,
                sessions_ended: change.sessions_ended,
                freeze_token: Some(self.link(tx, &user.id, now).await?),
            };
            self.outbox.password_changed(&mut **tx, &notice).await?;
        }
        Ok(())
    }

    /// Tells every address that was verified before a change of addresses, where one of them is not any more. Each that
    /// is lost thaws the account for a while, should the owner contest the change: but for those that have themselves
    /// come by a change that can still be contested. Theirs may be the change that this one repairs.
    ///
    /// What a frozen account got since the change that its owner contests is most likely a thief's: this gives it no link.
    pub async fn addresses_changed(
        &self,
        tx: &mut Transaction,
        before: &User,
        after: &User,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut trusted = before.verified_addresses();
        if before.contested_at().is_some() {
            trusted.retain(|address| before.may_reset_over(address));
        }
        let lost: Vec<_> = trusted
            .iter()
            .filter(|address| !after.is_verified(address))
            .collect();
        if lost.is_empty() {
            return Ok(());
        }
        let contestable_since = former_addresses::first_replaced_at(&mut **tx, &before.id, now).await?;
        let is_contestable = |address: &Identifier| {
            contestable_since
                .is_some_and(|since| before.verified_since(address).is_some_and(|at| at >= since))
        };
        for address in lost.iter().filter(|address| !is_contestable(address)) {
            former_addresses::keep(tx, before, address, now, now + CONTESTABLE_FOR).await?;
        }
        let (email, phone) = (
            lost.iter().any(|address| matches!(address, Identifier::Email(_))),
            lost.iter().any(|address| matches!(address, Identifier::Phone(_))),
        );
        for to in trusted.into_iter().filter(|to| self.reaches(to)) {
            let notice = AddressChanged {
                to,
                user_id: before.id.clone(),
                changed_at: now,
                email,
                phone,
                freeze_token: Some(self.link(tx, &before.id, now).await?),
            };
            self.outbox.address_changed(&mut **tx, &notice).await?;
        }
        Ok(())
    }

    /// Tells the addresses that the end of a freeze has taken the trust from. Whoever reads them may be a thief, and gets no
    /// link that would freeze the account once more; or the owner, whose old mailbox somebody else has, and must hear of it.
    pub async fn addresses_distrusted(
        &self,
        tx: &mut Transaction,
        user_id: &str,
        distrusted: Vec<Identifier>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for to in distrusted.into_iter().filter(|to| self.reaches(to)) {
            let notice = AddressChanged {
                email: matches!(to, Identifier::Email(_)),
                phone: matches!(to, Identifier::Phone(_)),
                to,
                user_id: user_id.to_owned(),
                changed_at: now,
                freeze_token: None,
            };
            self.outbox.address_changed(&mut **tx, &notice).await?;
        }
        Ok(())
    }

    /// Tells the worker that there is something to send.
    pub fn wake(&self) {
        self.outbox.wake();
    }

    fn reached(&self, user: &User) -> Vec<Identifier> {
        let mut addresses = user.verified_addresses();
        addresses.retain(|address| self.reaches(address));
        addresses
    }

    fn reaches(&self, address: &Identifier) -> bool {
        match address {
            Identifier::Email(_) => self.channels.email,
            Identifier::Phone(_) => self.channels.phone,
        }
    }

    /// A link for one address: whoever reads another of them can't use it up.
    async fn link(
        &self,
        tx: &mut Transaction,
        user_id: &str,
        now: Timestamp,
    ) -> Result<Zeroizing<String>, StoreError> {
        let token = FreezeToken::issue(self.random.as_ref());
        freeze_links::add(&mut **tx, &token, user_id, now, now + CONTESTABLE_FOR).await?;
        Ok(token.reveal())
    }
}

impl std::fmt::Debug for Notices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Notices(..)")
    }
}
