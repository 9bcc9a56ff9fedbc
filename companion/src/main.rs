//! The `keyback` command.

use std::process::ExitCode;

use clap::Parser as _;
use keyback_companion::cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Cli::parse().run()
}
