//! Ending all that an account has open: sessions, grants with their codes and tokens, and other resets under way.

use keyback_core::ids::FlowId;
use keyback_core::time::Timestamp;

use super::grants::RevokedApps;
use super::{StoreError, Transaction, consents, grants, reset, sessions, users};

/// What was open.
#[derive(Clone, Debug)]
pub struct CutOff {
    /// Browser sessions that were live.
    pub sessions_ended: u64,
    /// The apps that had a grant.
    pub revoked: RevokedApps,
}

/// Signs an account out everywhere and kills what else could reset it, but for the reset that is being completed.
/// Tokens issued before now are dead, whoever holds them (SR-24, SR-54, SR-55).
pub async fn cut_off(
    tx: &mut Transaction,
    user_id: &str,
    keep: Option<&FlowId>,
    now: Timestamp,
) -> Result<CutOff, StoreError> {
    users::set_not_before(&mut **tx, user_id, now).await?;
    reset::end_resets_of(tx, user_id, keep, now).await?;
    let sessions_ended = sessions::end_all(&mut **tx, user_id, now).await?;
    consents::forget_user(&mut **tx, user_id).await?;
    let revoked = grants::revoke_user(tx, user_id, now).await?;
    Ok(CutOff {
        sessions_ended,
        revoked,
    })
}
