//! Examples at work, the provider that they ask, and what a browser would see.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use keyback::Url;
use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A provider that only tells where it is, and gives no tokens now.
pub(crate) async fn provider() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let issuer = format!("http://{}/oidc", listener.local_addr()?);
    let metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES384"],
    });
    let answer = move || async move { axum::Json(metadata) };
    let routes = Router::new()
        .route("/oidc/.well-known/openid-configuration", get(answer))
        .route("/oidc/token", post(async || StatusCode::SERVICE_UNAVAILABLE));
    tokio::spawn(async { axum::serve(listener, routes).await });
    Ok(issuer)
}

pub(crate) async fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port())
}

/// An example that ends with its test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already is ended too.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts an example and waits for the address that it prints.
pub(crate) fn start(command: &mut Command) -> anyhow::Result<(Running, String)> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let printed = child.stdout.take();
    let mut running = Running(child);
    let mut line = String::new();
    if let Some(printed) = printed {
        let mut printed = BufReader::new(printed);
        printed.read_line(&mut line)?;
        // It may print more: the pipe stays open.
        running.0.stdout = Some(printed.into_inner());
    }
    Ok((running, line.trim().to_owned()))
}

pub(crate) async fn ask(url: &str) -> reqwest::Result<Response> {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build()?
        .get(url)
        .send()
        .await
}

/// The body of the answer to a request of exactly this target.
pub(crate) async fn bare_request(site: &str, target: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(site.trim_start_matches("http://")).await?;
    let request = format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.to_owned())
        .unwrap_or_default())
}

/// The authorization request that an answer leads to, once it is one for the reset page.
pub(crate) fn reset_request(answer: &Response, issuer: &str) -> anyhow::Result<HashMap<String, String>> {
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()[SET_COOKIE].to_str()?;
    assert!(
        cookie.starts_with("kbrp_") && cookie.contains("HttpOnly"),
        "{cookie}"
    );
    let location = Url::parse(answer.headers()[LOCATION].to_str()?)?;
    assert!(
        location.as_str().starts_with(&format!("{issuer}/auth?")),
        "{location}"
    );
    let request: HashMap<_, _> = location.query_pairs().into_owned().collect();
    assert_eq!(request["first_screen"], "reset-password");
    assert_eq!(request["prompt"], "login consent");
    assert_eq!(request["response_type"], "code");
    assert_eq!(request["code_challenge_method"], "S256");
    for drawn in ["state", "nonce", "code_challenge"] {
        assert!(request[drawn].len() >= 43, "{drawn}");
    }
    Ok(request)
}
