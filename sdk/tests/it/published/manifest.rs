//! The manifest: the version of Rust that it states.

use std::collections::{HashMap, HashSet};
use std::process::Command;

use serde_json::Value;

/// What does not build with the stated version must not be stated.
#[test]
fn the_stated_rust_version_is_not_below_that_of_any_dependency() {
    // Packages for other systems were not fetched.
    let about = Command::new("rustc").arg("-vV").output().unwrap();
    let about = String::from_utf8(about.stdout).unwrap();
    let host = about
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    let asked = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--locked",
            "--all-features",
            "--filter-platform",
            host,
        ])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .output()
        .unwrap();
    assert!(
        asked.status.success(),
        "{}",
        String::from_utf8_lossy(&asked.stderr)
    );
    let metadata: Value = serde_json::from_slice(&asked.stdout).unwrap();
    let by_id = |list: &'static str| -> HashMap<&str, &Value> {
        let listed = if list == "packages" {
            &metadata["packages"]
        } else {
            &metadata["resolve"]["nodes"]
        };
        listed
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["id"].as_str().unwrap(), one))
            .collect()
    };
    let (packages, nodes) = (by_id("packages"), by_id("nodes"));
    let own = packages
        .values()
        .find(|package| package["name"] == "keyback")
        .unwrap();
    let stated = version(own["rust_version"].as_str().expect("a rust-version is stated"));

    let (mut due, mut seen) = (vec![own["id"].as_str().unwrap()], HashSet::new());
    while let Some(id) = due.pop() {
        if !seen.insert(id) {
            continue;
        }
        if let Some(needed) = packages[id]["rust_version"].as_str() {
            let name = packages[id]["name"].as_str().unwrap();
            assert!(version(needed) <= stated, "{name} needs Rust {needed}");
        }
        // Those of tests and benches are nobody else's.
        let dependencies = nodes[id]["deps"].as_array().unwrap().iter();
        due.extend(
            dependencies
                .filter(|dependency| is_normal(dependency))
                .map(|dependency| dependency["pkg"].as_str().unwrap()),
        );
    }
    assert!(seen.len() > 50, "{} packages", seen.len());
}

fn is_normal(dependency: &Value) -> bool {
    dependency["dep_kinds"]
        .as_array()
        .unwrap()
        .iter()
        .any(|kind| kind["kind"] != "dev")
}

fn version(text: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = text.split('.').map(|part| part.parse().unwrap()).collect();
    parts.resize(3, 0);
    parts
}
