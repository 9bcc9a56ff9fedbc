//! The channels that carry messages. A closed choice, so an enum.

pub mod breached;
pub mod inbox;
pub mod smtp;

use keyback_core::identifier::Identifier;

pub use inbox::Inbox;
pub use smtp::SmtpConnector;

use crate::config::Config;
use crate::config::messages::{EmailConnectorConfig, SmsConnectorKind};
use crate::messages::Message;

/// Carries e-mail.
#[derive(Clone, Debug)]
pub enum EmailConnector {
    Smtp(SmtpConnector),
    Inbox(Inbox),
}

/// Carries SMS.
#[derive(Clone, Debug)]
pub enum SmsConnector {
    Inbox(Inbox),
}

/// The valid connectors.
#[derive(Clone, Debug, Default)]
pub struct Connectors {
    pub email: Option<EmailConnector>,
    pub sms: Option<SmsConnector>,
}

/// What kind of message it is, for the operator and the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    ResetCode,
    PasswordChanged,
}

impl MessageKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResetCode => "reset-code",
            Self::PasswordChanged => "password-changed",
        }
    }
}

/// A message on its way.
#[derive(Debug)]
pub struct Outgoing<'a> {
    pub to: &'a Identifier,
    pub kind: MessageKind,
    pub message: &'a Message,
    /// The code, for the development inbox alone.
    pub code: Option<&'a str>,
    /// One id for all tries of one message: a mail server can tell a repeat (RFC 5322 3.6.4).
    pub id: &'a str,
}

/// Why a message could not be handed over. Told to the operator, never to the visitor.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// Another try may do.
    #[error("{0}")]
    Transient(String),
    /// No try will do: the address or the message is refused.
    #[error("{0}")]
    Permanent(String),
}

/// Why "Forgot password?" shows or not: a line for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Availability {
    pub email: Result<(), String>,
    pub sms: Result<(), String>,
}

impl Connectors {
    /// Builds the connectors whose configuration is valid, and says what is missing of the others.
    pub fn from_config(config: &Config, inbox: &Inbox) -> (Self, Availability) {
        let (email, email_state) = match config.email.connector() {
            EmailConnectorConfig::Inbox => (Some(EmailConnector::Inbox(inbox.clone())), Ok(())),
            EmailConnectorConfig::Missing(why) => (None, Err(why)),
            EmailConnectorConfig::Smtp(settings) => match SmtpConnector::new(&settings) {
                Ok(connector) => (Some(EmailConnector::Smtp(connector)), Ok(())),
                Err(error) => (None, Err(error.to_string())),
            },
        };
        let (sms, sms_state) = match config.sms.connector {
            Some(SmsConnectorKind::Inbox) => (Some(SmsConnector::Inbox(inbox.clone())), Ok(())),
            None => (None, Err("no SMS connector is set".to_owned())),
        };
        (Self { email, sms }, Availability { email: email_state, sms: sms_state })
    }

    /// Whether a reset can be offered: some connector is valid.
    pub fn any(&self) -> bool {
        self.email.is_some() || self.sms.is_some()
    }

    /// Whether some messages go to the development inbox.
    pub fn uses_inbox(&self) -> bool {
        matches!(self.email, Some(EmailConnector::Inbox(_))) || self.sms.is_some()
    }

    /// Whether there is a channel to this kind of address.
    pub fn reaches(&self, identifier: &Identifier) -> bool {
        match identifier {
            Identifier::Email(_) => self.email.is_some(),
            Identifier::Phone(_) => self.sms.is_some(),
        }
    }

    /// Hands a message over.
    pub async fn deliver(&self, outgoing: &Outgoing<'_>) -> Result<(), DeliveryError> {
        let no_channel = || DeliveryError::Permanent("there is no connector for this address".to_owned());
        match outgoing.to {
            Identifier::Email(_) => match self.email.as_ref().ok_or_else(no_channel)? {
                EmailConnector::Smtp(smtp) => smtp.deliver(outgoing).await,
                EmailConnector::Inbox(inbox) => {
                    inbox.put("email", outgoing);
                    Ok(())
                }
            },
            Identifier::Phone(_) => match self.sms.as_ref().ok_or_else(no_channel)? {
                SmsConnector::Inbox(inbox) => {
                    inbox.put("sms", outgoing);
                    Ok(())
                }
            },
        }
    }
}
