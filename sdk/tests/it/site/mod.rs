//! A web site that people sign in to: routes, cookies, and what other sites can't do.

mod browser;
mod ends;
mod guards;
#[cfg(feature = "axum")]
mod on_axum;
mod posted;
mod sign_in;

pub(crate) use self::browser::{Browser, site};
