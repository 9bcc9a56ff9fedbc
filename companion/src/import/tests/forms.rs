//! The forms of files: what each member and column becomes, and how much of a file is in memory.

use super::*;

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
    assert!(!ada.may_sign_in());
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
