//! "Forgot password?" without a line of code: a static page with a link to `/reset-password`, and just enough of a
//! server to show it.
//!
//! ```text
//! cargo run --release --bin keyback -- demo
//! cargo run -p keyback-examples --bin static_page
//! ```
//!
//! The page is `examples/static/index.html`. The link's `client_id` names the app whose sign-in comes after the reset.

use anyhow::Result;
use axum::Router;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;

const PAGE: &str = include_str!("../../static/index.html");

#[tokio::main]
async fn main() -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("Open http://{}", listener.local_addr()?);
    // No script, and nothing from elsewhere.
    let policy = [(
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'",
    )];
    let page = get(async move || (policy, Html(PAGE)));
    Ok(axum::serve(listener, Router::new().route("/", page)).await?)
}
