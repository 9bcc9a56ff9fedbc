//! A folder with a configuration, a root key and accounts: what an operator would have.

use std::io::{BufWriter, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::bare;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "violet otter paddles";
/// The app of the configuration file.
pub(crate) const APP: &str = "load";
/// Its secret.
pub(crate) const APP_SECRET: &str = "a-secret-of-the-load-program-that-is-long";
/// An app of the store.
pub(crate) const STORED_APP: &str = "load-stored";
/// Where both apps are answered. Nothing listens there.
pub(crate) const REDIRECT_URI: &str = "http://localhost:9/callback";

/// The folder. It is removed when this is dropped.
pub(crate) struct Workplace {
    folder: TempDir,
    program: PathBuf,
    pub(crate) port: u16,
    pub(crate) users: u32,
    /// How long the accounts took to be made.
    pub(crate) imported_in: Duration,
}

impl Workplace {
    /// A folder whose store has `users` accounts and an app.
    pub(crate) fn new(program: &Path, users: u32, mail_port: u16) -> Result<Self> {
        let mut place = Self::empty(program, mail_port)?;
        place.users = users;
        place.run(&["migrate"])?;
        place.run(&[
            "app",
            "add",
            STORED_APP,
            "--type",
            "web",
            "--redirect-uri",
            REDIRECT_URI,
        ])?;
        place.imported_in = place.import(users)?;
        Ok(place)
    }

    /// A folder without a store.
    pub(crate) fn empty(program: &Path, mail_port: u16) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let path = |name: &str| folder.path().join(name).display().to_string();
        let config = format!(
            r#"[server]
listen = "127.0.0.1:{port}"
public_url = "http://localhost:{port}"

[secrets]
root_key_file = "{}"

[store]
url = "sqlite:{}"

[email]
connector = "smtp"
host = "127.0.0.1"
port = {mail_port}
security = "none"
from = "Load <load@load.example>"

[limits]
factor = 100000

[[app]]
client_id = "{APP}"
name = "Load"
type = "web"
client_secret = "{APP_SECRET}"
redirect_uris = ["{REDIRECT_URI}"]
sign_in_url = "http://localhost:9/sign-in"
"#,
            path("root.key"),
            path("keyback.db"),
        );
        std::fs::write(folder.path().join("keyback.toml"), config)?;
        let place = Self {
            folder,
            program: program.to_owned(),
            port,
            users: 0,
            imported_in: Duration::ZERO,
        };
        let key = path_text(&place.path("root.key"));
        let made = Command::new(program)
            .args(["keys", "new", "--out", &key])
            .output()?;
        check("keys new", &made)?;
        Ok(place)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("keyback.toml")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Result<()> {
        let output = Command::new(&self.program)
            .args(args)
            .arg("--config")
            .arg(self.config())
            .stdin(Stdio::null())
            .output()?;
        check(&args.join(" "), &output)
    }

    /// Makes the accounts by `keyback user import`. They share one password, and so one hash of it.
    fn import(&self, users: u32) -> Result<Duration> {
        let hash = bare::phc(PASSWORD)?;
        let file = self.path("users.jsonl");
        let mut lines = BufWriter::new(std::fs::File::create(&file)?);
        for number in 0..users {
            let email = address(number);
            writeln!(
                lines,
                r#"{{"email":"{email}","email_verified":true,"name":"Person {number}","password_hash":"{hash}"}}"#
            )?;
        }
        lines.flush()?;
        drop(lines);
        let began = Instant::now();
        self.run(&["user", "import", &path_text(&file)])?;
        let took = began.elapsed();
        std::fs::remove_file(file)?;
        Ok(took)
    }
}

/// The address of an account.
pub(crate) fn address(number: u32) -> String {
    format!("person{number:07}@load.example")
}

fn check(what: &str, output: &std::process::Output) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    bail!("keyback {what} failed: {said}")
}

fn path_text(path: &Path) -> String {
    path.display().to_string()
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}
