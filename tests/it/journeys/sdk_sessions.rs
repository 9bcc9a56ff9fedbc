//! The SDK's sessions at the companion's provider, whose refresh tokens are good for one use.

use std::collections::HashSet;
use std::sync::Arc;

use keyback::{CookieStore, Sessions, SignInBuilder};
use keyback_companion::config::app::ResourceConfig;
use keyback_tests::{ADA, OLD_PASSWORD, TestApp};
use url::Url;

const APIS: [&str; 3] = [
    "https://orders.example",
    "https://stock.example",
    "https://bills.example",
];

/// A hundred tasks and three APIs: each gets its token, and the family of refresh tokens lives on.
#[tokio::test(flavor = "multi_thread")]
async fn rfc9700_4_14_many_tasks_refresh_one_after_another_and_sign_out_ends_it_all() {
    let app = TestApp::with(|config| {
        config.resources = APIS
            .map(|api| ResourceConfig::new(api, vec!["read".to_owned()]))
            .to_vec();
        config.apps[0].resources = APIS.map(str::to_owned).to_vec();
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let client = app.site.client.clone();
    let asked = client
        .sign_in()
        .scope("offline_access")
        .scope("email")
        .scope("read");
    let asked = APIS.into_iter().fold(asked, SignInBuilder::resource);
    let begun = asked.start().await.unwrap();
    let mut browser = app.browser();
    browser.open(begun.url.as_str()).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    let session = client.finish(begun.pending, &browser.page().url).await.unwrap();

    let cookies = Arc::new(CookieStore::of_request(&client, ""));
    let sessions = Sessions::builder(&client, [1; 32]).build().unwrap();
    let signed_in = sessions
        .with_store(cookies.clone())
        .begin(&session)
        .await
        .unwrap();
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let signed_in = signed_in.clone();
            tokio::spawn(async move { signed_in.access_token(Some(APIS[number % 3]), None).await })
        })
        .collect();
    let mut tokens = HashSet::new();
    for task in tasks {
        tokens.insert(task.await.unwrap().unwrap().as_str().to_owned());
    }
    assert_eq!(tokens.len(), 3);
    assert_eq!(signed_in.user_info().await.unwrap().email(), Some(ADA));
    let claims = signed_in.access_token(Some(APIS[0]), None).await.unwrap();
    assert_eq!(claims.unverified_claims().unwrap()["aud"], APIS[0]);

    let now = signed_in.to_session().await.unwrap();
    let out = signed_in.sign_out(&app.site.at("/signed-out")).await.unwrap();
    out.revocation.run().await.unwrap();
    assert!(client.refresh(&now).await.is_err());
    let end: Url = out.url.unwrap();
    assert_eq!(end.path(), "/oidc/session/end");
    assert!(
        cookies
            .set_cookies()
            .iter()
            .all(|cookie| cookie.contains("Max-Age=0"))
    );
}
