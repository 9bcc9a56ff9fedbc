//! A provider of messages behind HTTP: Twilio, somebody's gateway, or a server that is in trouble.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use url::Url;

use crate::app::loopback;

/// The provider. It stops when dropped.
#[derive(Debug)]
pub struct MessageProvider {
    /// `http://127.0.0.1:…/`.
    pub url: Url,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

/// How it behaves.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Takes everything, as Twilio says so.
    Takes,
    /// Answers with a status, a header line (or none), and a body.
    Says(u16, &'static str, &'static str),
    /// Answers late.
    Slow(Duration),
    /// Takes the request and never answers.
    Mute,
    /// Closes the connection instead of answering.
    HangsUp,
    /// Answers with what is not HTTP.
    Babbles,
    /// Takes the message, and goes on sending an answer that never ends.
    Endless,
    /// Goes on sending headers of an answer.
    EndlessHead,
    /// Takes the message, and says so byte by byte, with a pause before each.
    Dribbles(Duration),
    /// Sends elsewhere, by a status that would have the body sent again.
    Redirects(Url),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// With its query.
    pub path: String,
    /// Names in small letters.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

#[derive(Debug)]
struct State {
    behaviour: Mutex<Behaviour>,
    asked: Mutex<Vec<Asked>>,
}

impl MessageProvider {
    pub async fn start(behaviour: Behaviour) -> Self {
        let listener = loopback().await;
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let state = Arc::new(State {
            behaviour: Mutex::new(behaviour),
            asked: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                // A client that goes away has asked all the same.
                tokio::spawn(async move { converse(stream, &state).await.ok() });
            }
        });
        Self { url, state, serving }
    }

    /// Behaves otherwise from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.state.behaviour.lock().unwrap() = behaviour;
    }

    /// Everything it was asked.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    /// The messages it was handed: without the signs of life it was asked for.
    pub fn messages(&self) -> Vec<Asked> {
        let mut asked = self.asked();
        asked.retain(|asked| asked.method == "POST" || asked.path.contains('?'));
        asked
    }
}

impl Drop for MessageProvider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Asked {
    /// The fields of a form, of the body or else of the query.
    pub fn form(&self) -> BTreeMap<String, String> {
        let text = match self.path.split_once('?') {
            Some((_, query)) if self.body.is_empty() => query,
            _ => &self.body,
        };
        let query = Url::parse(&format!("http://form/?{text}")).unwrap();
        query.query_pairs().into_owned().collect()
    }

    /// User name and password of the basic authentication.
    pub fn basic_credentials(&self) -> Option<(String, String)> {
        let encoded = self.headers.get("authorization")?.strip_prefix("Basic ")?;
        let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (name, password) = pair.split_once(':')?;
        Some((name.to_owned(), password.to_owned()))
    }
}

async fn converse(stream: TcpStream, state: &State) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let asked = read(&mut stream).await?;
    let is_head = asked.method == "HEAD";
    state.asked.lock().unwrap().push(asked);
    let behaviour = state.behaviour.lock().unwrap().clone();
    let taken = |extra: &str| {
        let body = if is_head {
            ""
        } else {
            r#"{"sid":"SM0123","status":"queued","error_code":null}"#
        };
        answer(201, extra, body)
    };
    let text = match behaviour {
        Behaviour::Takes => taken(""),
        Behaviour::Says(status, header, body) => answer(status, header, if is_head { "" } else { body }),
        Behaviour::Slow(pause) => {
            tokio::time::sleep(pause).await;
            taken("")
        }
        Behaviour::Mute => return std::future::pending().await,
        Behaviour::HangsUp => return Ok(()),
        Behaviour::Babbles => "220 this is a mail server\r\n".to_owned(),
        Behaviour::Redirects(to) => answer(307, &format!("location: {to}"), ""),
        Behaviour::Endless => {
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
            return go_on(&mut stream, head, "x").await;
        }
        Behaviour::EndlessHead => return go_on(&mut stream, "HTTP/1.1 200 OK\r\n", "x: y\r\n").await,
        Behaviour::Dribbles(pause) => {
            for byte in taken("").as_bytes() {
                tokio::time::sleep(pause).await;
                stream.write_all(&[*byte]).await?;
            }
            return stream.shutdown().await;
        }
    };
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

/// Sends a beginning, and the same again and again.
async fn go_on(stream: &mut BufReader<TcpStream>, beginning: &str, piece: &str) -> std::io::Result<()> {
    stream.write_all(beginning.as_bytes()).await?;
    let pieces = piece.repeat(1_000);
    loop {
        stream.write_all(pieces.as_bytes()).await?;
    }
}

fn answer(status: u16, header: &str, body: &str) -> String {
    let header = if header.is_empty() {
        String::new()
    } else {
        format!("{header}\r\n")
    };
    format!(
        "HTTP/1.1 {status} As Told\r\ncontent-type: application/json\r\nconnection: close\r\n{header}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Asked> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    Ok(Asked {
        method,
        path,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
