//! `security LOG…`: the table of security requirements, as the tests of a run have shown them.
//!
//! The numbers and what they ask for are those of ARCHITECTURE.md. The logs are what the test runners of Rust and of
//! Node printed; a test shows a requirement when its name carries the number (`sr19_…`). It ends with a failure when
//! a number is missing or comes twice, when a requirement that applies was shown by no test of this run, or when a
//! test that shows one has failed.

mod requirements;
mod results;

use std::process::ExitCode;

use requirements::{Requirement, Standing, requirements};
use results::{Outcome, Results};

const ARCHITECTURE: &str = include_str!("../../ARCHITECTURE.md");
/// Of the list of security requirements.
const COUNT: u8 = 88;
/// Room for a requirement in short.
const WIDTH: usize = 64;

fn main() -> ExitCode {
    let mut results = Results::default();
    for path in std::env::args().skip(1) {
        match std::fs::read(&path) {
            Ok(log) => results.read(&String::from_utf8_lossy(&log)),
            Err(error) => {
                eprintln!("{path} can't be read: {error}");
                return ExitCode::from(2);
            }
        }
    }
    let requirements = requirements(ARCHITECTURE);
    let mut problems = numbered_wrongly(&requirements);
    println!("SR  requirement{:1$}  shown by", "", WIDTH - "requirement".len());
    for requirement in &requirements {
        let (shown, problem) = judge(requirement, &results);
        println!(
            "{:>2}  {:WIDTH$}  {shown}",
            requirement.number,
            cut(requirement.text)
        );
        problems.extend(problem);
    }
    let count = |is: fn(&Standing<'_>) -> bool| requirements.iter().filter(|row| is(&row.standing)).count();
    let kept = count(|standing| matches!(standing, Standing::Kept));
    let exempt = count(|standing| matches!(standing, Standing::Exempt(_)));
    let open = count(|standing| matches!(standing, Standing::Open(_)));
    println!();
    println!(
        "{COUNT} requirements: {kept} shown, {exempt} do not apply, {open} not kept yet; {} tests looked at",
        results.count()
    );
    for problem in &problems {
        println!("problem: {problem}");
    }
    if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What a run says of a requirement: the last column, and what is wrong.
fn judge(requirement: &Requirement<'_>, results: &Results) -> (String, Option<String>) {
    let number = requirement.number;
    match requirement.standing {
        Standing::Kept => {}
        Standing::Exempt(reason) => return (format!("does not apply: {reason}"), None),
        Standing::Open(missing) => return (format!("NOT YET: {missing}"), None),
    }
    let tests = results.of(number);
    let Some(first) = tests.first() else {
        return (
            "NO TEST".to_owned(),
            Some(format!("SR-{number} was shown by no test of this run")),
        );
    };
    let failed: Vec<&str> = tests
        .iter()
        .filter(|test| test.outcome == Outcome::Failed)
        .map(|test| test.name.as_str())
        .collect();
    if !failed.is_empty() {
        let failed = failed.join(", ");
        return (
            format!("FAILED  {failed}"),
            Some(format!("SR-{number}: {failed} failed")),
        );
    }
    let more = match tests.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (format!("ok  {}{more}", first.name), None)
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

fn cut(text: &str) -> String {
    if text.chars().count() <= WIDTH {
        return text.to_owned();
    }
    let kept: String = text.chars().take(WIDTH - 1).collect();
    format!("{kept}…")
}
