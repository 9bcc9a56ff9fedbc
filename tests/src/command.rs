//! The built command, as a process of its own.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;
use tokio::task::spawn_blocking;
use url::Url;

use crate::browser::Browser;
use crate::eventually;

/// Calls of the command `keyback`.
pub struct Keyback;

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A folder with a configuration file, a root key and room for a database.
pub struct Workplace {
    folder: TempDir,
}

/// `keyback demo` at work. It is killed when dropped.
pub struct Demo {
    pub companion: Url,
    pub site: Url,
    /// Everything that was printed up to the addresses and the account.
    pub printed: String,
    child: Child,
}

impl Keyback {
    /// The command, free of settings from the environment of the tests.
    ///
    /// # Panics
    ///
    /// When it was not built.
    pub fn command() -> Command {
        let program = program();
        assert!(
            program.exists(),
            "{} is not there: build it with `cargo build -p keyback-companion`",
            program.display()
        );
        bare(&program)
    }

    /// An example, free of settings from the environment of the tests.
    ///
    /// # Panics
    ///
    /// When it was not built.
    pub fn example(name: &str) -> Command {
        let program = program().with_file_name(name);
        assert!(
            program.exists(),
            "{} is not there: build it with `cargo build -p keyback-examples`",
            program.display()
        );
        bare(&program)
    }

    /// Runs it to its end.
    pub async fn run(args: &[&str]) -> Finished {
        let mut command = Self::command();
        command.args(args);
        Finished::by(command).await
    }
}

impl Finished {
    /// Runs a command to its end.
    ///
    /// # Panics
    ///
    /// When there is no such program.
    pub async fn by(mut command: Command) -> Self {
        Self::of(move || command.output().unwrap()).await
    }

    async fn of(run: impl FnOnce() -> Output + Send + 'static) -> Self {
        let output = spawn_blocking(run).await.unwrap();
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts that it did what it was asked.
    ///
    /// # Panics
    ///
    /// When it didn't.
    #[track_caller]
    pub fn assert_done(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Asserts that it refused, and said all of this.
    ///
    /// # Panics
    ///
    /// When it didn't.
    #[track_caller]
    pub fn assert_refused(&self, words: &[&str]) {
        assert!(self.code.is_some_and(|code| code != 0), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not said: {}", self.err);
        }
        // A panic is no clear error.
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

impl Workplace {
    /// A sound configuration: the inbox, and the app `shop`.
    pub async fn new() -> Self {
        let workplace = Self::empty();
        let key = workplace.path("root.key");
        Keyback::run(&["keys", "new", "--out", key.to_str().unwrap()])
            .await
            .assert_done();
        workplace.write(&workplace.sound());
        workplace
    }

    /// A folder with nothing in it.
    pub fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The text of a sound configuration in this folder.
    pub fn sound(&self) -> String {
        let folder = self.folder.path().display();
        format!(
            "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://localhost:3001\"\n\
             [secrets]\nroot_key_file = \"{folder}/root.key\"\n\
             [store]\nurl = \"sqlite:{folder}/keyback.db\"\n\
             [email]\nconnector = \"inbox\"\n\
             [[app]]\nclient_id = \"shop\"\nname = \"Larkspur Books\"\ntype = \"spa\"\n\
             redirect_uris = [\"http://localhost:9000/callback\"]\n"
        )
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the configuration.
    pub fn write(&self, config: &str) {
        fs::write(self.path("keyback.toml"), config).unwrap();
    }

    /// Runs a command on the configuration.
    pub async fn run(&self, args: &[&str]) -> Finished {
        Finished::by(self.command(args)).await
    }

    /// Runs a command that reads something from its standard input.
    pub async fn run_with_input(&self, args: &[&str], input: &str) -> Finished {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let input = input.to_owned();
        Finished::of(move || {
            let mut child = command.spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            // A command that refuses doesn't read to the end.
            stdin.write_all(input.as_bytes()).ok();
            drop(stdin);
            child.wait_with_output().unwrap()
        })
        .await
    }

    /// A command on the configuration, to be run.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Keyback::command();
        command.args(args).arg("--config").arg(self.path("keyback.toml"));
        command
    }
}

impl Demo {
    /// Starts the demo on any ports and waits until it says where it is.
    pub async fn start(args: &[&str]) -> Self {
        let mut command = Self::command();
        command.args(args);
        Self::await_addresses(command).await
    }

    /// Starts it with its log in a file, as detailed as `KEYBACK_LOG` says.
    pub async fn start_logging(log: File, detail: &str) -> Self {
        let mut command = Self::command();
        command.env("KEYBACK_LOG", detail).stderr(log);
        Self::await_addresses(command).await
    }

    fn command() -> Command {
        let mut command = Keyback::command();
        command.args(["demo", "--listen", "127.0.0.1:0", "--site-listen", "127.0.0.1:0"]);
        command
    }

    async fn await_addresses(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let read = spawn_blocking(move || {
            let mut printed = String::new();
            for line in lines.by_ref().map_while(Result::ok) {
                printed.push_str(&line);
                printed.push('\n');
                if line.trim_start().starts_with("data ") {
                    break;
                }
            }
            printed
        });
        let printed = read.await.unwrap();
        let addresses: Vec<Url> = addresses(&printed);
        assert!(addresses.len() >= 2, "the demo did not start: {printed:?}");
        Self {
            companion: addresses[0].clone(),
            site: addresses[1].clone(),
            printed,
            child,
        }
    }

    /// A browser in front of it.
    pub fn browser(&self) -> Browser {
        Browser::at(&self.companion)
    }

    /// The newest code that was sent to an address, once there are `count` messages to it.
    pub async fn code_for(&self, address: &str, count: usize) -> String {
        let browser = self.browser();
        eventually("a code in the inbox", async || {
            let inbox = browser.get_once("/dev/inbox.json").await;
            let letters: serde_json::Value = serde_json::from_str(&inbox.body).unwrap();
            let letters = letters.as_array().unwrap().iter();
            let codes: Vec<_> = letters
                .filter(|letter| letter["to"] == address)
                .filter_map(|letter| letter["code"].as_str())
                .collect();
            (codes.len() >= count).then(|| codes[0].to_owned())
        })
        .await
    }

    /// Ends it as a power cut does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and waits until it has.
    pub async fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(told.success());
        spawn_blocking(move || self.child.wait().unwrap().code())
            .await
            .unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The addresses in a text, in their order.
fn addresses(text: &str) -> Vec<Url> {
    let words = text.split_whitespace();
    words
        .filter(|word| word.starts_with("http://"))
        .filter_map(|word| Url::parse(word).ok())
        .collect()
}

/// A command without settings of ours in its environment, and without input.
fn bare(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KEYBACK_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// Beside the folder of this very test: the target's own.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(Path::parent).unwrap();
    target.join("keyback")
}
