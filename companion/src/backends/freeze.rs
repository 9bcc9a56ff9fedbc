//! A contested change of the password: the account is frozen until a reset over an address that its owner had before.

use keyback_core::identifier::Identifier;
use keyback_core::secret::FreezeToken;
use keyback_core::time::Timestamp;

use super::embedded::EmbeddedBackend;
use crate::fail_point::{FailPoint, Write};
use crate::store::account_status;
use crate::store::former_addresses::Over;
use crate::store::users::User;
use crate::store::{StoreError, Transaction, audit, freeze_links, users};
use crate::webhooks::{AccountChange, Cause};

/// Who uses the link of a notice.
#[derive(Clone, Copy, Debug)]
pub struct Contest<'a> {
    pub client_ip: &'a str,
    pub user_agent: Option<&'a str>,
    pub now: Timestamp,
}

impl EmbeddedBackend {
    /// Freezes the account whose change a link contests, and ends all that it has open, as a reset does; all or nothing.
    /// Answers the account as it is then, or nothing where the link was used or is too old.
    pub async fn freeze(
        &self,
        token: &FreezeToken,
        contest: Contest<'_>,
    ) -> Result<Option<User>, StoreError> {
        let Contest {
            client_ip,
            user_agent,
            now,
        } = contest;
        // What strangers make up costs no write.
        if freeze_links::find(self.store.reader(), token, now)
            .await?
            .is_none()
        {
            return Ok(None);
        }
        let mut tx = self.store.begin().await?;
        let Some(link) = freeze_links::consume(&mut *tx, token, now).await? else {
            return Ok(None);
        };
        account_status::freeze(&mut tx, &link.user_id, link.changed_at(), now).await?;
        self.endings.cut_off(&mut tx, &link.user_id, None, now).await?;
        let Some(user) = users::find(&mut *tx, &link.user_id).await? else {
            return Ok(None);
        };
        let line = audit::Line {
            at: now,
            event: "account_frozen",
            actor: audit::Actor::Visitor,
            subject: Some(&user.id),
            identifier: None,
            client_id: None,
            client_ip: Some(client_ip),
        };
        audit::write(&mut *tx, self.random.as_ref(), &line).await?;
        let change = AccountChange {
            user: &user,
            client_ip: Some(client_ip),
            user_agent,
            by: Cause::Freeze,
            now,
        };
        self.tell_webhooks(&mut tx, change).await?;
        FailPoint::BeforeCommit(Write::Freeze).reach();
        tx.commit().await?;
        FailPoint::AfterCommit(Write::Freeze).reach();
        self.notices.wake();
        Ok(Some(user))
    }

    /// Ends the freeze, in the transaction of the reset that its owner has finished, and tells the addresses that are
    /// trusted no more. Answers the account as it is then.
    pub(super) async fn thaw(
        &self,
        tx: &mut Transaction,
        user_id: &str,
        over: (&Identifier, Over),
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let distrusted = account_status::thaw(tx, user_id, over, now).await?;
        self.notices
            .addresses_distrusted(tx, user_id, distrusted, now)
            .await?;
        let line = audit::Line {
            at: now,
            event: "account_thawed",
            actor: audit::Actor::Visitor,
            subject: Some(user_id),
            identifier: None,
            client_id: None,
            client_ip: None,
        };
        audit::write(&mut **tx, self.random.as_ref(), &line).await?;
        users::find(&mut **tx, user_id).await
    }
}
