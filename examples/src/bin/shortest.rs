//! Sign-in, "Forgot password?" and sign-out on an axum site, in twenty-five lines.
//!
//! Start the demo, then this site with the secret that the demo prints for `demo-web`, and open <http://localhost:8080>:
//!
//! ```text
//! cargo run --release --bin keyback -- demo
//! KEYBACK_CLIENT_SECRET=… cargo run -p keyback-examples --bin shortest
//! ```

use anyhow::Context as _;
use axum::{Router, response::Html};
use keyback::{Client, Random as _, SignedIn, Site, SystemRandom};

const SIGN_IN: &str = "<a href=/sign-in>Sign in</a> <a href=/forgot-password>Forgot password?</a>";
const SIGN_OUT: &str = "<form method=post action=/sign-out><button>Sign out</button></form>";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let issuer = std::env::var("KEYBACK_ISSUER").unwrap_or("http://localhost:3001/oidc".into());
    let site = std::env::var("SITE_URL").unwrap_or("http://localhost:8080".into());
    let client = Client::builder(issuer, "demo-web")
        .client_secret(std::env::var("KEYBACK_CLIENT_SECRET").context("set KEYBACK_CLIENT_SECRET")?)
        .redirect_uri(format!("{site}/callback"))
        .build()?;
    let mut key = [0; 32]; // keep one where sessions should survive a restart
    SystemRandom.fill(&mut key)?;
    let auth = Site::builder(client, key).signed_out("/signed-out");
    let routes = Router::new().fallback(home).layer(auth.build()?);
    let listener = tokio::net::TcpListener::bind(site.trim_start_matches("http://")).await?;
    println!("Open {site}");
    Ok(axum::serve(listener, routes).await?)
}

async fn home(person: Option<SignedIn>) -> Html<String> {
    let hello = |person: SignedIn| format!("Hello, {}. {SIGN_OUT}", person.subject());
    Html(person.map_or(SIGN_IN.into(), hello))
}
