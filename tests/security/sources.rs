//! The tests that stand in the sources, and where a run tells of them.

use std::fs;
use std::io;
use std::path::Path;

use crate::results::Test;

/// The packages of Rust by their folders, the inner ones first, with the names of their libraries.
const PACKAGES: [(&str, &str); 6] = [
    ("companion/core/", "keyback_core"),
    ("companion/", "keyback_companion"),
    ("sdk/", "keyback"),
    ("examples/", "keyback_examples"),
    ("tests/load/", "load"),
    ("tests/", "keyback_tests"),
];
const FOLDERS: [&str; 4] = ["companion", "examples", "sdk", "tests"];
/// Not ours, and the tests of this program, whose made-up runs name numbers too.
const LEFT_OUT: [&str; 3] = ["node_modules", "target", "security"];

/// What marks a test that shows a requirement.
pub(crate) fn mark(number: u8) -> String {
    format!("sr{number:02}_")
}

/// A test whose name carries a requirement's number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Carrier {
    /// Its file, from the root of the repository.
    pub(crate) file: String,
    /// The function, or the title of a test in JavaScript, as far as it is fixed.
    pub(crate) name: String,
}

impl Carrier {
    /// Whether a test of the run is this one.
    pub(crate) fn is(&self, test: &Test) -> bool {
        if self.file.ends_with(".js") {
            return test.name.starts_with(&self.name);
        }
        let function = test.name.rsplit("::").next();
        function == Some(&self.name) && is_of(&self.file, test)
    }
}

/// Whether a test of the run stands in a file of Rust, or in one of the modules below it.
pub(crate) fn is_of(file: &str, test: &Test) -> bool {
    place(file).is_some_and(|(root, program, module)| {
        let is_suite = test.suite.starts_with(&root) && test.suite.rsplit(' ').next() == Some(program);
        is_suite && (module.is_empty() || test.name.starts_with(&module))
    })
}

/// How cargo tells the root file of the program, its name, and the path of the module in it (`a::b::`, or nothing).
fn place(file: &str) -> Option<(String, &str, String)> {
    let (path, library) = PACKAGES
        .iter()
        .find_map(|(folder, library)| Some((file.strip_prefix(folder)?, *library)))?;
    let mut parts = path.strip_suffix(".rs")?.split('/');
    let (root, program) = match parts.next()? {
        "src" => ("unittests src/".to_owned(), library),
        "tests" => {
            let name = parts.next()?;
            (format!("tests/{name}"), name)
        }
        name => (format!("{name}/"), name),
    };
    let modules = parts.filter(|part| !matches!(*part, "lib" | "main" | "mod"));
    Some((root, program, modules.map(|part| format!("{part}::")).collect()))
}

/// All tests of the repository whose names carry a number.
///
/// # Errors
///
/// When a folder or a file can't be read.
pub(crate) fn carriers(repository: &Path) -> io::Result<Vec<Carrier>> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        look_into(repository, folder, &mut found)?;
    }
    Ok(found)
}

fn look_into(repository: &Path, folder: &str, found: &mut Vec<Carrier>) -> io::Result<()> {
    for entry in fs::read_dir(repository.join(folder))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = format!("{folder}/{name}");
        if entry.file_type()?.is_dir() {
            if !LEFT_OUT.contains(&name.as_str()) {
                look_into(repository, &path, found)?;
            }
        } else if name.ends_with(".rs") || name.ends_with(".js") {
            found.extend(in_file(&path, &fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}

fn in_file(file: &str, text: &str) -> Vec<Carrier> {
    let name_of = if file.ends_with(".rs") { function } else { title };
    let names = text.lines().filter_map(name_of);
    let carriers = names.filter(|name| (1..=crate::COUNT).any(|number| name.contains(&mark(number))));
    carriers
        .map(|name| Carrier {
            file: file.to_owned(),
            name: name.to_owned(),
        })
        .collect()
}

fn function(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split('(').next()
}

/// What a template fills in is left out, and all behind it.
fn title(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let call = ["journey(", "test("]
        .iter()
        .find_map(|call| line.strip_prefix(call))?;
    let quote = call.chars().next()?;
    let title = call[quote.len_utf8()..].split(quote).next()?;
    title.split("${").next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Outcome;

    fn test(suite: &str, name: &str) -> Test {
        Test {
            suite: suite.to_owned(),
            name: name.to_owned(),
            outcome: Outcome::Passed,
        }
    }

    #[test]
    fn tests_are_found_by_their_names() {
        let rust =
            "    async fn sr19_sr20_counted() {\n    fn helper() {\nfn sr07_by(a: u8) {\n// fn sr08_no()";
        let names = |file, text| -> Vec<String> {
            in_file(file, text)
                .into_iter()
                .map(|carrier| carrier.name)
                .collect()
        };
        assert_eq!(names("sdk/src/a.rs", rust), ["sr19_sr20_counted", "sr07_by"]);
        let javascript =
            "journey('sr65_ (https)', async () => {\n  test(`sr27_ here${how}`, {\ntest('other', x)";
        assert_eq!(names("tests/a.js", javascript), ["sr65_ (https)", "sr27_ here"]);
    }

    #[test]
    fn a_test_of_the_run_is_that_of_its_file_alone() {
        let core = "unittests src/lib.rs keyback_core";
        let companion = "unittests src/lib.rs keyback_companion";
        for (file, suite, name) in [
            ("companion/core/src/phone/tests.rs", core, "phone::tests::sr11_x"),
            ("companion/core/src/secret.rs", core, "secret::tests::sr11_x"),
            (
                "companion/src/oidc/mod.rs",
                companion,
                "oidc::tests::keys::sr11_x",
            ),
            (
                "companion/core/tests/reset/table.rs",
                "tests/reset/main.rs reset",
                "table::sr11_x",
            ),
            ("companion/tests/parsers.rs", "tests/parsers.rs parsers", "sr11_x"),
            (
                "sdk/tests/it/webhook.rs",
                "tests/it/main.rs it",
                "webhook::sr11_x",
            ),
            ("tests/it/bad_input/mod.rs", "it/main.rs it", "bad_input::sr11_x"),
        ] {
            let carrier = Carrier {
                file: file.to_owned(),
                name: "sr11_x".to_owned(),
            };
            assert!(carrier.is(&test(suite, name)), "{file}");
            assert!(!carrier.is(&test(suite, &format!("{name}y"))), "{file}");
            assert!(!carrier.is(&test("other/main.rs other", name)), "{file}");
        }
        assert!(!is_of(
            "sdk/tests/it/webhook.rs",
            &test("it/main.rs it", "webhook::sr11_x")
        ));
        assert!(!is_of(
            "tests/it/webhook.rs",
            &test("it/main.rs it", "webhooks::sr11_x")
        ));
    }
}
