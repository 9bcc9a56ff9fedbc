use super::Inquiry;
use crate::error::CallbackError;

/// The answer names the provider that was asked (RFC 9207 section 2.4), and does so if that was promised.
pub(super) fn check(inquiry: &Inquiry<'_>) -> Result<(), CallbackError> {
    match &inquiry.answer.issuer {
        Some(issuer) if issuer == inquiry.issuer => Ok(()),
        Some(_) => Err(CallbackError::IssuerMismatch),
        None if inquiry.pending.issuer_promised => Err(CallbackError::MissingIssuer),
        None => Ok(()),
    }
}
