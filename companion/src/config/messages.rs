//! `[email]`: who carries e-mail, and what `[email]` and `[sms]` must both keep.
//!
//! A connector is valid when its section is complete and well formed; that is known without network, and it
//! decides whether "Forgot password?" shows. An incomplete one is no error: the log says what is missing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Problems;
use super::app::Secret;
use super::duration::Span;
use super::http_message::HttpEmailSettings;
use super::server::{ServerConfig, is_loopback};
use super::sms::NotValid;
pub use super::sms::{SmsConfig, SmsConnectorConfig, SmsConnectorKind};

/// `[email]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmailConfig {
    pub connector: Option<EmailConnectorKind>,
    /// The sender, such as `Larkspur Books <hello@larkspur.example>`.
    pub from: Option<MailboxText>,
    pub reply_to: Option<MailboxText>,
    pub host: Option<String>,
    /// By default 465 for `tls`, 587 for `starttls`, 25 for `none`.
    pub port: Option<u16>,
    pub security: SmtpSecurity,
    /// Further certificate authorities in PEM, for a mail server with a certificate of the house.
    pub ca_file: Option<PathBuf>,
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// HTTP: where mails go.
    pub url: Option<Url>,
    pub headers: BTreeMap<String, Secret>,
    pub signing_key: Option<Secret>,
    pub signature_header: String,
    /// For one conversation with the mail server, or one call of the endpoint.
    pub timeout: Span,
}

impl Default for EmailConfig {
    fn default() -> Self {
        Self {
            connector: None,
            from: None,
            reply_to: None,
            host: None,
            port: None,
            security: SmtpSecurity::Tls,
            ca_file: None,
            username: None,
            password: None,
            url: None,
            headers: BTreeMap::new(),
            signing_key: None,
            signature_header: "keyback-signature".to_owned(),
            timeout: Span::seconds(30),
        }
    }
}

/// Who carries e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EmailConnectorKind {
    /// A mail server.
    Smtp,
    /// An endpoint that takes the payload of Logto's HTTP e-mail connector.
    Http,
    /// The development inbox at `/dev/inbox`: loopback only.
    Inbox,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpSecurity {
    /// TLS from the first byte (RFC 8314).
    #[default]
    Tls,
    /// Plain first, then upgraded; refused if the server can't (RFC 3207).
    Starttls,
    /// Not at all: for a mail server on this machine.
    None,
}

/// A sender's name and address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxText(pub Mailbox);

impl<'de> Deserialize<'de> for MailboxText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|error| {
            serde::de::Error::custom(format!(
                "{text:?} is not a sender such as \"Name <me@example.com>\": {error}"
            ))
        })
    }
}

/// The settings of a valid mail server connector.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    pub from: Mailbox,
    pub reply_to: Option<Mailbox>,
    pub host: String,
    pub port: u16,
    pub security: SmtpSecurity,
    pub ca_file: Option<PathBuf>,
    pub credentials: Option<(String, Secret)>,
    pub timeout: std::time::Duration,
}

/// What the `[email]` section amounts to.
#[derive(Clone, Debug)]
pub enum EmailConnectorConfig {
    Smtp(Box<SmtpSettings>),
    Http(Box<HttpEmailSettings>),
    Inbox,
    /// Not valid; says what is missing.
    Missing(String),
}

impl EmailConfig {
    /// The connector, or why there is none.
    pub fn connector(&self) -> EmailConnectorConfig {
        match self.connector {
            None => EmailConnectorConfig::Missing(
                "no e-mail connector is set; write [email] connector = \"smtp\" with host and from"
                    .to_owned(),
            ),
            Some(EmailConnectorKind::Http) => match HttpEmailSettings::of(self) {
                Ok(settings) => EmailConnectorConfig::Http(Box::new(settings)),
                Err(reason) => EmailConnectorConfig::Missing(reason.told("[email]", "http")),
            },
            Some(EmailConnectorKind::Inbox) => EmailConnectorConfig::Inbox,
            Some(EmailConnectorKind::Smtp) => self.smtp(),
        }
    }

    fn smtp(&self) -> EmailConnectorConfig {
        let missing = |what: &str| {
            EmailConnectorConfig::Missing(format!(
                "the smtp connector is not complete: [email] {what} is missing"
            ))
        };
        let Some(host) = self.host.clone().filter(|host| !host.trim().is_empty()) else {
            return missing("host");
        };
        let Some(MailboxText(from)) = self.from.clone() else {
            return missing("from");
        };
        let credentials = match (self.username.clone(), self.password.clone()) {
            (None, None) => None,
            (Some(username), Some(password)) => Some((username, password)),
            (Some(_), None) => return missing("password (or password_file), since there is a username,"),
            (None, Some(_)) => return missing("username, since there is a password,"),
        };
        let default_port = match self.security {
            SmtpSecurity::Tls => 465,
            SmtpSecurity::Starttls => 587,
            SmtpSecurity::None => 25,
        };
        EmailConnectorConfig::Smtp(Box::new(SmtpSettings {
            from,
            reply_to: self.reply_to.clone().map(|reply_to| reply_to.0),
            host,
            port: self.port.unwrap_or(default_port),
            security: self.security,
            ca_file: self.ca_file.clone(),
            credentials,
            timeout: self.timeout.into(),
        }))
    }
}

pub(super) fn check(email: &EmailConfig, sms: &SmsConfig, server: &ServerConfig, problems: &mut Problems) {
    let on_loopback = server.listen.ip().is_loopback() && server.public_url.as_ref().is_some_and(is_loopback);
    let refused = "\"inbox\" shows every message to anybody; it is allowed only where both [server] listen and \
                   public_url are loopback";
    if email.connector == Some(EmailConnectorKind::Inbox) && !on_loopback {
        problems.add("[email] connector", refused);
    }
    if sms.connector == Some(SmsConnectorKind::Inbox) && !on_loopback {
        problems.add("[sms] connector", refused);
    }
    if !(Span::seconds(1)..=Span::seconds(60)).contains(&email.timeout) {
        problems.add("[email] timeout", "must be 1s to 60s");
    }
    if email.connector == Some(EmailConnectorKind::Http)
        && let Err(NotValid::Malformed(key, why)) = HttpEmailSettings::of(email)
    {
        problems.add(format!("[email] {key}"), why);
    }
    sms.check(problems);
    if email.credentials_in_clear() {
        problems.add(
            "[email] security",
            "\"none\" would send the password in clear to another machine; use \"tls\" or \"starttls\"",
        );
    }
}

impl EmailConfig {
    fn credentials_in_clear(&self) -> bool {
        let local = self.host.as_deref().is_some_and(|host| {
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        });
        self.security == SmtpSecurity::None && self.password.is_some() && !local
    }
}
