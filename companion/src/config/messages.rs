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
use super::connector::{Fault, Faults};
use super::duration::Span;
use super::http_message::HttpEmailSettings;
use super::server::{ServerConfig, is_loopback};
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
        match self.settings() {
            None => EmailConnectorConfig::Missing(
                "no e-mail connector is set; write [email] connector = \"smtp\" with host and from"
                    .to_owned(),
            ),
            Some(Ok(settings)) => settings,
            Some(Err((name, faults))) => EmailConnectorConfig::Missing(faults.line("email", name)),
        }
    }

    /// What the connector that is set lacks, but for keys that are there and can't be read.
    pub(super) fn lacking(&self, is_read: impl Fn(&str) -> bool) -> Option<String> {
        let (name, faults) = self.settings()?.err()?;
        faults.lacking("email", name, is_read)
    }

    /// What the connector that is set needs, or its name and all that is wrong with it.
    fn settings(&self) -> Option<Result<EmailConnectorConfig, (&'static str, Faults)>> {
        let settings = match self.connector? {
            EmailConnectorKind::Inbox => Ok(EmailConnectorConfig::Inbox),
            EmailConnectorKind::Smtp => SmtpSettings::of(self)
                .map(|settings| EmailConnectorConfig::Smtp(Box::new(settings)))
                .map_err(|faults| ("smtp", faults)),
            EmailConnectorKind::Http => HttpEmailSettings::of(self)
                .map(|settings| EmailConnectorConfig::Http(Box::new(settings)))
                .map_err(|faults| ("http", faults)),
        };
        Some(settings)
    }
}

impl SmtpSettings {
    fn of(section: &EmailConfig) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let host = section.host.clone().filter(|host| !host.trim().is_empty());
        let host = faults.note(host.ok_or(Fault::Missing("host")));
        let from = faults.note(section.from.clone().ok_or(Fault::Missing("from")));
        let credentials = match (section.username.clone(), section.password.clone()) {
            (None, None) => Ok(None),
            (Some(username), Some(password)) => Ok(Some((username, password))),
            (Some(_), None) => Err(Fault::Missing(
                "password (or password_file), since there is a username,",
            )),
            (None, Some(_)) => Err(Fault::Missing("username, since there is a password,")),
        };
        let credentials = faults.note(credentials);
        let default_port = match section.security {
            SmtpSecurity::Tls => 465,
            SmtpSecurity::Starttls => 587,
            SmtpSecurity::None => 25,
        };
        match (host, from, credentials) {
            (Some(host), Some(MailboxText(from)), Some(credentials)) => Ok(Self {
                from,
                reply_to: section.reply_to.clone().map(|reply_to| reply_to.0),
                host,
                port: section.port.unwrap_or(default_port),
                security: section.security,
                ca_file: section.ca_file.clone(),
                credentials,
                timeout: section.timeout.into(),
            }),
            _ => Err(faults),
        }
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
    if let Some(Err((_, faults))) = email.settings() {
        faults.tell("email", problems);
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
