use super::Inquiry;
use crate::error::CallbackError;

/// The answer came in time.
pub(super) fn check(inquiry: &Inquiry<'_>) -> Result<(), CallbackError> {
    match inquiry.now.duration_since(inquiry.pending.expires_at) {
        Ok(ago) => Err(CallbackError::Expired { ago }),
        Err(_still_to_come) => Ok(()),
    }
}
