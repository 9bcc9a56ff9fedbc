//! Signing in, with and without a session.

use keyback_tests::{ADA, Browser, NEW_PASSWORD, OLD_PASSWORD, TestApp};

use super::with_ada;

#[tokio::test]
async fn with_a_session_the_shop_is_answered_at_once() {
    let (app, mut browser) = with_ada().await;
    browser.open("/sign-in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/account");
    browser.open(&app.site.at("/sign-in")).await;
    assert_eq!(browser.page().url.as_str(), app.site.url.as_str());
    browser.assert_says("Signed in as ada@example.com. It began as a sign-in.");
}

#[tokio::test]
async fn with_a_session_the_reset_is_shown_all_the_same() {
    let (app, mut browser) = with_ada().await;
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    for start in [app.site.at("/forgot-password"), "/reset-password".to_owned()] {
        browser.open(&start).await;
        browser.assert_at("/forgot-password");
    }
    browser.open(&app.site.at("/forgot-password")).await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.click("Sign in").await;
    // The session ended with the reset; the new password is asked for (SR-57).
    browser.assert_at("/sign-in");
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_says("It began as a reset.");
}

#[tokio::test]
async fn prompt_login_asks_again_although_somebody_is_signed_in() {
    let (app, mut browser) = with_ada().await;
    browser.open(&app.site.at("/forgot-password")).await;
    // The visitor remembers, and goes to the sign-in instead.
    browser.click("Back to sign in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_says("It began as a reset.");
    app.advance(std::time::Duration::from_millis(1));
    browser.open(&app.site.at("/forgot-password")).await;
    browser.click("Back to sign in").await;
    browser.assert_at("/sign-in");
    browser.assert_status(200);
}

/// OIDC Core 3.1.2.1: what the app knows already, nobody types again. It is text and no more than a proposal.
#[tokio::test]
async fn oidc_core_3_1_2_1_the_login_hint_of_an_app_fills_the_sign_in() {
    let (app, mut browser) = with_ada().await;
    browser.open(&app.site.at("/sign-in")).await;
    let field = |browser: &Browser, name| {
        let page = browser.page();
        (page.field(name, "value"), page.field(name, "autofocus").is_some())
    };
    assert_eq!(field(&browser, "identifier"), (Some(String::new()), true));
    let bold = browser.page().count_of("b");
    for hint in [ADA, "+1 415 555 0123", "\"><b>Ada</b>&amp; 'co'"] {
        let begun = browser.get_once(&app.site.at("/sign-in")).await;
        let mut request = begun.location().unwrap();
        request.query_pairs_mut().append_pair("login_hint", hint);
        browser.open(request.as_str()).await;
        browser.assert_at("/sign-in");
        assert_eq!(field(&browser, "identifier"), (Some(hint.to_owned()), false));
        assert_eq!(browser.page().count_of("b"), bold, "{hint}");
        // What is left to type.
        assert!(field(&browser, "password").1);
    }
    // Another may sign in all the same.
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_says("Signed in as ada@example.com. It began as a sign-in.");
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_are_answered_alike() {
    let (app, _) = with_ada().await;
    let mut answers = Vec::new();
    for name in [ADA, "bob@example.com"] {
        let mut browser = app.browser();
        browser.open("/sign-in").await;
        browser.sign_in(name, "not the password of anybody").await;
        browser.assert_status(422);
        answers.push(browser.page().body.replace(name, "NAME"));
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn a_disabled_account_can_not_sign_in_and_is_not_told_apart() {
    let (app, mut browser) = with_ada().await;
    let id = app.user(ADA).await.id;
    app.set_status(
        &id,
        keyback_companion::store::account_status::AccountStatus::Disabled,
    )
    .await;
    browser.open("/sign-in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_status(422);
    browser.assert_says("That e-mail or phone and password don’t match.");
}

#[tokio::test]
async fn passwords_can_not_be_guessed_without_end() {
    let app = TestApp::with(|config| config.limits.sign_ins_per_address = 5).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    for _ in 0..5 {
        browser.sign_in(ADA, "not the password of anybody").await;
        browser.assert_status(422);
    }
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_status(429);
    browser.assert_says("Too many tries. You can try again in");
    let wait: u64 = browser.page().header("retry-after").parse().unwrap();
    app.advance(std::time::Duration::from_secs(wait));
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/account");
}

#[tokio::test]
async fn the_shops_sign_out_leads_over_the_provider_and_home() {
    let (app, mut browser) = with_ada().await;
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    let form = browser.page().form_to("/sign-out");
    browser.submit(form).await;
    assert_eq!(browser.page().url.as_str(), app.site.url.as_str());
    browser.assert_says("Nobody is signed in.");
    assert_eq!(browser.cookie(&app.url, "kb_session"), None);
    browser.open("/account").await;
    browser.assert_at("/sign-in");
}

#[tokio::test]
async fn sr65_the_companions_cookies_are_out_of_reach_of_scripts_and_of_other_sites() {
    let (app, mut browser) = with_ada().await;
    browser.open("/reset-password").await;
    let begin = browser.get_once("/reset-password").await;
    let auth = browser.get_once(begin.location().unwrap().as_str()).await;
    browser.open("/sign-in").await;
    let form = browser.page().form_with("password");
    let form = form.fill("identifier", ADA).fill("password", OLD_PASSWORD);
    let signed_in = browser.post_once(&form).await;
    browser.open("/forgot-password").await;
    let form = browser.page().form_with("identifier").fill("identifier", ADA);
    let asked = browser.post_once(&form).await;
    for (answer, prefix) in [
        (begin, "kbrp_"),
        (auth, "kb_ix_"),
        (signed_in, "kb_session"),
        (asked, "kb_flow_"),
    ] {
        let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
        assert!(!cookies.is_empty(), "{prefix}");
        for cookie in cookies {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.starts_with(prefix), "{cookie}");
            for attribute in ["HttpOnly", "SameSite=Lax"] {
                assert!(cookie.contains(attribute), "{cookie}");
            }
        }
    }
    drop(app);
}

#[tokio::test]
async fn sr82_a_sign_out_that_no_app_vouches_for_is_asked_first() {
    let (app, mut browser) = with_ada().await;
    browser.open("/sign-in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.open("/oidc/session/end").await;
    browser.assert_says("Sign out of Larkspur Books?");
    browser.page().assert_guarded();
    // Leaving the page changes nothing.
    browser.open("/account").await;
    browser.assert_at("/account");
    browser.open("/oidc/session/end?client_id=shop").await;
    let form = browser.page().form_with("confirm");
    browser.submit(form).await;
    browser.assert_status(200);
    assert_eq!(browser.cookie(&app.url, "kb_session"), None);
    browser.open("/account").await;
    browser.assert_at("/sign-in");
}

#[tokio::test]
async fn sr74_a_new_installation_has_no_account_and_no_password_that_anybody_knows() {
    let app = TestApp::start().await;
    let rows = app.row_counts().await;
    for table in ["users", "credentials", "sessions", "apps"] {
        assert_eq!(rows[table], 0, "{table}");
    }
}
