//! Codes that are not right, or not right any more.

use std::time::Duration;

use keyback_companion::config::app::{AppConfig, AppKind};
use keyback_tests::{ADA, Browser, NEW_PASSWORD, OLD_PASSWORD, TestApp};

use super::{awaiting_code, awaiting_password};

/// Another code than `code`.
pub(crate) fn wrong(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

#[tokio::test]
async fn a_wrong_code_says_how_many_tries_are_left_and_the_right_one_still_works() {
    let (app, mut browser) = awaiting_code().await;
    let code = app.last_code_for(ADA).await;
    for left in [
        "4 tries left",
        "3 tries left",
        "2 tries left",
        "This is your last try with it",
    ] {
        browser.enter_code(&wrong(&code)).await;
        browser.assert_status(422);
        browser.assert_says("That code doesn’t match.");
        browser.assert_says(left);
    }
    // The last try is a real one; spaces are how people copy codes.
    browser
        .enter_code(&format!(" {} {} ", &code[..3], &code[3..]))
        .await;
    browser.assert_at("/forgot-password/password");
}

#[tokio::test]
async fn sr19_after_five_wrong_tries_the_right_code_is_worth_nothing() {
    let (app, mut browser) = awaiting_code().await;
    let code = app.last_code_for(ADA).await;
    let form = browser.page().form_with("code").fill("code", &code);
    for _ in 0..5 {
        browser.enter_code(&wrong(&code)).await;
    }
    browser.assert_says("Too many wrong tries, so this code no longer works.");
    browser.submit(form).await;
    browser.assert_status(422);
    browser.assert_says("Too many wrong tries");
    assert_eq!(app.challenges().await[0].attempts, 5);
    assert_eq!(app.audited("attempts_exhausted").await, 1);
    // A new one is the way on.
    app.advance(Duration::from_secs(60));
    browser.resend().await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.assert_at("/forgot-password/password");
}

#[tokio::test]
async fn what_is_no_code_costs_no_try() {
    let (app, mut browser) = awaiting_code().await;
    for typed in ["", "12345", "1234567", "abcdef", "１２３４５６7"] {
        browser.enter_code(typed).await;
        browser.assert_status(422);
        browser.assert_says("A code is six digits, nothing else.");
    }
    assert_eq!(app.challenges().await[0].attempts, 0);
}

#[tokio::test]
async fn sr17_a_code_is_too_old_after_ten_minutes() {
    let (app, mut browser) = awaiting_code().await;
    let code = app.last_code_for(ADA).await;
    app.advance(Duration::from_secs(600));
    browser.enter_code(&code).await;
    browser.assert_status(422);
    browser.assert_says("This code is too old. Codes work for 10 minutes.");
    // It was never compared.
    assert_eq!(app.challenges().await[0].attempts, 0);
    browser.resend().await;
    browser.assert_says("A new code is on its way. Only the newest one works.");
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.assert_at("/forgot-password/password");
}

#[tokio::test]
async fn sr22_a_new_code_supersedes_the_one_before() {
    let (app, mut browser) = awaiting_code().await;
    let first = app.last_code_for(ADA).await;
    let old_form = browser.page().form_with("code").fill("code", &first);
    app.advance(Duration::from_secs(60));
    browser.resend().await;
    browser.assert_at("/forgot-password/code");
    let second = app.last_code_for(ADA).await;
    // The older form says so by itself; the newer one with the older code is simply wrong.
    browser.submit(old_form).await;
    browser.assert_status(422);
    browser.assert_says("That is an older code. Use the one from the newest message.");
    if first != second {
        browser.enter_code(&first).await;
        browser.assert_says("That code doesn’t match. 4 tries left.");
    }
    let challenges = app.challenges().await;
    assert!(challenges[0].superseded_at.is_some() && challenges[1].superseded_at.is_none());
    assert_eq!(challenges[0].attempts, 0);
    browser.enter_code(&second).await;
    browser.assert_at("/forgot-password/password");
}

#[tokio::test]
async fn a_used_code_leads_its_own_browser_on_and_nobody_else() {
    let (app, mut browser) = awaiting_code().await;
    let code = app.last_code_for(ADA).await;
    let form = browser.page().form_with("code").fill("code", &code);
    browser.submit(form.clone()).await;
    browser.assert_at("/forgot-password/password");
    // A double click, or the back button and the form again.
    browser.submit(form.clone()).await;
    browser.assert_at("/forgot-password/password");
    browser.choose_password(NEW_PASSWORD).await;
    browser.submit(form.clone()).await;
    browser.assert_at("/forgot-password/done");
    // SR-23: bound to the browser that asked, by its cookie.
    let mut thief = app.browser();
    thief.submit(form).await;
    thief.assert_at("/forgot-password");
    thief.assert_says("That reset is over.");
}

#[tokio::test]
async fn sr23_a_code_works_only_in_the_browser_that_asked_for_it() {
    let (app, browser) = awaiting_code().await;
    let code = app.last_code_for(ADA).await;
    let form = browser.page().form_with("code").fill("code", &code);
    let mut thief = app.browser();
    thief.submit(form).await;
    thief.assert_at("/forgot-password");
    assert_eq!(app.challenges().await[0].attempts, 0);
    // Nor in another flow of the same address.
    thief.ask_reset(ADA).await;
    let own = app.last_code_for(ADA).await;
    if own != code {
        thief.enter_code(&code).await;
        thief.assert_says("That code doesn’t match. 4 tries left.");
    }
    thief.enter_code(&own).await;
    thief.assert_at("/forgot-password/password");
}

#[tokio::test]
async fn a_resend_waits_for_the_servers_own_countdown() {
    let (app, mut browser) = awaiting_code().await;
    let seconds = |browser: &keyback_tests::Browser| browser.page().attribute("form", "data-wait");
    assert_eq!(seconds(&browser).as_deref(), Some("60"));
    browser.assert_says("You can ask for a new code in");
    app.advance(Duration::from_secs(18));
    browser.reload().await;
    assert_eq!(seconds(&browser).as_deref(), Some("42"));
    browser.resend().await;
    browser.assert_status(429);
    browser.assert_says("The last code has only just been sent.");
    assert_eq!(browser.page().header("retry-after"), "42");
    assert_eq!(app.letters_to(ADA).await.len(), 1);
    app.advance(Duration::from_secs(42));
    browser
        .open(
            browser
                .page()
                .form_with("code")
                .action
                .as_str()
                .to_owned()
                .as_str(),
        )
        .await;
    assert_eq!(seconds(&browser), None);
    browser.resend().await;
    browser.assert_status(200);
    assert_eq!(app.letters_to(ADA).await.len(), 2);
    // And it begins again.
    assert_eq!(seconds(&browser).as_deref(), Some("60"));
}

#[tokio::test]
async fn sr27_a_proof_holds_for_ten_minutes_and_is_no_sign_in() {
    let (app, mut browser) = awaiting_password().await;
    browser.assert_says("This step stays open for 10 minutes.");
    // It opens nothing but its own step.
    let account = browser.get_once("/account").await;
    assert_eq!(account.location().unwrap().path(), "/sign-in");
    app.advance(Duration::from_secs(600));
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password");
    browser.assert_says("That reset is over.");
    assert_eq!(app.audited("reset_completed").await, 0);
}

#[tokio::test]
async fn sr05_codes_of_one_address_are_limited_and_the_answer_says_for_how_long() {
    let app = TestApp::with(|config| config.limits.live_codes_per_identifier = 100).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    // Ten in ten minutes, of which one is kept for visitors not yet seen.
    let mut refused = None;
    for _ in 0..10 {
        browser.open("/forgot-password").await;
        browser.ask_reset(ADA).await;
        if browser.page().status == 429 {
            refused = Some(browser.page().clone());
            break;
        }
    }
    let page = refused.unwrap();
    assert!(page.text().contains("Too many requests. You can try again in"));
    let wait: u64 = page.header("retry-after").parse().unwrap();
    assert!((1..=600).contains(&wait));
    let sent = app.letters_to(ADA).await.len();
    assert_eq!(sent, 9);
    app.advance(Duration::from_secs(wait));
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.assert_at("/forgot-password/code");
}

/// Codes that visitors of one app ask for leave those of another theirs.
#[tokio::test]
async fn sr05_codes_at_one_app_are_limited_and_those_at_another_still_come() {
    let app = TestApp::with(|config| {
        config.limits.sends_per_app = Some(2);
        let cafe = AppConfig {
            sign_in_url: config.apps[0].sign_in_url.clone(),
            redirect_uris: config.apps[0].redirect_uris.clone(),
            ..AppConfig::new("cafe", AppKind::Spa)
        };
        config.apps.push(cafe);
    })
    .await;
    let ask = async |client_id: &str, number: u32| {
        let mut browser = app.browser();
        browser
            .open(&format!("/reset-password?client_id={client_id}"))
            .await;
        browser.ask_reset(&format!("user{number}@example.com")).await;
        browser
    };
    for number in 0..2 {
        ask("shop", number).await.assert_at("/forgot-password/code");
    }
    let refused = ask("shop", 2).await;
    refused.assert_status(429);
    refused.assert_says("Too many requests. You can try again in");
    let wait: u64 = refused.page().header("retry-after").parse().unwrap();
    assert!((1..=600).contains(&wait), "{wait}");
    let mut cafe = ask("cafe", 3).await;
    cafe.assert_at("/forgot-password/code");
    // Another code is one of the app's too.
    ask("cafe", 4).await.assert_at("/forgot-password/code");
    app.advance(Duration::from_secs(60));
    cafe.resend().await;
    cafe.assert_status(429);
}

/// Five resets of one address may wait for their codes, the last of them for somebody not yet seen; a sixth does for
/// nobody, account or not, and each of the five goes on.
#[tokio::test]
async fn sr22_five_codes_of_one_address_are_live_and_the_answer_says_when_there_is_room() {
    for identifier in [ADA, "nobody@example.com"] {
        let app =
            TestApp::with(|config| config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()])
                .await;
        app.add_user(ADA, Some(OLD_PASSWORD)).await;
        let from = |last: u8| app.browser().that_comes_from([198, 51, 100, last].into());
        let begin = async |mut browser: Browser| {
            browser.open("/forgot-password").await;
            browser.ask_reset(identifier).await;
            browser
        };
        let mut first = begin(from(66)).await;
        first.assert_at("/forgot-password/code");
        app.advance(Duration::from_secs(60));
        for _ in 0..3 {
            begin(from(66)).await.assert_at("/forgot-password/code");
        }
        let stranger = begin(from(66)).await;
        stranger.assert_status(429);
        assert!(
            stranger
                .page()
                .text()
                .contains("Too many requests. You can try again in")
        );
        assert_eq!(
            stranger.page().header("retry-after"),
            "540",
            "until the first one ends"
        );

        let mut owner = begin(from(1)).await;
        owner.assert_at("/forgot-password/code");
        begin(from(2)).await.assert_status(429);
        // Another code of a reset that waits takes no room.
        first.resend().await;
        first.assert_says("A new code is on its way.");
        app.advance(Duration::from_secs(60));
        owner.resend().await;
        owner.assert_says("A new code is on its way.");
        if identifier == ADA {
            owner.enter_code(&app.last_code_for(ADA).await).await;
            owner.assert_at("/forgot-password/password");
        }
    }
}

/// What whoever reads the database, and in it the audit trail, could set a password with.
#[tokio::test]
async fn sr18_sr62_neither_proof_nor_binding_rests_readable_in_the_database() {
    let (app, mut browser) = awaiting_code().await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.assert_at("/forgot-password/password");
    let home = app.companion.url("/");
    let home = url::Url::parse(&home).unwrap();
    let cookies = browser.cookie_names(&home).into_iter();
    let flow = cookies
        .filter(|name| name.starts_with("kb_flow_"))
        .find_map(|name| browser.cookie(&home, &name))
        .unwrap();
    let [_, binding, proof] = flow.split('.').collect::<Vec<_>>()[..] else {
        panic!("{flow}")
    };
    browser.choose_password("short").await;
    browser.choose_password(NEW_PASSWORD).await;
    app.settle().await;
    assert_eq!(
        app.audited("code_accepted").await + app.audited("reset_completed").await,
        2
    );
    app.companion.store.close().await;
    for name in ["keyback.db", "keyback.db-wal"] {
        let bytes = std::fs::read(app.folder().join(name)).unwrap_or_default();
        for secret in [binding, proof] {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {name}");
        }
    }
}

#[tokio::test]
async fn sr18_no_code_rests_readable_in_the_database() {
    let (app, _browser) = awaiting_code().await;
    let code = app.last_code_for(ADA).await;
    let digest = &app.challenges().await[0].code_digest;
    assert!(!digest.contains(&code) && digest.len() == 64);
    app.companion.store.close().await;
    for name in ["keyback.db", "keyback.db-wal"] {
        let bytes = std::fs::read(app.folder().join(name)).unwrap_or_default();
        let found = bytes.windows(code.len()).any(|window| window == code.as_bytes());
        assert!(!found, "the code stands in {name}");
    }
}
