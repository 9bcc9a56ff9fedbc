//! The SMTP connector against mail servers that speak TLS: from the first byte, by STARTTLS, and those that lie.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use keyback_companion::config::app::Secret;
use keyback_companion::config::messages::{SmtpSecurity, SmtpSettings};
use keyback_companion::connectors::{
    Connectors, DeliveryError, EmailConnector, MessageKind, Outgoing, SmtpConnector,
};
use keyback_companion::messages::Message;
use keyback_core::identifier::Identifier;
use keyback_core::time::Timestamp;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// How the server behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tls,
    Starttls,
    /// Speaks plain SMTP and knows no STARTTLS: a client that insists must not fall back.
    Plain,
    /// Refuses what begins so, with this line.
    Refusing(&'static str, &'static str),
    /// Turns the fifth connection at a time away, takes its time over each, and lets them stay.
    FourAtMost,
    /// Says nothing more on a connection that has carried a mail, and doesn't close it.
    Forgetful,
}

/// The most connections at a time to a server that counts them.
const SEATS: usize = 4;

/// A mail server for one test, with a certificate of its own.
struct MailServer {
    port: u16,
    authority: PathBuf,
    /// How long the connector waits for it.
    patience: Duration,
    received: mpsc::UnboundedReceiver<Vec<String>>,
    _folder: TempDir,
}

impl MailServer {
    async fn start(kind: Kind) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let folder = TempDir::new().unwrap();
        let authority = folder.path().join("house.pem");
        std::fs::write(&authority, cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heard, received) = mpsc::unbounded_channel();
        let seats = Arc::new(Semaphore::new(SEATS));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let seat = Arc::clone(&seats).try_acquire_owned();
                if kind == Kind::FourAtMost && seat.is_err() {
                    let _ = stream.write_all(b"421 too many connections\r\n").await;
                    continue;
                }
                let conversation = converse(kind, stream, acceptor.clone(), heard.clone());
                tokio::spawn(async move {
                    conversation.await;
                    drop(seat);
                });
            }
        });
        Self {
            port,
            authority,
            patience: Duration::from_secs(20),
            received,
            _folder: folder,
        }
    }

    fn connector(&self, security: SmtpSecurity, trusted: bool) -> Connectors {
        let settings = SmtpSettings {
            from: "Larkspur Books <hello@larkspur.example>".parse().unwrap(),
            reply_to: None,
            host: "localhost".to_owned(),
            port: self.port,
            security,
            ca_file: trusted.then(|| self.authority.clone()),
            credentials: Some(("keyback".to_owned(), Secret::new("s3cret"))),
            timeout: self.patience,
        };
        let smtp = SmtpConnector::new(&settings).unwrap();
        Connectors {
            email: Some(EmailConnector::Smtp(smtp)),
            sms: None,
        }
    }
}

async fn converse(
    kind: Kind,
    mut stream: TcpStream,
    acceptor: TlsAcceptor,
    heard: mpsc::UnboundedSender<Vec<String>>,
) {
    let mut lines = Vec::new();
    if kind == Kind::Tls {
        let Ok(mut stream) = acceptor.accept(stream).await else {
            return;
        };
        session(kind, &mut stream, true, false, &mut lines).await;
    } else if session(kind, &mut stream, false, false, &mut lines).await {
        let Ok(mut stream) = acceptor.accept(stream).await else {
            return;
        };
        session(kind, &mut stream, true, true, &mut lines).await;
    }
    let _ = heard.send(lines);
}

/// One SMTP session (RFC 5321). Answers true where the client asks for TLS.
async fn session<S: AsyncRead + AsyncWrite + Unpin>(
    kind: Kind,
    stream: &mut S,
    secure: bool,
    resumed: bool,
    heard: &mut Vec<String>,
) -> bool {
    let mut stream = BufReader::new(stream);
    if !resumed {
        stream.write_all(b"220 localhost ready\r\n").await.unwrap();
    }
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
        let command = std::mem::take(&mut line).trim_end().to_owned();
        heard.push(format!("{}{command}", if secure { "tls " } else { "" }));
        let verb = command.split(' ').next().unwrap_or_default().to_uppercase();
        if verb == "EHLO" && matches!(kind, Kind::FourAtMost | Kind::Forgetful) {
            // So that mails which are sent at once are under way at once.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let answer: &[u8] = match verb.as_str() {
            _ if let Kind::Refusing(what, line) = kind
                && what == verb =>
            {
                line.as_bytes()
            }
            "EHLO" if !secure && kind == Kind::Starttls => b"250-localhost\r\n250 STARTTLS\r\n",
            "EHLO" => b"250-localhost\r\n250 AUTH PLAIN\r\n",
            "STARTTLS" => {
                stream.write_all(b"220 go ahead\r\n").await.unwrap();
                return true;
            }
            "AUTH" => b"235 welcome\r\n",
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.unwrap();
                while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) && line != ".\r\n" {
                    heard.push(std::mem::take(&mut line).trim_end().to_owned());
                }
                line.clear();
                match kind {
                    Kind::Refusing("the mail", line) => line.as_bytes(),
                    _ => b"250 kept\r\n",
                }
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await.unwrap();
                return false;
            }
            _ => b"250 ok\r\n",
        };
        if stream.write_all(answer).await.is_err() {
            return false;
        }
        match kind {
            Kind::Forgetful if verb == "DATA" => std::future::pending().await,
            Kind::FourAtMost => {}
            _ if verb == "DATA" => return false,
            _ => {}
        }
    }
    false
}

async fn deliver(connectors: &Connectors) -> Result<(), DeliveryError> {
    let message = Message {
        subject: "Your code".to_owned(),
        text: "The code is 402917.".to_owned().into(),
        html: Some("<p>The code is 402917.</p>".to_owned().into()),
    };
    connectors
        .deliver(&Outgoing {
            to: &Identifier::parse("ada@example.com").unwrap(),
            kind: MessageKind::ResetCode,
            message: &message,
            app_name: "Larkspur Books",
            code: Some("402917"),
            id: "job-1",
            now: Timestamp::from_millis(0),
            expires_at: Timestamp::from_millis(600_000),
        })
        .await
}

fn said(lines: &[String], start: &str) -> bool {
    lines.iter().any(|line| line.starts_with(start))
}

#[tokio::test]
async fn a_mail_goes_out_over_tls_with_authentication() {
    let mut server = MailServer::start(Kind::Tls).await;
    deliver(&server.connector(SmtpSecurity::Tls, true)).await.unwrap();
    let lines = server.received.recv().await.unwrap();
    assert!(
        said(&lines, "tls AUTH PLAIN ") && said(&lines, "tls RCPT TO:<ada@example.com>"),
        "{lines:#?}"
    );
    assert!(lines.iter().any(|line| line.contains("402917")), "{lines:#?}");
}

#[tokio::test]
async fn starttls_comes_before_the_password() {
    let mut server = MailServer::start(Kind::Starttls).await;
    deliver(&server.connector(SmtpSecurity::Starttls, true))
        .await
        .unwrap();
    let lines = server.received.recv().await.unwrap();
    assert!(
        said(&lines, "STARTTLS") && said(&lines, "tls AUTH PLAIN "),
        "{lines:#?}"
    );
    assert!(!said(&lines, "AUTH"), "{lines:#?}");
}

#[tokio::test]
async fn no_password_goes_to_a_server_without_starttls_or_with_a_foreign_certificate() {
    for (kind, security, trusted) in [
        (Kind::Plain, SmtpSecurity::Starttls, true),
        (Kind::Starttls, SmtpSecurity::Starttls, false),
        (Kind::Tls, SmtpSecurity::Tls, false),
    ] {
        let server = MailServer::start(kind).await;
        let error = deliver(&server.connector(security, trusted)).await.unwrap_err();
        assert!(error.may_pass(), "{error:?}");
        let MailServer { mut received, .. } = server;
        while let Ok(lines) = received.try_recv() {
            assert!(!lines.iter().any(|line| line.contains("AUTH")), "{lines:#?}");
        }
    }
}

/// Of a recipient that is refused nothing can be mended; of all else something can, by the operator.
#[tokio::test]
async fn sr59_only_a_refusal_of_the_recipient_ends_a_mail() {
    for line in [
        "550 no such mailbox\r\n",
        "550 5.1.1 unknown\r\n",
        "550 5.2.1 disabled\r\n",
        "550 5.4.1 denied\r\n",
    ] {
        let server = MailServer::start(Kind::Refusing("RCPT", line)).await;
        let error = deliver(&server.connector(SmtpSecurity::None, true)).await;
        assert!(matches!(error, Err(DeliveryError::Permanent(_))), "{error:?}");
    }
    for (what, line, told) in [
        (
            "MAIL",
            "550 5.1.0 rejected\r\n",
            "answered 550 5.1.0 to our sender",
        ),
        ("MAIL", "553 not yours\r\n", "answered 553 to our sender"),
        (
            "RCPT",
            "553 5.7.1 not your sender\r\n",
            "553 5.7.1 to a mail for this recipient",
        ),
        (
            "RCPT",
            "550 5.1.8 no such sender\r\n",
            "550 5.1.8 to a mail for this recipient",
        ),
        (
            "RCPT",
            "554 5.7.1 relay access denied\r\n",
            "554 5.7.1 to a mail for this recipient",
        ),
        ("RCPT", "452 4.2.2 full\r\n", "answered 452 4.2.2"),
        (
            "the mail",
            "554 5.7.1 it looks like spam\r\n",
            "554 5.7.1 to the mail itself",
        ),
        ("the mail", "552 too large\r\n", "552 to the mail itself"),
    ] {
        let server = MailServer::start(Kind::Refusing(what, line)).await;
        let error = deliver(&server.connector(SmtpSecurity::None, true))
            .await
            .unwrap_err();
        assert!(error.may_pass(), "{line}: {error:?}");
        // The words of the server are not told: they may name somebody (SR-31).
        assert!(error.to_string().contains(told), "{error}");
        let words = line.trim().rsplit_once(' ').unwrap().1;
        assert!(!error.to_string().ends_with(words), "{error}");
    }
}

#[tokio::test]
async fn a_closed_port_is_tried_again() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut server = MailServer::start(Kind::Plain).await;
    server.port = closed.local_addr().unwrap().port();
    drop(closed);
    let error = deliver(&server.connector(SmtpSecurity::None, true))
        .await
        .unwrap_err();
    assert!(matches!(error, DeliveryError::Down { .. }), "{error:?}");
}

/// Accepts, and says nothing: as a port for STARTTLS does to who speaks TLS first.
#[tokio::test]
async fn a_mail_server_that_says_nothing_is_given_up_and_tried_again() {
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut server = MailServer::start(Kind::Plain).await;
    server.port = mute.local_addr().unwrap().port();
    server.patience = Duration::from_millis(200);
    for security in [SmtpSecurity::None, SmtpSecurity::Tls, SmtpSecurity::Starttls] {
        let connectors = server.connector(security, true);
        let error = deliver(&connectors).await.unwrap_err();
        assert!(matches!(error, DeliveryError::Down { .. }), "{error:?}");
        let Some(EmailConnector::Smtp(smtp)) = &connectors.email else {
            panic!("no connector")
        };
        assert!(smtp.probe().await.is_err());
    }
}

/// Sends mails at once, and expects that all are taken.
async fn deliver_at_once(connectors: &Connectors, mails: usize) {
    let mut sending = JoinSet::new();
    for _ in 0..mails {
        let connectors = connectors.clone();
        sending.spawn(async move { deliver(&connectors).await });
    }
    while let Some(sent) = sending.join_next().await {
        sent.unwrap().unwrap();
    }
}

/// Many mail servers let one client in three or four times and no oftener: to be turned away there says nothing of the server.
#[tokio::test]
async fn sr87_a_rush_of_mails_opens_no_more_than_four_connections() {
    let server = MailServer::start(Kind::FourAtMost).await;
    let connectors = server.connector(SmtpSecurity::None, true);
    deliver_at_once(&connectors, 4 * SEATS).await;
    // Those that are kept are no further ones.
    deliver_at_once(&connectors, 2 * SEATS).await;
}

/// Something between has forgotten the connections that were kept: one of them is waited for, and the rest of the time is the mail's.
#[tokio::test]
async fn sr87_dead_connections_cost_a_server_that_is_well_no_failure() {
    let mut server = MailServer::start(Kind::Forgetful).await;
    server.patience = Duration::from_secs(2);
    let connectors = server.connector(SmtpSecurity::None, true);
    deliver_at_once(&connectors, SEATS).await;
    deliver(&connectors).await.unwrap();
}
