//! The stage of the browser journeys and foreign clients to whom time passes: a companion whose clock its caller moves,
//! and the shop.
//!
//! It prints the companion's address, then the shop's, and then answers each line of its input with the time that it is,
//! in milliseconds since 1970: `add ADDRESS PASSWORD` makes an account, `pass SECONDS` lets time pass, `rotate announced`
//! and `rotate at-once` change the signing keys. It ends with its input.

#![expect(clippy::unwrap_used, reason = "the stage of tests fails where it stands")]

use std::io::{self, BufRead as _, Write as _};
use std::time::Duration;

use keyback_companion::oidc::keys::Handover;
use keyback_core::time::Clock as _;
use keyback_tests::TestApp;
use tokio::task::spawn_blocking;

#[tokio::main]
async fn main() {
    let app = TestApp::start().await;
    say(&format!("{}\n{}", app.url, app.site.url));
    while let Some(line) = spawn_blocking(read).await.unwrap() {
        match line.split_once(' ') {
            Some(("add", account)) => {
                let (address, password) = account.split_once(' ').unwrap();
                app.add_user(address, Some(password)).await;
            }
            Some(("pass", seconds)) => app.advance(Duration::from_secs(seconds.parse().unwrap())),
            Some(("rotate", "announced")) => app.rotate_keys(Handover::Announced).await,
            Some(("rotate", "at-once")) => app.rotate_keys(Handover::AtOnce).await,
            _ => panic!("nobody knows what {line:?} means"),
        }
        say(&app.clock.now().as_millis().to_string());
    }
}

fn read() -> Option<String> {
    io::stdin().lock().lines().next().map(Result::unwrap)
}

fn say(text: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").unwrap();
    out.flush().unwrap();
}
