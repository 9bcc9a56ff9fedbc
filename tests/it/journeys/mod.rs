//! The ways of people, page by page over HTTP, with the shop on another origin and the content security policy on.

mod account;
mod account_apps;
mod account_sessions;
mod after_reset;
mod apis;
pub(crate) mod captcha;
mod captcha_presets;
pub(crate) mod codes;
mod connectors;
mod consent;
mod device;
pub(crate) mod frozen;
mod guesses;
pub(crate) mod imported;
pub(crate) mod links;
mod names;
mod one_transaction;
mod passwords;
mod reset;
mod sdk_sessions;
mod sign_in;
mod steps;
mod tabs;
mod text_messages;
mod unknown;

use keyback_tests::{ADA, Browser, OLD_PASSWORD, TestApp};

/// A companion with Ada's account.
async fn with_ada() -> (TestApp, Browser) {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let browser = app.browser();
    (app, browser)
}

/// A browser that has asked for a code for Ada, and stands on the page that asks for it.
async fn awaiting_code() -> (TestApp, Browser) {
    let (app, mut browser) = with_ada().await;
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.assert_at("/forgot-password/code");
    (app, browser)
}

/// A browser that has typed the right code.
async fn awaiting_password() -> (TestApp, Browser) {
    let (app, mut browser) = awaiting_code().await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.assert_at("/forgot-password/password");
    (app, browser)
}
