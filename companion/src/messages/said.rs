//! What each message has to say, as values of its template.

use std::fmt;

use keyback_core::time::Timestamp;
use minijinja::context;

use super::plain::plain;
use crate::time_text;
use crate::views::color::Color;
use crate::views::theme::{self, Tokens};

/// What a message with a one-time code says.
#[derive(Clone, Copy)]
pub struct CodeMessage<'a> {
    pub app_name: &'a str,
    pub code: &'a str,
    pub expires_in_minutes: u32,
    /// A page whose button goes on where it was asked for, and elsewhere shows the code (SR-30). For a mail alone.
    ///
    /// It holds a secret.
    pub link_url: Option<&'a str>,
    /// The host of the public URL, to which the code of a text message is bound (WICG origin-bound one-time codes).
    pub host: &'a str,
    /// The brand, for the HTML.
    pub color: Color,
}

/// What the notice after a change says.
#[derive(Clone, Copy)]
pub struct PasswordChangedMessage<'a> {
    pub app_name: &'a str,
    pub at: Timestamp,
    pub way: Way,
    /// Sessions that were ended by it.
    pub sessions_ended: u32,
    /// `{public_url}/reset-password`, for notices without a link.
    pub reset_url: &'a str,
    /// Where the owner contests the change: a page that asks, no link that acts (SR-59). It holds a secret. Notices from
    /// before there were links have none.
    pub not_me_url: Option<&'a str>,
    pub color: Color,
}

/// What the notice says after an address was changed or removed.
#[derive(Clone, Copy)]
pub struct AddressChangedMessage<'a> {
    pub app_name: &'a str,
    pub at: Timestamp,
    pub what: ChangedAddresses,
    /// As in [`PasswordChangedMessage`]; none for an address that is trusted no more.
    pub not_me_url: Option<&'a str>,
    pub color: Color,
}

/// Which of an account's addresses have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangedAddresses {
    Email,
    Phone,
    Both,
}

impl ChangedAddresses {
    fn words(self) -> &'static str {
        match self {
            Self::Email => "e-mail address",
            Self::Phone => "phone number",
            Self::Both => "e-mail address and phone number",
        }
    }
}

/// How the password was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Reset,
    /// On the account page, with the current password.
    Change,
}

impl CodeMessage<'_> {
    pub(super) fn values(&self) -> minijinja::Value {
        context! {
            app_name => plain(self.app_name),
            code => plain(self.code),
            expires_in_minutes => self.expires_in_minutes,
            link_url => self.link_url.map(plain),
            host => plain(self.host),
            ..look(self.app_name, self.color),
        }
    }
}

impl PasswordChangedMessage<'_> {
    pub(super) fn values(&self) -> minijinja::Value {
        context! {
            app_name => plain(self.app_name),
            at => time_text::exact(self.at),
            was_reset => self.way == Way::Reset,
            sessions_ended => self.sessions_ended,
            reset_url => plain(self.reset_url),
            not_me_url => self.not_me_url.map(plain),
            ..look(self.app_name, self.color),
        }
    }
}

impl AddressChangedMessage<'_> {
    pub(super) fn values(&self) -> minijinja::Value {
        context! {
            app_name => plain(self.app_name),
            at => time_text::exact(self.at),
            what => self.what.words(),
            not_me_url => self.not_me_url.map(plain),
            ..look(self.app_name, self.color),
        }
    }
}

/// The brand as the HTML mails use it: as it is for the mark, readable for the links of both schemes.
fn look(app_name: &str, brand: Color) -> minijinja::Value {
    let (light, dark) = (Tokens::light(brand), Tokens::dark(brand));
    context! {
        initial => theme::initial(app_name),
        brand => brand.to_string(),
        brand_ink => light.brand_ink.to_string(),
        link => light.link.to_string(),
        tint => light.tint.to_string(),
        dark_link => dark.link.to_string(),
        dark_tint => dark.tint.to_string(),
    }
}

impl fmt::Debug for CodeMessage<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CodeMessage")
            .field("app_name", &self.app_name)
            .field("code", &"[redacted]")
            .field("expires_in_minutes", &self.expires_in_minutes)
            .finish_non_exhaustive()
    }
}
