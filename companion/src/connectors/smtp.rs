//! E-mail over SMTP by lettre: TLS, STARTTLS or plain to this machine, with authentication, connections kept.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::{Address, Message as Mail};
use tokio::time::{Instant, timeout_at};

use super::smtp_connections::{Guard, MailServer, NoConnection, Turn};
use super::smtp_conversation::{describe, leave, not_taken, send};
use super::{DeliveryError, Outgoing};
use crate::config::messages::{SmtpSecurity, SmtpSettings};

/// Hands mail to a mail server.
#[derive(Clone, Debug)]
pub struct SmtpConnector {
    server: Arc<MailServer>,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    /// Of one whole conversation: a server that says nothing would hold its job, and with a few of those the outbox, for ever.
    timeout: Duration,
}

/// The settings make no transport.
#[derive(Debug, thiserror::Error)]
pub enum NotAConnector {
    /// The mail library refuses them.
    #[error("the smtp connector can't be built: {0}")]
    Settings(#[from] Error),
    /// The certificate authorities can't be read.
    #[error("[email] ca_file {}: {source}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl SmtpConnector {
    /// Connects to nothing yet.
    pub fn new(settings: &SmtpSettings) -> Result<Self, NotAConnector> {
        let guard = match settings.security {
            SmtpSecurity::Tls => Guard::Tls(tls_parameters(settings)?),
            SmtpSecurity::Starttls => Guard::Starttls(tls_parameters(settings)?),
            SmtpSecurity::None => Guard::None,
        };
        let credentials = settings.credentials.as_ref();
        let credentials = credentials
            .map(|(username, password)| Credentials::new(username.clone(), password.expose().to_owned()));
        let address = (settings.host.clone(), settings.port);
        let server = MailServer::new(address, guard, credentials, settings.timeout);
        Ok(Self {
            server: Arc::new(server),
            from: settings.from.clone(),
            reply_to: settings.reply_to.clone(),
            timeout: settings.timeout,
        })
    }

    pub(super) async fn deliver(&self, outgoing: &Outgoing<'_>) -> Result<(), DeliveryError> {
        let mail = self.compose(outgoing)?;
        let turn = self.server.turn().await;
        let until = Instant::now() + self.timeout;
        let mut connection = self.connect(&turn, until).await?;
        match timeout_at(until, send(&mut connection, &mail)).await {
            Ok(Ok(())) => {
                self.server.keep(connection);
                Ok(())
            }
            Ok(Err((told, error))) => {
                leave(connection).await;
                Err(not_taken(told, &error))
            }
            Err(_) => Err(DeliveryError::stuck(
                "the mail server took the connection, and did not take this mail in time",
            )),
        }
    }

    /// A connection that may send. Without one nobody is served, whatever the server says and whomever the mail is for: a wrong
    /// password of the mail account costs no notice (SR-59).
    async fn connect(&self, turn: &Turn<'_>, until: Instant) -> Result<AsyncSmtpConnection, DeliveryError> {
        match timeout_at(until, self.server.take(turn)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(NoConnection::Server(error))) => Err(DeliveryError::down(describe(&error))),
            Ok(Err(error)) => Err(DeliveryError::down(error.to_string())),
            Err(_) => Err(DeliveryError::down("the mail server did not answer in time")),
        }
    }

    /// What it is, for the operator.
    pub(super) fn describe(&self) -> String {
        let MailServer { host, port, .. } = self.server.as_ref();
        format!("the mail server {host}:{port}")
    }

    /// Whether the mail server answers, and takes our name and password.
    pub async fn probe(&self) -> Result<(), DeliveryError> {
        let turn = self.server.turn().await;
        let connection = self.connect(&turn, Instant::now() + self.timeout).await?;
        self.server.keep(connection);
        Ok(())
    }

    fn compose(&self, outgoing: &Outgoing<'_>) -> Result<Mail, DeliveryError> {
        let refused = |error: &dyn std::fmt::Display| DeliveryError::Unwritable(error.to_string());
        // The address is parsed again by the mail library: no text of ours becomes SMTP by itself (SR-12).
        let to: Address = outgoing.to.as_str().parse().map_err(|e| refused(&e))?;
        let host = self.from.email.domain();
        let mut builder = Mail::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .message_id(Some(format!("<{}@{host}>", outgoing.id)))
            .subject(outgoing.message.subject.clone())
            // Tells out-of-office programs to stay quiet (RFC 3834).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        let text = outgoing.message.text.to_string();
        match &outgoing.message.html {
            Some(html) => builder.multipart(MultiPart::alternative_plain_html(text, html.to_string())),
            None => builder.singlepart(SinglePart::plain(text)),
        }
        .map_err(|error| refused(&error))
    }
}

fn tls_parameters(settings: &SmtpSettings) -> Result<TlsParameters, NotAConnector> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let pem = std::fs::read(path).map_err(|source| NotAConnector::Authorities {
            path: path.clone(),
            source,
        })?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem)?);
    }
    Ok(builder.build_rustls()?)
}

#[cfg(test)]
mod tests {
    use keyback_core::identifier::Identifier;
    use keyback_core::time::Timestamp;

    use super::*;
    use crate::connectors::MessageKind;
    use crate::messages::Message;

    // The transport wants a run time around it, also when it connects to nothing.
    #[tokio::test]
    async fn sr12_a_mail_has_one_recipient_and_a_subject_on_one_line() {
        let settings = SmtpSettings {
            from: "Larkspur Books <hello@larkspur.example>".parse().unwrap(),
            reply_to: None,
            host: "localhost".to_owned(),
            port: 25,
            security: SmtpSecurity::None,
            ca_file: None,
            credentials: None,
            timeout: Duration::from_secs(1),
        };
        let message = Message {
            subject: "Hello\r\nBcc: evil@example.com".to_owned(),
            text: "text".to_owned().into(),
            html: Some("<p>html</p>".to_owned().into()),
        };
        let mail = SmtpConnector::new(&settings)
            .unwrap()
            .compose(&Outgoing {
                to: &Identifier::parse("ada@example.com").unwrap(),
                kind: MessageKind::ResetCode,
                message: &message,
                app_name: "Larkspur Books",
                code: None,
                id: "job-1",
                now: Timestamp::from_millis(0),
                expires_at: Timestamp::from_millis(600_000),
            })
            .unwrap();
        assert_eq!(mail.envelope().to().len(), 1);
        let text = String::from_utf8(mail.formatted()).unwrap();
        let headers = text.split("\r\n\r\n").next().unwrap();
        assert!(
            !headers
                .lines()
                .any(|line| line.to_lowercase().starts_with("bcc:")),
            "{headers}"
        );
        assert!(
            headers.contains("Message-ID: <job-1@larkspur.example>"),
            "{headers}"
        );
        assert!(text.contains("multipart/alternative"));
    }
}
