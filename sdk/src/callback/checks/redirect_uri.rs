use super::Inquiry;
use crate::error::CallbackError;
use crate::secure_url::has_credentials;

/// The answer arrived where it was sent for, exactly: `/callback-evil` begins with `/callback` (RFC 9700
/// section 4.1).
pub(super) fn check(inquiry: &Inquiry<'_>) -> Result<(), CallbackError> {
    let (arrived, expected) = (&inquiry.answer.url, inquiry.pending.redirect_uri.url());
    let same = arrived.scheme() == expected.scheme()
        && arrived.host() == expected.host()
        && arrived.port_or_known_default() == expected.port_or_known_default()
        && arrived.path() == expected.path()
        && !has_credentials(arrived);
    if same {
        Ok(())
    } else {
        Err(CallbackError::ForeignRedirectUri)
    }
}
