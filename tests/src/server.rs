//! `keyback serve` as a process of its own.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Child;

use url::Url;

use crate::browser::Browser;
use crate::command::Workplace;
use crate::eventually;
use crate::ports::free_port;

/// A companion that serves a workplace. It is killed when dropped.
pub struct Server {
    /// Its public URL.
    pub url: Url,
    /// Its folder, whose configuration the operator's commands read too.
    pub workplace: Workplace,
    log: PathBuf,
    child: Child,
    beside: Vec<Child>,
}

impl Server {
    /// Serves a sound configuration with `more` behind it, and logs as much as `KEYBACK_LOG` says.
    pub async fn start(more: &str, detail: &str) -> Self {
        Self::start_with(|sound| sound + more, detail).await
    }

    /// Serves what `edit` makes of a sound configuration.
    pub async fn start_with(edit: impl FnOnce(String) -> String, detail: &str) -> Self {
        let workplace = Workplace::new().await;
        let port = free_port();
        let sound = workplace.sound();
        let listening = sound
            .replace("127.0.0.1:0", &format!("127.0.0.1:{port}"))
            .replace(":3001", &format!(":{port}"));
        workplace.write(&edit(listening));
        let log = workplace.path("log");
        let url = Url::parse(&format!("http://localhost:{port}")).unwrap();
        let child = serve(&workplace, &log, &[("KEYBACK_LOG", detail)]);
        let mut server = Self {
            url,
            workplace,
            log,
            child,
            beside: Vec::new(),
        };
        server.listens().await;
        server
    }

    /// Starts another process on the same store and for the same public URL, as one behind a balancer. Answers its port. It lives
    /// as long as this.
    pub async fn start_beside(&mut self) -> u16 {
        let port = free_port();
        let config = self.workplace.path("keyback.toml");
        let beside = fs::read_to_string(&config).unwrap().replace(
            &format!("127.0.0.1:{}", self.url.port().unwrap()),
            &format!("127.0.0.1:{port}"),
        );
        let own = fs::read_to_string(&config).unwrap();
        self.workplace.write(&beside);
        self.beside.push(serve(&self.workplace, &self.log, &[]));
        eventually("the other process to listen", async || {
            TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(())
        })
        .await;
        self.workplace.write(&own);
        port
    }

    /// Ends it as a power cut does, if it has not ended.
    pub fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().unwrap();
    }

    /// Ends it as [`kill`](Self::kill) does, and starts it again: with `environment` beside everything else.
    pub async fn restart(&mut self, environment: &[(&str, &str)]) {
        self.kill();
        self.child = serve(&self.workplace, &self.log, environment);
        self.listens().await;
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it listens, or has ended before it came to that.
    async fn listens(&mut self) {
        let port = self.url.port().unwrap();
        let child = &mut self.child;
        let mut look =
            || TcpStream::connect(("127.0.0.1", port)).is_ok() || child.try_wait().unwrap().is_some();
        eventually("the port to be open", || std::future::ready(look().then_some(()))).await;
    }

    /// `VmRSS` or `VmHWM` of its process, in KiB.
    ///
    /// # Panics
    ///
    /// When it runs no more.
    pub fn memory(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().unwrap()
    }

    /// A browser in front of it.
    pub fn browser(&self) -> Browser {
        Browser::at(&self.url)
    }

    /// What was logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in self.beside.iter_mut().chain([&mut self.child]) {
            // It may have ended already.
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// Starts the command, with its log at the end of a file.
fn serve(workplace: &Workplace, log: &Path, environment: &[(&str, &str)]) -> Child {
    let log = File::options().create(true).append(true).open(log).unwrap();
    let mut command = workplace.command(&["serve"]);
    command.envs(environment.iter().copied()).stderr(log);
    command.spawn().unwrap()
}
