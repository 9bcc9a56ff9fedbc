//! Over real connections, with the transport that comes with the crate.

use keyback::{Client, DiscoveryError, Error, TransportError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::provider::{CLIENT_ID, REDIRECT_URI, metadata};

/// A provider whose key set is answered by these bytes, or never.
async fn provider(keys: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let document = metadata(&issuer).to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let document = document.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                let read = stream.read(&mut request).await.unwrap_or_default();
                let of_keys = String::from_utf8_lossy(&request[..read]).starts_with("GET /jwks");
                let answer = match (of_keys, keys) {
                    (false, _) => format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{document}",
                        document.len()
                    ),
                    (true, Some(answer)) => answer.to_owned(),
                    (true, None) => std::future::pending().await,
                };
                // The client may have given up.
                stream.write_all(answer.as_bytes()).await.ok();
            });
        }
    });
    issuer
}

async fn refused(keys: Option<&'static str>) -> DiscoveryError {
    let client = Client::builder(provider(keys).await, CLIENT_ID)
        .redirect_uri(REDIRECT_URI)
        .build()
        .unwrap();
    match client.ready().await.unwrap_err() {
        Error::Discovery(error) => error,
        other => panic!("{other}"),
    }
}

/// The one that is followed leads to itself: none is.
#[tokio::test]
async fn a_loop_of_redirects_is_not_entered() {
    let turn = "HTTP/1.1 302 Found\r\nlocation: /jwks\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let error = refused(Some(turn)).await;
    println!("{:<55} {}", "keys: a loop of redirects", error.code());
    assert!(
        matches!(error, DiscoveryError::Status { status: 302, .. }),
        "{error}"
    );
}

/// It takes the transport's ten seconds.
#[tokio::test]
async fn keys_that_never_come_are_given_up() {
    let error = refused(None).await;
    println!("{:<55} {}", "keys: they never come", error.code());
    assert!(
        matches!(
            error,
            DiscoveryError::Unreachable {
                cause: TransportError::Timeout(_),
                ..
            }
        ),
        "{error}"
    );
    assert!(error.is_retryable());
}

#[tokio::test]
async fn keys_that_announce_little_and_send_without_end_are_cut_off() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\r\n{";
    let error = refused(Some(head)).await;
    println!(
        "{:<55} {}",
        "keys: they end before their announced length",
        error.code()
    );
    assert!(matches!(error, DiscoveryError::Unreachable { .. }), "{error}");
}
