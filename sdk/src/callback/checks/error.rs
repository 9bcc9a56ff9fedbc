use super::Inquiry;
use crate::error::{CallbackError, ProviderError};

/// The provider's refusal, which is believed only now (RFC 6749 section 4.1.2.1).
pub(super) fn check(inquiry: &Inquiry<'_>) -> Result<(), CallbackError> {
    match &inquiry.answer.error {
        Some(code) => Err(CallbackError::Provider(ProviderError::new(
            code,
            inquiry.answer.error_description.as_deref(),
        ))),
        None => Ok(()),
    }
}
