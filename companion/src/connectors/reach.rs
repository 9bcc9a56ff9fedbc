//! Whether the servers behind the connectors answer: for the log, `/readyz` and `check-config`. It never changes a page.

use super::{Connectors, DeliveryError, EmailConnector, SmsConnector};

/// What carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    Email,
    Sms,
}

impl Channel {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }
}

impl Connectors {
    /// The channels with a server elsewhere, and what it is, in words.
    pub fn remote(&self) -> Vec<(Channel, String)> {
        let email = match &self.email {
            Some(EmailConnector::Smtp(smtp)) => Some(smtp.describe()),
            Some(EmailConnector::Http(endpoint)) => Some(endpoint.describe()),
            Some(EmailConnector::Inbox(_)) | None => None,
        };
        let sms = match &self.sms {
            Some(SmsConnector::Twilio(twilio)) => Some(twilio.describe()),
            Some(SmsConnector::Http(endpoint)) => Some(endpoint.describe()),
            Some(SmsConnector::Inbox(_)) | None => None,
        };
        let email = email.map(|what| (Channel::Email, what));
        email
            .into_iter()
            .chain(sms.map(|what| (Channel::Sms, what)))
            .collect()
    }

    /// Asks the server of a channel for a sign of life. Nothing is sent to anybody.
    ///
    /// # Errors
    ///
    /// Where it doesn't answer, or says that it wouldn't take a message.
    pub async fn probe(&self, channel: Channel) -> Result<(), DeliveryError> {
        match channel {
            Channel::Email => match &self.email {
                Some(EmailConnector::Smtp(smtp)) => smtp.probe().await,
                Some(EmailConnector::Http(endpoint)) => endpoint.probe().await,
                Some(EmailConnector::Inbox(_)) | None => Ok(()),
            },
            Channel::Sms => match &self.sms {
                Some(SmsConnector::Twilio(twilio)) => twilio.probe().await,
                Some(SmsConnector::Http(endpoint)) => endpoint.probe().await,
                Some(SmsConnector::Inbox(_)) | None => Ok(()),
            },
        }
    }
}
