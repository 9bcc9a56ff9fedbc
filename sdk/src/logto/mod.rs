//! What Logto and Keyback's companion speak beyond OpenID Connect.
//!
//! | | who calls | with |
//! |---|---|---|
//! | [`account`] | the site, for the person who is signed in | the session's own access token |
//! | [`management`] | the site's server, for anybody's account | the id and secret of a machine app |
//! | [`webhook`] | Logto or the companion | a signature over the body |
//!
//! The shapes are those of Logto 1.42. Errors carry Logto's own codes, as [`ApiCode`](crate::ApiCode).

pub mod account;
mod browser_session;
mod call;
mod code;
mod links;
pub mod management;
mod password;
mod user;
pub mod webhook;

pub use self::browser_session::{BrowserSession, Grant, RevokeGrants};
pub use self::code::{CodeRefusal, Recipient};
pub use self::password::{Password, PasswordIssue};
pub use self::user::User;
