//! The default transport against a server that misbehaves.

use keyback::bytes::Bytes;
use keyback::http::{Method, Request, Response, StatusCode};
use keyback::{HttpTransport, ReqwestTransport, TransportError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A server that answers every request with `answer`, repeated for as long as it is read if `endless`.
async fn server(answer: &'static str, endless: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                let _read = stream.read(&mut request).await;
                if stream.write_all(answer.as_bytes()).await.is_err() || !endless {
                    return;
                }
                let piece = [b'x'; 16 * 1024];
                while stream.write_all(&piece).await.is_ok() {}
            });
        }
    });
    format!("http://{address}/")
}

async fn get(address: &str) -> Result<Response<Bytes>, TransportError> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(address)
        .body(Bytes::new())
        .unwrap();
    ReqwestTransport::new().unwrap().send(request).await
}

#[tokio::test]
async fn an_answer_arrives_whole() {
    let answer = "HTTP/1.1 418 I'm a teapot\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    let response = get(&server(answer, false).await).await.unwrap();
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.body().as_ref(), b"{}");
}

/// A token request that follows a redirect hands the code to somebody else.
#[tokio::test]
async fn redirects_are_not_followed() {
    let answer =
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(
        get(&server(answer, false).await).await.unwrap().status(),
        StatusCode::TEMPORARY_REDIRECT
    );
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let address = server("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", true).await;
    assert!(matches!(
        get(&address).await,
        Err(TransportError::TooLarge { .. })
    ));
}

#[tokio::test]
async fn plain_http_stays_on_this_machine() {
    for address in [
        "http://id.example/",
        "http://localhost.example/",
        "http://10.0.0.1/",
    ] {
        assert!(
            matches!(get(address).await, Err(TransportError::Insecure)),
            "{address}"
        );
    }
}

#[tokio::test]
async fn errors_do_not_print_the_address() {
    // Bound and dropped: nobody listens there any more.
    let address = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let error = get(&format!("http://{address}/callback?code=secret"))
        .await
        .unwrap_err();
    assert!(matches!(error, TransportError::Connect(_)));
    let mut text = format!("{error} {error:?}");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    assert!(!text.contains("secret"));
}
