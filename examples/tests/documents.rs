//! The documents say what is: the code they show compiles, and the files they name are there.

use std::fs;
use std::path::Path;

const ARCHITECTURE: &str = include_str!("../../ARCHITECTURE.md");
const README: &str = include_str!("../../README.md");
const SDK_README: &str = include_str!("../../sdk/README.md");

/// The first block of the SDK's README is a doctest of the SDK; the repository's shows the same lines.
#[test]
fn the_quick_start_is_the_one_that_the_sdk_compiles() {
    let [ours, sdks] = [README, SDK_README].map(|readme| {
        let (_, code) = readme.split_once("```rust,no_run\n").unwrap();
        code.split_once("```").unwrap().0
    });
    assert_eq!(ours, sdks, "copy the first block of sdk/README.md into README.md");
}

/// The site that a reader is told to make is the example: `tests/it/quick_start.rs` makes it.
#[test]
fn the_site_of_ones_own_is_the_shortest_example() {
    let (_, code) = README.split_once("\n```rust\n").unwrap();
    let (code, _) = code.split_once("```\n").unwrap();
    let example = include_str!("../src/bin/shortest.rs");
    let (_, program) = example.split_once("//! ```\n\n").unwrap();
    assert_eq!(code, program, "copy examples/src/bin/shortest.rs into README.md");
}

#[test]
fn every_file_that_is_named_is_there() {
    let links = README
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let files = links
        .filter(|link| !link.starts_with("http"))
        // A heading of the file.
        .map(|link| link.split('#').next().unwrap_or(link))
        .chain(paths(ARCHITECTURE).map(|path| path.split("::").next().unwrap_or(path)));
    let missing: Vec<&str> = files.filter(|path| !root().join(path).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// A row of the table of security requirements names files whose tests carry its number, or such tests themselves.
#[test]
fn a_requirement_is_shown_where_it_is_said_to_be() {
    for row in ARCHITECTURE.lines().filter(|line| line.starts_with("| SR-")) {
        let number = row["| SR-".len()..].split(' ').next().unwrap();
        let (named, in_comments) = (format!("sr{number:0>2}_"), format!("SR-{number}"));
        for span in paths(row) {
            let is_shown = match span.split_once("::") {
                Some((_, test)) => test.contains(&named),
                None => {
                    let text = read(span);
                    text.contains(&named) || text.contains(&in_comments)
                }
            };
            assert!(is_shown, "SR-{number} is not in {span}");
        }
    }
}

/// A row of a table names tests by file and function, or by file and title where they are JavaScript, and they are there.
#[test]
fn a_point_of_a_specification_is_shown_by_a_test() {
    let mut shown = 0;
    for line in ARCHITECTURE.lines().filter(|line| line.starts_with('|')) {
        for span in paths(line) {
            let Some((path, name)) = span.split_once("::") else {
                // The file stays when the test that was meant is gone.
                assert!(
                    !is_suite_in_javascript(span),
                    "say which test of {span} it is: {span}::its title"
                );
                continue;
            };
            assert!(has_test(path, name), "{path} has no test {name}");
            shown += 1;
        }
    }
    assert!(shown > 50, "{shown} tests are named");
}

/// Where a row names a specification or a requirement, one of its tests at least is named after one.
#[test]
fn a_point_of_a_specification_has_a_test_that_is_named_after_it() {
    let heading = "## Where each point of the specifications is shown";
    let (_, tables) = ARCHITECTURE.split_once(heading).unwrap();
    let mut looked_at = 0;
    for row in tables.lines() {
        let cells: Vec<&str> = row.trim_matches(['|', ' ']).split(" | ").collect();
        let &[point, section, tests] = cells.as_slice() else {
            continue;
        };
        let mut names = paths(tests)
            .filter_map(|path| Some(path.rsplit_once("::")?.1))
            .peekable();
        if names.peek().is_none() || section.starts_with("house rule") {
            continue;
        }
        let is_named = |name: &str| SPECIFICATIONS.iter().any(|begin| name.starts_with(begin));
        assert!(
            names.any(is_named),
            "no test of \"{point}\" is named after {section}"
        );
        looked_at += 1;
    }
    assert!(looked_at > 200, "{looked_at} rows were looked at");
}

/// How the name of a test begins that is named after what it shows.
const SPECIFICATIONS: [&str; 15] = [
    "sr",
    "rfc",
    "oidc_",
    "oauth_",
    "discovery_",
    "rpl_",
    "rp_logout_",
    "rp_initiated_logout_",
    "bcl_",
    "form_post_",
    "fetch_",
    "asvs_",
    "wcag22",
    "origin_bound_codes_",
    "logto_",
];

/// What stands in no file must not be found in any.
#[test]
fn a_test_is_found_by_its_whole_name_alone() {
    let here = "examples/tests/documents.rs";
    assert!(has_test(here, "a_test_is_found_by_its_whole_name_alone"));
    assert!(!has_test(here, "a_test_is_found_by"));
    let journey = "tests/browser/journeys/without_javascript.js";
    assert!(has_test(journey, "sr83_ the whole way without JavaScript"));
    assert!(!has_test(journey, "the whole way without JavaScript"));
    assert!(!has_test(journey, "sr83_ the whole way"));
    assert!(is_suite_in_javascript(journey));
    assert!(is_suite_in_javascript("tests/foreign/openid-client.test.js"));
    assert!(!is_suite_in_javascript("tests/browser/support/axe.js"));
}

fn has_test(path: &str, name: &str) -> bool {
    let text = read(path);
    if !is_javascript(path) {
        return text.contains(&format!("fn {name}("));
    }
    ["test", "journey"].iter().any(|call| {
        let quotes = ['\'', '"', '`'];
        quotes
            .iter()
            .any(|quote| text.contains(&format!("{call}({quote}{name}{quote}, ")))
    })
}

/// Whether a file is JavaScript that holds tests, not their support or the pages' own.
fn is_suite_in_javascript(path: &str) -> bool {
    path.ends_with(".test.js") || (path.starts_with("tests/browser/journeys/") && is_javascript(path))
}

fn is_javascript(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|ending| ending == "js")
}

/// A file of this repository; nothing where there is none.
fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// What stands in backticks and is a path of this repository.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    const ROOTS: [&str; 4] = ["sdk/", "companion/", "examples/", "tests/"];
    let in_backticks = text.split('`').skip(1).step_by(2);
    in_backticks.filter(|span| ROOTS.iter().any(|root| span.starts_with(root)))
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
