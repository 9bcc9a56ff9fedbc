//! One mail in a conversation with the mail server, and whose fault it is when it isn't taken: of the recipient alone nobody
//! can mend it (SR-59).

use std::time::Duration;

use lettre::Message as Mail;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail as From, Rcpt};
use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter};

use crate::connectors::DeliveryError;

/// What the server was told when it said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Who sends: the same for all mails.
    Sender,
    /// Whom it is for.
    Recipient,
    /// The mail itself.
    Content,
}

/// How long the server has for its goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// An enhanced status code (RFC 3463): class, subject and detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Enhanced(u8, u16, u16);

/// Hands a mail over (RFC 5321 section 3.3). A conversation in which it isn't taken is over: [`leave`] it.
pub(super) async fn send(connection: &mut AsyncSmtpConnection, mail: &Mail) -> Result<(), (Told, Error)> {
    let text = mail.formatted();
    // Only a sender that is written so brings such text along; a server that can't take it refuses it.
    let parameters = if text.is_ascii() {
        Vec::new()
    } else {
        vec![
            MailParameter::SmtpUtfEight,
            MailParameter::Body(MailBodyParameter::EightBitMime),
        ]
    };
    let envelope = mail.envelope();
    let from = From::new(envelope.from().cloned(), parameters);
    let said = connection.command(from).await;
    said.map_err(|error| (Told::Sender, error))?;
    for to in envelope.to() {
        let said = connection.command(Rcpt::new(to.clone(), Vec::new())).await;
        said.map_err(|error| (Told::Recipient, error))?;
    }
    let said = connection.command(Data).await;
    said.map_err(|error| (Told::Content, error))?;
    let said = connection.message(&text).await;
    said.map_err(|error| (Told::Content, error))?;
    Ok(())
}

/// Says goodbye (RFC 5321 section 4.1.1.10). What the server said of the mail stands, whether or not it answers this.
pub(super) async fn leave(mut connection: AsyncSmtpConnection) {
    tokio::time::timeout(GOODBYE, connection.abort()).await.ok();
}

/// What it means that a server which has let us in doesn't take a mail.
pub(super) fn not_taken(told: Told, error: &Error) -> DeliveryError {
    let why = describe(error);
    match error.status().map(u16::from) {
        // It wants another login, or one at all (RFC 4954 section 6): nobody's mail is taken.
        Some(code) if is_about_the_login(code) => DeliveryError::down(why),
        Some(_) if error.is_permanent() => match told {
            Told::Sender => DeliveryError::down(format!(
                "{why} to our sender: compare [email] from with what the mail account may send as"
            )),
            Told::Recipient if Enhanced::of(error).is_none_or(Enhanced::is_about_the_recipient) => {
                DeliveryError::Permanent(format!("{why} to the recipient"))
            }
            // Relaying, policies and filters: the operator's to mend, perhaps for this one recipient.
            Told::Recipient => DeliveryError::stuck(format!("{why} to a mail for this recipient")),
            Told::Content => DeliveryError::stuck(format!("{why} to the mail itself")),
        },
        // The server goes away (RFC 5321 section 4.2.3), perhaps at this one recipient.
        Some(421) => DeliveryError::stuck(why),
        // As greylisting, and one full mailbox.
        Some(_) => DeliveryError::Transient(why),
        // An address that the server has no way to write down.
        None if error.is_client() => DeliveryError::Transient(why),
        // The connection broke, at this one recipient or for all.
        None => DeliveryError::stuck(why),
    }
}

/// What the operator is told. The words of the mail server name the recipient, so its codes alone are (SR-31).
pub(super) fn describe(error: &Error) -> String {
    let Some(code) = error.status() else {
        // What it said stands in the error.
        return if error.is_response() {
            "the mail server's answer is not SMTP, or not whole".to_owned()
        } else {
            error.to_string()
        };
    };
    if is_about_the_login(code.into()) {
        return format!(
            "the mail server answered {code}: compare [email] username and password with the mail account's"
        );
    }
    match Enhanced::of(error) {
        Some(Enhanced(class, subject, detail)) => {
            format!("the mail server answered {code} {class}.{subject}.{detail}")
        }
        None => format!("the mail server answered {code}"),
    }
}

fn is_about_the_login(code: u16) -> bool {
    matches!(code, 530 | 534 | 535 | 538)
}

impl Enhanced {
    /// The first word of what the server said, where it is one (RFC 2034 section 4).
    fn of(error: &Error) -> Option<Self> {
        let said = std::error::Error::source(error)?.to_string();
        let mut numbers = said.split_whitespace().next()?.splitn(3, '.');
        Some(Self(
            numbers.next()?.parse().ok()?,
            numbers.next()?.parse().ok()?,
            numbers.next()?.parse().ok()?,
        ))
    }

    /// Servers say what they think of the sender when they are told the recipient, so this alone tells the two apart (RFC 3463
    /// section 3): addresses, but for the sender's; mailboxes; and the way to them.
    fn is_about_the_recipient(self) -> bool {
        let Self(_, subject, detail) = self;
        match subject {
            1 => !matches!(detail, 7 | 8),
            2 | 4 => true,
            _ => false,
        }
    }
}
