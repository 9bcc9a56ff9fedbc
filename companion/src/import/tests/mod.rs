//! Files, and what becomes of them.

mod claims;
mod forms;

use keyback_core::random::SystemRandom;
use keyback_core::time::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;

use super::*;
use crate::store::Store;
use crate::store::credentials;
use crate::store::users::{self, User};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const BCRYPT: &str = "$2b$05$abcdefghijklmnopqrstuuE/CMYJ/nB6WDTO9hhfnzB0Rmg6wgsGy";

struct Bench {
    store: Store,
    _folder: TempDir,
}

const JSON: Options = Options {
    format: Format::Json,
    rules: Rules {
        verified: false,
        drop_hashes: false,
        default_region: None,
    },
    dry_run: false,
    skip_existing: false,
    commit_every: None,
};
const CSV: Options = Options {
    format: Format::Csv,
    ..JSON
};

impl Bench {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = Store::open(&folder.path().join("keyback.db")).await.unwrap();
        Self {
            store,
            _folder: folder,
        }
    }

    async fn import(&self, file: &str, options: Options) -> Report {
        let from = std::io::Cursor::new(file.to_owned());
        run(&self.store, from, options, Arc::new(SystemRandom), NOW)
            .await
            .unwrap()
    }

    async fn all(&self) -> Vec<User> {
        users::list(self.store.reader(), "", 10_000).await.unwrap()
    }

    async fn one(&self) -> User {
        let mut all = self.all().await;
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    async fn hash_of(&self, user: &User) -> Option<String> {
        credentials::find_password_hash(self.store.reader(), &user.id)
            .await
            .unwrap()
    }
}

fn told(report: &Report) -> Vec<String> {
    report.problems.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn all_problems_are_told_at_once_with_their_lines_and_nothing_is_written() {
    let bench = Bench::new().await;
    bench
        .import(r#"{"email":"ada@example.com","username":"ada"}"#, JSON)
        .await;
    let file = r#"{"email":"bea@example.com"}
{"email":"nobody","phone_number":"12","birthdate":"soon","shoe_size":43}

{"email":"bea@example.com"}
{"email":"x@example.com","username":"ada"}
not json
{"name":"Nobody"}
{"email":"y@example.com","password":"secret"}
{"email":"z@example.com","password_hash":"5f4dcc3b5aa765d61d8327deb882cf99"}
["list"]
{"email":"q@example.com","email_verified":"perhaps","address":"here","created_at":"soon"}
"#;
    for options in [
        JSON,
        Options {
            dry_run: true,
            ..JSON
        },
    ] {
        let report = bench.import(file, options).await;
        assert_eq!((report.outcome, report.added), (Outcome::Refused, 0));
        let told = told(&report);
        for (line, words) in [
            (2, "email: this is no e-mail address"),
            (2, "phone_number: this is no phone number"),
            (2, "birthdate: a birth date is"),
            (2, "\"shoe_size\" is no member"),
            (4, "email: bea@example.com: an entry before this one has it"),
            (5, "username: ada: an account of the store has it"),
            (6, "this is no JSON"),
            (7, "an e-mail address, a phone number or a user name"),
            (8, "passwords are imported as hashes alone"),
            (9, "this is a fast hash"),
            (10, "this is JSON, but no object"),
            (11, "email_verified: this is true or false"),
            (11, "address: this is an object"),
            (11, "created_at: a time is"),
        ] {
            let place = format!("line {line}: ");
            let found = told
                .iter()
                .any(|told| told.starts_with(&place) && told.contains(words));
            assert!(found, "{place}{words}\n{told:#?}");
        }
        assert_eq!(report.problem_count, 14, "{told:#?}");
        assert_eq!(bench.all().await.len(), 1);
    }
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_tells_what_would_be() {
    let bench = Bench::new().await;
    let file = "{\"email\":\"ada@example.com\"}\n{\"email\":\"bea@example.com\"}\n";
    let report = bench
        .import(
            file,
            Options {
                dry_run: true,
                ..JSON
            },
        )
        .await;
    assert_eq!((report.outcome, report.added), (Outcome::Checked, 2));
    assert_eq!(bench.all().await.len(), 0);
    assert_eq!(bench.import(file, JSON).await.outcome, Outcome::Written);
}

#[tokio::test]
async fn accounts_that_are_there_can_be_left_alone() {
    let bench = Bench::new().await;
    bench
        .import(r#"{"id":"one","email":"ada@example.com","name":"Ada"}"#, JSON)
        .await;
    let file = "{\"email\":\"ada@example.com\",\"name\":\"Eve\"}\n{\"id\":\"one\",\"email\":\"x@example.com\"}\n{\"email\":\"bea@example.com\"}\n";
    let options = Options {
        skip_existing: true,
        ..JSON
    };
    let report = bench.import(file, options).await;
    assert_eq!(
        (report.outcome, report.added, report.skipped),
        (Outcome::Written, 1, 2)
    );
    let all = bench.all().await;
    assert_eq!(all.len(), 2);
    assert!(
        all.iter().any(|user| user.name.as_deref() == Some("Ada")),
        "the account stays as it was"
    );
}

#[tokio::test]
async fn an_import_in_parts_keeps_what_came_before_the_first_problem() {
    let bench = Bench::new().await;
    let mut file: String = (0..1_200)
        .map(|number| format!("{{\"username\":\"user{number}\"}}\n"))
        .collect();
    file.push_str("broken\n");
    let options = Options {
        commit_every: Some(500),
        ..JSON
    };
    let report = bench.import(&file, options).await;
    assert_eq!((report.outcome, report.added), (Outcome::Refused, 1_000));
    assert_eq!(bench.all().await.len(), 1_000);
    let mended = file.replace("broken", r#"{"username":"last"}"#);
    let options = Options {
        skip_existing: true,
        ..options
    };
    let report = bench.import(&mended, options).await;
    assert_eq!(
        (report.outcome, report.added, report.skipped),
        (Outcome::Written, 201, 1_000)
    );
}

#[tokio::test]
async fn sr51_fast_hashes_are_dropped_where_the_operator_says_so() {
    let bench = Bench::new().await;
    let file = r#"{"email":"ada@example.com","password_hash":"5f4dcc3b5aa765d61d8327deb882cf99","password_algorithm":"MD5"}"#;
    let mut options = JSON;
    options.rules.drop_hashes = true;
    let report = bench.import(file, options).await;
    assert_eq!(
        (report.outcome, report.added, report.without_password),
        (Outcome::Written, 1, 1)
    );
    assert_eq!(bench.hash_of(&bench.one().await).await, None);
}

#[tokio::test]
async fn the_operator_says_what_addresses_are_worth_and_the_file_says_it_better() {
    let file = "{\"email\":\"ada@example.com\",\"phone_number\":\"+14155550123\"}\n\
                {\"email\":\"bea@example.com\",\"email_verified\":true}\n\
                {\"email\":\"cid@example.com\",\"email_verified\":false}\n";
    let mut vouched = JSON;
    vouched.rules.verified = true;
    for (options, ada) in [(JSON, false), (vouched, true)] {
        let bench = Bench::new().await;
        bench.import(file, options).await;
        let all = bench.all().await;
        let of = |email: &str| {
            all.iter()
                .find(|user| user.email.as_deref() == Some(email))
                .unwrap()
        };
        assert_eq!(
            of("ada@example.com").email_verified,
            ada,
            "who says nothing vouches for nothing"
        );
        assert_eq!(of("ada@example.com").phone_verified, ada);
        assert!(of("bea@example.com").email_verified);
        assert!(!of("cid@example.com").email_verified);
    }
}

#[tokio::test]
async fn an_id_that_comes_twice_is_a_problem_and_nobody_gets_anothers_password() {
    let other = BCRYPT.replace("JnB6", "JnB7");
    let there = r#"{"email":"ada@example.com"}"#;
    let first = format!(r#"{{"id":"one","email":"ada@example.com","password_hash":"{BCRYPT}"}}"#);
    let second = format!(r#"{{"id":"one","email":"bea@example.com","password_hash":"{other}"}}"#);
    let between = |count: usize| -> String {
        (0..count)
            .map(|number| format!("{{\"username\":\"user{number}\"}}\n"))
            .collect()
    };
    for skip_existing in [false, true] {
        for commit_every in [None, Some(500)] {
            // In one batch, and in two.
            for far in [0, 1_200] {
                let bench = Bench::new().await;
                bench.import(there, JSON).await;
                let options = Options {
                    skip_existing,
                    commit_every,
                    ..JSON
                };
                let file = format!("{first}\n{}{second}\n", between(far));
                let report = bench.import(&file, options).await;
                assert_eq!(report.outcome, Outcome::Refused, "{report:?}");
                let alone = !skip_existing && commit_every.is_some() && far > 0;
                if !alone {
                    let line = format!("line {}: id: one: an entry before this one has it", far + 2);
                    assert!(told(&report).contains(&line), "{report:?}");
                }
                let written = bench.all().await;
                assert!(written.iter().all(|user| user.id != "one"), "{options:?}");
                // What one import has noted is nothing to the next.
                let again = bench.import(&second, JSON).await;
                assert_eq!(again.outcome, Outcome::Written, "{again:?}");
                let bea = bench
                    .all()
                    .await
                    .into_iter()
                    .find(|user| user.id == "one")
                    .unwrap();
                assert_eq!(bench.hash_of(&bea).await.as_deref(), Some(other.as_str()));
            }
        }
    }
}

#[tokio::test]
async fn rows_that_were_written_are_known_by_their_ids_alone() {
    use crate::store::import::{NewAccount, add};
    let bench = Bench::new().await;
    bench.import(r#"{"email":"ada@example.com"}"#, JSON).await;
    let account = |email: &str, hash: &str| NewAccount {
        id: "one".to_owned(),
        username: None,
        email: Some(email.to_owned()),
        email_verified: true,
        phone: None,
        phone_verified: false,
        name: None,
        profile: "{}".to_owned(),
        disabled: false,
        created_at: NOW,
        updated_at: NOW,
        password_hash: Some(hash.to_owned()),
    };
    let mut tx = bench.store.begin().await.unwrap();
    let accounts = [
        account("ada@example.com", "of the first"),
        account("bea@example.com", "of the second"),
    ];
    assert_eq!(add(&mut tx, &accounts, NOW).await.unwrap(), [0, 1]);
    let accounts = [
        account("bea@example.com", "of the first"),
        account("cid@example.com", "of the second"),
    ];
    assert_eq!(add(&mut tx, &accounts, NOW).await.unwrap(), [1]);
    tx.commit().await.unwrap();
    let hash = credentials::find_password_hash(bench.store.reader(), "one")
        .await
        .unwrap();
    assert_eq!(hash.as_deref(), Some("of the first"));
}

#[tokio::test]
async fn sr11_a_user_name_that_is_a_number_of_the_configured_country_is_refused() {
    let bench = Bench::new().await;
    let file = r#"{"username":"4155550123"}"#;
    let mut at_home = JSON;
    at_home.rules.default_region = Some("US".parse().unwrap());
    let refused = bench.import(file, at_home).await;
    assert!(told(&refused)[0].starts_with("line 1: username: "), "{refused:?}");
    assert_eq!(bench.import(file, JSON).await.outcome, Outcome::Written);
}
