//! Answers that the provider has posted (OAuth 2.0 Form Post Response Mode).

use bytes::Bytes;
use http::header::{ALLOW, SET_COOKIE};
use http::{Method, Response, StatusCode};
use keyback::SignInBuilder;
use url::Url;

use super::browser::{Browser, NAVIGATION, is_pending, location, site};
use crate::provider::{SUBJECT, World};

/// What a browser says of a form that the provider's page sends.
const FROM_THE_PROVIDER: &[(&str, &str)] = &[
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];

/// At the provider; gives the answer as a form.
async fn form(world: &World, browser: &mut Browser) -> (Response<Bytes>, String) {
    let left = browser.open("/sign-in?return_to=%2Forders").await;
    let callback = world.provider.answer(&Url::parse(location(&left)).unwrap());
    (left, callback.query().unwrap().to_owned())
}

async fn post(browser: &mut Browser, form: String) -> Response<Bytes> {
    let mut request = browser.request(Method::POST, "/callback", FROM_THE_PROVIDER);
    *request.body_mut() = Bytes::from(form);
    browser.ask(request).await
}

/// `SameSite=None` is for the pending sign-in alone, and for no longer than it lasts.
#[tokio::test]
async fn a_posted_answer_is_taken_and_the_session_stays_within_the_site() {
    let world = World::new();
    let site = site(&world, |builder| builder.sign_ins(SignInBuilder::form_post));
    let mut browser = Browser::at(&world, &site);
    let (left, form) = form(&world, &mut browser).await;
    let pending = left.headers()[SET_COOKIE].to_str().unwrap();
    assert!(pending.ends_with("; SameSite=None; Secure"), "{pending}");

    let answer = post(&mut browser, form.clone()).await;
    assert_eq!(
        (answer.status(), location(&answer)),
        (StatusCode::SEE_OTHER, "/orders")
    );
    assert_eq!(browser.subject().await.as_deref(), Some(SUBJECT));
    assert_eq!(browser.pending(), 0);
    for set in answer.headers().get_all(SET_COOKIE) {
        let set = set.to_str().unwrap();
        assert!(
            set.contains("Max-Age=0") || set.contains("; SameSite=Lax; Secure"),
            "{set}"
        );
    }
    // Sent again: whoever is signed in has nothing to be told.
    assert_eq!(location(&post(&mut browser, form).await), "/");
}

#[tokio::test]
async fn an_answer_that_comes_in_another_way_than_asked_is_refused() {
    let world = World::new();
    let posting = site(&world, |builder| builder.sign_ins(SignInBuilder::form_post));
    let mut browser = Browser::at(&world, &posting);
    let (_, answer) = form(&world, &mut browser).await;
    let refused = browser.open(&format!("/callback?{answer}")).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(browser.subject().await, None);

    let leading = site(&world, |builder| builder);
    let mut browser = Browser::at(&world, &leading);
    let (_, answer) = form(&world, &mut browser).await;
    assert_eq!(post(&mut browser, answer).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(browser.subject().await, None);

    let other = browser.ask(browser.request(Method::PUT, "/callback", &[])).await;
    assert_eq!(
        (other.status(), &other.headers()[ALLOW]),
        (StatusCode::METHOD_NOT_ALLOWED, &"GET, POST".parse().unwrap())
    );
}

/// The form comes without the cookies of the session before, so its answer can't clear them: the next one does.
#[tokio::test]
async fn what_is_left_of_earlier_sessions_does_not_pile_up() {
    let world = World::new();
    let site = site(&world, |builder| builder.sign_ins(SignInBuilder::form_post));
    let mut browser = Browser::at(&world, &site);
    let pieces = |browser: &Browser| {
        browser
            .jar
            .iter()
            .filter(|(name, _)| name.ends_with(".0"))
            .count()
    };
    for _ in 0..3 {
        // Whoever is signed in can still begin this one.
        let left = browser.open("/forgot-password").await;
        let callback = world.provider.answer(&Url::parse(location(&left)).unwrap());
        let (pending, held_back): (Vec<_>, Vec<_>) = std::mem::take(&mut browser.jar)
            .into_iter()
            .partition(|(name, _)| is_pending(name));
        browser.jar = pending;
        post(&mut browser, callback.query().unwrap().to_owned()).await;
        for (name, value) in held_back {
            if browser.jar.iter().all(|(known, _)| *known != name) {
                browser.jar.push((name, value));
            }
        }
    }
    assert_eq!(pieces(&browser), 2);
    let request = browser.request(Method::GET, "/", NAVIGATION);
    let mut page = Response::new(Bytes::new());
    site.visit(request.headers()).finish(page.headers_mut());
    browser.take(&page);
    assert_eq!(pieces(&browser), 1);
    assert_eq!(browser.subject().await.as_deref(), Some(SUBJECT));
}
