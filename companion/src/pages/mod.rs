//! The pages: one file per page, named as its template and its view.
//!
//! A handler reads the request, asks the domain or the provider, fills a view in, and answers. State rides in
//! cookies: the authorization request sealed (`?i=` names its cookie), the reset flow by its secret (`?f=`).

mod account;
mod account_apps;
mod account_password;
mod account_sessions;
mod asks;
mod code;
mod consent;
pub mod destination;
mod dev_inbox;
mod device;
mod device_confirm;
mod done;
mod flow_cookie;
mod forgot_password;
mod guard;
mod new_password;
pub(crate) mod not_me;
mod one_time_token;
pub(crate) mod password_rules;
pub mod provider_pages;
mod request;
mod reset_endpoint;
pub(crate) mod reset_link;
mod respond;
mod sign_in;
mod sign_out;
mod welcome;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

pub use guard::Guarded;
pub(crate) use respond::off_the_serving_threads;

use crate::api;
use crate::app::Companion;
use crate::http::page_encoding::{self, PageEncoding};
use crate::views::error::Kind;
use crate::views::{Foot, Head, Template as _};

/// Every route of the companion's public address: the pages, the provider under `/oidc`, and the APIs under `/api`.
pub fn router(companion: &Arc<Companion>) -> Guarded {
    let mut pages = Router::new()
        .route("/", get(welcome::get))
        .route("/favicon.svg", get(welcome::favicon))
        .route("/sign-in", get(sign_in::get).post(sign_in::post))
        .route(
            "/forgot-password",
            get(forgot_password::get).post(forgot_password::post),
        )
        .route("/forgot-password/code", get(code::get).post(code::post))
        .route("/forgot-password/code/resend", post(code::resend))
        .route(reset_link::PATH, get(reset_link::get).post(reset_link::post))
        .route(
            one_time_token::PATH,
            get(one_time_token::get).post(one_time_token::post),
        )
        .route(
            "/forgot-password/password",
            get(new_password::get).post(new_password::post),
        )
        .route("/forgot-password/done", get(done::get))
        .route("/consent", get(consent::get).post(consent::post))
        .route("/device", get(device::get).post(device::post))
        .route(
            "/device/confirm",
            get(device_confirm::get).post(device_confirm::post),
        )
        .route("/device/done", get(device_confirm::done))
        .route("/account", get(account::get))
        .route(account_sessions::PATH, post(account_sessions::post))
        .route(account_apps::PATH, post(account_apps::post))
        .route(
            "/account/password",
            get(account_password::get).post(account_password::post),
        )
        .route(not_me::PATH, get(not_me::get).post(not_me::post))
        .route(not_me::FROZEN_PATH, get(not_me::frozen))
        .route("/sign-out", get(sign_out::get).post(sign_out::post))
        .route("/signed-out", get(sign_out::signed_out))
        .route("/reset-password", get(reset_endpoint::get))
        .route("/reset-password/callback", get(reset_endpoint::callback))
        .route("/.well-known/change-password", get(welcome::change_password));
    if companion.inbox.is_some() {
        pages = pages
            .route("/dev/inbox", get(dev_inbox::page))
            .route("/dev/inbox.json", get(dev_inbox::json));
    }
    let shell = companion.shell();
    let (head, foot) = (Head { shell }.render(), Foot { shell }.render());
    let routes = pages
        .fallback(respond::not_found)
        .method_not_allowed_fallback(respond::method_not_allowed)
        .with_state(Arc::clone(companion))
        .merge(companion.provider.pages())
        // Pages alone: what else the provider answers is small, or a document that is kept compressed.
        .layer(from_fn_with_state(
            // A page that can't begin or end so tells by itself that it can't be drawn.
            PageEncoding::new(&head.unwrap_or_default(), &foot.unwrap_or_default()),
            page_encoding::encode,
        ))
        .merge(companion.provider.router())
        .nest("/api", api::router(companion));
    Guarded::new(Arc::clone(companion), routes)
}

/// The answer to a request that can't be read.
fn bad_request(companion: &Companion, detail: &str) -> axum::response::Response {
    companion.error_page(Kind::BadRequest { detail: Some(detail) }, None)
}
