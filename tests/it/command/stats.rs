//! `keyback stats`: how passwords are hashed, and how many still in the form of another system.

use keyback_tests::{OLD_PASSWORD, Workplace};
use serde_json::{Value, json};

use crate::journeys::imported::{BCRYPT, DJANGO};

/// SR-51: hashes are counted by algorithm and parameters, and no hash is shown.
#[tokio::test]
async fn sr51_accounts_are_counted_by_how_their_passwords_are_hashed() {
    let workplace = Workplace::new().await;
    workplace
        .run(&["stats"])
        .await
        .assert_refused(&["keyback.db", "keyback serve"]);
    assert!(!workplace.path("keyback.db").exists(), "showing makes nothing");
    let accounts = workplace.path("accounts.jsonl");
    let file = [Some(BCRYPT), Some(BCRYPT), Some(BCRYPT), Some(DJANGO), None]
        .into_iter()
        .enumerate()
        .map(|(number, hash)| {
            json!({ "email": format!("user{number}@example.com"), "password_hash": hash }).to_string() + "\n"
        })
        .collect::<String>();
    std::fs::write(&accounts, file).unwrap();
    workplace
        .run(&["user", "import", accounts.to_str().unwrap()])
        .await
        .assert_done();
    for address in ["ada@example.com", "ben@example.com", "cy@example.com"] {
        let add = ["user", "add", "--email", address, "--password-stdin"];
        workplace.run_with_input(&add, OLD_PASSWORD).await.assert_done();
    }

    let table = workplace.run(&["stats"]).await;
    let rows: Vec<&str> = table.assert_done().out.lines().collect();
    let expected = [
        ["ACCOUNTS", "SHARE", "PASSWORD HASH", "STATE"],
        ["3", "37.5%", "argon2id v=19 m=19456 t=2 p=1", "as new ones are"],
        ["3", "37.5%", "bcrypt cost=5", "hashed anew at the next sign-in"],
        [
            "1",
            "12.5%",
            "pbkdf2-sha256 i=1000",
            "hashed anew at the next sign-in",
        ],
        ["1", "12.5%", "no password", "a reset sets the first"],
    ];
    assert_eq!(rows.len(), expected.len(), "{}", table.out);
    for (row, cells) in rows.iter().zip(expected) {
        let told: Vec<&str> = row
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect();
        assert_eq!(told, cells);
    }

    let shown = workplace.run(&["stats", "--json"]).await;
    let lines = shown.assert_done().out.lines();
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines[1],
        json!({
            "algorithm": "bcrypt",
            "parameters": { "cost": 5 },
            "state": "outdated",
            "accounts": 3,
            "share": 0.375,
        })
    );
    assert_eq!(
        lines[3],
        json!({ "algorithm": null, "parameters": {}, "state": "none", "accounts": 1, "share": 0.125 })
    );

    // What is current follows the configuration.
    workplace.write(&(workplace.sound() + "[password.hashing]\niterations = 3\n"));
    let dearer = workplace.run(&["stats"]).await;
    assert!(
        !dearer.assert_done().out.contains("as new ones are"),
        "{}",
        dearer.out
    );
}
