//! The examples against the demo, as their own words tell a reader to run them.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use keyback_tests::{ADA, Browser, Demo, Keyback, NEW_PASSWORD, OLD_PASSWORD};
use tokio::task::spawn_blocking;
use url::Url;

/// An example at work. It is killed when dropped.
struct Example {
    child: Child,
    printed: Option<BufReader<ChildStdout>>,
}

impl Example {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let printed = child.stdout.take().map(BufReader::new);
        Self { child, printed }
    }

    /// Reads until a line has this in it.
    async fn line_with(&mut self, words: &'static str) -> String {
        let mut printed = self.printed.take().unwrap();
        let (printed, line) = spawn_blocking(move || {
            let mut lines = printed.by_ref().lines().map_while(Result::ok);
            let line = lines.find(|line| line.contains(words));
            (
                printed,
                line.unwrap_or_else(|| panic!("{words:?} was not printed")),
            )
        })
        .await
        .unwrap();
        self.printed = Some(printed);
        line
    }

    /// Waits for its end: what else it printed, and whether it says that all went well.
    async fn ended(mut self) -> (String, bool) {
        spawn_blocking(move || {
            let mut rest = String::new();
            self.printed.take().unwrap().read_to_string(&mut rest).unwrap();
            (rest, self.child.wait().unwrap().success())
        })
        .await
        .unwrap()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The command-line program, and the address that it prints.
async fn loopback(demo: &Demo, options: &[&str]) -> (Example, String) {
    let mut command = Keyback::example("loopback");
    command.env("KEYBACK_ISSUER", demo.companion.join("/oidc").unwrap().as_str());
    let mut example = Example::start(command.arg("--no-browser").args(options));
    let url = example.line_with("/oidc/auth?").await;
    (example, url.trim().to_owned())
}

/// Asserts that the browser is back at the program and that the program knows the person.
async fn assert_signed_in(browser: &Browser, example: Example) {
    browser.assert_at("/callback");
    browser.assert_says("You can close this page");
    let (printed, went_well) = example.ended().await;
    assert!(
        went_well && printed.contains("Ada Lovelace is signed in: ada@example.com"),
        "{printed}"
    );
}

#[tokio::test]
async fn rfc8252_7_3_a_command_line_program_signs_in_over_a_loopback_redirect() {
    let demo = Demo::start(&[]).await;
    let (example, url) = loopback(&demo, &[]).await;
    let mut browser = demo.browser();
    browser.open(&url).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    assert_signed_in(&browser, example).await;
}

#[tokio::test]
async fn a_command_line_program_begins_with_the_reset_where_the_password_is_forgotten() {
    let demo = Demo::start(&[]).await;
    let (example, url) = loopback(&demo, &["--forgot-password"]).await;
    let mut browser = demo.browser();
    browser.open(&url).await;
    browser.assert_at("/forgot-password");
    browser.ask_reset(ADA).await;
    let code = demo.code_for(ADA, 1).await;
    browser.enter_code(&code).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.click("Sign in").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    assert_signed_in(&browser, example).await;
}

/// The link is written for the demo's usual port; here the demo is on another.
#[tokio::test]
async fn the_static_pages_link_leads_to_the_reset() {
    let demo = Demo::start(&[]).await;
    let mut example = Example::start(&mut Keyback::example("static_page"));
    let site = example.line_with("Open ").await;
    let mut browser = Browser::at(&Url::parse(site.trim_start_matches("Open ")).unwrap());
    browser.open("/").await;
    let link = browser.page().link("Forgot your password?").unwrap();
    assert_eq!(link.origin().ascii_serialization(), "http://localhost:3001");
    let mut browser = demo.browser();
    browser.open(&link[url::Position::BeforePath..]).await;
    browser.assert_at("/forgot-password");
}

/// The two commands of the README.
#[tokio::test]
async fn sr60_a_reset_at_the_demo_reaches_the_receiver() {
    // A port that nobody uses now: each of the two must know it of the other.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let demo = Demo::start(&["--webhook", &format!("http://{address}/webhooks")]).await;
    let signed_with = demo.printed.split("signed with ").nth(1).unwrap();
    let key = signed_with.split_whitespace().next().unwrap();
    let mut command = Keyback::example("webhook_receiver");
    command
        .env("KEYBACK_WEBHOOK_KEY", key)
        .env("LISTEN", address.to_string());
    let mut receiver = Example::start(&mut command);
    receiver.line_with("Waiting for webhooks").await;
    let mut browser = demo.browser();
    browser.open("/reset-password?client_id=demo-site").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&demo.code_for(ADA, 1).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
    let told = receiver.line_with("PostResetPassword").await;
    assert!(
        told.contains("(ada@example.com) has a new password, by a reset that began at Larkspur Books"),
        "{told}"
    );
}
