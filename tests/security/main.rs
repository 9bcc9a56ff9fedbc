//! `security LOG…`: the table of security requirements, as the tests of a run have shown them.
//!
//! The numbers and what they ask for are those of ARCHITECTURE.md. The logs are what the test runners of Rust and of
//! Node printed; a test shows a requirement when its name carries the number (`sr19_…`). It ends with a failure when
//! a number is missing or comes twice, or when a requirement that applies was not shown whole: a test that carries it has
//! failed, was ignored or was left out of the run, or its row names a file or a test that was not run.

mod judge;
mod requirements;
mod results;
mod sources;

use std::path::Path;
use std::process::ExitCode;

use judge::{Verdict, judge};
use requirements::{Requirement, requirements};
use results::Test;

const ARCHITECTURE: &str = include_str!("../../ARCHITECTURE.md");
/// The sources of the tests.
const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// Of the list of security requirements.
const COUNT: u8 = 88;

fn main() -> ExitCode {
    let carriers = match sources::carriers(Path::new(REPOSITORY)) {
        Ok(carriers) => carriers,
        Err(error) => {
            eprintln!("the sources of the tests can't be read: {error}");
            return ExitCode::from(2);
        }
    };
    let mut run = Vec::new();
    for path in std::env::args().skip(1) {
        match std::fs::read(&path) {
            Ok(log) => run.extend(results::read(&String::from_utf8_lossy(&log))),
            Err(error) => {
                eprintln!("{path} can't be read: {error}");
                return ExitCode::from(2);
            }
        }
    }
    let requirements = requirements(ARCHITECTURE);
    let mut problems = numbered_wrongly(&requirements);
    let (mut shown, mut exempt, mut failed) = (0, 0, 0);
    println!("SR  requirement, and the tests that show it with their results");
    for requirement in &requirements {
        print!("{:>2}  {}: ", requirement.number, requirement.text);
        match judge(requirement, &carriers, &run) {
            Verdict::Shown(tests) => {
                shown += 1;
                println!("SHOWN");
                print(&tests);
            }
            Verdict::Exempt(reason) => {
                exempt += 1;
                println!("DOES NOT APPLY, {reason}");
            }
            Verdict::Failed(tests, why) => {
                failed += 1;
                println!("FAILED");
                print(&tests);
                problems.extend(
                    why.into_iter()
                        .map(|why| format!("SR-{}: {why}", requirement.number)),
                );
            }
        }
    }
    println!();
    for problem in &problems {
        println!("problem: {problem}");
    }
    println!("{COUNT} requirements: {shown} shown, {exempt} do not apply, {failed} failed");
    if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn print(tests: &[&Test]) {
    for test in tests {
        println!("    {:7}  {}", test.outcome, test.name);
    }
}

/// Each number from 1 on stands in the table once.
fn numbered_wrongly(requirements: &[Requirement<'_>]) -> Vec<String> {
    (1..=COUNT)
        .filter_map(
            |number| match requirements.iter().filter(|row| row.number == number).count() {
                1 => None,
                0 => Some(format!("ARCHITECTURE.md has no row of SR-{number}")),
                rows => Some(format!("ARCHITECTURE.md has {rows} rows of SR-{number}")),
            },
        )
        .collect()
}
