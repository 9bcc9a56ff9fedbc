//! The command line: a file per command.

mod app;
mod audit;
mod audit_line;
mod config;
mod doctor;
pub(crate) mod keys;
mod migrate;
mod open;
mod profile_args;
mod serve;
mod stats;
pub(crate) mod user;
mod user_edit;
mod user_import;
mod user_password;
mod user_show;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::demo;

/// The library of the numbering plans traces the numbers it reads, which are nobody's business (SR-31).
const NO_NUMBERS: &str = "rlibphonenumber=warn";

/// Lets people who forgot their password get back in, on any site that signs in with OpenID Connect.
#[derive(Debug, Parser)]
#[command(name = "keyback", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Write the log as JSON, a line each. KEYBACK_LOG chooses what is written, such as `debug` or `keyback=debug`.
    #[arg(long, global = true)]
    log_json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the whole product on this machine: companion, demo site, an account, an inbox
    Demo(demo::DemoArgs),
    /// Run the companion
    Serve(ConfigFile),
    /// Check the configuration, and tell all its problems at once
    CheckConfig(ConfigFile),
    /// Print the commented reference of the configuration
    Config,
    /// Check a provider, yours or any other, and say what to mend
    Doctor(doctor::DoctorArgs),
    /// Bring the database to this version's form, without serving
    Migrate(ConfigFile),
    /// Accounts
    #[command(subcommand)]
    User(user::UserCommand),
    /// Apps of the store; those of the configuration file are read-only
    #[command(subcommand)]
    App(app::AppCommand),
    /// Show what happened, and follow it: sign-ins, resets, refusals, what operators and apps did
    Audit(audit::AuditArgs),
    /// Count the accounts by how their passwords are hashed
    Stats(stats::StatsArgs),
    /// Root keys, and the provider's signing keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
}

/// Where the configuration is.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ConfigFile {
    /// The configuration file
    #[arg(long = "config", value_name = "FILE", default_value = "keyback.toml")]
    pub file: PathBuf,
}

impl Cli {
    /// Runs the command. The exit code is 0 when it did what it was asked.
    pub fn run(self) -> ExitCode {
        let log = Log::of(&self.command, self.log_json);
        log.start();
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return fail(&anyhow::Error::new(error).context("the run time can't start")),
        };
        let done = runtime.block_on(async {
            match self.command {
                Command::Demo(args) => demo::run(args).await,
                Command::Serve(file) => serve::run(&file).await,
                Command::CheckConfig(file) => config::check(&file).await,
                Command::Config => config::print(),
                Command::Doctor(args) => doctor::run(args).await,
                Command::Migrate(file) => migrate::run(&file).await,
                Command::User(command) => user::run(command).await,
                Command::App(command) => app::run(command).await,
                Command::Audit(args) => audit::run(args).await,
                Command::Stats(args) => stats::run(&args).await,
                Command::Keys(command) => keys::run(command).await,
            }
        });
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        }
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("keyback: {error}");
    for cause in error.chain().skip(1) {
        // A cause that its own error has told already is not told twice.
        let cause = cause.to_string();
        if !error.to_string().contains(&cause) {
            eprintln!("  because: {cause}");
        }
    }
    ExitCode::FAILURE
}

/// How much a command says of itself.
struct Log {
    quiet: bool,
    json: bool,
}

impl Log {
    /// A server tells what it does; a command that ends tells what went wrong.
    fn of(command: &Command, json: bool) -> Self {
        Self {
            quiet: !matches!(command, Command::Serve(_)),
            json,
        }
    }

    fn start(&self) {
        let default = if self.quiet { "warn" } else { "info" };
        let filter = EnvFilter::try_from_env("KEYBACK_LOG").unwrap_or_else(|_| EnvFilter::new(default));
        let filter = match NO_NUMBERS.parse() {
            Ok(quiet) => filter.add_directive(quiet),
            Err(_) => filter,
        };
        let builder = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr);
        // What a visitor sent is logged in its encoded form alone, so that nobody forges a line (SR-63).
        let started = if self.json {
            builder.json().try_init()
        } else {
            builder.try_init()
        };
        if let Err(error) = started {
            eprintln!("keyback: the log can't be written: {error}");
        }
    }
}
