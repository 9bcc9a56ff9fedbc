//! The channels that carry messages. A closed choice, so an enum.

pub mod body_template;
pub mod breached;
pub mod http_email;
pub mod http_sms;
pub mod inbox;
pub(crate) mod provider;
pub mod reach;
pub mod smtp;
mod smtp_connections;
mod smtp_conversation;
mod smtp_stream;
pub mod twilio;

use std::sync::Arc;
use std::time::Duration;

use keyback_core::identifier::Identifier;
use keyback_core::reset::Channels;
use keyback_core::time::Timestamp;

pub use http_email::HttpEmailConnector;
pub use http_sms::HttpSmsConnector;
pub use inbox::Inbox;
pub use reach::Channel;
pub use smtp::SmtpConnector;
pub use twilio::TwilioConnector;

use crate::breakers::{Paused, TellsOfPeer};
use crate::config::Config;
use crate::config::messages::{EmailConnectorConfig, SmsConnectorConfig};
use crate::messages::Message;
use crate::outgoing::OutgoingHttp;

/// Carries e-mail.
#[derive(Clone, Debug)]
pub enum EmailConnector {
    Smtp(SmtpConnector),
    Http(HttpEmailConnector),
    Inbox(Inbox),
}

/// Carries SMS.
#[derive(Clone, Debug)]
pub enum SmsConnector {
    Twilio(TwilioConnector),
    Http(HttpSmsConnector),
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
    /// To prove again who one is.
    ConfirmCode,
    /// For a page of an app's own.
    AppCode,
    PasswordChanged,
    AddressChanged,
}

impl MessageKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResetCode => "reset-code",
            Self::ConfirmCode => "confirm-code",
            Self::AppCode => "app-code",
            Self::PasswordChanged => "password-changed",
            Self::AddressChanged => "address-changed",
        }
    }

    /// The `type` of Logto's connectors, and for what Logto doesn't send a name in its manner.
    pub fn logtos_type(self) -> &'static str {
        match self {
            Self::ResetCode => "ForgotPassword",
            Self::ConfirmCode => "UserPermissionValidation",
            Self::AppCode => "Generic",
            Self::PasswordChanged => "PasswordChanged",
            Self::AddressChanged => "AddressChanged",
        }
    }
}

/// A message on its way.
#[derive(Debug)]
pub struct Outgoing<'a> {
    pub to: &'a Identifier,
    pub kind: MessageKind,
    pub message: &'a Message,
    /// The name that the message speaks for.
    pub app_name: &'a str,
    /// The code, for the development inbox, and for providers that write the message themselves.
    pub code: Option<&'a str>,
    /// One id for all tries of one message: who takes it can tell a repeat (RFC 5322 3.6.4, SR-34).
    pub id: &'a str,
    /// When this try is made.
    pub now: Timestamp,
    /// After this it is of no use to anybody.
    pub expires_at: Timestamp,
}

/// Why a message could not be handed over. Told to the operator, never to the visitor.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// Another try may do.
    #[error("{0}")]
    Transient(String),
    /// Another try may do, and the provider says when.
    #[error("{why}{}", asked_to_wait(Some(.after)))]
    Later { why: String, after: Duration },
    /// Whoever should take it can take nothing from anybody now, and may say until when.
    #[error("{why}{}", asked_to_wait(.after.as_ref()))]
    Down { why: String, after: Option<Duration> },
    /// Whoever should take it can take nothing, or can't take this one alone, which does not show.
    #[error("{why}{}", asked_to_wait(.after.as_ref()))]
    Stuck { why: String, after: Option<Duration> },
    /// Nothing was tried: whoever should take it was down, and is left alone for a while.
    #[error(transparent)]
    Paused(#[from] Paused),
    /// No try will do: whom it is for is refused.
    #[error("{0}")]
    Permanent(String),
    /// Nothing was tried: it can't be written as whoever should take it wants it, until the operator has mended that.
    #[error("{0}")]
    Unwritable(String),
}

fn asked_to_wait(after: Option<&Duration>) -> String {
    after.map_or_else(String::new, |after| {
        format!("; it asks to come back in {} s", after.as_secs())
    })
}

impl DeliveryError {
    /// Whether another try may do.
    pub fn may_pass(&self) -> bool {
        !matches!(self, Self::Permanent(_))
    }

    /// Nobody can be served now, for this reason.
    pub fn down(why: impl Into<String>) -> Self {
        Self::Down {
            why: why.into(),
            after: None,
        }
    }

    /// This one can't be served now, and perhaps nobody, for this reason.
    pub fn stuck(why: impl Into<String>) -> Self {
        Self::Stuck {
            why: why.into(),
            after: None,
        }
    }
}

impl TellsOfPeer for DeliveryError {
    fn peer_is_down(&self) -> bool {
        matches!(self, Self::Down { .. } | Self::Stuck { .. })
    }

    fn may_be_about_the_call(&self) -> bool {
        matches!(self, Self::Stuck { .. })
    }

    fn asks_to_wait(&self) -> Option<Duration> {
        match self {
            Self::Later { after, .. } => Some(*after),
            Self::Down { after, .. } | Self::Stuck { after, .. } => *after,
            Self::Transient(_) | Self::Paused(_) | Self::Permanent(_) | Self::Unwritable(_) => None,
        }
    }

    fn says_nothing(&self) -> bool {
        matches!(self, Self::Unwritable(_))
    }
}

/// Why "Forgot password?" shows or not: a line for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Availability {
    pub email: Result<(), String>,
    pub sms: Result<(), String>,
}

impl Connectors {
    /// Builds the connectors whose configuration is valid, and says what is missing of the others.
    pub fn from_config(config: &Config, inbox: &Inbox, outgoing: &Arc<OutgoingHttp>) -> (Self, Availability) {
        let (email, email_state) = match config.email.connector() {
            EmailConnectorConfig::Inbox => (Some(EmailConnector::Inbox(inbox.clone())), Ok(())),
            EmailConnectorConfig::Missing(why) => (None, Err(why)),
            EmailConnectorConfig::Smtp(settings) => match SmtpConnector::new(&settings) {
                Ok(connector) => (Some(EmailConnector::Smtp(connector)), Ok(())),
                Err(error) => (None, Err(error.to_string())),
            },
            EmailConnectorConfig::Http(settings) => {
                let connector = HttpEmailConnector::new(settings, outgoing);
                (Some(EmailConnector::Http(connector)), Ok(()))
            }
        };
        let (sms, sms_state) = match config.sms.connector() {
            SmsConnectorConfig::Inbox => (Some(SmsConnector::Inbox(inbox.clone())), Ok(())),
            SmsConnectorConfig::Missing(why) => (None, Err(why)),
            SmsConnectorConfig::Twilio(settings) => {
                let connector = TwilioConnector::new(settings, outgoing);
                (Some(SmsConnector::Twilio(connector)), Ok(()))
            }
            SmsConnectorConfig::Http(settings) => {
                let connector = HttpSmsConnector::new(settings, outgoing);
                (Some(SmsConnector::Http(connector)), Ok(()))
            }
        };
        (
            Self { email, sms },
            Availability {
                email: email_state,
                sms: sms_state,
            },
        )
    }

    /// Whether a reset can be offered: some connector is valid.
    pub fn any(&self) -> bool {
        self.email.is_some() || self.sms.is_some()
    }

    /// Where messages can go.
    pub fn channels(&self) -> Channels {
        Channels {
            email: self.email.is_some(),
            phone: self.sms.is_some(),
        }
    }

    /// Whether some messages go to the development inbox.
    pub fn uses_inbox(&self) -> bool {
        matches!(self.email, Some(EmailConnector::Inbox(_)))
            || matches!(self.sms, Some(SmsConnector::Inbox(_)))
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
        let no_channel = || DeliveryError::Unwritable("there is no connector for this address".to_owned());
        match outgoing.to {
            Identifier::Email(_) => match self.email.as_ref().ok_or_else(no_channel)? {
                EmailConnector::Smtp(smtp) => smtp.deliver(outgoing).await,
                EmailConnector::Http(endpoint) => endpoint.deliver(outgoing).await,
                EmailConnector::Inbox(inbox) => {
                    inbox.put("email", outgoing);
                    Ok(())
                }
            },
            Identifier::Phone(_) => match self.sms.as_ref().ok_or_else(no_channel)? {
                SmsConnector::Twilio(twilio) => twilio.deliver(outgoing).await,
                SmsConnector::Http(endpoint) => endpoint.deliver(outgoing).await,
                SmsConnector::Inbox(inbox) => {
                    inbox.put("sms", outgoing);
                    Ok(())
                }
            },
        }
    }
}
