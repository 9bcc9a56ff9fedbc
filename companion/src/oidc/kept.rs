//! What the cookie of a waiting request holds, in postcard: no names, so that it is short and quickly written. What it means
//! hangs on the order of the fields, which the byte in front of it stands for.

use serde::{Deserialize, Serialize};

use super::interaction::{Interaction, Row, Waiting};
use crate::secrets::ToSeal;

/// One more whenever a field of [`AuthorizationRequest`](super::interaction::AuthorizationRequest) or of what stands around
/// it comes, goes or moves: what was sealed before is no longer read, and who waits begins again.
const FORMAT: u8 = 1;

/// Bytes of a cookie's value at most.
const MOST_BYTES: usize = 1_200;
/// Bytes that sealing adds before base64url: key id, nonce and tag.
const SEAL_BYTES: usize = 4 + 12 + 16;
const MOST_PLAIN_BYTES: usize = MOST_BYTES * 3 / 4 - SEAL_BYTES;

/// What is written. The variants stand in the order of [`Kept`]'s.
#[derive(Serialize)]
pub(super) enum ToKeep<'a> {
    Whole(&'a Waiting<'a>),
    Row(&'a Row),
}

/// What is read.
#[derive(Deserialize)]
pub(super) enum Kept {
    Whole(Box<Interaction>),
    Row(Row),
}

/// As bytes to be sealed; none where they don't fit a cookie.
pub(super) fn write(kept: &ToKeep<'_>) -> Option<ToSeal> {
    let mut bytes = [0; MOST_PLAIN_BYTES];
    plain_of(kept, &mut bytes).map(ToSeal::of)
}

fn plain_of<'b>(kept: &ToKeep<'_>, bytes: &'b mut [u8; MOST_PLAIN_BYTES]) -> Option<&'b [u8]> {
    postcard::to_slice(&(FORMAT, kept), bytes)
        .ok()
        .map(|plain| &*plain)
}

/// Reads what [`write`] wrote, if it is of today's form.
pub(super) fn read(bytes: &[u8]) -> Option<Kept> {
    match bytes.split_first() {
        Some((&FORMAT, kept)) => postcard::from_bytes(kept).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use keyback_core::secret::SecretDigest;
    use keyback_core::time::Timestamp;

    use super::*;
    use crate::oidc::authorize::first_screen::FirstScreen;
    use crate::oidc::authorize::prompt::Prompt;
    use crate::oidc::authorize::response_mode::ResponseMode;
    use crate::oidc::claims::ClaimsRequest;
    use crate::oidc::interaction::AuthorizationRequest;
    use crate::oidc::scope::Scopes;

    /// A request in which every field says which one it is.
    fn request() -> AuthorizationRequest {
        let text = |text: &str| Some(text.to_owned());
        AuthorizationRequest {
            client_id: "client".to_owned(),
            redirect_uri: "redirect".to_owned(),
            response_mode: ResponseMode::FormPost,
            state: text("state"),
            nonce: text("nonce"),
            code_challenge: text("challenge"),
            scopes: Scopes::from("openid email"),
            resources: vec!["resource".to_owned()],
            first_screen: FirstScreen::ResetPassword,
            prompt: Prompt::Consent,
            max_age: Some(300),
            login_hint: text("hint"),
            one_time_token: Some(SecretDigest::of_text("token")),
            ui_locales: text("de"),
            identifiers: vec!["email".to_owned()],
            subject: text("subject"),
            claims: ClaimsRequest::parse(r#"{"userinfo":{"name":{"essential":true}}}"#).unwrap(),
            for_app: text("app"),
        }
    }

    fn written(request: &AuthorizationRequest) -> Option<Vec<u8>> {
        let waiting = Waiting {
            request,
            requested_at: Timestamp::from_millis(1_000),
            expires_at: Timestamp::from_millis(2_000),
        };
        let mut bytes = [0; MOST_PLAIN_BYTES];
        plain_of(&ToKeep::Whole(&waiting), &mut bytes).map(<[u8]>::to_vec)
    }

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let request = request();
        let Some(Kept::Whole(read)) = read(&written(&request).unwrap()) else {
            panic!("it was not read");
        };
        assert_eq!(read.request, request);
        assert_eq!(read.requested_at, Timestamp::from_millis(1_000));
        assert_eq!(read.expires_at, Timestamp::from_millis(2_000));
    }

    /// Where this fails, [`FORMAT`] has to be one more: a field that takes the place of another would be believed.
    #[test]
    fn the_form_is_the_one_that_its_byte_stands_for() {
        let expected = "010006636c69656e74087265646972656374010105737461746501056e6f6e636501096368616c6c656e67650c6f70656e69\
                        6420656d61696c01087265736f75726365050301ac02010468696e74012b504561656e57785964644e36515f4e543150694f\
                        59667a3445735a75376a5258526c7041734e7042552d41010264650105656d61696c01077375626a65637401287b22757365\
                        72696e666f223a7b226e616d65223a7b22657373656e7469616c223a747275657d7d7d0103617070d00fa01f";
        assert_eq!(hex::encode(written(&request()).unwrap()), expected);
    }

    #[test]
    fn another_form_and_what_is_cut_off_are_not_read() {
        let mut bytes = written(&request()).unwrap();
        assert!(read(&bytes[..bytes.len() - 1]).is_none());
        bytes[0] += 1;
        assert!(read(&bytes).is_none());
        assert!(read(&[]).is_none());
    }

    #[test]
    fn what_is_too_large_for_a_cookie_is_not_written() {
        let with_state_of = |bytes: usize| {
            written(&AuthorizationRequest {
                state: Some("s".repeat(bytes)),
                ..request()
            })
        };
        assert!(with_state_of(600).is_some());
        assert!(with_state_of(MOST_PLAIN_BYTES).is_none());
    }
}
