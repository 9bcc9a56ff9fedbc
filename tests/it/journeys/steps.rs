//! Steps out of their order: the back button, forms sent twice, addresses typed by hand.

use keyback_tests::{ADA, NEW_PASSWORD, OLD_PASSWORD};

use super::{awaiting_code, awaiting_password, with_ada};

#[tokio::test]
async fn sr28_no_step_can_be_skipped() {
    let (_app, mut browser) = with_ada().await;
    for step in [
        "/forgot-password/code",
        "/forgot-password/password",
        "/forgot-password/done",
    ] {
        for query in ["", "?f=made-up", "?f="] {
            browser.open(&format!("{step}{query}")).await;
            browser.assert_at("/forgot-password");
            browser.assert_says("That reset is over. No harm done: start again here.");
        }
    }
}

#[tokio::test]
async fn sr28_a_flow_that_waits_for_its_code_leads_there_from_everywhere() {
    let (_app, mut browser) = awaiting_code().await;
    let flow = browser.page().url.query().unwrap().to_owned();
    for step in ["/forgot-password/password", "/forgot-password/done"] {
        browser.open(&format!("{step}?{flow}")).await;
        browser.assert_at("/forgot-password/code");
    }
    // A password without a proof sets nothing.
    let form = browser.page().form_with("code");
    let mut forged = form.fill("password", NEW_PASSWORD);
    forged.action.set_path("/forgot-password/password");
    browser.submit(forged).await;
    browser.assert_at("/forgot-password/code");
    browser.open("/sign-in").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_says("don’t match");
}

#[tokio::test]
async fn the_back_button_leads_to_where_the_flow_stands() {
    let (app, mut browser) = awaiting_code().await;
    let code_page = browser.page().url.clone();
    browser.enter_code(&app.last_code_for(ADA).await).await;
    let password_page = browser.page().url.clone();
    browser.open(code_page.as_str()).await;
    browser.assert_at("/forgot-password/password");
    browser.choose_password(NEW_PASSWORD).await;
    for earlier in [&code_page, &password_page] {
        browser.open(earlier.as_str()).await;
        browser.assert_at("/forgot-password/done");
        browser.assert_says("Your new password is set");
    }
    // The first page begins anew, as often as one likes.
    browser.open("/forgot-password").await;
    browser.assert_status(200);
}

#[tokio::test]
async fn a_password_sent_twice_is_set_once() {
    let (app, mut browser) = awaiting_password().await;
    let form = browser.page().form_with("password");
    browser.submit(form.clone().fill("password", NEW_PASSWORD)).await;
    browser.assert_at("/forgot-password/done");
    // The same again, and then another one over the old form.
    browser.submit(form.clone().fill("password", NEW_PASSWORD)).await;
    browser.assert_at("/forgot-password/done");
    browser
        .submit(form.fill("password", "quite another long password"))
        .await;
    browser.assert_at("/forgot-password/done");
    assert_eq!(app.audited("reset_completed").await, 1);
    browser.open("/sign-in").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_at("/account");
}

#[tokio::test]
async fn a_resend_after_the_code_was_used_leads_on() {
    let (app, mut browser) = awaiting_code().await;
    let resend = browser.page().form_to("/forgot-password/code/resend");
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.submit(resend).await;
    browser.assert_at("/forgot-password/password");
    assert_eq!(app.letters_to(ADA).await.len(), 1);
}

#[tokio::test]
async fn a_flow_is_over_after_an_hour_and_says_so() {
    let (app, mut browser) = awaiting_code().await;
    app.advance(std::time::Duration::from_secs(3_600));
    browser.reload().await;
    browser.assert_at("/forgot-password");
    browser.assert_says("That reset is over.");
    app.companion.sweep().await.unwrap();
    app.advance(std::time::Duration::from_secs(3_600));
    app.companion.sweep().await.unwrap();
    let rows = app.row_counts().await;
    // SR-86: nothing of it is left.
    assert_eq!((rows["reset_flows"], rows["challenges"], rows["jobs"]), (0, 0, 0));
}

#[tokio::test]
async fn sr24_a_finished_reset_kills_every_other_of_the_account() {
    let (app, mut one) = awaiting_password().await;
    let mut other = app.browser();
    other.open("/forgot-password").await;
    other.ask_reset(ADA).await;
    let waiting = app.last_code_for(ADA).await;
    let mut proven = app.browser();
    proven.open("/forgot-password").await;
    proven.ask_reset(ADA).await;
    proven.enter_code(&app.last_code_for(ADA).await).await;
    proven.assert_at("/forgot-password/password");
    one.choose_password(NEW_PASSWORD).await;
    one.assert_at("/forgot-password/done");
    other.enter_code(&waiting).await;
    other.assert_says("That code doesn’t match.");
    proven.choose_password("quite another long password").await;
    proven.assert_at("/forgot-password");
    one.click("Sign in").await;
    one.sign_in(ADA, NEW_PASSWORD).await;
    one.assert_at("/account");
}

#[tokio::test]
async fn sr29_no_secret_stands_in_an_address() {
    let (app, mut browser) = awaiting_code().await;
    let code = app.last_code_for(ADA).await;
    let mut addresses = vec![browser.page().url.to_string()];
    browser.enter_code(&code).await;
    addresses.extend(browser.hops().iter().map(|hop| hop.url.to_string()));
    browser.choose_password(NEW_PASSWORD).await;
    addresses.extend(browser.hops().iter().map(|hop| hop.url.to_string()));
    let names = browser.cookie_names(&app.url);
    let secrets: Vec<_> = names
        .iter()
        .filter_map(|name| browser.cookie(&app.url, name))
        .flat_map(|value| value.split('.').map(str::to_owned).collect::<Vec<_>>())
        .filter(|part| part.len() > 16)
        .chain([
            code,
            ADA.to_owned(),
            OLD_PASSWORD.to_owned(),
            NEW_PASSWORD.to_owned(),
        ])
        .collect();
    for address in &addresses {
        for secret in &secrets {
            assert!(!address.contains(secret.as_str()), "{secret} in {address}");
        }
    }
}
