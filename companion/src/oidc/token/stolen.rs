//! What was used twice may be in two hands: what it gave ends, and the audit trail tells it.

use super::super::Inner;
use crate::store::audit::{self, Actor, Line};
use crate::store::{StoreError, grants};

/// A code or token that came a second time.
pub(super) struct Stolen<'a> {
    /// What the audit trail calls it.
    pub event: &'a str,
    /// What it gave.
    pub grant_id: &'a str,
    pub client_id: &'a str,
}

impl Stolen<'_> {
    /// Ends what it gave.
    pub(super) async fn revoke(&self, inner: &Inner) -> Result<(), StoreError> {
        let mut tx = inner.store.begin().await?;
        // Whoever sends it again and again is told once.
        let Some(user_id) = grants::revoke(&mut *tx, self.grant_id).await? else {
            return Ok(());
        };
        let line = Line {
            at: inner.clock.now(),
            event: self.event,
            actor: Actor::App,
            subject: Some(&user_id),
            identifier: None,
            client_id: Some(self.client_id),
            client_ip: None,
        };
        audit::write(&mut *tx, &*inner.random, &line).await?;
        Ok(tx.commit().await?)
    }
}
