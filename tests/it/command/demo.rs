//! `keyback demo`: others script against what it prints and does.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt as _;

use keyback_tests::{ADA, Demo, Keyback, NEW_PASSWORD, OLD_PASSWORD, Workplace};

#[tokio::test]
async fn it_prints_the_companion_then_the_site_then_an_account() {
    let demo = Demo::start(&[]).await;
    for url in [&demo.companion, &demo.site] {
        assert_eq!(url.host_str(), Some("localhost"));
        assert!(url.port().is_some());
    }
    assert_ne!(demo.companion, demo.site);
    // Nothing with a port stands before the two.
    let before = demo.printed.split("http://").next().unwrap();
    let numbers = before.split(|c: char| !c.is_ascii_digit());
    assert!(numbers.clone().all(|number| number.len() < 4), "{before}");
    assert!(demo.printed.contains(ADA) && demo.printed.contains(OLD_PASSWORD));
    assert_eq!(demo.terminate().await, Some(0));
}

#[tokio::test]
async fn from_the_demo_site_to_signed_in() {
    let demo = Demo::start(&[]).await;
    let mut browser = demo.browser();
    browser.open(demo.site.as_str()).await;
    browser.assert_says("Good books, slowly chosen.");
    browser.click("Forgot password?").await;
    browser.assert_at("/forgot-password");
    browser.ask_reset(ADA).await;
    browser.enter_code(&demo.code_for(ADA, 1).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.click("Sign in").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    assert_eq!(browser.page().url, demo.site);
    browser.assert_says("Hello, Ada Lovelace.");
    browser.assert_says("You came in by “Forgot password?”");
    browser.click("Your account").await;
    browser.assert_at("/account");
    // By phone too, and by the endpoint.
    let mut other = demo.browser();
    other.open("/reset-password?client_id=demo-site").await;
    other.ask_reset("+1 415 555 0123").await;
    other.enter_code(&demo.code_for("+14155550123", 1).await).await;
    other.choose_password("a pair of new shoelaces").await;
    other.click("Sign in").await;
    other.sign_in("ada", "a pair of new shoelaces").await;
    assert_eq!(other.page().url, demo.site);
    other.assert_says("You are signed in as ada@example.com.");
    let form = other.page().form_to("/sign-out");
    other.submit(form).await;
    assert_eq!(other.page().url, demo.site);
    other.assert_says("Good books, slowly chosen.");
}

#[tokio::test]
async fn the_demo_site_answers_every_address_with_a_page_of_its_own() {
    let demo = Demo::start(&[]).await;
    let mut browser = demo.browser();
    let at = |path: &str| demo.site.join(path).unwrap().to_string();
    for (path, status, words) in [
        ("/no-such-shelf", 404, "There is nothing at this address."),
        (
            "/sign-out",
            405,
            "This address is only for the shop’s own buttons.",
        ),
    ] {
        browser.open(&at(path)).await;
        browser.assert_status(status);
        browser.assert_says("Larkspur Books");
        browser.assert_says(words);
        browser.click("Back to the shop").await;
        assert_eq!(browser.page().url, demo.site);
    }
    let refused = browser.get_once(&at("/sign-out")).await;
    assert_eq!(refused.header("allow"), "POST");
    let icon = browser
        .page()
        .body
        .contains("<link rel=\"icon\" href=\"/favicon.svg\"");
    assert!(icon, "without one, browsers ask for /favicon.ico");
    let icon = browser.get_once(&at("/favicon.svg")).await;
    assert_eq!((icon.status, icon.header("content-type")), (200, "image/svg+xml"));
}

#[tokio::test]
async fn what_the_demo_site_refuses_is_told_on_a_page_of_its_own() {
    let demo = Demo::start(&[]).await;
    let http = reqwest::Client::new();
    let foreign = http.post(demo.site.join("/sign-out").unwrap());
    let foreign = foreign.header("origin", "https://evil.example");
    let misnamed = http.get(demo.site.clone()).header("host", "evil.example");
    for (request, status, words) in [
        (foreign, 403, "That came from another site"),
        (misnamed, 421, "It answers at its own name alone."),
    ] {
        let refused = request.send().await.unwrap();
        assert_eq!(refused.status(), status);
        let page = refused.text().await.unwrap();
        let back = format!("<a href=\"{}\">", demo.site);
        assert!(page.contains(words) && page.contains(&back), "{page}");
    }
}

#[tokio::test]
async fn the_inbox_is_read_by_programs_newest_first() {
    let demo = Demo::start(&[]).await;
    let mut browser = demo.browser();
    browser.open("/dev/inbox").await;
    browser.assert_says("No messages yet.");
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let first = demo.code_for(ADA, 1).await;
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let newest = demo.code_for(ADA, 2).await;
    let inbox = browser.get_once("/dev/inbox.json").await;
    assert_eq!(inbox.header("content-type"), "application/json");
    let letters: serde_json::Value = serde_json::from_str(&inbox.body).unwrap();
    let letters = letters.as_array().unwrap();
    assert_eq!(letters[0]["code"], newest);
    assert_eq!(letters[1]["code"], first);
    let keys: HashSet<&str> = letters[0]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let promised = ["to", "channel", "kind", "subject", "text", "code", "at"];
    assert_eq!(keys, promised.into_iter().collect());
    assert_eq!(
        (&letters[0]["to"], &letters[0]["channel"]),
        (&ADA.into(), &"email".into())
    );
    browser.open("/dev/inbox").await;
    browser.assert_says(&newest);
}

#[tokio::test]
async fn the_registered_apps_are_those_that_were_promised() {
    let demo = Demo::start(&[]).await;
    let mut browser = demo.browser();
    for (client_id, redirect_uri) in [
        ("demo-web", "http://localhost:8080/callback"),
        ("demo-cli", "http://127.0.0.1:51789/callback"),
        ("demo-spa", "http://localhost:5173/callback"),
    ] {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("response_type", "code")
            .append_pair("scope", "openid")
            .append_pair("code_challenge", &"A".repeat(43))
            .append_pair("code_challenge_method", "S256")
            .append_pair("first_screen", "reset_password")
            .finish();
        browser.open(&format!("/oidc/auth?{query}")).await;
        browser.assert_at("/forgot-password");
    }
    assert!(demo.printed.contains("demo-web"));
}

#[tokio::test]
async fn a_given_folder_is_kept_and_its_key_is_for_its_owner_alone() {
    let workplace = Workplace::empty();
    let folder = workplace.path("made/by/the/demo");
    let data = ["--data", folder.to_str().unwrap()];
    let demo = Demo::start(&data).await;
    let key = folder.join("root.key");
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let mut browser = demo.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&demo.code_for(ADA, 1).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
    let before = std::fs::read(&key).unwrap();
    let secret = |demo: &Demo| {
        let (_, secret) = demo.printed.split_once("with the secret ").unwrap();
        secret.split_whitespace().next().unwrap().to_owned()
    };
    let secret_before = secret(&demo);
    assert_eq!(demo.terminate().await, Some(0));
    let demo = Demo::start(&data).await;
    assert_eq!(secret(&demo), secret_before, "programs with the secret go on");
    assert_ne!(secret(&Demo::start(&[]).await), secret_before);
    assert_eq!(std::fs::read(&key).unwrap(), before);
    let mut browser = demo.browser();
    browser.open("/sign-in").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_at("/account");
}

#[tokio::test]
async fn without_a_folder_nothing_is_left_behind() {
    let demo = Demo::start(&[]).await;
    let line = demo
        .printed
        .lines()
        .find(|line| line.trim_start().starts_with("data "));
    let folder = line
        .unwrap()
        .trim_start()
        .trim_start_matches("data")
        .trim()
        .to_owned();
    assert!(std::path::Path::new(&folder).join("keyback.db").exists());
    assert_eq!(demo.terminate().await, Some(0));
    assert!(!std::path::Path::new(&folder).exists());
}

#[tokio::test]
async fn a_port_that_is_taken_and_an_address_that_is_open_to_others_are_refused() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    Keyback::run(&["demo", "--listen", &address, "--site-listen", "127.0.0.1:0"])
        .await
        .assert_refused(&["can't listen", &address, "--listen"]);
    Keyback::run(&["demo", "--listen", "127.0.0.1:0", "--site-listen", &address])
        .await
        .assert_refused(&["can't listen", &address, "--site-listen"]);
    for option in ["--listen", "--site-listen", "--admin-listen"] {
        let mut args = vec!["demo"];
        for own in ["--listen", "--site-listen"]
            .into_iter()
            .filter(|own| *own != option)
        {
            args.extend([own, "127.0.0.1:0"]);
        }
        args.extend([option, "0.0.0.0:0"]);
        Keyback::run(&args)
            .await
            .assert_refused(&["0.0.0.0:0", "not loopback"]);
    }
    Keyback::run(&["demo", "--listen", "nonsense"])
        .await
        .assert_refused(&["nonsense"]);
}

#[tokio::test]
async fn the_admin_listener_is_there_only_when_asked_for() {
    let admin = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let demo = Demo::start(&["--admin-listen", &admin.to_string()]).await;
    let browser = keyback_tests::Browser::at(&url::Url::parse(&format!("http://{admin}")).unwrap());
    for path in ["/healthz", "/readyz"] {
        assert_eq!(browser.get_once(path).await.status, 200, "{path}");
        // Never on the public listener (SR-69).
        assert_eq!(demo.browser().get_once(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_folder_that_can_not_be_used_is_said_so() {
    let workplace = Workplace::empty();
    let file = workplace.path("file");
    std::fs::write(&file, "").unwrap();
    let under_a_file = file.join("folder");
    let demo = async |folder: &std::path::Path| {
        let folder = folder.to_str().unwrap();
        Keyback::run(&[
            "demo",
            "--listen",
            "127.0.0.1:0",
            "--site-listen",
            "127.0.0.1:0",
            "--data",
            folder,
        ])
        .await
    };
    demo(&under_a_file).await.assert_refused(&["can't be made"]);
    // A database that is a folder, and one that is no database.
    let folder = workplace.path("data");
    std::fs::create_dir_all(folder.join("keyback.db")).unwrap();
    demo(&folder)
        .await
        .assert_refused(&["keyback.db", "can't be opened"]);
    let folder = workplace.path("other");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("keyback.db"),
        "this is no database at all".repeat(100),
    )
    .unwrap();
    demo(&folder).await.assert_refused(&["keyback"]);
    let kept = std::fs::read_to_string(folder.join("keyback.db")).unwrap();
    assert!(
        kept.starts_with("this is no database"),
        "what was there is left alone"
    );
    // A root key that is none.
    let folder = workplace.path("third");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("root.key"), "too short").unwrap();
    demo(&folder).await.assert_refused(&["root.key"]);
}

#[tokio::test]
async fn every_link_of_the_welcome_page_leads_somewhere() {
    let demo = Demo::start(&[]).await;
    let mut browser = demo.browser();
    browser.open("/").await;
    browser.assert_says("Keyback is running");
    browser.assert_says(ADA);
    let links = browser.page().links();
    assert!(links.len() >= 5, "{links:?}");
    for link in links {
        browser.open(link.as_str()).await;
        assert_eq!(browser.page().status, 200, "{link}");
    }
    let icon = browser.get_once("/favicon.svg").await;
    assert_eq!(icon.header("content-type"), "image/svg+xml");
}

#[tokio::test]
async fn the_web_apps_address_is_one_without_a_path() {
    for url in [
        "localhost:8081",
        "http://localhost:8081/site",
        "ftp://localhost:8081",
    ] {
        Keyback::run(&["demo", "--web-url", url])
            .await
            .assert_refused(&["--web-url", "without a path"]);
    }
}
