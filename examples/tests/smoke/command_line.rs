//! The command-line program, which waits for its answer on a loopback port (RFC 8252).

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{ChildStdout, Command, Stdio};

use anyhow::Context as _;
use keyback::Url;

use crate::running::{Running, ask, provider};

#[tokio::test(flavor = "multi_thread")]
async fn rfc8252_7_3_the_command_line_program_waits_on_a_loopback_port_for_its_own_answer()
-> anyhow::Result<()> {
    let issuer = provider().await?;
    let mut running = loopback(&issuer, &["--forgot-password"])?;
    let request = running.request(&issuer)?;
    assert_eq!(request["client_id"], "demo-cli");
    let callback = &request["redirect_uri"];
    let port = callback
        .strip_prefix("http://127.0.0.1:")
        .and_then(|rest| rest.strip_suffix("/callback"));
    assert!(port.is_some_and(|port| port.parse::<u16>().is_ok()), "{callback}");

    // What others of this machine send ends nothing.
    for forged in ["", "?code=1", "?code=1&state=2", "?error=access_denied&state="] {
        assert_eq!(
            ask(&format!("{callback}{forged}")).await?.status(),
            400,
            "{forged}"
        );
    }
    let state = &request["state"];
    let answer = ask(&format!("{callback}?error=access_denied&state={state}")).await?;
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await?.contains("You are not signed in"));
    let (code, err) = running.ended()?;
    assert_eq!(code, Some(1));
    assert!(err.contains("refused"), "{err}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_program_ends_on_ctrl_c_and_knows_its_options() -> anyhow::Result<()> {
    let issuer = provider().await?;
    let mut running = loopback(&issuer, &[])?;
    let request = running.request(&issuer)?;
    assert!(!request.contains_key("first_screen"));
    running.interrupt()?;
    let (code, err) = running.ended()?;
    assert_eq!(code, Some(1));
    assert!(err.contains("nobody has signed in"), "{err}");

    let (code, err) = loopback(&issuer, &["--forgot"])?.ended()?;
    assert_eq!(code, Some(1));
    assert!(err.contains("--forgot-password"), "{err}");
    let (code, err) = loopback("http://192.0.2.1/oidc", &[])?.ended()?;
    assert_eq!(code, Some(1));
    assert!(err.contains("https"), "{err}");
    Ok(())
}

/// A port that waits for ever would be found by whoever comes later.
#[tokio::test(flavor = "multi_thread")]
async fn rfc8252_8_3_the_command_line_program_waits_for_its_time_and_closes_its_port() -> anyhow::Result<()> {
    let issuer = provider().await?;
    let mut running = impatient(&issuer, "2")?;
    let request = running.request(&issuer)?;
    let callback = &request["redirect_uri"];
    // Until then it waits, and what others send gains them no time.
    assert_eq!(ask(&format!("{callback}?code=1&state=2")).await?.status(), 400);
    let (code, err) = running.ended()?;
    assert_eq!(code, Some(1));
    assert!(err.contains("nobody has signed in for 2 s; start again"), "{err}");
    let state = &request["state"];
    assert!(ask(&format!("{callback}?code=1&state={state}")).await.is_err());

    let (code, err) = impatient(&issuer, "a while")?.ended()?;
    assert_eq!(code, Some(1));
    assert!(err.contains("KEYBACK_PATIENCE"), "{err}");
    Ok(())
}

/// The command-line program at work. It is killed when dropped.
struct CommandLine {
    running: Running,
    printed: BufReader<ChildStdout>,
}

fn loopback(issuer: &str, options: &[&str]) -> anyhow::Result<CommandLine> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loopback"));
    command.args(options);
    begin(command, issuer)
}

/// The same with a time of its own, in seconds.
fn impatient(issuer: &str, patience: &str) -> anyhow::Result<CommandLine> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loopback"));
    command.env("KEYBACK_PATIENCE", patience);
    begin(command, issuer)
}

fn begin(mut command: Command, issuer: &str) -> anyhow::Result<CommandLine> {
    command.env("KEYBACK_ISSUER", issuer).arg("--no-browser");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let printed = child.stdout.take().context("nothing is printed")?;
    Ok(CommandLine {
        running: Running(child),
        printed: BufReader::new(printed),
    })
}

impl CommandLine {
    /// The request of the address that it prints.
    fn request(&mut self, issuer: &str) -> anyhow::Result<HashMap<String, String>> {
        let mut lines = self.printed.by_ref().lines();
        let line = lines.find(|line| line.as_ref().is_ok_and(|line| line.trim().starts_with("http")));
        let url = Url::parse(line.context("no address is printed")??.trim())?;
        assert!(url.as_str().starts_with(&format!("{issuer}/auth?")), "{url}");
        Ok(url.query_pairs().into_owned().collect())
    }

    /// As Ctrl-C does.
    fn interrupt(&self) -> anyhow::Result<()> {
        let pid = self.running.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status()?.success());
        Ok(())
    }

    /// How it ended, and what it said.
    fn ended(mut self) -> anyhow::Result<(Option<i32>, String)> {
        let mut said = String::new();
        self.running
            .0
            .stderr
            .take()
            .context("nothing is said")?
            .read_to_string(&mut said)?;
        Ok((self.running.0.wait()?.code(), said))
    }
}
