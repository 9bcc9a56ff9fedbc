//! Extra parameters, which must not touch the protocol's own.

use crate::error::SignInError;

/// What the client sets itself, or what would change where and how the answer comes.
const PROTOCOL: &[&str] = &[
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "direct_sign_in",
    "first_screen",
    "id_token",
    "identifier",
    "interaction_mode",
    "login_hint",
    "max_age",
    "nonce",
    "one_time_token",
    "organization_id",
    "prompt",
    "redirect_uri",
    "registration",
    "request",
    "request_uri",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "ui_locales",
];

/// Refuses the protocol's names, empty names and repeated ones.
pub(crate) fn check(extra: &[(String, String)]) -> Result<(), SignInError> {
    for (index, (name, _)) in extra.iter().enumerate() {
        if name.is_empty() {
            return Err(SignInError::EmptyParameter);
        }
        if let Some(name) = PROTOCOL.iter().copied().find(|protocol| name == protocol) {
            return Err(SignInError::ProtocolParameter { name });
        }
        if extra[..index].iter().any(|(earlier, _)| earlier == name) {
            return Err(SignInError::RepeatedParameter);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(names: &[&str]) -> Vec<(String, String)> {
        names
            .iter()
            .map(|name| ((*name).to_owned(), "x".to_owned()))
            .collect()
    }

    #[test]
    fn every_protocol_name_is_refused() {
        for name in PROTOCOL {
            let refused = check(&pairs(&[name]));
            assert!(matches!(refused, Err(SignInError::ProtocolParameter { name: n }) if n == *name));
        }
    }

    #[test]
    fn other_names_pass_once() {
        assert!(check(&pairs(&["acr_values", "kc_idp_hint", "screen_hint"])).is_ok());
        assert!(matches!(
            check(&pairs(&["a", "b", "a"])),
            Err(SignInError::RepeatedParameter)
        ));
        assert!(matches!(check(&pairs(&[""])), Err(SignInError::EmptyParameter)));
    }
}
