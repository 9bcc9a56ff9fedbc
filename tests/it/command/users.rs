//! `keyback user`: accounts, and nobody chooses somebody else's password.

use keyback_companion::store::Store;
use keyback_tests::{ADA, Demo, Finished, Keyback, NEW_PASSWORD, OLD_PASSWORD, Workplace};

async fn with_ada() -> (Workplace, String) {
    let workplace = Workplace::new().await;
    let added = workplace
        .run(&[
            "user",
            "add",
            "--email",
            ADA,
            "--username",
            "ada",
            "--phone",
            "+1 415 555 0123",
            "--name",
            "Ada",
        ])
        .await;
    let id = added.assert_done().out.trim().to_owned();
    assert_eq!(id.len(), 12);
    assert!(
        added.err.contains("http://localhost:3001/reset-password"),
        "{}",
        added.err
    );
    (workplace, id)
}

fn line<'a>(shown: &'a Finished, label: &str) -> &'a str {
    let line = shown.out.lines().find(|line| line.starts_with(label));
    line.unwrap().trim_start_matches(label).trim()
}

#[tokio::test]
async fn an_account_is_added_listed_and_shown_by_any_of_its_names() {
    let (workplace, id) = with_ada().await;
    let listed = workplace.run(&["user", "list"]).await;
    assert!(listed.assert_done().out.contains(&id) && listed.out.contains(ADA));
    for name in [ADA, "ADA@example.com", "ada", "+14155550123", &id] {
        let shown = workplace.run(&["user", "show", name]).await;
        shown.assert_done();
        assert_eq!(line(&shown, "id"), id);
        assert_eq!(line(&shown, "email"), "ada@example.com (verified)");
        assert_eq!(line(&shown, "phone"), "+14155550123 (verified)");
        assert_eq!(line(&shown, "password"), "none yet");
        assert_eq!(line(&shown, "status"), "active");
        assert!(!shown.out.contains("argon2"));
    }
}

#[tokio::test]
async fn help_says_what_an_account_needs_and_what_each_flag_is() {
    let help = Keyback::run(&["user", "add", "--help"]).await;
    for words in [
        "An account needs an e-mail address, a phone number or a user name",
        "The e-mail address",
        "The phone number",
        "The user name",
        "The full name",
    ] {
        assert!(help.assert_done().out.contains(words), "{words:?}: {}", help.out);
    }
    let (own, _) = help.out.split_once("Who the person is").unwrap();
    assert!(
        own.contains("--unverified") && own.contains("--password-stdin"),
        "{own}"
    );
}

/// Nobody finds out at the reset that there can be none: the operator is told when the account comes.
#[tokio::test]
async fn accounts_that_no_code_can_reach_are_added_with_a_warning() {
    let workplace = Workplace::new().await;
    let words = "no code can be sent, so its password can't be reset";
    let bea = workplace.run(&["user", "add", "--username", "bea"]).await;
    assert!(bea.assert_done().err.contains(words), "{}", bea.err);
    assert!(!bea.err.contains("/reset-password"), "{}", bea.err);
    let add = ["user", "add", "--username", "cid", "--password-stdin"];
    let cid = workplace.run_with_input(&add, OLD_PASSWORD).await;
    assert!(cid.assert_done().err.contains(words), "{}", cid.err);
    let add = ["user", "add", "--email", "dee@example.com", "--unverified"];
    let dee = workplace.run(&add).await;
    assert!(
        dee.assert_done().err.contains("no code goes there"),
        "{}",
        dee.err
    );
    let edit = ["user", "edit", "bea", "--phone", "+14155550123"];
    workplace.run(&edit).await.assert_done();
    let reset = workplace.run(&["user", "reset", "bea"]).await;
    assert!(reset.assert_done().out.contains("/reset-password"));
}

#[tokio::test]
async fn sr44_a_password_from_standard_input_keeps_the_policy() {
    let workplace = Workplace::new().await;
    let add = ["user", "add", "--email", "bea@example.com", "--password-stdin"];
    workplace
        .run_with_input(&add, "password\n")
        .await
        .assert_refused(&[
            "breaks the policy:\n  At least 15 characters\n",
            "Not a common password: this one is easy to guess",
        ]);
    assert_eq!(workplace.run(&["user", "list"]).await.assert_done().out, "");
    workplace
        .run_with_input(&add, &format!("{NEW_PASSWORD}\n"))
        .await
        .assert_done();
    let shown = workplace.run(&["user", "show", "bea@example.com"]).await;
    assert_eq!(line(shown.assert_done(), "password"), "set");
    workplace
        .run_with_input(
            &["user", "add", "--email", "eve@example.com", "--password-stdin"],
            "",
        )
        .await
        .assert_refused(&[]);
}

#[tokio::test]
async fn an_edit_without_a_change_is_refused_and_leaves_no_line() {
    let (workplace, _) = with_ada().await;
    for edit in [&["user", "edit", ADA][..], &["user", "edit", ADA, "--unverified"]] {
        let refused = workplace.run(edit).await;
        refused.assert_refused(&["nothing was given to change", "keyback user edit --help"]);
        assert_eq!(refused.out, "");
    }
    let trail = workplace.run(&["audit"]).await;
    assert!(!trail.assert_done().out.contains("user_edited"), "{}", trail.out);
}

#[tokio::test]
async fn what_is_no_address_or_taken_is_refused_and_nothing_is_written() {
    let (workplace, _) = with_ada().await;
    for (args, words) in [
        (vec!["--email", "nonsense"], vec!["nonsense"]),
        (vec!["--email", "+14155550199"], vec!["--phone"]),
        (vec!["--phone", "bob@example.com"], vec!["--email"]),
        (vec!["--phone", "12"], vec!["phone number"]),
        (vec!["--username", "bob@example.com"], vec!["user name"]),
        (vec!["--username", ""], vec!["user name"]),
        (vec!["--email", "Ada@EXAMPLE.com"], vec!["another account"]),
        (vec!["--username", "ada"], vec!["another account"]),
        (
            vec!["--email", "x@example.com", "--phone", "+14155550123"],
            vec!["another account"],
        ),
        (vec![], vec!["--email", "--phone", "--username"]),
        (
            vec!["--email", "a@example.com\nb@example.com"],
            vec!["e-mail address"],
        ),
    ] {
        let all: Vec<&str> = ["user", "add"].into_iter().chain(args).collect();
        workplace.run(&all).await.assert_refused(&words);
    }
    let listed = workplace.run(&["user", "list"]).await;
    assert_eq!(listed.assert_done().out.lines().count(), 1);
    for command in ["show", "reset", "disable", "enable"] {
        workplace
            .run(&["user", command, "nobody@example.com"])
            .await
            .assert_refused(&["there is no account", "keyback user list"]);
    }
}

#[tokio::test]
async fn sr73_an_operator_starts_a_reset_but_chooses_no_password() {
    let (workplace, _) = with_ada().await;
    let reset = workplace.run(&["user", "reset", ADA]).await;
    assert_eq!(
        reset.assert_done().out.trim(),
        "http://localhost:3001/reset-password?login_hint=ada%40example.com"
    );
    let disabled = workplace.run(&["user", "disable", "ada"]).await;
    assert!(disabled.assert_done().out.contains("is disabled"));
    let shown = workplace.run(&["user", "show", ADA]).await;
    assert_eq!(line(&shown, "status"), "disabled");
    workplace
        .run(&["user", "reset", ADA])
        .await
        .assert_refused(&["keyback user enable"]);
    workplace.run(&["user", "enable", ADA]).await.assert_done();
    let shown = workplace.run(&["user", "show", ADA]).await;
    assert_eq!(line(&shown, "status"), "active");
    workplace
        .run(&["user", "add", "--email", "una@example.com", "--unverified"])
        .await
        .assert_done();
    workplace
        .run(&["user", "reset", "una@example.com"])
        .await
        .assert_refused(&["no verified"]);
}

#[tokio::test]
async fn an_operator_disables_an_account_while_the_companion_runs() {
    let workplace = Workplace::new().await;
    let data = workplace.path("data");
    let demo = Demo::start(&["--data", data.to_str().unwrap()]).await;
    // The demo's own database and key.
    let sound = workplace.sound();
    let config = sound
        .replace("keyback.db", "data/keyback.db")
        .replace("root.key", "data/root.key");
    workplace.write(&config);
    let mut browser = demo.browser();
    browser.open("/sign-in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/account");
    workplace.run(&["user", "disable", ADA]).await.assert_done();
    browser.reload().await;
    browser.assert_at("/sign-in");
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_status(422);
    workplace.run(&["user", "enable", ADA]).await.assert_done();
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/account");
    // SR-73: what an operator starts signs everything out, and leads to a form that is filled in.
    let reset = workplace.run(&["user", "reset", "ada"]).await;
    browser.reload().await;
    browser.assert_at("/sign-in");
    let address = reset
        .assert_done()
        .out
        .trim()
        .replace("http://localhost:3001/", demo.companion.as_str());
    browser.open(&address).await;
    browser.assert_at("/forgot-password");
    assert_eq!(browser.page().field("identifier", "value").as_deref(), Some(ADA));
}

/// Enabled by the operator, a frozen account has no password any more: its owner has said that the last was a thief's.
#[tokio::test]
async fn sr59_an_operator_thaws_an_account_without_the_contested_password() {
    let workplace = Workplace::new().await;
    let add = ["user", "add", "--email", ADA, "--password-stdin"];
    workplace.run_with_input(&add, OLD_PASSWORD).await.assert_done();
    let store = Store::open(&workplace.path("keyback.db")).await.unwrap();
    sqlx::query(
        "UPDATE users SET status = 'frozen', contested_at = email_verified_at, frozen_at = updated_at + 1",
    )
    .execute(store.writer())
    .await
    .unwrap();
    store.close().await;
    let shown = workplace.run(&["user", "show", ADA]).await;
    assert_eq!(line(&shown, "status"), "frozen");
    let reset = workplace.run(&["user", "reset", ADA]).await;
    assert!(reset.err.contains("keyback user enable"), "{}", reset.err);
    let enabled = workplace.run(&["user", "enable", ADA]).await;
    assert!(
        enabled.assert_done().err.contains("keyback user reset"),
        "{}",
        enabled.err
    );
    let shown = workplace.run(&["user", "show", ADA]).await;
    assert_eq!(line(&shown, "status"), "active");
    assert_eq!(line(&shown, "password"), "none yet");
    // Its address came with the contested change, as far as anybody knows: the operator vouches for it.
    workplace
        .run(&["user", "reset", ADA])
        .await
        .assert_refused(&["no verified"]);
    workplace
        .run(&["user", "edit", ADA, "--email", ADA])
        .await
        .assert_done();
    workplace.run(&["user", "reset", ADA]).await.assert_done();
}

/// Whoever keeps accounts on a machine without the root key needs it only where the running server is to tell somebody.
#[tokio::test]
async fn a_root_key_is_asked_for_only_where_somebody_is_told() {
    let (workplace, _) = with_ada().await;
    let hook = |event: &str| {
        let hook = format!(
            "[[webhook]]\nurl = \"https://shop.example.com/hooks\"\nevents = [\"{event}\"]\nsigning_key = \"{}\"\n",
            "k".repeat(32)
        );
        workplace.write(&(workplace.sound() + &hook));
    };
    let bea = ["user", "add", "--email", "bea@example.com"];
    let rename = ["user", "edit", "ada", "--name", "Ada Lovelace"];
    let readdress = ["user", "edit", "ada", "--email", "lovelace@example.com"];
    let needs_key = ["root key", "keyback keys new --out"];
    std::fs::remove_file(workplace.path("root.key")).unwrap();

    for command in [&rename[..], &["user", "disable", ADA], &["user", "enable", ADA]] {
        workplace.run(command).await.assert_done();
    }
    hook("User.Data.Updated");
    workplace.run(&bea).await.assert_done();
    workplace.run(&rename).await.assert_refused(&needs_key);

    hook("User.Created");
    workplace.run(&rename).await.assert_done();
    let cid = ["user", "add", "--email", "cid@example.com"];
    workplace.run(&cid).await.assert_refused(&needs_key);
    // The old address hears of it (SR-59), or nothing is changed.
    workplace.run(&readdress).await.assert_refused(&needs_key);
    let listed = workplace.run(&["user", "list"]).await;
    let listed = &listed.assert_done().out;
    assert!(listed.contains(ADA) && listed.contains("bea@"), "{listed}");
    assert!(
        !listed.contains("cid@") && !listed.contains("lovelace@"),
        "{listed}"
    );
}
