//! What holds for every page: its weight on the wire, and what screen readers and keyboards need (SR-83).

use keyback_tests::{ADA, Browser, NEW_PASSWORD, OLD_PASSWORD, Page, TestApp};

/// One round trip at the first: ten packets.
const FIRST_FLIGHT: usize = 14 * 1024;

#[track_caller]
fn assert_readable(page: &Page) {
    let place = format!("{} ({})", page.url, page.status);
    assert_eq!(page.attribute("html", "lang").as_deref(), Some("en"), "{place}");
    assert_eq!(page.count_of("h1"), 1, "{place}");
    assert_eq!(page.count_of("main"), 1, "{place}");
    let title = page.text_of("title").unwrap();
    assert!(title.ends_with(" · Larkspur Books"), "{place}: {title}");
    assert_eq!(page.fields_without_label(), Vec::<String>::new(), "{place}");
    // What went wrong is announced, and told in the title of the tab.
    let refused = page.status == 422 || page.status == 429;
    if refused {
        assert!(title.starts_with("Error: "), "{place}: {title}");
        assert!(page.body.contains("role=\"alert\""), "{place}");
    }
    // Nothing is fetched from elsewhere, and no script or style stands in an attribute.
    for elsewhere in [
        "src=\"http",
        "href=\"https:",
        "@import",
        " onclick",
        " onsubmit",
        " style=\"",
    ] {
        assert!(!page.body.contains(elsewhere), "{elsewhere} at {place}");
    }
}

async fn look(browser: &Browser) {
    assert_readable(browser.page());
    let path = browser.page().url[url::Position::BeforePath..].to_owned();
    let (encoding, weight) = browser.weigh(&path).await;
    assert_eq!(encoding, "gzip", "{path}");
    assert!(weight < FIRST_FLIGHT, "{path} weighs {weight} bytes");
}

#[tokio::test]
async fn every_page_of_the_way_is_light_and_readable() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    for path in ["/sign-in", "/signed-out", "/no-such-page", "/dev/inbox"] {
        browser.open(path).await;
        look(&browser).await;
    }
    browser.open("/sign-in").await;
    browser.sign_in("nobody", "nothing").await;
    assert_readable(browser.page());
    browser.open(&app.site.at("/forgot-password")).await;
    look(&browser).await;
    browser.ask_reset("nonsense").await;
    assert_readable(browser.page());
    browser.ask_reset(ADA).await;
    look(&browser).await;
    browser.enter_code("123").await;
    assert_readable(browser.page());
    browser.resend().await;
    assert_readable(browser.page());
    browser.enter_code(&app.last_code_for(ADA).await).await;
    look(&browser).await;
    browser.choose_password("ada1234").await;
    assert_readable(browser.page());
    browser.choose_password(NEW_PASSWORD).await;
    look(&browser).await;
    browser.click("Sign in").await;
    look(&browser).await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    for path in ["/account", "/account/password", "/sign-out", "/oidc/session/end"] {
        browser.open(path).await;
        look(&browser).await;
    }
    browser.open("/account/password").await;
    browser.change_password("wrong", NEW_PASSWORD).await;
    assert_readable(browser.page());
    browser
        .change_password(NEW_PASSWORD, "a pair of new shoelaces")
        .await;
    browser.assert_says("Password changed");
    assert_readable(browser.page());
}

#[tokio::test]
async fn sr84_the_code_field_is_one_that_phones_fill_in() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let field = |attribute: &str| browser.page().field("code", attribute);
    assert_eq!(field("inputmode").as_deref(), Some("numeric"));
    assert_eq!(field("autocomplete").as_deref(), Some("one-time-code"));
    assert_eq!(field("maxlength"), None, "a pasted code with spaces would be cut");
    assert_eq!(field("type").as_deref(), Some("text"));
}
