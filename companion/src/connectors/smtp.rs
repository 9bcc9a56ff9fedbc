//! E-mail over SMTP by lettre: TLS, STARTTLS or plain to this machine, with authentication, connections kept.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message as Mail, Tokio1Executor};

use super::{DeliveryError, Outgoing};
use crate::config::messages::{SmtpSecurity, SmtpSettings};

/// Hands mail to a mail server.
#[derive(Clone, Debug)]
pub struct SmtpConnector {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    timeout: Duration,
    /// Host and port.
    server: String,
}

/// The settings make no transport.
#[derive(Debug, thiserror::Error)]
pub enum NotAConnector {
    /// The mail library refuses them.
    #[error("the smtp connector can't be built: {0}")]
    Settings(#[from] lettre::transport::smtp::Error),
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
    /// Builds the transport. Connects to nothing yet.
    pub fn new(settings: &SmtpSettings) -> Result<Self, NotAConnector> {
        let tls = match settings.security {
            SmtpSecurity::Tls => Tls::Wrapper(tls_parameters(settings)?),
            SmtpSecurity::Starttls => Tls::Required(tls_parameters(settings)?),
            SmtpSecurity::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(settings.timeout))
            .pool_config(
                PoolConfig::new()
                    .max_size(4)
                    .idle_timeout(Duration::from_secs(60)),
            );
        if let Some((username, password)) = &settings.credentials {
            builder = builder.credentials(Credentials::new(username.clone(), password.expose().to_owned()));
        }
        Ok(Self {
            transport: builder.build(),
            from: settings.from.clone(),
            reply_to: settings.reply_to.clone(),
            timeout: settings.timeout,
            server: format!("{}:{}", settings.host, settings.port),
        })
    }

    pub(super) async fn deliver(&self, outgoing: &Outgoing<'_>) -> Result<(), DeliveryError> {
        let mail = self.compose(outgoing)?;
        match self.in_time(self.transport.send(mail)).await? {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(DeliveryError::Permanent(describe(&error))),
            Err(error) if is_about_the_message(&error) => Err(DeliveryError::Transient(describe(&error))),
            Err(error) => Err(DeliveryError::down(describe(&error))),
        }
    }

    /// What it is, for the operator.
    pub(super) fn describe(&self) -> String {
        format!("the mail server {}", self.server)
    }

    /// Whether the mail server answers.
    pub async fn probe(&self) -> Result<(), DeliveryError> {
        match self.in_time(self.transport.test_connection()).await? {
            Ok(true) => Ok(()),
            Ok(false) => Err(DeliveryError::Transient(
                "the mail server did not answer NOOP".to_owned(),
            )),
            Err(error) => Err(DeliveryError::Transient(error.to_string())),
        }
    }

    /// The whole conversation has one limit: the mail library bounds the connecting alone, and a server that
    /// says nothing would hold its job, and with a few of those the outbox, for ever.
    async fn in_time<T>(&self, conversation: impl Future<Output = T>) -> Result<T, DeliveryError> {
        tokio::time::timeout(self.timeout, conversation)
            .await
            .map_err(|_| DeliveryError::down("the mail server did not answer in time"))
    }

    fn compose(&self, outgoing: &Outgoing<'_>) -> Result<Mail, DeliveryError> {
        let refused = |error: &dyn std::fmt::Display| DeliveryError::Permanent(error.to_string());
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

/// Whether a temporary refusal is about this mail or its recipient alone, as greylisting is. 421 and 454 say that the
/// server can serve nobody (RFC 5321 section 4.2.3, RFC 3207, RFC 4954), which 452 may say of one full mailbox too; and without a code there was no answer at all.
fn is_about_the_message(error: &lettre::transport::smtp::Error) -> bool {
    let code = error.status().map(u16::from);
    // Nor does an address that the server has no way to write down say anything of other mails.
    error.is_client() || code.is_some_and(|code| !matches!(code, 421 | 454))
}

/// What the operator is told. The words of the mail server name the recipient, so its code alone is (SR-31).
fn describe(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None => error.to_string(),
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
