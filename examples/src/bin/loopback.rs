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

use std::time::Duration;
use std::{env, io};

use anyhow::{Context as _, Result, bail};
use keyback::{Client, Loopback};

/// As many seconds as a person may take, a reset by mail included.
const PATIENCE: &str = "900";

#[tokio::main]
async fn main() -> Result<()> {
    let asked: Vec<String> = env::args().skip(1).collect();
    let known = ["--forgot-password", "--no-browser"];
    if let Some(unknown) = asked.iter().find(|asked| !known.contains(&asked.as_str())) {
        bail!("{unknown} is not known; there are {}", known.join(" and "));
    }
    let asked = |option: &str| asked.iter().any(|asked| asked == option);
    let setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let patience = setting("KEYBACK_PATIENCE", PATIENCE).parse();
    let patience = Duration::from_secs(patience.context("KEYBACK_PATIENCE must be a number of seconds")?);

    let loopback = Loopback::bind().await?.patience(patience);
    let issuer = setting("KEYBACK_ISSUER", "http://localhost:3001/oidc");
    let auth = Client::builder(issuer, setting("KEYBACK_CLIENT_ID", "demo-cli"))
        .redirect_uri(loopback.redirect_uri())
        .scope("email")
        // It asks one question, and needs no token for another day.
        .without_reserved_scopes()
        .scope("profile")
        .build()?;
    let request = if asked("--forgot-password") {
        auth.forgot_password()
    } else {
        auth.sign_in()
    };
    let mut loopback = loopback.show(|url| println!("To sign in, open\n\n  {url}\n"));
    if asked("--no-browser") {
        loopback = loopback.open_with(|_| Err(io::Error::other("it was not asked for")));
    }
    let session = tokio::select! {
        session = loopback.sign_in(request) => session?,
        _ = tokio::signal::ctrl_c() => bail!("stopped; nobody has signed in"),
    };
    let person = auth.user_info(&session).await?;
    let name = person.name().or(person.username()).unwrap_or("Somebody");
    println!(
        "{name} is signed in: {} ({})",
        person.email().unwrap_or("no e-mail address"),
        person.subject()
    );
    Ok(())
}
