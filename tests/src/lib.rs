//! What the tests of the whole product stand on.
//!
//! | part | what it is |
//! |---|---|
//! | [`TestApp`] | a companion in this process, with a clock that stands still and an inbox, and the shop beside it |
//! | [`Site`] | the shop: somebody else's site on another origin, which signs people in with the SDK |
//! | [`Browser`] | a person's browser: cookies, redirects one by one, forms by their fields, `form-action` as Chromium applies it |
//! | [`SmtpSink`] | a mail server that takes everything, or is slow, refuses, hangs or lies where told to |
//! | [`MessageProvider`] | a provider of messages behind HTTP: as Twilio, or slow, failing, lying |
//! | [`RangeStub`] | a corpus of breached passwords |
//! | [`Keyback`] | the built command, and the demo as a process of its own |
//! | [`timing`] | how long answers take, by the state of who is asked for |
//! | [`Server`] | `keyback serve` as a process of its own |
//! | [`wire`] | requests that no HTTP client would send |
//!
//! Everything talks over loopback, and nothing sleeps where it can look instead ([`eventually`]).

#![expect(
    clippy::unwrap_used,
    reason = "the support of tests fails where it stands, as tests do"
)]

mod app;
mod breached;
mod browser;
mod command;
mod ports;
mod provider;
mod server;
mod site;
mod smtp;
pub mod timing;
pub mod wire;

use std::future::Future;
use std::io::Write as _;
use std::time::{Duration, Instant};

pub use app::{APP_SECRET, TestApp};
pub use breached::RangeStub;
pub use browser::{Browser, Form, Hop, Page, Tells};
pub use command::{Demo, Finished, Keyback, Workplace};
pub use ports::free_port;
pub use provider::{Asked, Behaviour, MessageProvider};
pub use server::Server;
pub use site::{SharedClock, Site};
pub use smtp::{Mail, SmtpManner, SmtpSink};

/// The address of most tests' person.
pub const ADA: &str = "ada@example.com";
/// The password that Ada has forgotten.
pub const OLD_PASSWORD: &str = "violet otter paddles";
/// The one she chooses.
pub const NEW_PASSWORD: &str = "copper lantern drifts";

/// How long anything may take that is waited for: much longer than it ever does.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tells what a test has counted or measured: on its output, and in the file that `KEYBACK_COUNTS` names, which `tests/run`
/// shows at its end.
///
/// # Panics
///
/// When the file can't be written.
pub fn tell(counted: &str) {
    println!("{counted}");
    let Some(path) = std::env::var_os("KEYBACK_COUNTS") else {
        return;
    };
    let mut file = std::fs::File::options()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    // In one write, since tests tell at the same time.
    file.write_all(format!("{counted}\n").as_bytes()).unwrap();
}

/// `few`, or `many` where the environment asks for the full counts.
pub fn counts(few: usize, many: usize) -> usize {
    match std::env::var("KEYBACK_TESTS_FULL") {
        Ok(full) if full == "1" => many,
        _ => few,
    }
}

/// Looks again and again until `look` finds something.
///
/// # Panics
///
/// When it doesn't in half a minute; `what` says what was waited for.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}
