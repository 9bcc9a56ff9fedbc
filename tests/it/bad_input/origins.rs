//! Forms that stood on other sites.

use keyback_tests::{ADA, OLD_PASSWORD, Page, Tells};

use super::{FORM, FORMS, Watched, assert_refused};

#[tokio::test]
async fn sr66_a_form_that_stood_on_another_site_is_refused() {
    let watched = Watched::start().await;
    let app = &watched.app;
    // A signed-in person who visits a foreign site: its form posts with no cookie (Lax), and is refused all the same.
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    let rows = app.row_counts().await;
    for path in FORMS.into_iter().chain(["/sign-out"]) {
        for headers in [
            vec![
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://evil.example"),
            ],
            // Another port of the same host is same-site, and another origin.
            vec![("sec-fetch-site", "same-site"), ("origin", "http://localhost:1")],
            vec![("sec-fetch-site", "none")],
            vec![("sec-fetch-site", "cross-site"), ("origin", app.url.as_str())],
            vec![("origin", "https://evil.example")],
            vec![("origin", "null")],
            vec![],
        ] {
            let cookie = browser.cookie(&app.url, "kb_session").unwrap();
            let mut request = watched
                .http
                .post(app.url.join(path).unwrap())
                .header("content-type", FORM)
                .header("cookie", format!("kb_session={cookie}"))
                .body("identifier=ada%40example.com&password=x&current_password=y&code=123456");
            for (name, value) in &headers {
                request = request.header(*name, *value);
            }
            let response = request.send().await.unwrap();
            let page = Page {
                url: app.url.join(path).unwrap(),
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: response.text().await.unwrap(),
            };
            assert_refused(&page, 403);
        }
    }
    assert_eq!(app.row_counts().await, rows);
    browser.open("/account").await;
    browser.assert_at("/account");
    let mut silent = app.browser().that_tells(Tells::Nothing);
    silent.open("/sign-in").await;
    silent.sign_in(ADA, OLD_PASSWORD).await;
    silent.assert_status(403);
}

#[tokio::test]
async fn sr80_a_foreign_post_to_the_protocols_endpoints_is_led_to_their_get() {
    let watched = Watched::start().await;
    for path in ["/oidc/auth", "/oidc/session/end"] {
        let response = watched
            .http
            .post(watched.app.url.join(path).unwrap())
            .header("content-type", FORM)
            .header("sec-fetch-site", "cross-site")
            .body("client_id=shop&state=x")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), 303, "{path}");
        let to = response.headers()["location"].to_str().unwrap().to_owned();
        assert!(to.contains(path) && to.contains("client_id=shop"), "{to}");
    }
    watched.assert_untouched().await;
}
