//! What a run says of a requirement.

use crate::requirements::{Requirement, Standing};
use crate::results::{Outcome, Test};
use crate::sources::{Carrier, is_of, mark};

/// One requirement after a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict<'a> {
    /// All its tests were run, and have passed.
    Shown(Vec<&'a Test>),
    /// It asks for nothing here, for this reason.
    Exempt(&'a str),
    /// Something of it was not shown: the tests that were run, and what is wrong.
    Failed(Vec<&'a Test>, Vec<String>),
}

/// A requirement is shown when each test that carries its number was run and has passed, and each file and test that its row
/// names is among them. A file that names the number elsewhere than in the name of a test counts by all its tests.
pub(crate) fn judge<'a>(requirement: &Requirement<'a>, carriers: &[Carrier], run: &'a [Test]) -> Verdict<'a> {
    let named = match &requirement.standing {
        Standing::Kept(named) => named,
        Standing::Exempt(reason) => return Verdict::Exempt(reason),
    };
    let mark = mark(requirement.number);
    let carriers: Vec<&Carrier> = carriers
        .iter()
        .filter(|carrier| carrier.name.contains(&mark))
        .collect();
    let mut problems = Vec::new();
    let mut tests: Vec<&Test> = run.iter().filter(|test| test.name.contains(&mark)).collect();
    for carrier in &carriers {
        if !tests.iter().any(|test| carrier.is(test)) {
            problems.push(format!("{} of {} was not run", carrier.name, carrier.file));
        }
    }
    for &span in named {
        match span.split_once("::") {
            Some((file, name)) => {
                let is_there = |carrier: &&Carrier| carrier.file == file && name.starts_with(&carrier.name);
                if !carriers.iter().any(is_there) {
                    problems.push(format!("{file} has no test {name}"));
                }
            }
            None if carriers.iter().any(|carrier| carrier.file == span) => {}
            None => {
                let mut of_file = run.iter().filter(|test| is_of(span, test)).peekable();
                if of_file.peek().is_none() {
                    problems.push(format!("no test of {span} was run"));
                }
                tests.extend(of_file.filter(|test| !test.name.contains(&mark)));
            }
        }
    }
    if named.is_empty() {
        problems.push("its row names no test".to_owned());
    }
    for test in &tests {
        match test.outcome {
            Outcome::Passed => {}
            Outcome::Failed => problems.push(format!("{} failed", test.name)),
            Outcome::Ignored => problems.push(format!("{} was ignored", test.name)),
        }
    }
    if problems.is_empty() {
        Verdict::Shown(tests)
    } else {
        Verdict::Failed(tests, problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::read;

    const RUN: &str = "\
     Running unittests src/lib.rs (target/debug/deps/keyback_core-9dd5)
test codes::tests::right ... ok
test codes::tests::wrong ... ok
     Running it/main.rs (target/debug/deps/it-8680)
test races::sr19_five_are_counted ... ok
test races::sr19_sr20_of_all_codes ... ok
✔ sr19_ after five wrong codes (2.5ms)
";
    const ROW: [&str; 3] = [
        "companion/core/src/codes.rs",
        "tests/it/races.rs",
        "tests/browser/codes.js::sr19_ after five wrong codes",
    ];

    fn carriers() -> Vec<Carrier> {
        let carriers = [
            ("tests/it/races.rs", "sr19_five_are_counted"),
            ("tests/it/races.rs", "sr19_sr20_of_all_codes"),
            ("tests/browser/codes.js", "sr19_ after five wrong codes"),
        ];
        let carriers = carriers.map(|(file, name)| Carrier {
            file: file.to_owned(),
            name: name.to_owned(),
        });
        carriers.into()
    }

    fn row(named: &[&'static str]) -> Requirement<'static> {
        Requirement {
            number: 19,
            text: "tries are counted",
            standing: Standing::Kept(named.to_vec()),
        }
    }

    /// What is wrong after a run in which something is otherwise.
    fn problems(change: (&str, &str)) -> Vec<String> {
        assert!(RUN.contains(change.0));
        let run = read(&RUN.replace(change.0, change.1));
        match judge(&row(&ROW), &carriers(), &run) {
            Verdict::Failed(_, problems) => problems,
            shown => panic!("{shown:?}"),
        }
    }

    #[test]
    fn it_is_shown_by_its_own_tests_and_those_of_the_files_of_its_row() {
        let run = read(RUN);
        let Verdict::Shown(tests) = judge(&row(&ROW), &carriers(), &run) else {
            panic!("it is shown");
        };
        assert_eq!(tests.len(), run.len());
        let exempt = Requirement {
            standing: Standing::Exempt("none"),
            ..row(&[])
        };
        assert_eq!(judge(&exempt, &carriers(), &[]), Verdict::Exempt("none"));
    }

    #[test]
    fn one_that_failed_beside_those_that_passed_fails_it() {
        let failed = problems(("counted ... ok", "counted ... FAILED"));
        assert_eq!(failed, ["races::sr19_five_are_counted failed"]);
        let failed = problems(("✔", "✖"));
        assert_eq!(failed, ["sr19_ after five wrong codes failed"]);
        let failed = problems(("wrong ... ok", "wrong ... FAILED"));
        assert_eq!(failed, ["codes::tests::wrong failed"]);
    }

    #[test]
    fn one_that_was_ignored_fails_it() {
        let ignored = problems(("counted ... ok", "counted ... ignored"));
        assert_eq!(ignored, ["races::sr19_five_are_counted was ignored"]);
        let ignored = problems(("(2.5ms)", "(2.5ms) # SKIP"));
        assert_eq!(ignored, ["sr19_ after five wrong codes was ignored"]);
    }

    #[test]
    fn one_that_was_left_out_fails_it() {
        let missing = problems(("test races::sr19_sr20_of_all_codes ... ok", ""));
        assert_eq!(
            missing,
            ["sr19_sr20_of_all_codes of tests/it/races.rs was not run"]
        );
        let missing = problems(("✔ sr19_ after five wrong codes", "✔ others"));
        assert_eq!(
            missing,
            ["sr19_ after five wrong codes of tests/browser/codes.js was not run"]
        );
        let missing = problems(("keyback_core", "keyback_companion"));
        assert_eq!(missing, ["no test of companion/core/src/codes.rs was run"]);
    }

    #[test]
    fn a_row_that_names_what_is_not_there_fails() {
        let run = read(RUN);
        for (named, problem) in [
            (
                &["tests/it/races.rs::sr19_four"][..],
                "tests/it/races.rs has no test sr19_four",
            ),
            (&["tests/it/moved.rs"], "no test of tests/it/moved.rs was run"),
            (&[], "its row names no test"),
        ] {
            let Verdict::Failed(_, problems) = judge(&row(named), &carriers(), &run) else {
                panic!("{problem}");
            };
            assert_eq!(problems, [problem]);
        }
    }
}
