//! `response_mode`: how the answer travels to the redirect URI (OAuth 2.0 Multiple Response Type Encoding Practices 2.1,
//! OAuth 2.0 Form Post Response Mode 1.0).

use serde::{Deserialize, Serialize};

use super::super::error::ProtocolError;
use super::Asked;

/// How an answer travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    #[default]
    Query,
    /// In a form that the browser posts to the redirect URI: nothing of it stands in an address.
    FormPost,
}

/// The supported modes, as discovery tells them.
pub(in crate::oidc) const SUPPORTED: [&str; 2] = ["query", "form_post"];

impl ResponseMode {
    /// The mode of a name; the default where there is none. None where it is not supported, or can't reach the redirect
    /// URI.
    pub(super) fn of(name: Option<&str>, redirect_uri: &str) -> Option<Self> {
        let is_web = ["https://", "http://"]
            .iter()
            .any(|scheme| redirect_uri.starts_with(scheme));
        match name {
            None | Some("query") => Some(Self::Query),
            // No browser posts a form to the scheme of a native app (RFC 8252 7.1).
            Some("form_post") if is_web => Some(Self::FormPost),
            Some(_) => None,
        }
    }
}

pub(super) fn check(asked: &Asked<'_>) -> Result<ResponseMode, ProtocolError> {
    ResponseMode::of(asked.params.one("response_mode"), asked.redirect_uri).ok_or_else(|| {
        ProtocolError::invalid_request(format!(
            "This response_mode is not supported for this redirect_uri. Leave it out, or send one of: {}.",
            SUPPORTED.join(", ")
        ))
    })
}
