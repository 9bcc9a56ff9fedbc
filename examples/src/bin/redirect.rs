//! The redirect alone: "Forgot password?" in sixty lines on bare hyper, without a client secret.
//!
//! Run `cargo run --release --bin keyback -- demo`, then `cargo run -p keyback-examples --bin redirect`, and open
//! the address that this prints.

use std::{env, sync::Arc};

use anyhow::Result;
use hyper::header::{COOKIE, LOCATION, SET_COOKIE};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use keyback::{Client, CookieSealer, Random, SignIn, SystemRandom};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    let issuer = env::args().nth(1).unwrap_or("http://localhost:3001/oidc".into());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let site = format!("http://{}", listener.local_addr()?);
    let client = Client::builder(issuer, "demo-cli").redirect_uri(format!("{site}/callback"));
    let mut key = [0; 32];
    SystemRandom.fill(&mut key)?;
    let keyback = Arc::new((client.build()?, CookieSealer::new(key)?));
    println!("Forgot your password? {site}/forgot-password");
    loop {
        let stream = TokioIo::new(listener.accept().await?.0);
        let keyback = Arc::clone(&keyback);
        let service = service_fn(move |request| {
            let keyback = Arc::clone(&keyback);
            async move { answer(&keyback, &request).await.or_else(|error| sorry(&error)) }
        });
        let mut http = http1::Builder::new();
        tokio::spawn(http.timer(TokioTimer::new()).serve_connection(stream, service));
    }
}

type Keyback = (Client, CookieSealer);

async fn answer((client, sealer): &Keyback, request: &Request<Incoming>) -> Result<Response<String>> {
    let cookies = request.headers().get(COOKIE).map_or(Ok(""), |v| v.to_str())?;
    Ok(match request.uri().path() {
        "/forgot-password" => {
            let SignIn { url, pending } = client.forgot_password().start().await?;
            let answer = Response::builder().status(303);
            let answer = answer.header(SET_COOKIE, sealer.set_cookie(&pending)?);
            answer.header(LOCATION, url.as_str()).body(String::new())?
        }
        "/callback" => {
            let url = client.callback_url(&request.uri().to_string())?;
            let session = client.finish(sealer.open(cookies, &url, client)?, &url).await?;
            Response::new(format!("Welcome back, {}!\n", session.claims().subject()))
        }
        _ => Response::builder().status(404).body("Not here\n".into())?,
    })
}

fn sorry(error: &anyhow::Error) -> Result<Response<String>> {
    let answer = Response::builder().status(502);
    Ok(answer.body(format!("Sorry: {error}\n"))?)
}
