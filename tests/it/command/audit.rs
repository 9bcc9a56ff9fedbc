//! `keyback audit`: what happened, for people and for programs, while the server runs.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use keyback_tests::{ADA, Finished, NEW_PASSWORD, OLD_PASSWORD, Server, Workplace, eventually};
use serde_json::Value;

/// A server with Ada's account, at which somebody has failed to sign in as her and as nobody.
async fn with_failures() -> Server {
    let server = Server::start("", "error").await;
    let add = ["user", "add", "--email", ADA, "--password-stdin"];
    server
        .workplace
        .run_with_input(&add, OLD_PASSWORD)
        .await
        .assert_done();
    for address in [ADA, "nobody@example.com"] {
        fail_to_sign_in(&server, address).await;
    }
    server
}

async fn fail_to_sign_in(server: &Server, address: &str) {
    let mut browser = server.browser();
    browser.open("/sign-in").await;
    browser.sign_in(address, NEW_PASSWORD).await;
}

async fn ends_in_peace(mut child: Child) {
    let ended = eventually("the command to end", || {
        std::future::ready(child.try_wait().unwrap())
    })
    .await;
    assert_eq!(ended.code(), Some(0));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
}

fn lines(shown: &Finished) -> Vec<Value> {
    let lines = shown.assert_done().out.lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn events(shown: &Finished) -> Vec<String> {
    let lines = lines(shown).into_iter();
    lines
        .map(|line| line["event"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn it_is_a_table_for_people_and_json_lines_for_programs_while_the_server_runs() {
    let server = with_failures().await;
    let table = server.workplace.run(&["audit"]).await;
    let rows: Vec<&str> = table.assert_done().out.lines().collect();
    assert_eq!(rows.len(), 4, "{}", table.out);
    for (row, words) in rows.iter().zip([
        ["TIME (UTC)", "EVENT", "ACCOUNT"],
        ["user_added", "operator", "-"],
        ["sign_in_failed", "visitor", "127.0.0.1"],
        ["sign_in_failed", "visitor", "127.0.0.1"],
    ]) {
        assert!(words.iter().all(|word| row.contains(word)), "{row}");
    }
    let json = server.workplace.run(&["audit", "--json"]).await;
    let told = lines(&json);
    assert_eq!(events(&json), ["user_added", "sign_in_failed", "sign_in_failed"]);
    let keys: Vec<_> = told[1].as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 9, "every key stands in every line: {keys:?}");
    assert_eq!(told[1]["client_ip"], "127.0.0.1");
    assert!(told[1]["at"].as_str().unwrap().ends_with('Z'));
    // SR-31: of what was typed there is a keyed hash alone.
    for text in [&table.out, &json.out] {
        assert!(!text.contains("ada@") && !text.contains("nobody") && !text.contains(NEW_PASSWORD));
    }
}

#[tokio::test]
async fn lines_are_chosen_by_account_event_time_and_number() {
    let server = with_failures().await;
    let shown = async |more: &[&str]| {
        let args = [&["audit", "--json"], more].concat();
        events(&server.workplace.run(&args).await)
    };
    // By the account's own lines, and by what was typed for it.
    assert_eq!(shown(&["--user", ADA]).await, ["user_added", "sign_in_failed"]);
    // Where there is no account, by what was typed.
    assert_eq!(shown(&["--user", "nobody@example.com"]).await, ["sign_in_failed"]);
    assert_eq!(shown(&["--user", "eve@example.com"]).await, [""; 0]);
    assert_eq!(shown(&["--event", "user_added"]).await, ["user_added"]);
    let both = ["--event", "user_added", "--event", "sign_in_failed"];
    assert_eq!(shown(&both).await.len(), 3);
    assert_eq!(shown(&["--limit", "1"]).await, ["sign_in_failed"]);
    assert_eq!(shown(&["--since", "1h"]).await.len(), 3);
    assert_eq!(shown(&["--until", "1h"]).await, [""; 0]);
    assert_eq!(
        shown(&["--since", "2020-01-01", "--until", "2020-01-02"]).await,
        [""; 0]
    );
}

#[tokio::test]
async fn what_can_not_be_shown_is_said() {
    let workplace = Workplace::new().await;
    workplace
        .run(&["audit"])
        .await
        .assert_refused(&["keyback.db", "keyback serve"]);
    assert!(!workplace.path("keyback.db").exists(), "showing makes nothing");
    workplace.run(&["migrate"]).await.assert_done();
    let refused = workplace.run(&["audit", "--since", "yesterday"]).await;
    refused.assert_refused(&["--since", "2026-11-27T09:30:00Z", "24h"]);
    let refused = workplace.run(&["audit", "--since", "1h", "--until", "2h"]).await;
    refused.assert_refused(&["--since must be earlier"]);
    let refused = workplace.run(&["audit", "--follow", "--until", "1h"]).await;
    refused.assert_refused(&["--until", "--follow"]);
    // A word that was mistyped looks like peace.
    workplace
        .run(&["user", "add", "--email", ADA])
        .await
        .assert_done();
    let nothing = workplace.run(&["audit", "--event", "user_aded"]).await;
    let said = &nothing.assert_done().err;
    assert!(
        said.contains("user_aded") && said.contains("user_added"),
        "{said}"
    );
}

#[tokio::test]
async fn it_follows_until_it_is_interrupted() {
    let server = with_failures().await;
    let follow = [
        "audit",
        "--json",
        "--follow",
        "--limit",
        "1",
        "--event",
        "sign_in_failed",
    ];
    let mut command = server.workplace.command(&follow);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let reader = std::thread::spawn(move || {
        let mut line = String::new();
        while out.read_line(&mut line).unwrap() > 0 {
            sender.send(std::mem::take(&mut line)).unwrap();
        }
    });
    assert!(
        receiver.recv().await.unwrap().contains("sign_in_failed"),
        "the newest"
    );
    fail_to_sign_in(&server, ADA).await;
    assert!(
        receiver.recv().await.unwrap().contains("sign_in_failed"),
        "a new one"
    );
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    ends_in_peace(child).await;
    reader.join().unwrap();
    assert!(receiver.recv().await.is_none(), "nothing else was written");
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_ends_it_in_peace() {
    let server = with_failures().await;
    let mut command = server.workplace.command(&["audit", "--json", "--follow"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    // It may have written its first lines into the pipe before that was closed.
    fail_to_sign_in(&server, ADA).await;
    ends_in_peace(child).await;
}

#[tokio::test]
async fn sr62_what_an_operator_does_is_told() {
    let workplace = Workplace::new().await;
    let commands: [&[&str]; 8] = [
        &["user", "add", "--email", ADA],
        &["user", "edit", ADA, "--name", "Ada"],
        &["user", "reset", ADA],
        &["user", "disable", ADA],
        &["user", "enable", ADA],
        &[
            "app",
            "add",
            "tool",
            "--type",
            "native",
            "--redirect-uri",
            "http://127.0.0.1/callback",
        ],
        &["app", "remove", "tool"],
        &["keys", "rotate"],
    ];
    for command in commands {
        workplace.run(command).await.assert_done();
    }
    let shown = workplace.run(&["audit", "--json"]).await;
    assert_eq!(
        events(&shown),
        [
            "user_added",
            "user_edited",
            "reset_by_operator",
            "user_disabled",
            "user_enabled",
            "app_added",
            "app_removed",
            "keys_rotated",
        ]
    );
    let told = lines(&shown);
    assert!(told.iter().all(|line| line["actor"] == "operator"));
    assert_eq!(told[5]["client_id"], "tool");
    assert_eq!(told[7]["detail"]["at_once"], false);
}
