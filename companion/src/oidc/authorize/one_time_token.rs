//! `one_time_token`: what a site sent by mail in place of a code, as the reset takes it. It signs nobody in, so a request that
//! begins elsewhere goes on without it.

use keyback_core::secret::SecretDigest;

use super::Asked;
use super::first_screen::FirstScreen;

/// The digest of the token: the token itself goes no further than this.
pub(super) fn check(asked: &Asked<'_>, first_screen: FirstScreen) -> Option<SecretDigest> {
    if !first_screen.is_reset() {
        return None;
    }
    asked.params.one("one_time_token").map(SecretDigest::of_text)
}
