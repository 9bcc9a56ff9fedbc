//! The root page, the icon, and the well-known address of the page that changes a password.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::destination::AccountPage;
use super::respond::see_other;
use crate::app::Companion;
use crate::views::DemoWelcome;

/// The demo's welcome; elsewhere the account.
pub(super) async fn get(State(companion): State<Arc<Companion>>) -> Response {
    let Some(welcome) = &companion.welcome else {
        return companion.answer(see_other(AccountPage::Account.path()));
    };
    let view =
        DemoWelcome { shell: companion.shell(), site_url: &welcome.site_url, account: &welcome.account };
    companion.page(StatusCode::OK, &view, &[])
}

/// `/.well-known/change-password` (W3C "A Well-Known URL for Changing Passwords").
pub(super) async fn change_password(State(companion): State<Arc<Companion>>) -> Response {
    companion.answer(see_other(AccountPage::Password.path()))
}

/// The icon of the browser's tab.
pub(super) async fn favicon(State(companion): State<Arc<Companion>>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400")),
    ];
    (headers, companion.theme.favicon()).into_response()
}
