use super::Inquiry;
use crate::error::CallbackError;

/// The request was made by this client, to this provider: applications with several providers must not swap the
/// answers of one for those of another (RFC 9700 section 4.4).
pub(super) fn check(inquiry: &Inquiry<'_>) -> Result<(), CallbackError> {
    let same = inquiry.pending.issuer == inquiry.issuer && inquiry.pending.client_id == inquiry.client_id;
    if same {
        Ok(())
    } else {
        Err(CallbackError::OtherClient)
    }
}
