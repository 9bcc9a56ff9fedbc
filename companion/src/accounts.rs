//! What follows from a change of who a person is, whoever makes it.

use keyback_core::time::Timestamp;

use crate::notices::Notices;
use crate::store::users::{self, Added, User};
use crate::store::{StoreError, Transaction, one_time_tokens, reset};

/// Writes a changed account over the one that was found in the same transaction. Codes that went to an old address, or
/// to one that nobody vouches for any more, reset nothing (SR-24); the old addresses are told (SR-59).
pub(crate) async fn save_edited(
    tx: &mut Transaction,
    notices: &Notices,
    before: &User,
    after: &User,
    now: Timestamp,
) -> Result<Added, StoreError> {
    if users::edit(&mut **tx, after, now).await? == Added::Taken {
        return Ok(Added::Taken);
    }
    if addresses(before) != addresses(after) {
        reset::end_resets_of(tx, &before.id, None, now).await?;
        if let Some(email) = &before.email {
            one_time_tokens::revoke_for(&mut **tx, email).await?;
        }
        notices.addresses_changed(tx, before, after, now).await?;
    }
    Ok(Added::Added)
}

fn addresses(user: &User) -> (Option<&str>, bool, Option<&str>, bool) {
    let (email, phone) = (user.email.as_deref(), user.phone.as_deref());
    (email, user.email_verified, phone, user.phone_verified)
}
