//! Mails and text messages: words in templates that an operator may replace, rules that nobody may.
//!
//! Whatever the template, what comes out holds: a subject is one line (SR-12), values carry no control or direction
//! characters and are escaped in HTML (SR-70), a text message ends in `@host #code` (SR-33).

mod plain;

#[cfg(test)]
mod tests;

use std::fmt;

use keyback_core::time::Timestamp;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use zeroize::Zeroizing;

use crate::time_text;
use crate::views::color::Color;
use crate::views::theme::{self, Tokens};
use plain::{one_line, plain};

/// A message, ready for a connector.
pub struct Message {
    /// One line. Empty for a text message.
    pub subject: String,
    pub text: Zeroizing<String>,
    /// None for a text message.
    pub html: Option<Zeroizing<String>>,
}

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

/// A template could not be read or rendered: the operator's, since ours are tested.
#[derive(Debug, thiserror::Error)]
#[error("message template {template} cannot be used")]
pub struct MessageError {
    template: &'static str,
    #[source]
    source: minijinja::Error,
}

/// The templates of all messages.
#[derive(Debug)]
pub struct Messages {
    templates: Environment<'static>,
}

const RESET_CODE: MailTemplates = MailTemplates {
    subject: "reset_code.subject.txt",
    text: "reset_code.txt",
    html: "reset_code.html",
};
const RESET_CODE_SMS: &str = "reset_code.sms.txt";
const CONFIRM_CODE: MailTemplates = MailTemplates {
    subject: "confirm_code.subject.txt",
    text: "confirm_code.txt",
    html: "confirm_code.html",
};
const CONFIRM_CODE_SMS: &str = "confirm_code.sms.txt";
const PASSWORD_CHANGED: MailTemplates = MailTemplates {
    subject: "password_changed.subject.txt",
    text: "password_changed.txt",
    html: "password_changed.html",
};
const PASSWORD_CHANGED_SMS: &str = "password_changed.sms.txt";
const ADDRESS_CHANGED: MailTemplates = MailTemplates {
    subject: "address_changed.subject.txt",
    text: "address_changed.txt",
    html: "address_changed.html",
};
const ADDRESS_CHANGED_SMS: &str = "address_changed.sms.txt";

const BUILT_IN: &[(&str, &str)] = &[
    ("_mail.html", include_str!("../../templates/messages/_mail.html")),
    (
        RESET_CODE.subject,
        include_str!("../../templates/messages/reset_code.subject.txt"),
    ),
    (
        RESET_CODE.text,
        include_str!("../../templates/messages/reset_code.txt"),
    ),
    (
        RESET_CODE.html,
        include_str!("../../templates/messages/reset_code.html"),
    ),
    (
        RESET_CODE_SMS,
        include_str!("../../templates/messages/reset_code.sms.txt"),
    ),
    (
        CONFIRM_CODE.subject,
        include_str!("../../templates/messages/confirm_code.subject.txt"),
    ),
    (
        CONFIRM_CODE.text,
        include_str!("../../templates/messages/confirm_code.txt"),
    ),
    (
        CONFIRM_CODE.html,
        include_str!("../../templates/messages/confirm_code.html"),
    ),
    (
        CONFIRM_CODE_SMS,
        include_str!("../../templates/messages/confirm_code.sms.txt"),
    ),
    (
        PASSWORD_CHANGED.subject,
        include_str!("../../templates/messages/password_changed.subject.txt"),
    ),
    (
        PASSWORD_CHANGED.text,
        include_str!("../../templates/messages/password_changed.txt"),
    ),
    (
        PASSWORD_CHANGED.html,
        include_str!("../../templates/messages/password_changed.html"),
    ),
    (
        PASSWORD_CHANGED_SMS,
        include_str!("../../templates/messages/password_changed.sms.txt"),
    ),
    (
        ADDRESS_CHANGED.subject,
        include_str!("../../templates/messages/address_changed.subject.txt"),
    ),
    (
        ADDRESS_CHANGED.text,
        include_str!("../../templates/messages/address_changed.txt"),
    ),
    (
        ADDRESS_CHANGED.html,
        include_str!("../../templates/messages/address_changed.html"),
    ),
    (
        ADDRESS_CHANGED_SMS,
        include_str!("../../templates/messages/address_changed.sms.txt"),
    ),
];

struct MailTemplates {
    subject: &'static str,
    text: &'static str,
    html: &'static str,
}

impl Messages {
    /// The templates that come with Keyback.
    pub fn built_in() -> Result<Self, MessageError> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        // Escaping follows the name of the template, not what an operator writes into it.
        templates.set_auto_escape_callback(|name| {
            if name.ends_with(".html") {
                AutoEscape::Html
            } else {
                AutoEscape::None
            }
        });
        for &(name, source) in BUILT_IN {
            templates
                .add_template(name, source)
                .map_err(|source| MessageError {
                    template: name,
                    source,
                })?;
        }
        Ok(Self { templates })
    }

    /// The mail with a reset code. The code is not in the subject, which lock screens show.
    pub fn render_reset_code(&self, message: &CodeMessage<'_>) -> Result<Message, MessageError> {
        self.mail(&RESET_CODE, message.values())
    }

    /// The text message with a reset code. Its last line is ours: by it the phone offers the code to this host alone.
    pub fn render_reset_code_sms(&self, message: &CodeMessage<'_>) -> Result<Message, MessageError> {
        let mut text = self.render(RESET_CODE_SMS, message.values())?;
        let end = text.trim_end().len();
        text.truncate(end);
        let (host, code) = (plain(message.host), plain(message.code));
        text.push_str(&format!("\n\n@{host} #{code}"));
        Ok(Message {
            subject: String::new(),
            text,
            html: None,
        })
    }

    /// The mail with a code for a page of an app's.
    pub fn render_confirm_code(&self, message: &CodeMessage<'_>) -> Result<Message, MessageError> {
        self.mail(&CONFIRM_CODE, message.values())
    }

    /// The text message with a code for a page of an app's: bound to no host, since which page it is only the app knows.
    pub fn render_confirm_code_sms(&self, message: &CodeMessage<'_>) -> Result<Message, MessageError> {
        let text = self.render(CONFIRM_CODE_SMS, message.values())?;
        Ok(Message {
            subject: String::new(),
            text: Zeroizing::new(text.trim_end().to_owned()),
            html: None,
        })
    }

    /// The notice that a password was changed.
    pub fn render_password_changed(
        &self,
        message: &PasswordChangedMessage<'_>,
    ) -> Result<Message, MessageError> {
        self.mail(&PASSWORD_CHANGED, message.values())
    }

    pub fn render_password_changed_sms(
        &self,
        message: &PasswordChangedMessage<'_>,
    ) -> Result<Message, MessageError> {
        self.notice_sms(PASSWORD_CHANGED_SMS, message.values())
    }

    /// The notice that an address was changed or removed.
    pub fn render_address_changed(
        &self,
        message: &AddressChangedMessage<'_>,
    ) -> Result<Message, MessageError> {
        self.mail(&ADDRESS_CHANGED, message.values())
    }

    pub fn render_address_changed_sms(
        &self,
        message: &AddressChangedMessage<'_>,
    ) -> Result<Message, MessageError> {
        self.notice_sms(ADDRESS_CHANGED_SMS, message.values())
    }

    fn notice_sms(&self, template: &'static str, values: minijinja::Value) -> Result<Message, MessageError> {
        let text = self.render(template, values)?;
        Ok(Message {
            subject: String::new(),
            text: Zeroizing::new(text.trim_end().to_owned()),
            html: None,
        })
    }

    fn mail(&self, names: &MailTemplates, values: minijinja::Value) -> Result<Message, MessageError> {
        let subject = self.render(names.subject, values.clone())?;
        let text = self.render(names.text, values.clone())?;
        let html = self.render(names.html, values)?;
        Ok(Message {
            subject: one_line(&subject),
            text,
            html: Some(html),
        })
    }

    fn render(
        &self,
        template: &'static str,
        values: minijinja::Value,
    ) -> Result<Zeroizing<String>, MessageError> {
        let failed = |source| MessageError { template, source };
        let found = self.templates.get_template(template).map_err(failed)?;
        found.render(values).map(Zeroizing::new).map_err(failed)
    }
}

impl CodeMessage<'_> {
    fn values(&self) -> minijinja::Value {
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
    fn values(&self) -> minijinja::Value {
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
    fn values(&self) -> minijinja::Value {
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

/// Shows neither text nor HTML: both may hold a code.
impl fmt::Debug for Message {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Message")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
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
