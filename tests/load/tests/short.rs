//! The load program's short form: every measurement runs, every answer is the one that is measured, and the numbers
//! are written. How fast anything was is not looked at.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn every_measurement_counts_something_and_is_written() {
    let load = Path::new(env!("CARGO_BIN_EXE_load"));
    let keyback = load.with_file_name("keyback");
    assert!(keyback.exists(), "build it first: cargo build --bin keyback");
    let out = tempfile::tempdir().unwrap();
    let readme = out.path().join("README.md");
    std::fs::write(
        &readme,
        "before\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nafter\n",
    )
    .unwrap();
    // Enough accounts that no two people ever reset the same one at a time: a finished reset ends the other.
    // A wrong answer, a refused sign-in or a reset that doesn't come through ends the program with an error.
    let ended = Command::new(load)
        .args(["--short", "--users", "400", "--keyback"])
        .arg(&keyback)
        .arg("--out")
        .arg(out.path())
        .arg("--readme")
        .arg(&readme)
        .output()
        .unwrap();
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );

    let json = std::fs::read(out.path().join("results.json")).unwrap();
    let results: Value = serde_json::from_slice(&json).unwrap();
    let mut numbers = Vec::new();
    collect("", &results, &mut numbers);
    // Four numbers of each question, of which there are six, and those of the journeys, memory and starts.
    assert!(numbers.len() > 100, "{numbers:?}");
    // A redirect has no body, and what took less than a tick of the kernel's clock cost nothing.
    let at_work = |path: &str| !path.contains("cost") && !path.ends_with("body_bytes");
    for (path, number) in numbers.iter().filter(|(path, _)| at_work(path)) {
        assert!(*number > 0.0, "{path} is {number}");
    }
    for plot in ["answers.svg", "journeys.svg", "footprint.svg"] {
        let svg = std::fs::read_to_string(out.path().join(plot)).unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{plot}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{plot}");
    }
    let readme = std::fs::read_to_string(&readme).unwrap();
    assert!(readme.starts_with("before\n") && readme.ends_with("after\n"));
    assert!(readme.contains("| sign-ins, 400 accounts |") && !readme.contains("old"));
}

/// Every number of a document, with the way to it.
fn collect(path: &str, value: &Value, numbers: &mut Vec<(String, f64)>) {
    match value {
        Value::Number(number) => numbers.push((path.to_owned(), number.as_f64().unwrap())),
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                collect(&format!("{path}/{at}"), value, numbers);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                collect(&format!("{path}/{name}"), value, numbers);
            }
        }
        _ => {}
    }
}
