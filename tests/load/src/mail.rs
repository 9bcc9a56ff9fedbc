//! A mail server (RFC 5321) that takes everything and hands the codes over to whoever waits for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Codes by the address that waits for one.
type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<String>>>>;

/// The mail server. It ends with the program.
#[derive(Clone)]
pub(crate) struct Mail {
    pub(crate) port: u16,
    waiting: Waiting,
}

impl Mail {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let waiting = Waiting::default();
        let shared = Arc::clone(&waiting);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let waiting = Arc::clone(&shared);
                // A client that goes away in the middle of a mail has sent none.
                tokio::spawn(async move { converse(stream, &waiting).await.ok() });
            }
        });
        Ok(Self { port, waiting })
    }

    /// The code of the next mail to an address that holds one.
    pub(crate) fn next_code(&self, address: &str) -> oneshot::Receiver<String> {
        let (give, take) = oneshot::channel();
        lock(&self.waiting).insert(address.to_owned(), give);
        take
    }
}

fn lock(waiting: &Waiting) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<String>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn converse(stream: TcpStream, waiting: &Waiting) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 sink ESMTP\r\n").await?;
    let mut to = String::new();
    while let Some(line) = lines.next_line().await? {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "EHLO" => b"250-sink\r\n250 8BITMIME\r\n",
            "RCPT" => {
                let address = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
                to = address.map(|(address, _)| address.to_owned()).unwrap_or_default();
                b"250 ok\r\n"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut code = None;
                while let Some(line) = lines.next_line().await? {
                    if line == "." {
                        break;
                    }
                    code = code.or_else(|| code_in(&line));
                }
                if let Some(code) = code
                    && let Some(give) = lock(waiting).remove(&to)
                {
                    // Who waited may have given up.
                    let _ = give.send(code);
                }
                b"250 taken\r\n"
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => b"250 ok\r\n",
        };
        write.write_all(answer).await?;
    }
    Ok(())
}

/// A code stands alone on its line.
fn code_in(line: &str) -> Option<String> {
    let word = line.trim();
    let is_code = word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stands_alone_on_its_line() {
        assert_eq!(code_in("    012345").as_deref(), Some("012345"));
        assert_eq!(code_in("It works for 123456 minutes"), None);
        assert_eq!(code_in("1234567"), None);
    }
}
