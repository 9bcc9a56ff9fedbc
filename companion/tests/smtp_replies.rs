//! Mail servers whose replies nobody thought of.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyback_companion::config::messages::{SmtpSecurity, SmtpSettings};
use keyback_companion::connectors::{
    Connectors, DeliveryError, EmailConnector, MessageKind, Outgoing, SmtpConnector,
};
use keyback_companion::messages::Message;
use keyback_core::identifier::Identifier;
use keyback_core::time::Timestamp;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

/// What a server says in a conversation that goes well (RFC 5321).
const SOUND: [&[u8]; 7] = [
    b"220 localhost ready\r\n",
    b"250-localhost\r\n250 SMTPUTF8\r\n",
    b"250 ok\r\n",
    b"250 ok\r\n",
    b"354 go on\r\n",
    b"250 kept\r\n",
    b"221 bye\r\n",
];
/// Names the recipient and the code, as a server may that has read the mail.
const NAMES: &[u8] = b"550 5.1.1 <ada@example.com> is told 402917\r\n";

fn odd_reply() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => prop::sample::select(vec![
            NAMES, b"421 4.2.1 ada@example.com\r\n", b"250 ok\n", b"250-and so on\r\n", b"250-a\r\n550 b\r\n", b"2\r\n", b"\r\n",
            b"999 what\r\n", b"354 go on\r\n", b"250 ok\r\n250 ok\r\n250 ok\r\n", b"535 5.7.8 no\r\n", b"", b"250 \xff\xfe\r\n",
        ]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (0..20_000_usize).prop_map(|long| [b"250 ".as_slice(), &vec![b'x'; long], b"\r\n"].concat()),
    ]
}

/// A conversation in which something is odd, or nothing.
fn conversation() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let reply = |sound: &'static [u8]| prop_oneof![4 => Just(sound.to_vec()), 1 => odd_reply()];
    SOUND.map(reply).to_vec()
}

/// Serves one client so; answers its port, and whether a mail has come whole.
async fn serve(replies: Vec<Vec<u8>>) -> (u16, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let is_whole = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&is_whole);
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        for reply in replies {
            let takes_mail = line == b"DATA\r\n" && reply.starts_with(b"354");
            if stream.write_all(&reply).await.is_err() {
                return;
            }
            loop {
                line.clear();
                if stream.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
                    return;
                }
                if !takes_mail || line == b".\r\n" {
                    break;
                }
            }
            if takes_mail {
                told.store(true, Ordering::SeqCst);
            }
        }
    });
    (port, is_whole)
}

async fn deliver(port: u16) -> Result<(), DeliveryError> {
    let settings = SmtpSettings {
        from: "Larkspur Books <hello@larkspur.example>".parse().unwrap(),
        reply_to: None,
        host: "localhost".to_owned(),
        port,
        security: SmtpSecurity::None,
        ca_file: None,
        credentials: None,
        timeout: Duration::from_millis(200),
    };
    let connectors = Connectors {
        email: Some(EmailConnector::Smtp(SmtpConnector::new(&settings).unwrap())),
        sms: None,
    };
    let message = Message {
        subject: "Your code".to_owned(),
        text: "The code is 402917.".to_owned().into(),
        html: None,
    };
    let mail = Outgoing {
        to: &Identifier::parse("ada@example.com").unwrap(),
        kind: MessageKind::ResetCode,
        message: &message,
        app_name: "Larkspur Books",
        code: Some("402917"),
        id: "job-1",
        now: Timestamp::from_millis(0),
        expires_at: Timestamp::from_millis(600_000),
    };
    connectors.deliver(&mail).await
}

/// It comes to an end in time. Of what the server said the operator is told nothing but codes (SR-31), and only a plain refusal of
/// the recipient ends a mail for good (SR-59).
#[tokio::test(flavor = "multi_thread")]
async fn sr31_sr59_sr87_whatever_a_mail_server_replies_comes_to_an_end() {
    let (mut runner, conversations) = (TestRunner::deterministic(), conversation());
    let (mut taken, mut failed) = (0, 0);
    for _ in 0..300 {
        let replies = conversations.new_tree(&mut runner).unwrap().current();
        let told: Vec<String> = replies
            .iter()
            .map(|reply| reply[..reply.len().min(60)].escape_ascii().to_string())
            .collect();
        let (port, is_whole) = serve(replies.clone()).await;
        let delivered = tokio::time::timeout(Duration::from_secs(20), deliver(port)).await;
        match delivered.unwrap_or_else(|_| panic!("it hangs: {told:#?}")) {
            Ok(()) if replies[..6] == SOUND[..6] => {
                taken += 1;
                assert!(is_whole.load(Ordering::SeqCst), "{told:#?}");
            }
            Ok(()) => {}
            Err(error) => {
                failed += 1;
                let text = error.to_string();
                for named in ["ada@example.com", "402917", "\r", "\n", "xxxx"] {
                    assert!(!text.contains(named), "{text}: {told:#?}");
                }
                let is_final = matches!(error, DeliveryError::Permanent(_));
                assert!(
                    !is_final || replies.iter().any(|reply| reply == NAMES),
                    "{told:#?}"
                );
                assert!(replies[..6] != SOUND[..6], "{text}");
            }
        }
    }
    assert!(taken > 20 && failed > 100, "{taken} taken, {failed} failed");
}
