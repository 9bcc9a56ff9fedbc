//! Commands on the store of a companion that is running, as an operator gives them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Stdio;

use keyback_tests::{ADA, Demo, Finished, OLD_PASSWORD, Workplace, eventually};

/// A running companion, and a folder whose configuration names the same store.
async fn running() -> (Workplace, Demo) {
    let workplace = Workplace::new().await;
    let data = workplace.path("data");
    let demo = Demo::start(&["--data", data.to_str().unwrap()]).await;
    let config = workplace
        .sound()
        .replace("keyback.db", "data/keyback.db")
        .replace("root.key", "data/root.key");
    workplace.write(&config);
    (workplace, demo)
}

async fn published(demo: &Demo) -> BTreeSet<String> {
    let answer = demo.browser().get_once("/oidc/jwks").await;
    let set: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let keys = set["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// The keys of the store, by `keys list`.
async fn listed(workplace: &Workplace) -> BTreeSet<String> {
    let listed = workplace.run(&["keys", "list"]).await;
    let lines = listed.assert_done().out.lines();
    lines
        .filter_map(|line| line.strip_prefix("signing  "))
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect()
}

/// A pair was announced, and then the keys leak: none of the four may serve a running companion any longer.
#[tokio::test]
async fn a_running_companion_leaves_leaked_keys_without_a_restart() {
    let (workplace, demo) = running().await;
    let first = published(&demo).await;
    workplace.run(&["keys", "rotate"]).await.assert_done();
    let announced = eventually("the announced keys", async || {
        let now = published(&demo).await;
        (now.len() == 4).then_some(now)
    })
    .await;
    assert!(announced.is_superset(&first));

    let rotated = workplace.run(&["keys", "rotate", "--at-once"]).await;
    assert!(
        rotated.assert_done().err.contains("within a second"),
        "{}",
        rotated.err
    );
    let after = eventually("the new keys", async || {
        let now = published(&demo).await;
        now.is_disjoint(&announced).then_some(now)
    })
    .await;
    assert_eq!(after.len(), 2);
    assert_eq!(after, listed(&workplace).await);
    // And its own relying party follows: the shop's sign-in is checked by the new keys.
    let mut browser = demo.browser();
    browser.open(demo.site.join("/sign-in").unwrap().as_str()).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_says("You are signed in as ada@example.com.");
}

/// SR-59: who changes it does not matter to the owner of the old address.
#[tokio::test]
async fn sr59_user_edit_tells_the_old_address_how_to_contest_the_change() {
    let (workplace, demo) = running().await;
    let edit = [
        "user",
        "edit",
        ADA,
        "--email",
        "somebody@example.com",
        "--phone",
        "",
    ];
    workplace.run(&edit).await.assert_done();
    let text = notice_to(&demo, ADA).await;
    let link = text.split_whitespace().find(|word| word.contains("/not-me?t="));
    let mut browser = demo.browser();
    browser.open(link.unwrap()).await;
    let form = browser.page().form_to("/not-me");
    browser.submit(form).await;
    browser.assert_says("Choose a new password");
    // None but the former ones serves.
    let reset = workplace.run(&["user", "reset", "somebody@example.com"]).await;
    assert!(!reset.assert_done().out.contains("somebody"), "{}", reset.out);
    // The operator's word ends the freeze, and the address that it trusts no more hears of that.
    workplace
        .run(&["user", "enable", "somebody@example.com"])
        .await
        .assert_done();
    let told = notice_to(&demo, "somebody@example.com").await;
    assert!(told.contains("opens your") && !told.contains("/not-me"), "{told}");
}

/// The notice of a changed address, once it has come.
async fn notice_to(demo: &Demo, address: &str) -> String {
    eventually("the notice", async || {
        let inbox = demo.browser().get_once("/dev/inbox.json").await;
        let letters: serde_json::Value = serde_json::from_str(&inbox.body).unwrap();
        let mut letters = letters.as_array().unwrap().iter();
        let notice = letters.find(|letter| letter["to"] == address && letter["kind"] == "address-changed");
        notice.map(|notice| notice["text"].as_str().unwrap().to_owned())
    })
    .await
}

/// An import in parts leaves room between them. Without it the lock would be free for a moment that whoever waits
/// for it hardly ever meets, and sign-ins would wait for the whole import.
#[tokio::test]
async fn sign_ins_come_through_while_a_file_is_imported_in_parts() {
    let (workplace, demo) = running().await;
    let mut accounts = String::new();
    for number in 0..20_000 {
        writeln!(
            accounts,
            "{{\"email\":\"person{number}@example.com\",\"name\":\"Person {number}\"}}"
        )
        .unwrap();
    }
    let file = workplace.path("accounts.jsonl");
    std::fs::write(&file, accounts).unwrap();
    let parts = ["user", "import", file.to_str().unwrap(), "--commit-every", "1000"];
    let mut command = workplace.command(&parts);
    let mut import = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    eventually("the first part", async || {
        let shown = workplace.run(&["user", "show", "person0@example.com"]).await;
        (shown.code == Some(0)).then_some(())
    })
    .await;

    let mut browser = demo.browser();
    browser.open("/sign-in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/account");
    assert!(
        import.try_wait().unwrap().is_none(),
        "the import had ended: sign-ins may have waited for it"
    );
    let output = tokio::task::spawn_blocking(move || import.wait_with_output().unwrap())
        .await
        .unwrap();
    let imported = Finished {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(
        imported.assert_done().out.starts_with("20000 accounts added"),
        "{imported:?}"
    );
    assert_eq!(imported.err, "", "progress is for terminals");
}

/// On a terminal the operator sees how far it is. `script` gives one.
#[tokio::test]
async fn an_import_shows_its_progress_on_a_terminal() {
    let workplace = Workplace::new().await;
    let mut accounts = String::new();
    for number in 0..5_000 {
        writeln!(accounts, "{{\"email\":\"person{number}@example.com\"}}").unwrap();
    }
    let file = workplace.path("accounts.jsonl");
    std::fs::write(&file, accounts).unwrap();
    let command = workplace.command(&["user", "import", file.to_str().unwrap(), "--commit-every", "1000"]);
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let line: Vec<_> = words
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let mut script = std::process::Command::new("script");
    script.args(["--quiet", "--return", "--command", &line.join(" "), "/dev/null"]);
    let output = tokio::task::spawn_blocking(move || {
        script.env("TERM", "xterm").stdin(Stdio::null()).output().unwrap()
    })
    .await
    .unwrap();
    let seen = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{seen}");
    assert!(seen.contains(" left") && seen.contains("KiB"), "{seen}");
    assert!(seen.contains("5000 accounts added"), "{seen}");
}
