//! The companion and the bare parts as processes of their own, each side on a processor of its own.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::wire::Wire;

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which side of the wire: each has a processor, where there are two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The companion and the bare parts.
    Answering,
    /// This program.
    Asking,
}

/// Whether each side has its own processor: there are two, and `taskset` (util-linux) is there to hand them out.
pub(crate) fn sides_are_apart() -> bool {
    static APART: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| {
        let told = Command::new("taskset").args(["-c", "1", "true"]).output();
        told.is_ok_and(|output| output.status.success())
    });
    *APART
}

/// Keeps this process on the processor of a side.
pub(crate) fn stay_on(side: Side) {
    if sides_are_apart() {
        let pid = std::process::id().to_string();
        // Where it can't be kept there, the sides share: the results say which it was by the same question.
        let _ = Command::new("taskset")
            .args(["-a", "-c", "-p", processor(side), &pid])
            .output();
    }
}

fn processor(side: Side) -> &'static str {
    match side {
        Side::Answering => "0",
        Side::Asking => "1",
    }
}

/// A command on the answering side.
fn answering(program: &Path) -> Command {
    if sides_are_apart() {
        let mut command = Command::new("taskset");
        command.args(["-c", processor(Side::Answering)]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// A process that answers. It ends when this is dropped.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let program = command.get_program().display().to_string();
        let child = command
            .spawn()
            .with_context(|| format!("{program} can't be started"))?;
        Ok(Self(child))
    }

    /// Processor time that the process has taken so far, its threads and the kernel's part of them included.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // The name in brackets may hold spaces; the fields after it are numbers, from the third on.
        let fields = stat.rsplit_once(')').context("no stat")?.1;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<u64>().ok());
        let (user, system) = ticks(11).zip(ticks(12)).context("no times in stat")?;
        // USER_HZ is 100 on every Linux.
        Ok(Duration::from_millis((user + system) * 10))
    }

    /// Memory of the process now and at most, in bytes.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.0.id()))?;
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let of = |text: &str, name: &str| -> Result<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
            Ok(kib.with_context(|| format!("no {name}"))? * 1024)
        };
        Ok(Memory {
            resident: of(&rollup, "Rss:")?,
            proportional: of(&rollup, "Pss:")?,
            peak: of(&status, "VmHWM:")?,
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Bytes of memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// RSS: what is resident, the program file's pages included.
    pub(crate) resident: u64,
    /// PSS: the same, with shared pages counted by their share.
    pub(crate) proportional: u64,
    /// The most that was ever resident.
    pub(crate) peak: u64,
}

/// The companion, serving.
pub(crate) struct Companion {
    pub(crate) process: Process,
    pub(crate) port: u16,
    /// From the start of the process to the first answer of discovery.
    pub(crate) started_in: Duration,
}

impl Companion {
    /// Starts `keyback serve` and waits for its first answer.
    pub(crate) async fn start(program: &Path, config: &Path, port: u16) -> Result<Self> {
        let began = Instant::now();
        let process = Process::start(
            answering(program)
                .arg("serve")
                .arg("--config")
                .arg(config)
                .env("KEYBACK_LOG", "warn")
                .stdin(Stdio::null())
                .stdout(Stdio::null()),
        )?;
        let request =
            format!("GET /oidc/.well-known/openid-configuration HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n");
        while began.elapsed() < PATIENCE {
            // It listens before it can answer: the request waits in the connection.
            let Ok(mut wire) = Wire::connect(port).await else {
                tokio::time::sleep(Duration::from_micros(200)).await;
                continue;
            };
            let answer = wire.exchange(request.as_bytes()).await?;
            if answer.status != 200 {
                bail!("the first answer was {}", answer.status);
            }
            return Ok(Self {
                process,
                port,
                started_in: began.elapsed(),
            });
        }
        bail!("the companion did not start; its log says why")
    }
}

/// A bare part of this program, as a process of its own that is asked by lines.
pub(crate) struct BarePart {
    pub(crate) process: Process,
    asks: ChildStdin,
    tells: BufReader<ChildStdout>,
}

impl BarePart {
    pub(crate) fn start(args: &[&OsStr]) -> Result<Self> {
        let mut command = answering(&std::env::current_exe()?);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::start(&mut command)?;
        let asks = process.0.stdin.take().context("no input")?;
        let tells = process.0.stdout.take().context("no output")?;
        Ok(Self {
            process,
            asks,
            tells: BufReader::new(tells),
        })
    }

    /// Asks for something.
    pub(crate) fn ask(&mut self, line: &str) -> Result<()> {
        writeln!(self.asks, "{line}")?;
        Ok(self.asks.flush()?)
    }

    /// Reads a number that the part tells.
    pub(crate) fn number(&mut self) -> Result<u64> {
        let mut line = String::new();
        self.tells.read_line(&mut line)?;
        Ok(line.trim().parse()?)
    }
}
