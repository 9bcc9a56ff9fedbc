//! Files, and what becomes of them.

use keyback_core::random::SystemRandom;
use keyback_core::time::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;

use super::*;
use crate::store::Store;
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
        users::find_password_hash(self.store.reader(), &user.id)
            .await
            .unwrap()
    }
}

fn told(report: &Report) -> Vec<String> {
    report.problems.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn every_claim_of_a_line_arrives() {
    let bench = Bench::new().await;
    let line = r#"{"sub":"old-id-7","preferred_username":"ada","email":"Ada@Example.com","email_verified":false,
        "phone_number":"+1 415 555 0123","phone_number_verified":true,"name":"Ada Lovelace","given_name":"Ada","birthdate":"1815-12-10",
        "zoneinfo":"Europe/London","locale":"en_GB","website":"https://ada.example","picture":null,"nickname":"",
        "address":{"street_address":"12 St James's Square","country":"United Kingdom"},
        "created_at":1700000000,"updated_at":"2026-01-31T12:00:00Z","disabled":true,
        "password_hash":"HASH"}"#;
    let line = line.replace('\n', " ").replace("HASH", BCRYPT);
    let report = bench.import(&line, JSON).await;
    assert_eq!(
        (report.outcome, report.added, report.without_password),
        (Outcome::Written, 1, 0),
        "{report:?}"
    );
    let ada = bench.one().await;
    assert_eq!(ada.id, "old-id-7");
    assert_eq!(ada.username.as_deref(), Some("ada"));
    assert_eq!(
        (ada.email.as_deref(), ada.email_verified),
        (Some("ada@example.com"), false)
    );
    assert_eq!(
        (ada.phone.as_deref(), ada.phone_verified),
        (Some("+14155550123"), true)
    );
    assert_eq!(ada.name.as_deref(), Some("Ada Lovelace"));
    assert!(!ada.is_active());
    assert_eq!(ada.created_at().as_millis(), 1_700_000_000_000);
    assert_eq!(ada.updated_at().as_secs(), 1_769_860_800);
    let profile: Value = serde_json::from_str(&ada.profile).unwrap();
    let expected = serde_json::json!({
        "given_name": "Ada", "birthdate": "1815-12-10", "zoneinfo": "Europe/London", "locale": "en-GB",
        "website": "https://ada.example/",
        "address": { "street_address": "12 St James's Square", "country": "United Kingdom" },
    });
    assert_eq!(profile, expected);
    assert_eq!(bench.hash_of(&ada).await.as_deref(), Some(BCRYPT));
}

#[tokio::test]
async fn sr11_a_number_without_its_country_code_is_one_of_the_configured_country() {
    let file = "email,phone_number\nada@example.com,(415) 555-0123\n";
    let bench = Bench::new().await;
    let refused = bench.import(file, CSV).await;
    assert_eq!(refused.problem_count, 1, "{refused:?}");
    let mut at_home = CSV;
    at_home.rules.default_region = Some("US".parse().unwrap());
    bench.import(file, at_home).await;
    assert_eq!(bench.one().await.phone.as_deref(), Some("+14155550123"));
}

#[tokio::test]
async fn users_of_logto_are_read_from_its_api_and_from_its_table() {
    let of_api = r#"[
        {"id":"x6vsttvuoy4f","username":"alice","primaryEmail":"alice@example.test","primaryPhone":"14155550123",
         "name":"Alice Example","avatar":"https://example.test/a.png","customData":{"a":1},"identities":{},
         "lastSignInAt":1795439417371,"createdAt":1795439029460,"updatedAt":1795439417371,
         "profile":{"givenName":"Alice","birthdate":"1990-02-03","preferredUsername":"al",
           "address":{"streetAddress":"1 Way","postalCode":"123","country":"FR"}},
         "applicationId":null,"isSuspended":false,"hasPassword":true,
         "passwordDigest":"HASH","passwordAlgorithm":"Bcrypt"}
    ]"#;
    let of_table = r#"{"id":"x6vsttvuoy4f","username":"alice","primary_email":"alice@example.test","primary_phone":"+14155550123",
         "name":"Alice Example","avatar":"https://example.test/a.png","custom_data":{},"is_suspended":false,
         "created_at":1795439029460,"updated_at":1795439417371,
         "profile":{"givenName":"Alice","birthdate":"1990-02-03",
           "address":{"streetAddress":"1 Way","postalCode":"123","country":"FR"}},
         "password_encrypted":"HASH","password_encryption_method":"Bcrypt"}"#;
    for file in [of_api.to_owned(), of_table.replace('\n', " ")] {
        let bench = Bench::new().await;
        let report = bench.import(&file.replace("HASH", BCRYPT), JSON).await;
        assert_eq!(
            (report.outcome, report.added),
            (Outcome::Written, 1),
            "{report:?}"
        );
        let alice = bench.one().await;
        assert_eq!((alice.id.as_str(), alice.email_verified), ("x6vsttvuoy4f", true));
        assert_eq!(
            (alice.phone.as_deref(), alice.phone_verified),
            (Some("+14155550123"), true)
        );
        assert_eq!(alice.updated_at().as_millis(), 1_795_439_417_371);
        let profile: Value = serde_json::from_str(&alice.profile).unwrap();
        let expected = serde_json::json!({
            "given_name": "Alice", "birthdate": "1990-02-03", "picture": "https://example.test/a.png",
            "address": { "street_address": "1 Way", "postal_code": "123", "country": "FR" },
        });
        assert_eq!(profile, expected);
        assert_eq!(bench.hash_of(&alice).await.as_deref(), Some(BCRYPT));
    }
}

#[tokio::test]
async fn rfc4180_columns_are_named_as_claims() {
    let bench = Bench::new().await;
    let file = "\u{feff}email,email_verified,name,address.formatted,address.country,created_at\r\n\
        ada@example.com,true,\"Lovelace, Ada\",\"1 Way\r\nTown\",United Kingdom,1700000000\r\n\
        bea@example.com,false,,,,\r\n";
    let report = bench.import(file, CSV).await;
    assert_eq!((report.added, report.without_password), (2, 2), "{report:?}");
    let all = bench.all().await;
    let ada = all
        .iter()
        .find(|user| user.email.as_deref() == Some("ada@example.com"))
        .unwrap();
    assert_eq!(ada.name.as_deref(), Some("Lovelace, Ada"));
    assert!(ada.profile.contains(r"1 Way\nTown"), "{}", ada.profile);
    let bea = all.iter().find(|user| user.id != ada.id).unwrap();
    assert_eq!(
        (bea.email_verified, bea.name.as_deref(), bea.profile.as_str()),
        (false, None, "{}")
    );

    let unknown = bench.import("email,shoe_size\na@b.example,43\n", CSV).await;
    assert_eq!(
        told(&unknown),
        ["line 1: the column \"shoe_size\" is none that an account has"]
    );
    let uneven = bench
        .import("email,name\nx@b.example\ny@b.example,Y\nz@b.example,Z,Z\n", CSV)
        .await;
    assert_eq!(uneven.problem_count, 2, "{uneven:?}");
    assert!(told(&uneven)[0].starts_with("line 2: "), "{uneven:?}");
    assert_eq!(bench.all().await.len(), 2);
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
    let hash = users::find_password_hash(bench.store.reader(), "one")
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

#[tokio::test]
async fn no_file_is_pulled_into_memory_whole() {
    let bench = Bench::new().await;
    let endless_line = "x".repeat(1 << 20);
    let unclosed_quote = format!("email,name\na@b.example,\"{}", "x\n".repeat(1 << 19));
    let endless_text = format!("[{{\"email\":\"{endless_line}");
    for (file, options) in [
        (endless_line.as_str(), JSON),
        (unclosed_quote.as_str(), CSV),
        (endless_text.as_str(), JSON),
    ] {
        let report = bench.import(file, options).await;
        assert_eq!(report.problem_count, 1);
        assert!(told(&report)[0].contains("larger than 64 KiB"), "{report:?}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(bench.import(&deep, JSON).await.outcome, Outcome::Refused);
    let truncated = bench.import(r#"[{"email":"a@b.example"},{"email":"#, JSON).await;
    assert!(
        told(&truncated)[0].starts_with("entry 2: this JSON ends too early"),
        "{truncated:?}"
    );
    for nothing in ["", "\n\n", "[]", "  [ ] "] {
        let report = bench.import(nothing, JSON).await;
        assert_eq!(
            (report.outcome, report.added),
            (Outcome::Written, 0),
            "{nothing:?}"
        );
    }
    let many: String = (0..5_000).map(|_| "x\n").collect();
    let report = bench.import(&many, JSON).await;
    assert_eq!((report.problem_count, report.problems.len()), (5_000, 100));
    assert!(bench.all().await.is_empty());
}
