//! Where a request begins: `first_screen`, and what Logto's SDKs send beside it.

use super::*;
use crate::oidc::authorize::first_screen::FirstScreen;

#[tokio::test]
async fn first_screen_in_every_spelling_begins_where_it_says() {
    let bench = Bench::new().await;
    for (spelling, screen, page) in [
        (
            "reset-password",
            FirstScreen::ResetPassword,
            "/forgot-password?i=",
        ),
        (
            "reset_password",
            FirstScreen::ResetPassword,
            "/forgot-password?i=",
        ),
        ("sign_in", FirstScreen::SignIn, "/sign-in?i="),
        ("signIn", FirstScreen::SignIn, "/sign-in?i="),
        ("register", FirstScreen::Register, "/sign-in?i="),
        ("identifier:sign_in", FirstScreen::IdentifierSignIn, "/sign-in?i="),
        (
            "identifier:register",
            FirstScreen::IdentifierRegister,
            "/sign-in?i=",
        ),
        ("single_sign_on", FirstScreen::SingleSignOn, "/sign-in?i="),
        ("", FirstScreen::SignIn, "/sign-in?i="),
    ] {
        let changes = [
            ("first_screen", spelling),
            ("login_hint", "alice@example.test"),
            ("identifier", "email x"),
        ];
        let answer = bench.authorize(&changes, "").await;
        assert!(
            answer.location().starts_with(page),
            "{spelling}: {}",
            answer.location()
        );
        let id = answer.sent("i").unwrap();
        let waiting = bench
            .provider
            .interaction(&cookie_header(&answer.cookies()), &id, bench.now())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(waiting.request.first_screen, screen, "{spelling}");
        assert_eq!(
            waiting.request.login_hint.as_deref(),
            Some("alice@example.test"),
            "nothing is dropped"
        );
        assert_eq!(waiting.request.identifiers, ["email"]);
    }
    let refused = bench.authorize(&[("first_screen", "bogus")], "").await;
    let description = refused.sent("error_description").unwrap();
    assert!(
        description.contains("reset-password, reset_password, sign_in"),
        "{description}"
    );
}

#[tokio::test]
async fn logtos_further_parameters_are_accepted() {
    let bench = Bench::new().await;
    let changes = [
        ("interaction_mode", "signUp"),
        ("direct_sign_in", "social:google"),
        ("one_time_token", "abc"),
        ("organization_id", "org"),
        ("display", "popup"),
        ("prompt", "consent"),
        ("unheard", "of"),
    ];
    assert!(
        bench
            .authorize(&changes, "")
            .await
            .location()
            .starts_with("/sign-in?i=")
    );
}
