//! What the test runners printed.

use std::fmt::{self, Display, Formatter};

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// It was passed over, and has shown nothing.
    Ignored,
}

impl Display for Outcome {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Outcome::Passed => "ok",
            Outcome::Failed => "FAILED",
            Outcome::Ignored => "IGNORED",
        })
    }
}

/// One test of the run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Test {
    /// The root file and the name of its program, as cargo tells them; of Node's tests whatever came before.
    pub(crate) suite: String,
    /// As its runner names it.
    pub(crate) name: String,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// The tests that one log tells of, in its order.
pub(crate) fn read(log: &str) -> Vec<Test> {
    let mut suite = String::new();
    let mut tests = Vec::new();
    for line in log.lines().map(str::trim) {
        if let Some(running) = line.strip_prefix("Running ") {
            suite = of_program(running).unwrap_or_default();
        } else if let Some((name, outcome)) = test(line) {
            let suite = suite.clone();
            tests.push(Test { suite, name, outcome });
        }
    }
    tests
}

/// `tests/it/main.rs (target/debug/deps/it-0123456789abcdef)`, without folders and hash.
fn of_program(running: &str) -> Option<String> {
    let (root, program) = running.split_once(" (")?;
    let program = program.rsplit('/').next()?;
    let (name, _hash) = program.rsplit_once('-')?;
    Some(format!("{root} {name}"))
}

/// A line of Rust's runner (`test a::b ... ok`), or of Node's: TAP (`ok 1 - name`), or its own (`✔ name (12ms)`).
fn test(line: &str) -> Option<(String, Outcome)> {
    let (name, outcome) = if let Some(rest) = line.strip_prefix("test ") {
        let (name, end) = rest.rsplit_once(" ... ")?;
        let outcome = match end {
            "ok" => Outcome::Passed,
            "FAILED" => Outcome::Failed,
            _ if end.starts_with("ignored") => Outcome::Ignored,
            _ => return None,
        };
        return Some((name.trim_end_matches(" - should panic").to_owned(), outcome));
    } else if let Some(rest) = line.strip_prefix("ok ") {
        (rest.split_once(" - ")?.1, Outcome::Passed)
    } else if let Some(rest) = line.strip_prefix("not ok ") {
        (rest.split_once(" - ")?.1, Outcome::Failed)
    } else if let Some(rest) = line.strip_prefix("✔ ") {
        (rest, Outcome::Passed)
    } else if let Some(rest) = line.strip_prefix("﹣ ") {
        (rest, Outcome::Ignored)
    } else {
        (line.strip_prefix("✖ ")?, Outcome::Failed)
    };
    let is_passed_over = name.contains("# SKIP") || name.contains("# TODO");
    let outcome = if is_passed_over { Outcome::Ignored } else { outcome };
    let name = name.split(" # ").next().unwrap_or(name);
    // The time, which only its own lines have.
    let name = match name.rsplit_once(" (") {
        Some((title, time)) if time.ends_with("ms)") => title,
        _ => name,
    };
    Some((name.to_owned(), outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runner_is_read_in_its_own_words() {
        const LOG: &str = "\
     Running tests/it/main.rs (target/debug/deps/it-5483)
running 3 tests
test journeys::alike ... ok
test races::five_are_counted ... FAILED
test slow::much ... ignored, a night long
test slow::longer has been running for over 60 seconds
     Running unittests src/lib.rs (target/debug/deps/keyback_core-9dd5)
test codes::tests::none - should panic ... ok
test result: FAILED. 1 passed; 1 failed
    ok 4 - the whole way (without JavaScript)
    not ok 5 - after five wrong codes
✔ behind a proxy (or two) (12.5ms)
✖ too late (3ms)
﹣ at night (0.1ms) # SKIP
ok 6 - not now # SKIP
";
        let (it, core) = ("tests/it/main.rs it", "unittests src/lib.rs keyback_core");
        let expected = [
            (it, "journeys::alike", Outcome::Passed),
            (it, "races::five_are_counted", Outcome::Failed),
            (it, "slow::much", Outcome::Ignored),
            (core, "codes::tests::none", Outcome::Passed),
            (core, "the whole way (without JavaScript)", Outcome::Passed),
            (core, "after five wrong codes", Outcome::Failed),
            (core, "behind a proxy (or two)", Outcome::Passed),
            (core, "too late", Outcome::Failed),
            (core, "at night", Outcome::Ignored),
            (core, "not now", Outcome::Ignored),
        ];
        let expected = expected.map(|(suite, name, outcome)| Test {
            suite: suite.to_owned(),
            name: name.to_owned(),
            outcome,
        });
        assert_eq!(read(LOG), expected);
    }
}
