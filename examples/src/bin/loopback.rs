//! A command-line program that signs in by the system's browser, over a loopback redirect (RFC 8252).
//!
//! ```text
//! cargo run --release --bin keyback -- demo
//! cargo run -p keyback-examples --bin loopback
//! cargo run -p keyback-examples --bin loopback -- --forgot-password
//! ```
//!
//! It is a public client: no secret, but PKCE, and a port of its own that lives as long as the sign-in. For another
//! provider set `KEYBACK_ISSUER` and `KEYBACK_CLIENT_ID`. Who has not signed in after a quarter of an hour, or after
//! `KEYBACK_PATIENCE` seconds, has to start again.

use std::collections::HashMap;
use std::env;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use keyback::{Client, PendingSignIn, Session, SignIn, Url};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

/// As many seconds as a person may take, a reset by mail included.
const PATIENCE: &str = "900";

struct Program {
    auth: Client,
    /// The sign-in that waits for its answer, by its state.
    waiting: Mutex<HashMap<String, PendingSignIn>>,
    answered: mpsc::Sender<Result<Session, keyback::Error>>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let asked: Vec<String> = env::args().skip(1).collect();
    let known = ["--forgot-password", "--no-browser"];
    if let Some(unknown) = asked.iter().find(|asked| !known.contains(&asked.as_str())) {
        bail!("{unknown} is not known; there are {}", known.join(" and "));
    }
    let asked = |option: &str| asked.iter().any(|asked| asked == option);

    let listener = listen().await.context("no port of this machine can be had")?;
    let setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let patience = setting("KEYBACK_PATIENCE", PATIENCE).parse();
    let patience = Duration::from_secs(patience.context("KEYBACK_PATIENCE must be a number of seconds")?);
    let issuer = setting("KEYBACK_ISSUER", "http://localhost:3001/oidc");
    let client = Client::builder(issuer, setting("KEYBACK_CLIENT_ID", "demo-cli"));
    // The address as a number: `localhost` may lead elsewhere (RFC 8252 section 8.3).
    let auth = client
        .redirect_uri(format!("http://{}/callback", listener.local_addr()?))
        .build()?;
    let request = if asked("--forgot-password") {
        auth.forgot_password()
    } else {
        auth.sign_in()
    };
    let SignIn { url, pending } = request.scope("profile").scope("email").start().await?;

    let (answered, mut answers) = mpsc::channel(1);
    let (end, ended) = watch::channel(());
    let waiting = Mutex::new(HashMap::from([(pending.state().to_owned(), pending)]));
    let program = Arc::new(Program {
        auth: auth.clone(),
        waiting,
        answered,
    });
    let routes = Router::new()
        .route("/callback", get(callback))
        .with_state(program);
    let serving = axum::serve(listener, routes).with_graceful_shutdown(until(ended));
    let serving = tokio::spawn(serving.into_future());

    println!("To sign in, open\n\n  {url}\n");
    if !asked("--no-browser") && open::that_detached(url.as_str()).is_err() {
        println!("No browser could be started from here: open the address yourself.");
    }
    let answer = tokio::select! {
        Some(answer) = answers.recv() => answer,
        _ = tokio::signal::ctrl_c() => bail!("stopped; nobody has signed in"),
        () = tokio::time::sleep(patience) => bail!("nobody has signed in for {} s; start again", patience.as_secs()),
    };
    // The last page goes out, and then the port is free again.
    drop(end);
    serving.await??;

    let session = answer?;
    let person = auth.user_info(&session).await?;
    let name = person.name().or(person.username()).unwrap_or("Somebody");
    println!(
        "{name} is signed in: {} ({})",
        person.email().unwrap_or("no e-mail address"),
        person.subject()
    );
    Ok(())
}

impl Program {
    /// The sign-in that an answer names by its state.
    fn pending(&self, answer: &Url) -> Option<PendingSignIn> {
        let (_, state) = answer.query_pairs().find(|(name, _)| name == "state")?;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&*state)
    }
}

/// Any free port, of IPv4 or, where there is none, of IPv6 (RFC 8252 section 7.3).
async fn listen() -> std::io::Result<TcpListener> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await,
    }
}

/// Where the provider sends the browser back to. What other pages or programs of this machine send ends nothing.
async fn callback(State(program): State<Arc<Program>>, uri: Uri) -> Response {
    let Ok(url) = program.auth.callback_url(&uri.to_string()) else {
        return page(StatusCode::BAD_REQUEST, "That is no answer to a sign-in.");
    };
    let Some(pending) = program.pending(&url) else {
        return page(StatusCode::BAD_REQUEST, "No sign-in waits for this answer.");
    };
    let answer = program.auth.finish(pending, &url).await;
    let page = match &answer {
        Ok(_) => page(
            StatusCode::OK,
            "You are signed in. You can close this page and go back to the program.",
        ),
        Err(_) => page(
            StatusCode::BAD_REQUEST,
            "You are not signed in. The program tells why.",
        ),
    };
    // Fails only where nobody waits any more.
    let _ = program.answered.send(answer).await;
    page
}

fn page(status: StatusCode, words: &str) -> Response {
    let html = format!("<!doctype html><html lang=\"en\"><title>Sign-in</title><p>{words}</p></html>");
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'"),
    ];
    (status, headers, Html(html)).into_response()
}

async fn until(mut ended: watch::Receiver<()>) {
    // An error says that the sender is gone, which is the end.
    let _ = ended.changed().await;
}
