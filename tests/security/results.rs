//! What the test runners printed.

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
}

/// One test of the run.
#[derive(Debug)]
pub(crate) struct Test {
    /// As its runner names it.
    pub(crate) name: String,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// The tests of a run.
#[derive(Debug, Default)]
pub(crate) struct Results {
    tests: Vec<Test>,
}

impl Results {
    /// Adds what one log says.
    pub(crate) fn read(&mut self, log: &str) {
        self.tests.extend(log.lines().filter_map(test));
    }

    /// How many tests were run.
    pub(crate) fn count(&self) -> usize {
        self.tests.len()
    }

    /// Those that show a requirement.
    pub(crate) fn of(&self, number: u8) -> Vec<&Test> {
        let mark = format!("sr{number:02}_");
        self.tests
            .iter()
            .filter(|test| test.name.contains(&mark))
            .collect()
    }
}

/// A line of Rust's runner (`test a::b ... ok`), or of Node's: TAP (`ok 1 - name`), or its own (`✔ name (12ms)`).
fn test(line: &str) -> Option<Test> {
    let line = line.trim();
    let (name, outcome) = if let Some(rest) = line.strip_prefix("test ") {
        let (name, end) = rest.rsplit_once(" ... ")?;
        match end {
            "ok" => (name, Outcome::Passed),
            "FAILED" => (name, Outcome::Failed),
            // Ignored: it has shown nothing.
            _ => return None,
        }
    } else if let Some(rest) = line.strip_prefix("ok ") {
        (rest.split_once(" - ")?.1, Outcome::Passed)
    } else if let Some(rest) = line.strip_prefix("not ok ") {
        (rest.split_once(" - ")?.1, Outcome::Failed)
    } else if let Some(rest) = line.strip_prefix("✔ ") {
        (rest, Outcome::Passed)
    } else {
        (line.strip_prefix("✖ ")?, Outcome::Failed)
    };
    if name.contains("# SKIP") || name.contains("# TODO") {
        return None;
    }
    Some(Test {
        name: name.split(" (").next().unwrap_or(name).to_owned(),
        outcome,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
running 3 tests
test journeys::sr01_sr26_alike ... ok
test races::sr19_five_are_counted ... FAILED
test slow::sr26_much ... ignored
    ok 4 - sr83_ the whole way without JavaScript
    not ok 5 - sr19_ after five wrong codes
✔ sr65_ behind a proxy (12.5ms)
ok 6 - sr84_ not now # SKIP
test result: FAILED. 1 passed; 1 failed
";

    fn shown(number: u8) -> Vec<(String, Outcome)> {
        let mut results = Results::default();
        results.read(LOG);
        let tests = results.of(number);
        tests
            .iter()
            .map(|test| (test.name.clone(), test.outcome))
            .collect()
    }

    #[test]
    fn a_test_counts_for_each_number_of_its_name() {
        let alike = vec![("journeys::sr01_sr26_alike".to_owned(), Outcome::Passed)];
        assert_eq!(shown(1), alike);
        assert_eq!(shown(26), alike);
    }

    #[test]
    fn a_failure_is_seen_in_the_words_of_each_runner() {
        let failed: Vec<Outcome> = shown(19).into_iter().map(|(_, outcome)| outcome).collect();
        assert_eq!(failed, [Outcome::Failed, Outcome::Failed]);
        assert_eq!(shown(83).len(), 1);
        assert_eq!(shown(65), [("sr65_ behind a proxy".to_owned(), Outcome::Passed)]);
    }

    #[test]
    fn what_was_skipped_has_shown_nothing() {
        assert_eq!(shown(84), []);
    }
}
