//! The `keyback` command.

use std::process::ExitCode;

use clap::Parser as _;
use keyback_companion::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
