use super::Inquiry;
use crate::error::CallbackError;

/// The answer is for the request of this browser (RFC 6749 section 10.12), compared in constant time.
pub(super) fn check(inquiry: &Inquiry<'_>) -> Result<(), CallbackError> {
    let state = inquiry
        .answer
        .state
        .as_deref()
        .ok_or(CallbackError::MissingState)?;
    if inquiry.pending.state.matches(state) {
        Ok(())
    } else {
        Err(CallbackError::StateMismatch)
    }
}
