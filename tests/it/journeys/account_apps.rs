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
async fn an_app_with_offline_access_is_listed_and_loses_it() {
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
