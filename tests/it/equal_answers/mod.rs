//! What asking for a reset shows, does, and how long it takes, is the same whoever is asked for.

mod bytes;
mod shown;
mod statements;
mod times;

use keyback_tests::{Server, SmtpSink};

/// Each state of an account, the one that gets a code first, and an address in it.
const STATES: [(&str, &str); 5] = [
    ("known", "ada@example.com"),
    ("unknown", "nobody@example.com"),
    ("disabled", "eve@example.com"),
    ("unverified", "una@example.com"),
    ("passwordless", "pat@example.com"),
];

/// A companion with an account in each state, and this mail server, which it waits for so long.
async fn accounts_of_all_states(mail: &SmtpSink, timeout: &str, more: &str, detail: &str) -> Server {
    let server = Server::start_with(
        |sound| {
            mail.in_place_of_the_inbox(&sound)
                .replace(
                    "security = \"none\"",
                    &format!("security = \"none\"\ntimeout = \"{timeout}\""),
                )
                .replace("[server]\n", "[server]\ntrusted_proxies = [\"127.0.0.0/8\"]\n")
                + more
        },
        detail,
    )
    .await;
    let add = ["user", "add", "--email"];
    let workplace = &server.workplace;
    for address in ["ada@example.com", "eve@example.com"] {
        let with_password = [&add[..], &[address, "--password-stdin"]].concat();
        workplace
            .run_with_input(&with_password, "violet otter paddles")
            .await
            .assert_done();
    }
    for more in [&["pat@example.com"][..], &["una@example.com", "--unverified"]] {
        workplace.run(&[&add[..], more].concat()).await.assert_done();
    }
    workplace
        .run(&["user", "disable", "eve@example.com"])
        .await
        .assert_done();
    server
}
