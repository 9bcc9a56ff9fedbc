//! The README's site of one's own, made as it says and with nothing else: a new project, its dependencies, its program, the demo.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use keyback_tests::{ADA, Browser, Demo, NEW_PASSWORD, OLD_PASSWORD, free_port};
use tokio::task::spawn_blocking;
use url::Url;

const SECTION: &str = "\n## A site of your own, in a minute\n";

/// What the README has its reader do.
struct QuickStart {
    /// The commands that make the project.
    commands: Vec<String>,
    program: String,
    /// The command that starts it, behind what it gives to the environment.
    start: String,
}

impl QuickStart {
    fn of_readme() -> Self {
        let readme = fs::read_to_string(root().join("README.md")).unwrap();
        let (_, section) = readme.split_once(SECTION).unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let mut blocks = section.split("\n```").collect::<Vec<_>>().into_iter();
        let mut next = |kind: &str| {
            let block = blocks.find_map(|block| block.strip_prefix(kind));
            block.unwrap_or_else(|| panic!("no block of {kind:?}")).to_owned()
        };
        let (make, program, start) = (next("console\n"), next("rust\n"), next("console\n"));
        let commands = |block: &str| -> Vec<String> {
            let typed = block.lines().filter_map(|line| line.strip_prefix("$ "));
            typed.map(str::to_owned).collect()
        };
        let start = commands(&start);
        let [start] = start.as_slice() else {
            panic!("one command starts it: {start:?}")
        };
        Self {
            commands: commands(&make),
            program,
            start: start.clone(),
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Cargo without a network, building where the tests were built, as they were: what both need is built once.
fn cargo(folder: &Path) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = std::env::current_exe().unwrap();
    let mut command = Command::new(cargo);
    command
        .current_dir(folder)
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TARGET_DIR", target.ancestors().nth(3).unwrap())
        .stdin(Stdio::null());
    for setting in settings() {
        command.arg("--config").arg(setting);
    }
    command
}

/// How the tests were built, as `profile.dev.package."name".setting=value`.
fn settings() -> Vec<String> {
    fn of(name: &str, value: &toml::Value) -> Vec<String> {
        let Some(table) = value.as_table() else {
            return vec![format!("{name}={value}")];
        };
        let each = table.iter();
        each.flat_map(|(inner, value)| of(&format!("{name}.\"{inner}\""), value))
            .collect()
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    of("profile.dev", &manifest["profile"]["dev"])
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// Types the README's commands in a folder beside a checkout; answers the project's folder.
fn make(quick_start: &QuickStart, beside: &Path) -> PathBuf {
    std::os::unix::fs::symlink(root().canonicalize().unwrap(), beside.join("keyback")).unwrap();
    let mut here = beside.to_owned();
    for typed in &quick_start.commands {
        let words: Vec<&str> = typed.split_whitespace().collect();
        match words.as_slice() {
            ["cd", folder] => {
                here = here.join(folder);
                // The versions that were fetched for this repository: a reader gets the newest.
                fs::copy(root().join("Cargo.lock"), here.join("Cargo.lock")).unwrap();
            }
            ["cargo", arguments @ ..] => done(cargo(&here).args(arguments)),
            _ => panic!("what does {typed:?} do?"),
        }
    }
    fs::write(here.join("src/main.rs"), &quick_start.program).unwrap();
    done(cargo(&here).arg("build"));
    here
}

/// The site at work. It is killed when dropped.
struct Site(Child);

impl Site {
    /// Starts it by the README's command, and waits for the address that it prints.
    fn start(quick_start: &QuickStart, folder: &Path, secret: &str, url: &str, issuer: &str) -> Self {
        let (variable, command) = quick_start.start.split_once("=M1h7… ").unwrap();
        assert_eq!((variable, command), ("KEYBACK_CLIENT_SECRET", "cargo run"));
        let mut command = cargo(folder);
        command.args(["run", "--quiet"]).env(variable, secret);
        // The demo and the site of this test are on ports of their own.
        command.env("SITE_URL", url).env("KEYBACK_ISSUER", issuer);
        command.stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    fn address(&mut self) -> String {
        let mut line = String::new();
        let printed = self.0.stdout.take().unwrap();
        BufReader::new(printed).read_line(&mut line).unwrap();
        line.trim().trim_start_matches("Open ").to_owned()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It may have ended already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test]
async fn the_readmes_site_is_made_and_signs_in_at_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let url = format!("http://localhost:{port}");
    let quick_start = QuickStart::of_readme();
    let beside = folder.path().to_owned();
    let (quick_start, project) = spawn_blocking(move || {
        let project = make(&quick_start, &beside);
        (quick_start, project)
    })
    .await
    .unwrap();

    let demo = Demo::start(&["--web-url", &url]).await;
    let (_, secret) = demo.printed.split_once("demo-web with the secret ").unwrap();
    let secret = secret.split_whitespace().next().unwrap();
    let issuer = demo.companion.join("/oidc").unwrap();
    let mut site = Site::start(&quick_start, &project, secret, &url, issuer.as_str());
    let (_site, address) = spawn_blocking(move || {
        let address = site.address();
        (site, address)
    })
    .await
    .unwrap();
    assert_eq!(address, url);

    let mut browser = Browser::at(&Url::parse(&address).unwrap());
    browser.open("/").await;
    browser.click("Sign in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    assert_eq!(browser.page().url.port(), Some(port));
    browser.assert_says("Hello, ");
    let sign_out = browser.page().form_to("/sign-out");
    browser.submit(sign_out).await;
    browser.assert_at("/signed-out");
    browser.open("/").await;
    assert!(!browser.page().body.contains("Hello, "));

    browser.click("Forgot password?").await;
    browser.assert_at("/forgot-password");
    browser.ask_reset(ADA).await;
    browser.enter_code(&demo.code_for(ADA, 1).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.click("Sign in").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    assert_eq!(browser.page().url.port(), Some(port));
    browser.assert_says("Hello, ");
}
