//! `keyback app` and `keyback keys`.

use std::os::unix::fs::PermissionsExt as _;

use keyback_tests::{Keyback, Workplace};

#[tokio::test]
async fn an_app_is_added_once_listed_and_removed() {
    let workplace = Workplace::new().await;
    let web = [
        "app",
        "add",
        "books",
        "--type",
        "web",
        "--name",
        "Books",
        "--redirect-uri",
        "https://books.example/cb",
    ];
    let added = workplace.run(&web).await;
    let secret = added
        .assert_done()
        .out
        .lines()
        .find(|line| line.starts_with("client_secret"))
        .unwrap();
    let secret = secret.split_whitespace().nth(1).unwrap().to_owned();
    assert!(secret.len() >= 32);
    workplace.run(&web).await.assert_refused(&["already"]);
    let spa = [
        "app",
        "add",
        "spa",
        "--type",
        "spa",
        "--redirect-uri",
        "http://localhost:5173/callback",
    ];
    let spa = workplace.run(&spa).await;
    assert!(
        !spa.assert_done().out.contains("client_secret"),
        "who can't keep a secret gets none"
    );
    let listed = workplace.run(&["app", "list"]).await;
    let lines: Vec<_> = listed.assert_done().out.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[0].contains("shop") && lines[0].contains("file"),
        "{lines:?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("books") && line.contains("store"))
    );
    assert!(!listed.out.contains(&secret));
    // Only its digest rests.
    for name in ["keyback.db", "keyback.db-wal"] {
        let bytes = std::fs::read(workplace.path(name)).unwrap_or_default();
        assert!(
            !bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
        );
    }
    workplace.run(&["app", "remove", "books"]).await.assert_done();
    workplace
        .run(&["app", "remove", "books"])
        .await
        .assert_refused(&["there is no app"]);
    workplace
        .run(&["app", "remove", "shop"])
        .await
        .assert_refused(&["configuration file"]);
}

#[tokio::test]
async fn apps_that_can_not_be_are_refused() {
    let workplace = Workplace::new().await;
    for (args, words) in [
        (
            vec!["shop", "--type", "spa", "--redirect-uri", "https://x.example/"],
            vec!["already"],
        ),
        (
            vec![
                "keyback-reset",
                "--type",
                "spa",
                "--redirect-uri",
                "https://x.example/",
            ],
            vec!["already"],
        ),
        (
            vec!["a b", "--type", "spa", "--redirect-uri", "https://x.example/"],
            vec!["client_id"],
        ),
        (vec!["x", "--type", "spa"], vec!["redirect_uris is empty"]),
        (
            vec!["x", "--type", "spa", "--redirect-uri", "http://x.example/"],
            vec!["must be https"],
        ),
        (
            vec!["x", "--type", "spa", "--redirect-uri", "https://x.example/#f"],
            vec!["fragment"],
        ),
        (
            vec!["x", "--type", "native", "--redirect-uri", "javascript:alert(1)"],
            vec!["nobody"],
        ),
        (
            vec!["x", "--type", "spa", "--redirect-uri", "com.example:/cb"],
            vec!["native"],
        ),
        (
            vec!["x", "--type", "spa", "--redirect-uri", "not a url"],
            vec!["not a url"],
        ),
        (vec!["x", "--type", "toaster"], vec!["toaster"]),
        (vec!["x"], vec!["--type"]),
    ] {
        let all: Vec<&str> = ["app", "add"].into_iter().chain(args).collect();
        workplace.run(&all).await.assert_refused(&words);
    }
    let listed = workplace.run(&["app", "list"]).await;
    assert_eq!(listed.assert_done().out.lines().count(), 1);
}

#[tokio::test]
async fn sr88_a_root_key_is_made_for_its_owner_and_never_overwritten() {
    let workplace = Workplace::empty();
    let path = workplace.path("root.key");
    let new = ["keys", "new", "--out", path.to_str().unwrap()];
    Keyback::run(&new).await.assert_done();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let made = std::fs::read_to_string(&path).unwrap();
    Keyback::run(&new).await.assert_refused(&[
        "root.key is there already",
        "never overwritten",
        "another name",
    ]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), made);
    let printed = Keyback::run(&["keys", "new"]).await;
    assert_ne!(printed.assert_done().out.trim(), made.trim());
    let nowhere = workplace.path("no/such/folder/root.key");
    Keyback::run(&["keys", "new", "--out", nowhere.to_str().unwrap()])
        .await
        .assert_refused(&["can't be written"]);
}

#[tokio::test]
async fn signing_keys_are_listed_and_rotated() {
    let workplace = Workplace::new().await;
    // Rotating makes them where there are none yet.
    let first = workplace.run(&["keys", "rotate"]).await;
    first.assert_done();
    let rotated = workplace.run(&["keys", "rotate", "--at-once"]).await;
    rotated.assert_done();
    let listed = workplace.run(&["keys", "list"]).await;
    let out = &listed.assert_done().out;
    assert!(out.contains("root") && out.contains("writes and reads"), "{out}");
    for algorithm in ["ES384", "RS256"] {
        assert!(out.contains(algorithm), "{algorithm}: {out}");
    }
    assert!(out.lines().any(|line| line.ends_with("signs")), "{out}");
}

#[tokio::test]
async fn another_root_key_does_not_open_what_the_first_has_sealed() {
    let workplace = Workplace::new().await;
    workplace.run(&["keys", "rotate"]).await.assert_done();
    let other = workplace.path("other.key");
    Keyback::run(&["keys", "new", "--out", other.to_str().unwrap()])
        .await
        .assert_done();
    workplace.write(&workplace.sound().replace("root.key", "other.key"));
    workplace.run(&["serve"]).await.assert_refused(&["key"]);
    // Both, the new one first: it starts again (SR-88).
    let folder = workplace.path("");
    let both = format!("[\"{0}other.key\", \"{0}root.key\"]", folder.display());
    let sound = workplace.sound();
    let line = sound
        .lines()
        .find(|line| line.starts_with("root_key_file"))
        .unwrap();
    workplace.write(&sound.replace(line, &format!("root_key_file = {both}")));
    let listed = workplace.run(&["keys", "list"]).await;
    assert!(listed.assert_done().out.contains("reads"));
}
