//! Consent (OIDC Core 3.1.2.4): apps of one's own have it without a screen, with `prompt=consent` too, as Logto
//! does (its SDKs send that on every sign-in).

use super::super::error::{ErrorCode, ProtocolError};
use super::Asked;

pub(super) fn check(asked: &Asked<'_>) -> Result<(), ProtocolError> {
    if asked.app.first_party {
        return Ok(());
    }
    Err(ProtocolError::new(
        ErrorCode::ConsentRequired,
        "This app needs the consent of its people, and this provider asks nobody for consent. Its operator can \
         set first_party = true for apps of their own.",
    ))
}
