//! A mail server (RFC 5321) that takes everything and keeps it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A mail as it was handed over.
#[derive(Clone, Debug)]
pub struct Mail {
    /// User name and password of `AUTH PLAIN`.
    pub credentials: Option<(String, String)>,
    pub from: String,
    pub to: Vec<String>,
    /// Headers and body, without the soft line ends of quoted-printable.
    pub data: String,
}

/// The mail server. It stops when dropped.
#[derive(Debug)]
pub struct SmtpSink {
    pub address: SocketAddr,
    mails: Arc<Mutex<Vec<Mail>>>,
    serving: JoinHandle<()>,
}

impl SmtpSink {
    /// One that listens on any port.
    pub async fn start() -> Self {
        Self::listen(SocketAddr::from(([127, 0, 0, 1], 0)), Duration::ZERO).await
    }

    /// One that waits before every answer.
    pub async fn slow(pause: Duration) -> Self {
        Self::listen(SocketAddr::from(([127, 0, 0, 1], 0)), pause).await
    }

    /// One on a port that was chosen before.
    pub async fn listen(address: SocketAddr, pause: Duration) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mails = Arc::<Mutex<Vec<Mail>>>::default();
        let kept = Arc::clone(&mails);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                // A client that goes away in the middle of a mail has sent none.
                tokio::spawn(async move { converse(stream, &kept, pause).await.ok() });
            }
        });
        Self {
            address,
            mails,
            serving,
        }
    }

    /// The mails that arrived, the oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Mail {
    /// A part of a multipart mail, by its type.
    pub fn part(&self, content_type: &str) -> Option<&str> {
        let at = self.data.find(&format!("Content-Type: {content_type}"))?;
        let part = self.data[at..].split_once("\r\n\r\n")?.1;
        Some(part.split_once("\r\n--").map_or(part, |(part, _)| part))
    }
}

async fn converse(stream: TcpStream, mails: &Mutex<Vec<Mail>>, pause: Duration) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 sink ESMTP\r\n").await?;
    let mut credentials = None;
    let (mut from, mut to) = (String::new(), Vec::new());
    while let Some(line) = lines.next_line().await? {
        tokio::time::sleep(pause).await;
        let (verb, rest) = line.split_at(line.len().min(4));
        let answer = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n",
            "AUTH" => {
                credentials = Some(plain(rest.trim().trim_start_matches("PLAIN").trim()));
                "235 2.7.0 welcome\r\n"
            }
            "MAIL" => {
                from = address(rest);
                "250 ok\r\n"
            }
            "RCPT" => {
                to.push(address(rest));
                "250 ok\r\n"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut data = String::new();
                loop {
                    // Cut off within a mail, it is none: who sent it will send it again.
                    let Some(line) = lines.next_line().await? else {
                        return Ok(());
                    };
                    if line == "." {
                        break;
                    }
                    data.push_str(line.strip_prefix('.').unwrap_or(&line));
                    data.push_str("\r\n");
                }
                mails.lock().unwrap().push(Mail {
                    credentials: credentials.clone(),
                    from: std::mem::take(&mut from),
                    to: std::mem::take(&mut to),
                    data: data.replace("=\r\n", ""),
                });
                "250 ok\r\n"
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            "NOOP" | "RSET" => "250 ok\r\n",
            _ => "500 what?\r\n",
        };
        write.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

fn address(argument: &str) -> String {
    let inner = argument
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(String::new(), |(address, _)| address.to_owned())
}

/// RFC 4616: an authorization identity, the user name and the password, with NULs between.
fn plain(encoded: &str) -> (String, String) {
    let decoded = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
    let mut parts = decoded.split('\0').skip(1).map(str::to_owned);
    (parts.next().unwrap(), parts.next().unwrap())
}
