//! What the pages show: one struct per page, named as its template. Views hold plain data, decide nothing and know no step;
//! a page's handler fills one in and renders it. Every view has `samples()`, its named states.

pub mod account;
pub mod account_password;
pub mod assets;
pub mod captcha;
pub mod code;
pub mod color;
pub mod consent;
pub mod demo_site;
pub mod demo_welcome;
pub mod dev_inbox;
pub mod device;
pub mod device_confirm;
pub mod device_done;
pub mod done;
pub mod error;
pub mod forgot_password;
pub mod gallery;
pub mod new_password;
pub mod not_me;
pub mod password_rules;
pub mod reset_link;
pub mod send_back;
pub mod shell;
pub mod sign_in;
pub mod sign_out;
pub mod signed_out;
pub mod theme;
pub mod wait;

#[cfg(test)]
mod tests;

pub use account::Account;
pub use account_password::AccountPassword;
pub use askama::Template;
pub use code::Code;
pub use consent::Consent;
pub use demo_site::DemoSite;
pub use demo_welcome::DemoWelcome;
pub use dev_inbox::DevInbox;
pub use device::Device;
pub use device_confirm::DeviceConfirm;
pub use device_done::DeviceDone;
pub use done::Done;
pub use error::ErrorPage;
pub use forgot_password::ForgotPassword;
pub use new_password::NewPassword;
pub use not_me::NotMe;
pub use reset_link::ResetLink;
pub use send_back::SendBack;
pub use shell::{Direction, Shell};
pub use sign_in::SignIn;
pub use sign_out::SignOut;
pub use signed_out::SignedOut;
pub use theme::{Brand, Theme};
pub use wait::Wait;
