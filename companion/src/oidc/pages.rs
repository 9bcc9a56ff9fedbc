//! The pages that the provider shows: a port, so that their design lives with all other pages.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::registry::WayBack;

/// Who looks at a page: what its language is chosen by.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    pub headers: &'a HeaderMap,
    /// `ui_locales` of the request (OIDC Core 3.1.2.1), as sent.
    pub ui_locales: Option<&'a str>,
}

/// What an error page is about; chooses its title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// `client_id` is missing or unknown.
    UnknownApp,
    /// `redirect_uri` is missing or not registered: nobody may be sent there.
    ForeignRedirect,
    /// A pushed request that can't be used any more.
    Expired,
    /// The request can't be read.
    BadRequest,
    /// A sign-out request is wrong.
    SignOut,
    /// The provider failed.
    Failure,
}

/// An error that can't be told to the app, because where the app is isn't known for sure.
#[derive(Clone, Copy, Debug)]
pub struct ErrorPage<'a> {
    pub status: StatusCode,
    pub kind: ErrorKind,
    /// A sentence for the visitor, in English: what is wrong and who can mend it.
    pub detail: &'a str,
}

/// Asks whether the visitor really wants to sign out (RP-Initiated Logout 2).
#[derive(Clone, Debug)]
pub struct SignOutConfirmation<'a> {
    /// The app that asks, where it is known.
    pub app_name: Option<&'a str>,
    /// The signed-in person, as pages call them.
    pub account: &'a str,
    /// Where the form posts to.
    pub action: &'static str,
    /// The hidden fields of the form.
    pub fields: Vec<(&'static str, String)>,
    /// Where the answer may redirect, for the page's `form-action`.
    pub redirects_to: Option<&'a str>,
}

/// Tells that the visitor is signed out, where the app has not said where they return to.
#[derive(Clone, Copy, Debug)]
pub struct SignedOut<'a> {
    /// The app that asked, where it is known.
    pub app_name: Option<&'a str>,
    /// An address of the app that people may go on to.
    pub way_back: Option<WayBack<'a>>,
}

/// Posts an answer to the app (OAuth 2.0 Form Post Response Mode 1.0): at once by script, by a button without.
#[derive(Clone, Copy)]
pub struct FormPost<'a> {
    /// The redirect URI, which was checked.
    pub action: &'a str,
    /// The hidden fields: they may hold a code.
    pub fields: &'a [(&'static str, String)],
}

/// Draws the provider's pages.
pub trait ProviderPages: Send + Sync + 'static {
    fn error(&self, visitor: Visitor<'_>, page: ErrorPage<'_>) -> Response;
    fn sign_out_confirmation(&self, visitor: Visitor<'_>, page: SignOutConfirmation<'_>) -> Response;
    fn form_post(&self, visitor: Visitor<'_>, page: FormPost<'_>) -> Response;
    fn signed_out(&self, visitor: Visitor<'_>, page: SignedOut<'_>) -> Response;
}
