//! Apps nobody registered, and addresses that nobody may be sent to.

use keyback_tests::{ADA, OLD_PASSWORD, TestApp};

use super::{Watched, assert_refused};

#[tokio::test]
async fn unknown_apps_and_foreign_addresses_are_shown_a_page_and_nobody_is_redirected() {
    let watched = Watched::start().await;
    let browser = watched.app.browser();
    let request = browser
        .get_once(&watched.app.site.at("/sign-in"))
        .await
        .location()
        .unwrap();
    let with = |name: &str, values: &[&str]| {
        let mut url = request.clone();
        let kept: Vec<_> = request
            .query_pairs()
            .into_owned()
            .filter(|(n, _)| n != name)
            .collect();
        url.query_pairs_mut().clear().extend_pairs(kept);
        for value in values {
            url.query_pairs_mut().append_pair(name, value);
        }
        url
    };
    let own = watched.app.site.at("/callback");
    let port = watched.app.site.url.port().unwrap();
    let mut refused = vec![
        with("client_id", &["no-such-app"]),
        with("client_id", &[]),
        with("client_id", &["shop", "shop"]),
        with("client_id", &["shop\0"]),
        with("redirect_uri", &[]),
        with("redirect_uri", &[&own, &own]),
    ];
    for foreign in [
        "https://evil.example/callback".to_owned(),
        format!("{own}/../evil"),
        format!("{own}?x=1"),
        format!("{own}#fragment"),
        own.replace("/callback", "/Callback"),
        own.replace("127.0.0.1", "localhost"),
        format!("http://127.0.0.1:{port}@evil.example/callback"),
        format!("http://evil.example\\@127.0.0.1:{port}/callback"),
        "javascript:alert(1)".to_owned(),
        "//evil.example/callback".to_owned(),
        format!("{own}%00"),
        own.replace("/callback", "/%63allback"),
    ] {
        refused.push(with("redirect_uri", &[&foreign]));
    }
    for url in refused {
        let page = browser.get_once(url.as_str()).await;
        assert_refused(&page, 400);
        assert_eq!(page.location(), None, "{url}");
    }
    for id in ["no-such-app", "keyback-reset", "shop%20", "SHOP", "..%2Fshop"] {
        assert_refused(
            &watched.get(&format!("/reset-password?client_id={id}")).await,
            400,
        );
    }
    // An error of a known app with a known address goes to the app, as the protocol wants.
    for (name, values, error) in [
        ("response_type", vec!["token"], "unsupported_response_type"),
        ("response_mode", vec!["fragment"], "invalid_request"),
        ("nonce", vec!["a", "b"], "invalid_request"),
        ("state", vec!["a\u{0}b"], "invalid_request"),
        ("code_challenge_method", vec!["plain"], "invalid_request"),
        ("prompt", vec!["none", "login"], "invalid_request"),
        ("prompt", vec!["none"], "login_required"),
        ("first_screen", vec!["../evil"], "invalid_request"),
        (
            "request_uri",
            vec!["https://evil.example/"],
            "request_uri_not_supported",
        ),
        ("max_age", vec!["-1"], "invalid_request"),
    ] {
        let url = with(name, &values);
        let answer = browser.get_once(url.as_str()).await;
        let to = answer.location().unwrap();
        assert_eq!(
            (to.origin(), to.path()),
            (watched.app.site.url.origin(), "/callback"),
            "{url}"
        );
        let told = to
            .query_pairs()
            .find(|(name, _)| name == "error")
            .unwrap()
            .1
            .into_owned();
        assert_eq!(told, error, "{url}");
        answer.assert_guarded();
    }
    watched.assert_untouched().await;
}

#[tokio::test]
async fn sr71_nothing_in_a_query_leads_away() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    for target in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "%2F%2Fevil.example",
        "javascript:alert(1)",
        "/account@evil.example",
    ] {
        let mut browser = app.browser();
        let encoded: String = url::form_urlencoded::byte_serialize(target.as_bytes()).collect();
        let query = [
            "to",
            "next",
            "return_to",
            "redirect_uri",
            "return_path",
            "continue",
        ]
        .map(|name| format!("{name}={encoded}"))
        .join("&");
        browser.open(&format!("/sign-in?{query}")).await;
        assert!(!browser.page().body.contains("evil.example"), "{target}");
        browser.sign_in(ADA, OLD_PASSWORD).await;
        browser.assert_at("/account");
        assert_eq!(browser.page().url.origin(), app.url.origin());
        browser.open(&format!("/reset-password/done?{query}")).await;
        browser.assert_status(404);
        browser.open(&format!("/reset-password?{query}")).await;
        assert_eq!(browser.page().url.origin(), app.url.origin());
        browser.open(&format!("/sign-out?{query}")).await;
        assert_eq!(browser.page().url.origin(), app.url.origin());
        browser
            .open(&format!("/oidc/session/end?post_logout_redirect_uri={encoded}"))
            .await;
        assert_eq!(browser.page().url.origin(), app.url.origin());
        browser.assert_status(400);
    }
}
