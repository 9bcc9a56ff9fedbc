//! Metadata, keys and userinfo.

use serde_json::json;

use super::{Misbehaviour, Reply, TestProvider};

impl TestProvider {
    pub(super) fn metadata(&self) -> Reply {
        let issuer = self.issuer();
        let named = if self.misbehaves(&Misbehaviour::ForeignIssuerInMetadata) {
            "https://another-provider.test/oidc"
        } else {
            issuer
        };
        Reply::json(
            200,
            json!({
                "issuer": named,
                "authorization_endpoint": format!("{issuer}/auth"),
                "token_endpoint": format!("{issuer}/token"),
                "jwks_uri": format!("{issuer}/jwks"),
                "userinfo_endpoint": format!("{issuer}/me"),
                "end_session_endpoint": format!("{issuer}/session/end"),
                "revocation_endpoint": format!("{issuer}/token/revocation"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES384"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": true,
                "backchannel_logout_supported": true,
                "backchannel_logout_session_supported": true,
                "first_screen_values_supported": ["reset-password", "reset_password", "sign_in", "register"],
            }),
        )
    }

    pub(super) fn keys(&self) -> Reply {
        let jwk = self.lock().signer.jwk();
        Reply::json(200, json!({ "keys": [jwk] }))
    }

    pub(super) fn user_info(&self, access_token: Option<&str>) -> Reply {
        let now = self.seconds();
        let state = self.lock();
        let of = |token: &str| {
            let grants = state.grants.iter().filter(|grant| !grant.ended);
            grants.clone().find(|grant| {
                grant
                    .access_tokens
                    .iter()
                    .any(|(own, until)| own == token && now < *until)
            })
        };
        let person = access_token.and_then(of).map(|grant| grant.person.clone());
        drop(state);
        match person {
            Some(_) if self.misbehaves(&Misbehaviour::AnotherPersonInUserInfo) => {
                Reply::json(200, json!({ "sub": "somebody-else" }))
            }
            Some(person) => Reply::json(200, person.claims(json!({}))),
            None => Reply::error(401, "invalid_token"),
        }
    }
}
