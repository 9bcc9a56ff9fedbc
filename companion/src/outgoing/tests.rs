//! Against a listener of this test that speaks HTTP by hand.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::*;

const SECOND: Duration = Duration::from_secs(20);

/// Answers each connection with the same bytes, and never closes one.
async fn peer(answer: impl AsRef<[u8]> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            // Whether all of it came at once matters to nobody here.
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(answer.as_ref()).await;
            open.push(stream);
        }
    });
    port
}

fn call(url: &Url, targets: Targets) -> Call<'_> {
    Call {
        method: Method::POST,
        url,
        headers: HeaderMap::new(),
        body: Bytes::from_static(b"{}"),
        timeout: SECOND,
        targets,
    }
}

async fn send(url: &str, targets: Targets) -> Result<Answer, CallError> {
    let url = Url::parse(url).unwrap();
    OutgoingHttp::default().send(call(&url, targets)).await
}

#[tokio::test]
async fn an_answer_comes_back_with_its_status() {
    let port = peer("HTTP/1.1 429 Slow Down\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nslow").await;
    let answer = send(&format!("http://127.0.0.1:{port}/hook"), Targets::Any)
        .await
        .unwrap();
    assert_eq!(answer.status, 429);
    assert_eq!(answer.headers["retry-after"], "7");
    assert_eq!(answer.body, "slow");
}

#[tokio::test]
async fn sr61_what_is_not_public_is_refused_by_address_and_by_name() {
    let port = peer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    for host in [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "localhost",
    ] {
        let url = format!("http://{host}:{port}/");
        let refused = send(&url, Targets::Public).await.unwrap_err();
        assert!(
            matches!(refused, CallError::NotPublic(_)),
            "{host}: {}",
            refused.in_full()
        );
    }
    // The same where the operator allows it.
    send(&format!("http://localhost:{port}/"), Targets::Any)
        .await
        .unwrap();
}

#[tokio::test]
async fn sr61_redirects_are_not_followed() {
    let elsewhere = peer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let redirect =
        format!("HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:{elsewhere}/\r\ncontent-length: 0\r\n\r\n");
    let port = peer(redirect).await;
    let answer = send(&format!("http://127.0.0.1:{port}/"), Targets::Any)
        .await
        .unwrap();
    assert_eq!(answer.status, 307);
}

#[tokio::test]
async fn of_a_huge_answer_the_beginning_is_kept() {
    let mut endless = b"HTTP/1.1 500 No\r\ncontent-length: 99999999\r\n\r\n".to_vec();
    endless.resize(endless.len() + 4 * MOST_ANSWER, b'x');
    let port = peer(endless).await;
    let answer = send(&format!("http://127.0.0.1:{port}/"), Targets::Any)
        .await
        .unwrap();
    assert_eq!(answer.status, 500);
    assert_eq!(answer.body.len(), MOST_ANSWER);
}

/// The status tells what was done; who asks a second time has it done a second time.
#[tokio::test]
async fn an_answer_whose_body_does_not_come_is_an_answer() {
    let port = peer("HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\nhalf").await;
    let url = Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
    let mut call = call(&url, Targets::Any);
    call.timeout = Duration::from_millis(300);
    let answer = OutgoingHttp::default().send(call).await.unwrap();
    assert_eq!(
        (answer.status, answer.body.as_ref()),
        (StatusCode::CREATED, &b"half"[..])
    );
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_given_up_in_time() {
    let port = peer("").await;
    let url = Url::parse(&format!("http://127.0.0.1:{port}/secret-path")).unwrap();
    let mut call = call(&url, Targets::Any);
    call.timeout = Duration::from_millis(50);
    let late = OutgoingHttp::default().send(call).await.unwrap_err();
    assert!(matches!(late, CallError::TimedOut(_)), "{late:?}");
}

/// SR-87: packets to it are lost, as behind a firewall. That is about nobody's message.
#[tokio::test]
async fn sr87_a_peer_that_takes_no_connection_is_unreachable_for_everybody() {
    // Nobody accepts, and the few that fit wait there already: the system drops what comes then.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(taken) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
    {
        waiting.push(taken.unwrap());
    }
    let silent = send(&format!("http://{address}/"), Targets::Any)
        .await
        .unwrap_err();
    assert!(matches!(silent, CallError::Unreachable(_)), "{silent:?}");
    assert!(!silent.may_be_about_the_call(), "{}", silent.in_full());
    drop((full, waiting));
}

#[tokio::test]
async fn the_reason_names_the_cause_and_not_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let refused = send(&format!("http://127.0.0.1:{port}/secret-path"), Targets::Any)
        .await
        .unwrap_err();
    let text = refused.in_full();
    assert!(
        text.contains("can't be reached") && !text.contains("secret-path"),
        "{text}"
    );
}

#[test]
fn a_call_shows_neither_body_nor_headers_nor_path() {
    let url = Url::parse("https://user:pass@sms.example/hooks/path-secret?key=query-secret").unwrap();
    let call = Call {
        method: Method::POST,
        url: &url,
        headers: HeaderMap::from_iter([(
            http::header::AUTHORIZATION,
            http::HeaderValue::from_static("Bearer header-secret"),
        )]),
        body: Bytes::from_static(b"code=123456"),
        timeout: Duration::from_secs(1),
        targets: Targets::Any,
    };
    assert_eq!(
        format!("{call:?}"),
        r#"Call { method: POST, host: Some("sms.example"), .. }"#
    );
}

/// What a webhook's receiver, a provider or a captcha may answer: pieces of HTTP in an order that nobody thought of.
fn any_answer() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            &b"HTTP/1.1 200 OK\r\n"[..], b"HTTP/1.0 204 \r\n", b"HTTP/1.1 99999 x\r\n", b"HTTP/9 200\r\n", b"\r\n\r\n", b"\n",
            b"content-length: 2\r\n", b"content-length: -1\r\n", b"content-length: 18446744073709551616\r\n",
            b"transfer-encoding: chunked\r\n", b"5\r\nabcde\r\n", b"fffffffffffffffff\r\n", b"0\r\n\r\n", b"location: http://127.0.0.1/\r\n",
            b"content-encoding: gzip\r\n", b"{}", b": \r\n",
        ]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    let begins = prop::sample::select(vec![&b""[..], b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 500 No\r\n"]);
    (begins, prop::collection::vec(piece, 0..8))
        .prop_map(|(begin, pieces)| [begin, &pieces.concat()].concat())
}

/// SR-87: an answer or a reason, in time; and what is kept of either is small.
#[tokio::test]
async fn sr87_whatever_a_peer_answers_comes_to_an_end() {
    let (mut runner, answers) = (TestRunner::deterministic(), any_answer());
    let client = OutgoingHttp::default();
    let mut answered = 0;
    for _ in 0..200 {
        let bytes = answers.new_tree(&mut runner).unwrap().current();
        let port = peer(bytes.clone()).await;
        let url = Url::parse(&format!("http://127.0.0.1:{port}/secret-path")).unwrap();
        let mut call = call(&url, Targets::Any);
        call.timeout = Duration::from_millis(100);
        let told = bytes.escape_ascii();
        match tokio::time::timeout(SECOND, client.send(call)).await.unwrap() {
            Ok(answer) => {
                answered += 1;
                assert!(
                    bytes.starts_with(b"HTTP/1.") && answer.body.len() <= bytes.len(),
                    "{told}"
                );
            }
            Err(error) => {
                let text = error.in_full();
                assert!(
                    !text.contains("secret-path") && !text.contains(['\r', '\n']),
                    "{told}: {text}"
                );
            }
        }
    }
    assert!((1..200).contains(&answered), "{answered} of both kinds");
}
