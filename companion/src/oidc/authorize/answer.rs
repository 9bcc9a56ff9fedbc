//! Answers at the redirect URI (RFC 6749 4.1.2, 4.1.2.1), each with its issuer (RFC 9207), in the mode that was asked for.
//!
//! Whatever sends the visitor back to an app makes an [`Answer`] from a [`ReturnTo`], and [`Inner::deliver`] alone
//! turns it into a response: nobody can forget the mode, the state or the issuer.

use std::borrow::Cow;
use std::fmt;

use axum::http::HeaderMap;
use axum::response::Response;
use url::form_urlencoded::Serializer;

use super::super::error::ProtocolError;
use super::super::interaction::AuthorizationRequest;
use super::super::pages::{FormPost, Visitor};
use super::super::params::Params;
use super::super::{Inner, no_store, see_other};
use super::request_object::Delivery;
use super::response_mode::ResponseMode;

/// The way back to the app: a redirect URI that was checked, and what the app wants along.
#[derive(Clone, Debug)]
pub(super) struct ReturnTo<'a> {
    redirect_uri: &'a str,
    mode: ResponseMode,
    state: Option<Cow<'a, str>>,
}

/// An answer on its way to the app. It may hold a code: `Debug` tells the names of its parameters alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    redirect_uri: String,
    mode: ResponseMode,
    parameters: Vec<(&'static str, String)>,
}

impl<'a> ReturnTo<'a> {
    /// The way back of a request that is refused. A state that is sent twice, or is no plain text, is not sent back; a
    /// mode that is not supported falls back to the default, which always is.
    ///
    /// Of who sends a request object, which is a reason to be refused, the two may stand in the object alone.
    pub(super) fn refused(redirect_uri: &'a str, params: &'a Params) -> Self {
        let object = Delivery::of(params);
        let asked = |name, in_object: Option<String>| match params.one(name) {
            Some(_) if params.is_repeated(name) => None,
            Some(value) => Some(Cow::Borrowed(value)),
            None => in_object.map(Cow::Owned),
        };
        let mode = asked("response_mode", object.response_mode);
        let is_fit = |state: &Cow<'_, str>| !state.chars().any(char::is_control);
        Self {
            redirect_uri,
            mode: ResponseMode::of(mode.as_deref(), redirect_uri).unwrap_or_default(),
            state: asked("state", object.state).filter(is_fit),
        }
    }

    /// The way back of a checked request.
    pub(super) fn of(request: &'a AuthorizationRequest) -> Self {
        Self {
            redirect_uri: &request.redirect_uri,
            mode: request.response_mode,
            state: request.state.as_deref().map(Cow::Borrowed),
        }
    }

    /// The answer that carries a code.
    pub(super) fn code(self, issuer: &str, code: String) -> Answer {
        self.answer(issuer, vec![("code", code)])
    }

    /// The answer that carries an error.
    pub(super) fn error(self, issuer: &str, error: &ProtocolError) -> Answer {
        let description = error.description().to_owned();
        let parameters = vec![
            ("error", error.code().as_str().to_owned()),
            ("error_description", description),
        ];
        self.answer(issuer, parameters)
    }

    fn answer(self, issuer: &str, mut parameters: Vec<(&'static str, String)>) -> Answer {
        parameters.extend(self.state.map(|state| ("state", state.into_owned())));
        parameters.push(("iss", issuer.to_owned()));
        Answer {
            redirect_uri: self.redirect_uri.to_owned(),
            mode: self.mode,
            parameters,
        }
    }
}

impl Answer {
    /// The redirect URI with the answer in its query.
    fn location(&self) -> String {
        let parameters = self.parameters.iter();
        append(
            &self.redirect_uri,
            parameters.map(|(name, value)| (*name, value.as_str())),
        )
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("redirect_uri", &self.redirect_uri)
            .field("mode", &self.mode)
            .field(
                "parameters",
                &self.parameters.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            )
            .finish()
    }
}

impl Inner {
    /// Sends an answer on its way: a redirect, or a page whose form does it.
    pub(in crate::oidc) fn deliver(
        &self,
        headers: &HeaderMap,
        ui_locales: Option<&str>,
        answer: &Answer,
    ) -> Response {
        match answer.mode {
            ResponseMode::Query => see_other(&answer.location()),
            ResponseMode::FormPost => {
                let page = FormPost {
                    action: &answer.redirect_uri,
                    fields: &answer.parameters,
                };
                let mut response = self.pages.form_post(Visitor { headers, ui_locales }, page);
                response.headers_mut().extend(no_store());
                response
            }
        }
    }
}

/// Appends parameters to a URI, leaving what it has byte for byte (RFC 6749 3.1.2).
pub(in crate::oidc) fn append<'p>(
    uri: &str,
    parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
) -> String {
    let mut location = String::with_capacity(uri.len() + 256);
    location.push_str(uri);
    if !uri.contains('?') {
        location.push('?');
    } else if !uri.ends_with(['?', '&']) {
        location.push('&');
    }
    let start = location.len();
    let mut query = Serializer::for_suffix(location, start);
    query.extend_pairs(parameters).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_3_1_2_the_query_of_a_redirect_uri_is_kept() {
        let add = |uri| append(uri, [("code", "a b"), ("iss", "https://i/oidc")]);
        let tail = "code=a+b&iss=https%3A%2F%2Fi%2Foidc";
        assert_eq!(add("https://a/cb"), format!("https://a/cb?{tail}"));
        assert_eq!(add("https://a/cb?x=%2f"), format!("https://a/cb?x=%2f&{tail}"));
        assert_eq!(add("app:/cb?"), format!("app:/cb?{tail}"));
    }
}
