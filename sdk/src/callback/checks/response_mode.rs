use super::Inquiry;
use crate::error::CallbackError;

/// The answer came the way that was asked for. A code that was to be posted must not be taken from a URL, and a form that
/// nobody asked for may be a stranger's page that posts here (OAuth 2.0 Form Post Response Mode section 2).
pub(super) fn check(inquiry: &Inquiry<'_>) -> Result<(), CallbackError> {
    if inquiry.answer.posted == inquiry.pending.form_post {
        Ok(())
    } else {
        Err(CallbackError::ResponseMode)
    }
}
