//! Wrong codes in a row, over all the codes of an address.

use std::time::Duration;

use keyback_companion::store::Store;
use keyback_core::identifier::Identifier;
use keyback_core::rate_limit::{ClientPrefix, Limiter, Limits};
use keyback_core::time::Clock as _;
use keyback_tests::{ADA, Browser, OLD_PASSWORD, TestApp};

use super::with_ada;

/// Has no account.
const NOBODY: &str = "nobody@example.com";

/// Types wrong codes, five of each code, until it is asked to wait; answers how many were taken.
async fn guess(app: &TestApp, browser: &mut Browser, identifier: &str) -> usize {
    let mut taken = 0;
    loop {
        browser.open("/forgot-password").await;
        browser.ask_reset(identifier).await;
        let letters = app.letters_to(identifier).await;
        let right = letters.into_iter().find_map(|letter| letter.code);
        let wrong = super::codes::wrong(right.as_deref().unwrap_or("123456"));
        for _ in 0..5 {
            browser.enter_code(&wrong).await;
            if browser.page().status == 429 {
                return taken;
            }
            browser.assert_status(422);
            taken += 1;
        }
    }
}

#[tokio::test]
async fn sr20_wrong_codes_in_a_row_cost_a_pause_which_a_sign_in_ends() {
    let (app, mut browser) = with_ada().await;
    let mut answers = Vec::new();
    for identifier in [ADA, NOBODY] {
        assert_eq!(guess(&app, &mut browser, identifier).await, 11, "{identifier}");
        let wait: u64 = browser.page().header("retry-after").parse().unwrap();
        assert!((30..=31).contains(&wait), "{wait}");
        browser.assert_says("Too many codes were tried. You can try again in");
        answers.push(browser.page().text().replace(identifier, "SOMEBODY"));
    }
    assert_eq!(
        answers[0], answers[1],
        "SR-3: the same for an address without an account"
    );

    // The owner remembers the password, and the run is over.
    let mut owner = app.browser();
    owner.open("/sign-in").await;
    owner.sign_in(ADA, OLD_PASSWORD).await;
    owner.assert_at("/account");
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let right = app.last_code_for(ADA).await;
    browser.enter_code(&super::codes::wrong(&right)).await;
    browser.assert_status(422);
    browser.enter_code(&right).await;
    browser.assert_at("/forgot-password/password");
}

/// The two waits are told apart: for another code, and for another try.
#[tokio::test]
async fn sr03_too_many_codes_are_told_as_such() {
    let app = TestApp::with(|config| config.limits.sends_per_identifier = 2).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut answers = Vec::new();
    for identifier in [ADA, NOBODY] {
        let mut browser = app.browser();
        browser.open("/forgot-password").await;
        browser.ask_reset(identifier).await;
        app.advance(Duration::from_secs(60));
        // This one is of those kept for clients not yet seen: one who asks again is not a stranger at once.
        browser.resend().await;
        browser.assert_says("A new code is on its way.");
        app.advance(Duration::from_secs(60));
        browser.resend().await;
        browser.assert_status(429);
        browser.assert_says("Too many codes. You can ask for another in");
        let wait: u64 = browser.page().header("retry-after").parse().unwrap();
        answers.push((wait, browser.page().text().replace(identifier, "SOMEBODY")));
    }
    assert_eq!(answers[0], answers[1]);
}

/// The first uses up what is free and has everybody wait; nine more take what is kept for those not yet seen, each one.
#[tokio::test]
async fn sr20_sr22_who_guesses_from_ten_addresses_does_not_keep_the_owner_out() {
    let app = TestApp::with(|config| {
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.limits.sends_per_identifier = 100;
        config.limits.live_codes_per_identifier = 100;
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let from = |address: [u8; 4]| app.browser().that_comes_from(address.into());
    for (nth, most) in (1..=10).zip(std::iter::once(11).chain(std::iter::repeat(1))) {
        let mut stranger = from([198, 51, 100, nth]);
        assert_eq!(guess(&app, &mut stranger, ADA).await, most, "{nth}");
    }
    let mut owner = from([203, 0, 113, 9]);
    owner.open("/forgot-password").await;
    owner.ask_reset(ADA).await;
    owner.enter_code(&app.last_code_for(ADA).await).await;
    owner.assert_at("/forgot-password/password");
}

#[tokio::test]
async fn sr20_several_processes_count_together() {
    let (app, _browser) = with_ada().await;
    let rule = app.companion.config.limits.limits();
    let limits = Limits {
        client_verifications: rule.client_verifications.times(100),
        ..rule
    };
    let hash = app.companion.identifiers.hash(&Identifier::parse(ADA).unwrap());
    let client = ClientPrefix::from(std::net::IpAddr::from([192, 0, 2, 1]));
    let file = app.folder().join("keyback.db");
    let mut taken = 0;
    // Each has opened the database by itself.
    for _ in 0..3 {
        let limiter = Limiter::new(Store::open(&file).await.unwrap(), limits);
        for _ in 0..5 {
            let tried = limiter.verify(&hash, client, app.clock.now()).await.unwrap();
            taken += usize::from(tried.is_ok());
        }
    }
    assert_eq!(taken, 11);
}
