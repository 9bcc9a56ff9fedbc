//! Cookies that nobody set.

use keyback_tests::{ADA, Form, OLD_PASSWORD, TestApp};

#[tokio::test]
async fn cookies_that_nobody_set_are_no_way_in() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut owner = app.browser();
    owner.open("/forgot-password").await;
    owner.ask_reset(ADA).await;
    let code = app.last_code_for(ADA).await;
    let form = owner.page().form_with("code").fill("code", &code);
    let flow = owner
        .page()
        .url
        .query_pairs()
        .find(|(name, _)| name == "f")
        .unwrap()
        .1
        .into_owned();
    let name = format!("kb_flow_{flow}");
    let own = owner.cookie(&app.url, &name).unwrap();
    let (at, binding) = own.split_once('.').unwrap();
    for forged in [
        String::new(),
        "x".to_owned(),
        format!("{at}."),
        format!("{at}.{}", "A".repeat(binding.len())),
        format!("{at}.{binding}."),
        format!("{at}.{binding}.{binding}.{binding}"),
        "0".repeat(3_000),
    ] {
        let mut thief = app.browser();
        thief.put_cookie(&app.url, &name, &forged);
        thief.submit(form.clone()).await;
        thief.assert_at("/forgot-password");
        for page in ["/forgot-password/password", "/forgot-password/done"] {
            thief.open(&format!("{page}?f={flow}")).await;
            thief.assert_at("/forgot-password");
        }
    }
    // With the binding, but a proof of his own making.
    let mut thief = app.browser();
    thief.put_cookie(&app.url, &name, &format!("{at}.{binding}.{binding}"));
    let mut forged: Form = form.clone().fill("password", "quite another long password");
    forged.action.set_path("/forgot-password/password");
    thief.submit(forged).await;
    thief.assert_at("/forgot-password/code");
    for session in ["", "x", &"A".repeat(43), "'; DROP TABLE users; --"] {
        let mut thief = app.browser();
        thief.put_cookie(&app.url, "kb_session", session);
        thief.open("/account").await;
        thief.assert_at("/sign-in");
    }
    assert_eq!(app.challenges().await[0].attempts, 0);
    owner.submit(form).await;
    owner.assert_at("/forgot-password/password");
}
