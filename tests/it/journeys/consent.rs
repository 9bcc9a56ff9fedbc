//! The consent page: an app of others asks, and a person answers.

use std::time::Duration;

use keyback_companion::config::app::ResourceConfig;
use keyback_companion::store::consents;
use keyback_tests::{ADA, Browser, OLD_PASSWORD, TestApp};

const BEA: &str = "bea@example.com";

/// A companion to which the shop is an app of others, and a browser of Ada's.
async fn with_somebody_elses_shop() -> (TestApp, Browser) {
    let app = TestApp::with(|config| {
        config.apps[0].first_party = false;
        config.apps[0].name = Some("Papertrail".to_owned());
        config.apps[0].resources = vec!["https://orders.example".to_owned()];
        config.resources = vec![ResourceConfig {
            indicator: "https://orders.example".to_owned(),
            name: Some("the Larkspur orders".to_owned()),
            scopes: vec!["read".to_owned(), "write".to_owned()],
            words: [("read".to_owned(), "see what you ordered".to_owned())].into(),
        }];
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    app.add_user(BEA, Some("a password of her own")).await;
    let browser = app.browser();
    (app, browser)
}

/// A sign-in request of the shop, which asks for `offline_access` and so sends `prompt=consent`, with other values; an
/// empty one leaves the parameter out.
async fn request(app: &TestApp, browser: &Browser, changes: &[(&str, &str)]) -> String {
    let mut url = browser
        .get_once(&app.site.at("/sign-in"))
        .await
        .location()
        .unwrap();
    let mut pairs: Vec<_> = url.query_pairs().into_owned().collect();
    pairs.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let given = changes.iter().filter(|(_, value)| !value.is_empty());
    url.query_pairs_mut()
        .clear()
        .extend_pairs(pairs)
        .extend_pairs(given);
    url.into()
}

async fn answer(browser: &mut Browser, answer: &str) {
    let form = browser.page().form_to("/consent").fill("answer", answer);
    browser.submit(form).await;
}

#[tokio::test]
async fn oidc_core_3_1_2_4_who_allows_it_once_comes_home_and_is_not_asked_again() {
    let (app, mut browser) = with_somebody_elses_shop().await;
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/consent");
    for words in [
        "Allow Papertrail?",
        "This app on your device would like to:",
        "Sign you in",
        "See your e-mail address ada@example.com",
        "Stay signed in while you’re away",
        "Signed in as ada@example.com",
    ] {
        browser.assert_says(words);
    }
    assert!(!browser.page().text().contains("phone"), "it was not asked for");
    browser.page().assert_guarded();
    answer(&mut browser, "allow").await;
    browser.assert_says("Signed in as ada@example.com. It began as a sign-in.");
    assert_eq!(app.audited("consent_given").await, 1);

    let without_prompt = request(&app, &browser, &[("prompt", "")]).await;
    browser.open(&without_prompt).await;
    browser.assert_says("Signed in as ada@example.com.");
    assert!(browser.hops().iter().all(|hop| hop.url.path() != "/consent"));
}

#[tokio::test]
async fn rfc6749_4_1_2_1_who_does_not_allow_it_comes_home_without_being_signed_in_there() {
    let (app, mut browser) = with_somebody_elses_shop().await;
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    answer(&mut browser, "deny").await;
    assert_eq!(browser.page().url.origin(), app.site.url.origin());
    assert!(
        browser
            .page()
            .url
            .query()
            .unwrap()
            .contains("error=access_denied")
    );
    assert!(app.site.session_of(&browser).is_none());
    browser.open("/account").await;
    browser.assert_at("/account");
    browser.open(&app.site.at("/sign-in")).await;
    browser.assert_at("/consent");
}

#[tokio::test]
async fn apis_and_their_scopes_are_told_in_the_operators_words() {
    let (app, mut browser) = with_somebody_elses_shop().await;
    let changes = [
        ("resource", "https://orders.example"),
        ("scope", "openid read write"),
    ];
    browser.open(&request(&app, &browser, &changes).await).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_says("Use the Larkspur orders for you see what you ordered write");
}

#[tokio::test]
async fn not_you_signs_another_in_who_is_asked_for_themselves() {
    let (app, mut browser) = with_somebody_elses_shop().await;
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.click("Not you?").await;
    browser.assert_at("/sign-in");
    assert_eq!(browser.page().field("identifier", "value").as_deref(), Some(""));
    browser.sign_in(BEA, "a password of her own").await;
    browser.assert_at("/consent");
    browser.assert_says("Signed in as bea@example.com");
    answer(&mut browser, "allow").await;
    browser.assert_says("Signed in as bea@example.com.");
    let ada = app.user(ADA).await.id;
    let allowed = consents::list(app.companion.store.reader(), &ada).await.unwrap();
    assert!(allowed.is_empty(), "Ada has allowed nothing");
}

#[tokio::test]
async fn sr66_a_yes_counts_for_the_person_the_page_named_alone() {
    let (app, mut browser) = with_somebody_elses_shop().await;
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/consent");
    let mut other_tab = browser.clone();
    other_tab.open("/sign-in?as=another").await;
    other_tab.sign_in(BEA, "a password of her own").await;
    other_tab.assert_at("/account");

    answer(&mut browser, "allow").await;
    browser.assert_at("/consent");
    browser.assert_says("Signed in as bea@example.com");
    assert_eq!(app.audited("consent_given").await, 0);
    answer(&mut browser, "allow").await;
    browser.assert_says("Signed in as bea@example.com.");
}

#[tokio::test]
async fn a_yes_after_signing_out_elsewhere_asks_to_sign_in_first() {
    let (app, mut browser) = with_somebody_elses_shop().await;
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    let mut other_tab = browser.clone();
    other_tab.open("/sign-out").await;
    let form = other_tab.page().form_to("/sign-out");
    other_tab.submit(form).await;
    answer(&mut browser, "allow").await;
    browser.assert_at("/sign-in");
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/consent");
    assert_eq!(app.audited("consent_given").await, 0);
}

#[tokio::test]
async fn sr28_sent_twice_gone_back_to_or_too_late_the_page_says_so_and_leads_on() {
    let (app, mut browser) = with_somebody_elses_shop().await;
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    let page = browser.page().url.clone();
    let form = browser.page().form_to("/consent").fill("answer", "allow");
    browser.submit(form.clone()).await;
    browser.assert_says("Signed in as ada@example.com.");

    browser.submit(form).await;
    browser.assert_status(400);
    browser.assert_says("This sign-in has expired");
    browser.open(page.as_str()).await;
    browser.assert_says("This sign-in has expired");
    browser.click("Your account").await;
    browser.assert_at("/account");

    browser.open(&app.site.at("/sign-in")).await;
    browser.assert_at("/consent");
    app.advance(Duration::from_secs(3_600));
    answer(&mut browser, "allow").await;
    browser.assert_says("This sign-in has expired");
}

#[tokio::test]
async fn the_page_can_not_be_opened_answered_or_forged_without_its_request() {
    let (app, mut browser) = with_somebody_elses_shop().await;
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    let mine = browser.page().url.clone();
    let form = browser.page().form_to("/consent").fill("answer", "allow");
    let mut stranger = app.browser();
    for address in [mine.as_str(), "/consent", "/consent?i=made-up"] {
        stranger.open(address).await;
        stranger.assert_status(400);
    }
    stranger.submit(form.clone()).await;
    stranger.assert_status(400);
    // Without an answer, or with one that is none, the page asks anew.
    for said in ["", "maybe"] {
        browser.submit(form.clone().fill("answer", said)).await;
        browser.assert_at("/consent");
    }
    assert_eq!(app.audited("consent_given").await, 0);
}

#[tokio::test]
async fn a_reset_forgets_what_was_allowed_and_its_sign_in_asks_again() {
    let (app, mut browser) = with_somebody_elses_shop().await;
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    answer(&mut browser, "allow").await;
    browser.open(&app.site.at("/forgot-password")).await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(keyback_tests::NEW_PASSWORD).await;
    browser.click("Sign in").await;
    browser.sign_in(ADA, keyback_tests::NEW_PASSWORD).await;
    browser.assert_at("/consent");
    answer(&mut browser, "allow").await;
    browser.assert_says("Signed in as ada@example.com. It began as a reset.");
}

#[tokio::test]
async fn form_post_2_after_our_own_form_a_page_posts_the_answer_and_its_policy_lets_it() {
    let (app, mut browser) = with_somebody_elses_shop().await;
    let url = request(&app, &browser, &[("response_mode", "form_post")]).await;
    browser.open(&url).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    answer(&mut browser, "allow").await;
    browser.assert_at("/consent");
    let page = browser.page();
    page.assert_guarded();
    assert_eq!(page.header("cache-control"), "no-store");
    let policy = page.header("content-security-policy");
    let shop = app.site.url.origin().ascii_serialization();
    assert!(
        policy.contains(&format!("form-action 'self' {shop};")),
        "{policy}"
    );
    browser.assert_says("Continue");
    let form = page.form_with("code");
    assert_eq!(form.action.as_str(), app.site.at("/callback"));
    let field = |name: &str| form.fields.iter().find(|(own, _)| own == name).unwrap().1.clone();
    assert!(url.contains(&field("state")));
    assert_eq!(field("iss"), app.companion.provider.issuer());
    // What the form holds is good at the callback.
    let as_query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&form.fields)
        .finish();
    browser.open(&app.site.at(&format!("/callback?{as_query}"))).await;
    browser.assert_says("Signed in as ada@example.com.");
}

#[tokio::test]
async fn form_post_2_a_no_and_an_error_are_posted_too() {
    let (app, mut browser) = with_somebody_elses_shop().await;
    let url = request(&app, &browser, &[("response_mode", "form_post")]).await;
    let silent = [("response_mode", "form_post"), ("prompt", "none")];
    let silent = request(&app, &browser, &silent).await;
    browser.open(&silent).await;
    let error = |browser: &Browser| {
        let form = browser.page().form_with("error");
        form.fields
            .into_iter()
            .find(|(name, _)| name == "error")
            .unwrap()
            .1
    };
    assert_eq!(error(&browser), "login_required");
    browser.open(&url).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.open(&silent).await;
    assert_eq!(error(&browser), "consent_required");
    browser.open(&url).await;
    answer(&mut browser, "deny").await;
    assert_eq!(error(&browser), "access_denied");
}
