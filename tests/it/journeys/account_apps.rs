//! The account page's apps: what they hold, and taking it away.

use keyback_tests::{ADA, Browser, OLD_PASSWORD, TestApp};

use super::with_ada;

async fn customer(app: &TestApp) -> Browser {
    let mut browser = app.browser();
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser
}

#[tokio::test]
async fn oidc_core_3_1_2_4_an_app_with_offline_access_is_listed_and_loses_it() {
    let (app, _) = with_ada().await;
    let mut browser = customer(&app).await;
    let other = customer(&app).await;
    let sessions = [&browser, &other].map(|browser| app.site.session_of(browser).unwrap());
    browser.open("/account").await;
    browser.assert_says("Apps with access");
    browser.assert_says("Larkspur Books");
    browser.assert_says("Also while you’re away");
    let form = browser.page().form_to("/account/apps").fill("remove", "shop");
    browser.submit(form).await;
    browser.assert_at("/account");
    browser.assert_says("The app’s access is removed.");
    assert!(!browser.page().text().contains("Apps with access"));
    for session in &sessions {
        assert!(app.site.client.refresh(session).await.is_err());
        assert!(app.site.client.user_info(session).await.is_err());
    }
    assert_eq!(app.audited("app_access_removed").await, 1);
    // The person is still signed in here: the next sign-in there asks nothing.
    browser.open(&app.site.at("/sign-in")).await;
    browser.assert_says("Signed in as ada@example.com");
}

/// Only what was taken from somebody is written down: the trail is no place for what strangers post.
#[tokio::test]
async fn nothing_that_was_posted_is_written_where_nothing_was_removed() {
    let (app, _) = with_ada().await;
    let mut browser = customer(&app).await;
    browser.open("/account").await;
    let long = "x".repeat(5_000);
    let form = browser.page().form_to("/account/apps");
    for text in ["nobody", "", long.as_str()] {
        browser.submit(form.clone().fill("remove", text)).await;
    }
    assert_eq!(app.audited("app_access_removed").await, 0);
    for _ in 0..2 {
        browser.submit(form.clone().fill("remove", "shop")).await;
        browser.assert_says("The app’s access is removed.");
    }
    assert_eq!(app.audited("app_access_removed").await, 1);
}

#[tokio::test]
async fn nobody_takes_anothers_access_away() {
    let (app, _) = with_ada().await;
    app.add_user("eve@example.com", Some(OLD_PASSWORD)).await;
    let browser = customer(&app).await;
    let session = app.site.session_of(&browser).unwrap();
    let mut page = browser.clone();
    page.open("/account").await;
    let form = page.page().form_to("/account/apps").fill("remove", "shop");
    let mut eve = app.browser();
    eve.open("/account").await;
    eve.sign_in("eve@example.com", OLD_PASSWORD).await;
    assert!(!eve.page().text().contains("Apps with access"));
    eve.submit(form).await;
    assert!(app.site.client.refresh(&session).await.is_ok());
}
