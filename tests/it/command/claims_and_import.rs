//! `keyback user add`, `edit` and `import`: who a person is to relying parties.

use keyback_tests::{ADA, Demo, Finished, Workplace};

const EVERYTHING: [(&str, &str, &str); 17] = [
    ("--given-name", "given_name", "Ada"),
    ("--family-name", "family_name", "Lovelace"),
    ("--middle-name", "middle_name", "King"),
    ("--nickname", "nickname", "Countess"),
    ("--profile", "profile", "https://example.com/ada"),
    ("--picture", "picture", "https://example.com/ada.jpg"),
    ("--website", "website", "https://ada.example/"),
    ("--gender", "gender", "female"),
    ("--birthdate", "birthdate", "1815-12-10"),
    ("--zoneinfo", "zoneinfo", "Europe/London"),
    ("--locale", "locale", "en-GB"),
    ("--address", "address.formatted", "12 St James's Square"),
    (
        "--street-address",
        "address.street_address",
        "12 St James's Square",
    ),
    ("--locality", "address.locality", "London"),
    ("--region", "address.region", "Greater London"),
    ("--postal-code", "address.postal_code", "SW1Y 4JH"),
    ("--country", "address.country", "United Kingdom"),
];

fn shown<'a>(shown: &'a Finished, label: &str) -> Option<&'a str> {
    let label = format!("{label} ");
    let line = shown.out.lines().find(|line| line.starts_with(&label));
    line.map(|line| line[label.len()..].trim())
}

#[tokio::test]
async fn oidc_core_5_1_every_standard_claim_is_added_shown_edited_and_taken_away() {
    let workplace = Workplace::new().await;
    let mut add = vec!["user", "add", "--email", ADA, "--name", "Ada Lovelace"];
    add.extend(["--username", "ada", "--phone", "+14155550199"]);
    add.extend(EVERYTHING.iter().flat_map(|(flag, _, value)| [*flag, *value]));
    workplace.run(&add).await.assert_done();
    let ada = workplace.run(&["user", "show", ADA]).await;
    for (label, value) in [("name", "Ada Lovelace"), ("username", "ada")] {
        assert_eq!(shown(ada.assert_done(), label), Some(value), "{}", ada.out);
    }
    assert!(shown(&ada, "phone").is_some_and(|phone| phone.starts_with("+14155550199")));
    for (_, label, value) in EVERYTHING {
        assert_eq!(shown(ada.assert_done(), label), Some(value), "{}", ada.out);
    }
    let edit = [
        "user",
        "edit",
        ADA,
        "--nickname",
        "",
        "--country",
        "France",
        "--email",
        "ada@new.example",
        "--phone",
        "+14155550123",
        "--unverified",
    ];
    workplace.run(&edit).await.assert_done();
    let ada = workplace.run(&["user", "show", "ada@new.example"]).await;
    assert_eq!(shown(ada.assert_done(), "nickname"), None);
    assert_eq!(shown(&ada, "address.country"), Some("France"));
    assert_eq!(shown(&ada, "address.locality"), Some("London"));
    assert_eq!(shown(&ada, "email"), Some("ada@new.example (not verified)"));
    assert_eq!(shown(&ada, "phone"), Some("+14155550123 (not verified)"));
    workplace
        .run(&["user", "show", ADA])
        .await
        .assert_refused(&["there is no account"]);
}

#[tokio::test]
async fn what_is_no_claim_is_refused_and_nothing_is_written() {
    let workplace = Workplace::new().await;
    workplace
        .run(&["user", "add", "--email", ADA])
        .await
        .assert_done();
    workplace
        .run(&["user", "add", "--username", "bea"])
        .await
        .assert_done();
    let before = workplace.run(&["user", "show", ADA]).await;
    for (flags, words) in [
        (["--birthdate", "soon"], "birthdate: "),
        (["--zoneinfo", "../etc"], "zoneinfo: "),
        (["--locale", "?"], "locale: "),
        (["--picture", "javascript:alert(1)"], "picture: "),
        (["--given-name", "a\nb"], "given_name: "),
        (["--email", ""], "keeps an e-mail address"),
        (["--email", "nonsense"], "e-mail address"),
        (["--username", "bea"], "another account"),
    ] {
        let edit = ["user", "edit", ADA, flags[0], flags[1]];
        workplace.run(&edit).await.assert_refused(&[words]);
        if !flags[0].contains("mail") && !flags[0].contains("username") {
            let add = ["user", "add", "--email", "x@example.com", flags[0], flags[1]];
            workplace.run(&add).await.assert_refused(&[words]);
        }
    }
    let after = workplace.run(&["user", "show", ADA]).await;
    assert_eq!(after.assert_done().out, before.out);
    assert_eq!(
        workplace
            .run(&["user", "list"])
            .await
            .assert_done()
            .out
            .lines()
            .count(),
        2
    );
}

#[tokio::test]
async fn a_file_of_accounts_is_checked_and_imported_whole() {
    let workplace = Workplace::new().await;
    let file = workplace.path("users.jsonl");
    let file = file.to_str().unwrap();
    std::fs::write(
        file,
        "{\"email\":\"ada@example.com\",\"birthdate\":\"soon\"}\n{\"email\":\"nobody\"}\n",
    )
    .unwrap();
    for flags in [&[][..], &["--dry-run"]] {
        let import = [&["user", "import", file], flags].concat();
        workplace.run(&import).await.assert_refused(&[
            "line 1: birthdate: a birth date is",
            "line 2: email: ",
            "has 2 problems: nothing was written",
        ]);
    }
    std::fs::write(
        file,
        "{\"email\":\"ada@example.com\",\"birthdate\":\"1815-12-10\"}\n{\"username\":\"bea\"}\n",
    )
    .unwrap();
    let dry = workplace.run(&["user", "import", file, "--dry-run"]).await;
    assert!(
        dry.assert_done().out.starts_with("2 accounts would be added"),
        "{}",
        dry.out
    );
    assert_eq!(workplace.run(&["user", "list"]).await.assert_done().out, "");
    let done = workplace.run(&["user", "import", file]).await;
    assert!(
        done.assert_done()
            .out
            .starts_with("2 accounts added, 2 of them without"),
        "{}",
        done.out
    );
    // Bea has no address. Nothing else is said: what moves is for terminals.
    let warning = "warning: 1 account has neither e-mail address nor phone number";
    assert!(
        done.err.starts_with(warning) && done.err.lines().count() == 1,
        "{}",
        done.err
    );
    assert!(dry.err.starts_with(warning), "{}", dry.err);
    let ada = workplace.run(&["user", "show", ADA]).await;
    assert_eq!(shown(ada.assert_done(), "birthdate"), Some("1815-12-10"));
    assert_eq!(shown(&ada, "email"), Some("ada@example.com (not verified)"));
    workplace
        .run(&["user", "import", file])
        .await
        .assert_refused(&["line 1: email: ada@example.com: an account of the store has it"]);
    let again = workplace.run(&["user", "import", file, "--skip-existing"]).await;
    assert!(
        again.assert_done().out.contains("2 entries left alone"),
        "{}",
        again.out
    );
    let csv = "email,address.country\ncid@example.com,France\n";
    let piped = ["user", "import", "-", "--format", "csv"];
    workplace.run_with_input(&piped, csv).await.assert_done();
    let cid = workplace.run(&["user", "show", "cid@example.com"]).await;
    assert_eq!(shown(cid.assert_done(), "address.country"), Some("France"));
    let vouched = ["user", "import", "-", "--format", "csv", "--verified"];
    let csv = "email\ndee@example.com\n";
    workplace.run_with_input(&vouched, csv).await.assert_done();
    let dee = workplace.run(&["user", "show", "dee@example.com"]).await;
    assert_eq!(
        shown(dee.assert_done(), "email"),
        Some("dee@example.com (verified)")
    );
    workplace
        .run(&["user", "import", "nowhere.csv"])
        .await
        .assert_refused(&["nowhere.csv"]);
}

#[tokio::test]
async fn sr24_an_address_that_is_taken_away_takes_its_codes_along() {
    edited_while_a_code_is_out(&["--email", "ada@new.example"], Some("ada@new.example")).await;
}

#[tokio::test]
async fn sr24_a_verification_that_is_withdrawn_takes_the_codes_along() {
    edited_while_a_code_is_out(&["--email", ADA, "--unverified"], None).await;
}

/// The operator edits Ada's account between a code and its entry; `now` gets the codes from then on.
async fn edited_while_a_code_is_out(flags: &[&str], now: Option<&str>) {
    let workplace = Workplace::new().await;
    let data = workplace.path("data");
    let demo = Demo::start(&["--data", data.to_str().unwrap()]).await;
    let config = workplace
        .sound()
        .replace("keyback.db", "data/keyback.db")
        .replace("root.key", "data/root.key");
    workplace.write(&config);
    let mut browser = demo.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let code = demo.code_for(ADA, 1).await;
    let edit = [&["user", "edit", ADA], flags].concat();
    workplace.run(&edit).await.assert_done();
    browser.enter_code(&code).await;
    browser.assert_at("/forgot-password/code");
    browser.assert_status(422);
    let Some(now) = now else { return };
    let mut other = demo.browser();
    other.open("/forgot-password").await;
    other.ask_reset(now).await;
    other.enter_code(&demo.code_for(now, 1).await).await;
    other.assert_at("/forgot-password/password");
}

#[tokio::test]
async fn sr11_a_user_name_is_no_number_of_the_configured_country() {
    let workplace = Workplace::new().await;
    let add = ["user", "add", "--username", "4155550123"];
    let at_home = format!("{}\n[sms]\ndefault_region = \"US\"\n", workplace.sound());
    workplace.write(&at_home);
    workplace.run(&add).await.assert_refused(&["username: "]);
    workplace
        .run(&["user", "add", "--email", ADA])
        .await
        .assert_done();
    let edit = ["user", "edit", ADA, "--username", "(415) 555-0123"];
    workplace.run(&edit).await.assert_refused(&["username: "]);
    let edit = ["user", "edit", ADA, "--username", "415-555-0123"];
    workplace.run(&edit).await.assert_refused(&["username: "]);
    workplace.write(&workplace.sound());
    workplace.run(&add).await.assert_done();
}
