//! Methods, paths and hosts that are not ours, and what is no HTTP.

use std::time::Duration;

use keyback_tests::wire;
use reqwest::Method;
use tokio::io::AsyncWriteExt as _;

use super::{FORM, FORMS, Raw, Watched, assert_refused};

#[tokio::test]
async fn sr29_sr69_methods_and_paths_that_are_not_there() {
    let watched = Watched::start().await;
    for path in FORMS {
        for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE] {
            let raw = Raw {
                method: method.clone(),
                path,
                content_type: None,
                body: Vec::new(),
            };
            assert_refused(&watched.send(raw).await, 405);
        }
    }
    for path in [
        "/account",
        "/reset-password",
        "/signed-out",
        "/forgot-password/done",
        "/",
    ] {
        assert_refused(&watched.post(path, "").await, 405);
    }
    for path in [
        "/no-such-page",
        "/sign-in/",
        "/SIGN-IN",
        "/forgot-password/..%2f..%2fetc%2fpasswd",
        "/.env",
        "/oidc",
        "/oidc/no-such-endpoint",
        "/healthz",
        "/metrics",
        "/%00",
        "/%ff",
    ] {
        assert_refused(&watched.get(path).await, 404);
    }
    // SR-29: asking with HEAD changes nothing, and has no body.
    for path in ["/sign-in", "/forgot-password"] {
        let raw = Raw {
            method: Method::HEAD,
            path,
            content_type: None,
            body: Vec::new(),
        };
        let page = watched.send(raw).await;
        assert_eq!((page.status, page.body.as_str()), (200, ""));
        for banner in ["server", "x-powered-by", "via"] {
            assert!(page.headers.get(banner).is_none(), "{banner}");
        }
    }
    watched.assert_untouched().await;
}

#[tokio::test]
async fn sr07_only_the_own_name_is_answered() {
    let watched = Watched::start().await;
    let url = &watched.app.url;
    let port = url.port().unwrap();
    let get = async |host: &str| {
        let request = format!("GET /sign-in HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        wire::exchange(url, request.as_bytes()).await
    };
    assert_eq!(
        wire::status(&get(&format!("Host: localhost:{port}\r\n")).await),
        200
    );
    for host in [
        "Host: evil.example\r\n".to_owned(),
        format!("Host: 127.0.0.1:{port}\r\n"),
        "Host: localhost\r\n".to_owned(),
        format!("Host: localhost:{port}.evil.example\r\n"),
        format!("Host: evil.example\r\nX-Forwarded-Host: localhost:{port}\r\n"),
        format!("Host: localhost:{port}\r\nHost: evil.example\r\n"),
        format!("X-Forwarded-Host: localhost:{port}\r\n"),
        "Host: \r\n".to_owned(),
        String::new(),
    ] {
        let answer = get(&host).await;
        let status = wire::status(&answer);
        assert!(matches!(status, 400 | 421), "{host:?}: {answer}");
        assert!(!answer.contains("Sign in</h1>"), "{host:?}");
    }
    let foreign = get("Host: evil.example\r\n").await;
    assert_eq!(wire::status(&foreign), 421);
    assert!(foreign.contains("x-frame-options: DENY") && foreign.contains("content-security-policy: "));
    // HTTP/1.0 has no Host: refused, and never guessed (SR-7).
    let old = wire::exchange(url, b"GET /sign-in HTTP/1.0\r\n\r\n").await;
    assert_eq!(wire::status(&old), 421);
    watched.assert_untouched().await;
}

#[tokio::test]
async fn what_is_no_http_is_answered_without_harm() {
    let watched = Watched::start().await;
    let url = &watched.app.url;
    let port = url.port().unwrap();
    let head = format!(
        "POST /forgot-password HTTP/1.1\r\nHost: localhost:{port}\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\nContent-Type: {FORM}\r\n"
    );
    for request in [
        "nonsense\r\n\r\n".to_owned(),
        format!(
            "GET /{} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n",
            "a".repeat(80_000)
        ),
        format!(
            "GET / HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\nCookie: {}\r\n\r\n",
            "a=b; ".repeat(60_000)
        ),
        format!("{head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde"),
        format!("{head}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nzz\r\nno chunk"),
    ] {
        let answer = wire::exchange(url, request.as_bytes()).await;
        let status = wire::status(&answer);
        assert!(
            (400..500).contains(&status),
            "{status} to {}",
            &request[..request.len().min(60)]
        );
    }
    // And a proper request is served as before.
    assert_eq!(watched.get("/sign-in").await.status, 200);
    watched.assert_untouched().await;
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_request_is_let_go() {
    let app = keyback_tests::TestApp::with(|config| {
        config.server.header_timeout = "1s".parse().unwrap();
    })
    .await;
    let answer = wire::exchange(&app.url, b"GET /sign-in HTTP/1.1\r\nHost: local").await;
    assert!(!answer.contains("200 OK"), "{answer}");
}

/// Their places are needed: while they are held, nobody else is served.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn clients_that_read_no_answers_are_let_go() {
    const PLACES: usize = 3;
    let app = keyback_tests::TestApp::with(|config| {
        config.server.max_connections = PLACES;
        config.server.request_timeout = "1s".parse().unwrap();
    })
    .await;
    let port = app.url.port().unwrap();
    let address = (std::net::Ipv4Addr::LOCALHOST, port).into();
    let page = format!("GET /sign-in HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").repeat(2_000);
    let mut hogs = Vec::new();
    for _ in 0..PLACES {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let mut hog = socket.connect(address).await.unwrap();
        // As much as it takes: the server stops reading where its answers are not read.
        let sent = tokio::time::timeout(Duration::from_millis(300), hog.write_all(page.as_bytes()));
        sent.await.ok();
        hogs.push(hog);
    }
    let request = format!("GET /sign-in HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    let answer = wire::exchange(&app.url, request.as_bytes()).await;
    assert_eq!(wire::status(&answer), 200);
    drop(hogs);
}

/// Asks for a code as from a client behind a proxy, and answers the status.
async fn ask_from(app: &keyback_tests::TestApp, address: &str, forwarded_for: &str) -> u16 {
    let port = app.url.port().unwrap();
    let body = format!("identifier={address}%40example.com");
    let request = format!(
        "POST /forgot-password HTTP/1.1\r\nHost: localhost:{port}\r\nSec-Fetch-Site: same-origin\r\n\
         X-Forwarded-For: {forwarded_for}\r\nContent-Type: {FORM}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    wire::status(&wire::exchange(&app.url, request.as_bytes()).await)
}

#[tokio::test]
async fn sr06_sr07_the_clients_address_is_the_connections_unless_a_proxy_is_trusted() {
    // Two sends from one client, and plenty for every address.
    let app = keyback_tests::TestApp::with(|config| config.limits.sends_per_address = 2).await;
    for (at, status) in [(1, 303), (2, 303), (3, 429)] {
        // Whatever the client says of itself, it is one client.
        let status_now = ask_from(&app, &format!("p{at}"), &format!("203.0.113.{at}")).await;
        assert_eq!(status_now, status, "{at}");
    }
    let behind = keyback_tests::TestApp::with(|config| {
        config.limits.sends_per_address = 2;
        config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    for at in 1..=5 {
        assert_eq!(
            ask_from(&behind, &format!("p{at}"), &format!("203.0.113.{at}")).await,
            303
        );
    }
    // What stands left of the proxy's own word is the client's invention.
    for (at, status) in [(6, 303), (7, 303), (8, 429)] {
        let invented = format!("198.51.100.{at}, 203.0.113.99");
        assert_eq!(
            ask_from(&behind, &format!("p{at}"), &invented).await,
            status,
            "{at}"
        );
    }
    // An IPv6 client is its /64 (SR-5).
    for (at, status) in [(9, 303), (10, 303), (11, 429)] {
        let of_one_network = format!("2001:db8:1:2::{at}");
        assert_eq!(
            ask_from(&behind, &format!("p{at}"), &of_one_network).await,
            status,
            "{at}"
        );
    }
}
