//! A mail server (RFC 5321) that takes everything and keeps it, or is in trouble.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::OwnedWriteHalf;
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

/// How it behaves.
#[derive(Clone, Copy, Debug)]
pub enum SmtpManner {
    /// Takes everything.
    Takes,
    /// Waits before every answer.
    Slow(Duration),
    /// Has nobody: greets, and answers every command, with this line, as `421 4.3.2 away`.
    Refuses(&'static str),
    /// Refuses each recipient with this line, as `451 4.7.1 come back later`.
    RefusesRecipients(&'static str),
    /// Refuses each recipient as well, and says nothing to a goodbye.
    RefusesAndHolds(&'static str),
    /// Refuses our sender with this line, as `550 5.7.1 not yours`.
    RefusesSender(&'static str),
    /// Takes no login, and says so with this line, as `535 5.7.8 wrong`.
    RefusesLogin(&'static str),
    /// Says nothing any more once this recipient is named.
    HoldsUp(&'static str),
    /// Takes connections, and says nothing any more.
    Hangs,
    /// Answers this command, or greets where it is empty, with what is no SMTP and repeats what was said.
    Babbles(&'static str),
    /// Answers this command, or greets where it is empty, with the same again and again: a line without an end, or lines.
    Endless(&'static str, &'static str),
    /// Hears a mail to its end and closes the connection, whether it keeps the mail or not.
    HangsUp { keeps: bool },
    /// Says that it took a mail, which is gone.
    Forgets,
    /// Answers byte by byte, and waits before each.
    Dribbles(Duration),
}

/// The mail server. It stops when dropped.
#[derive(Debug)]
pub struct SmtpSink {
    pub address: SocketAddr,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    manner: Mutex<SmtpManner>,
    mails: Mutex<Vec<Mail>>,
    connections: AtomicUsize,
}

impl SmtpSink {
    /// One that listens on any port.
    pub async fn start() -> Self {
        Self::in_manner(SmtpManner::Takes).await
    }

    /// One that behaves so from the start.
    pub async fn in_manner(manner: SmtpManner) -> Self {
        let sink = Self::listen(SocketAddr::from(([127, 0, 0, 1], 0)), Duration::ZERO).await;
        sink.behave(manner);
        sink
    }

    /// One that waits before every answer.
    pub async fn slow(pause: Duration) -> Self {
        Self::in_manner(SmtpManner::Slow(pause)).await
    }

    /// One on a port that was chosen before.
    pub async fn listen(address: SocketAddr, pause: Duration) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            manner: Mutex::new(SmtpManner::Slow(pause)),
            mails: Mutex::default(),
            connections: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                state.connections.fetch_add(1, Ordering::Relaxed);
                // A client that goes away in the middle of a mail has sent none.
                tokio::spawn(async move { converse(stream, &state).await.ok() });
            }
        });
        Self {
            address,
            state,
            serving,
        }
    }

    /// A configuration whose mail goes to it in place of the inbox.
    pub fn in_place_of_the_inbox(&self, config: &str) -> String {
        let (host, port) = (self.address.ip(), self.address.port());
        let connector = format!(
            "connector = \"smtp\"\nhost = \"{host}\"\nport = {port}\nsecurity = \"none\"\nfrom = \"hello@larkspur.example\""
        );
        config.replace("connector = \"inbox\"", &connector)
    }

    /// The mails that arrived, the oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.state.mails.lock().unwrap().clone()
    }

    /// Behaves otherwise from now on, in conversations under way too.
    pub fn behave(&self, manner: SmtpManner) {
        *self.state.manner.lock().unwrap() = manner;
    }

    /// How often somebody connected.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Mail {
    /// The six digits that are a word of its plain part; those in a link's token are none.
    pub fn code(&self) -> Option<String> {
        let mut words = self.part("text/plain")?.split_whitespace();
        let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
        words.find(is_code).map(str::to_owned)
    }

    /// A part of a multipart mail, by its type.
    pub fn part(&self, content_type: &str) -> Option<&str> {
        let at = self.data.find(&format!("Content-Type: {content_type}"))?;
        let part = self.data[at..].split_once("\r\n\r\n")?.1;
        Some(part.split_once("\r\n--").map_or(part, |(part, _)| part))
    }
}

/// What it answers instead of what it should; none is that it goes on.
async fn trouble(state: &State, verb: &str, rest: &str) -> Option<String> {
    let manner = *state.manner.lock().unwrap();
    match manner {
        SmtpManner::Takes
        | SmtpManner::Endless(..)
        | SmtpManner::HangsUp { .. }
        | SmtpManner::Forgets
        | SmtpManner::Dribbles(_) => None,
        SmtpManner::Babbles(at) => (verb == at).then(|| format!("HTTP/1.1 200 {rest} \u{7}\u{fffd}\r\n")),
        SmtpManner::Slow(pause) => {
            // There is nobody whom a slow greeting would keep from anything.
            tokio::time::sleep(if verb.is_empty() { Duration::ZERO } else { pause }).await;
            None
        }
        SmtpManner::Refuses(line) => Some(format!("{line}\r\n")),
        SmtpManner::RefusesRecipients(line) => (verb == "RCPT").then(|| format!("{line}\r\n")),
        SmtpManner::RefusesAndHolds(_) if verb == "QUIT" => std::future::pending().await,
        SmtpManner::RefusesAndHolds(line) => (verb == "RCPT").then(|| format!("{line}\r\n")),
        SmtpManner::RefusesSender(line) => (verb == "MAIL").then(|| format!("{line}\r\n")),
        SmtpManner::RefusesLogin(line) => {
            // Nor does whoever is logged in stay so.
            matches!(verb, "AUTH" | "NOOP").then(|| format!("{line}\r\n"))
        }
        SmtpManner::HoldsUp(whom) if verb == "RCPT" && rest.contains(whom) => std::future::pending().await,
        SmtpManner::HoldsUp(_) => None,
        SmtpManner::Hangs => std::future::pending().await,
    }
}

/// Writes an answer to a command, in its manner of writing.
async fn say(
    write: &mut OwnedWriteHalf,
    manner: SmtpManner,
    verb: &str,
    answer: &str,
) -> std::io::Result<()> {
    match manner {
        SmtpManner::Dribbles(pause) => {
            for byte in answer.as_bytes() {
                tokio::time::sleep(pause).await;
                write.write_all(&[*byte]).await?;
            }
            Ok(())
        }
        SmtpManner::Endless(at, piece) if at == verb => {
            let pieces = piece.repeat(1_000);
            loop {
                write.write_all(pieces.as_bytes()).await?;
            }
        }
        _ => write.write_all(answer.as_bytes()).await,
    }
}

async fn converse(stream: TcpStream, state: &State) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let manner = || *state.manner.lock().unwrap();
    let mut lines = BufReader::new(read).lines();
    let greeting = trouble(state, "", "").await;
    let greeting = greeting.unwrap_or_else(|| "220 sink ESMTP\r\n".to_owned());
    say(&mut write, manner(), "", &greeting).await?;
    let mut credentials = None;
    let (mut from, mut to) = (String::new(), Vec::new());
    while let Some(line) = lines.next_line().await? {
        let (verb, rest) = line.split_at(line.len().min(4));
        let verb = verb.to_ascii_uppercase();
        if let Some(refusal) = trouble(state, &verb, rest).await {
            say(&mut write, manner(), &verb, &refusal).await?;
            continue;
        }
        let answer = match verb.as_str() {
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
                say(&mut write, manner(), "DATA", "354 go on\r\n").await?;
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
                let mail = Mail {
                    credentials: credentials.clone(),
                    from: std::mem::take(&mut from),
                    to: std::mem::take(&mut to),
                    data: data.replace("=\r\n", ""),
                };
                let manner = manner();
                if !matches!(manner, SmtpManner::Forgets | SmtpManner::HangsUp { keeps: false }) {
                    state.mails.lock().unwrap().push(mail);
                }
                if matches!(manner, SmtpManner::HangsUp { .. }) {
                    return Ok(());
                }
                "250 ok\r\n"
            }
            "QUIT" => {
                say(&mut write, manner(), "QUIT", "221 bye\r\n").await?;
                return Ok(());
            }
            "NOOP" | "RSET" => "250 ok\r\n",
            _ => "500 what?\r\n",
        };
        say(&mut write, manner(), &verb, answer).await?;
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
