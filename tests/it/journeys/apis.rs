//! A site that calls APIs for the person (RFC 8707).

use keyback::{AccessTokenError, ApiAccess, Error, ExchangeError};
use keyback_companion::config::app::ResourceConfig;
use keyback_tests::{ADA, OLD_PASSWORD, TestApp};

#[tokio::test]
async fn a_site_that_asks_for_two_apis_signs_in_and_gets_a_token_for_each() {
    let apis = ["https://orders.example", "https://stock.example"];
    let app = TestApp::with(|config| {
        config.resources = apis
            .map(|api| ResourceConfig::new(api, vec!["read".to_owned()]))
            .to_vec();
        config.apps[0].resources = apis.map(str::to_owned).to_vec();
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let client = &app.site.client;
    let asked = client
        .sign_in()
        .scope("offline_access")
        .scope("email")
        .scope("read");
    let begun = asked.resource(apis[0]).resource(apis[1]).start().await.unwrap();
    let mut browser = app.browser();
    browser.open(begun.url.as_str()).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    // The shop knows nothing of this sign-in, and left its code alone.
    let mut session = client.finish(begun.pending, &browser.page().url).await.unwrap();
    assert_eq!(client.user_info(&session).await.unwrap().email(), Some(ADA));
    for api in apis {
        let access: ApiAccess = client.access_token_for(&session, api).await.unwrap();
        // A JWT (RFC 9068), where the session's own is opaque.
        assert_eq!(access.tokens.access_token().split('.').count(), 3);
        assert_eq!(access.tokens.scopes(), Some(["read".to_owned()].as_slice()));
        // The API takes it, and no other does.
        let verified = |by: &str| {
            let by = client.resource_server(by).build().unwrap();
            let token = access.tokens.access_token();
            async move { by.verify(token).await }
        };
        let token = verified(api).await.unwrap();
        assert_eq!(
            (token.subject(), token.client_id()),
            (session.claims().subject(), "shop")
        );
        assert!(token.has_scope("read"));
        for other in apis.into_iter().filter(|other| *other != api) {
            let refused = verified(other).await;
            assert!(matches!(
                refused,
                Err(Error::AccessToken(AccessTokenError::WrongAudience))
            ));
        }
        session = access.session;
        client.user_info(&session).await.unwrap();
    }
    let session = client.refresh(&session).await.unwrap();
    client.user_info(&session).await.unwrap();
    let unasked = client.access_token_for(&session, "https://other.example").await;
    assert!(matches!(unasked, Err(Error::Exchange(ExchangeError::Refused(_)))));
}
