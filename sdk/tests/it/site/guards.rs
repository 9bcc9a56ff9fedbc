//! What other sites can't do.

use http::header::ALLOW;
use http::{Method, StatusCode};

use super::browser::{Browser, NAVIGATION, site};
use crate::provider::{SUBJECT, World};

/// An image, a frame, a script or a prefetch of another page starts nothing and sets no cookie.
#[tokio::test]
async fn only_a_navigation_starts_or_ends_a_sign_in() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    let callback = browser.callback_after("/sign-in").await;
    let before = browser.jar.clone();
    let cross_site = ("sec-fetch-site", "cross-site");
    let hits: [&[(&str, &str)]; 5] = [
        &[
            cross_site,
            ("sec-fetch-mode", "no-cors"),
            ("sec-fetch-dest", "image"),
        ],
        &[
            cross_site,
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "iframe"),
        ],
        &[
            cross_site,
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-dest", "empty"),
        ],
        &[
            ("sec-fetch-mode", "navigate"),
            ("sec-purpose", "prefetch;prerender"),
        ],
        &[("purpose", "prefetch")],
    ];
    for says in hits {
        for target in ["/sign-in", "/forgot-password", &callback] {
            let answer = browser.ask(browser.request(Method::GET, target, says)).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{target} {says:?}");
        }
    }
    assert_eq!(browser.jar, before);
    assert_eq!(browser.open(&callback).await.status(), StatusCode::SEE_OTHER);
}

/// Another site's link, form or script signs nobody out.
#[tokio::test]
async fn only_a_form_of_the_site_itself_signs_out() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    browser.sign_in().await;
    let by_link = browser.open("/sign-out").await;
    assert_eq!(by_link.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(by_link.headers()[ALLOW], "POST");
    let forged: [&[(&str, &str)]; 5] = [
        &[],
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://app.example"),
        ],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ];
    for says in forged {
        let answer = browser
            .ask(browser.request(Method::POST, "/sign-out", says))
            .await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{says:?}");
        assert_eq!(browser.subject().await.as_deref(), Some(SUBJECT));
    }
    let own = browser.request(Method::POST, "/sign-out", &[("origin", "https://app.example")]);
    assert_eq!(browser.ask(own).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(browser.subject().await, None);
}

#[tokio::test]
async fn every_route_has_its_method() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    for target in ["/sign-in", "/forgot-password", "/callback"] {
        for method in [Method::POST, Method::HEAD, Method::PUT] {
            if (target, &method) == ("/callback", &Method::POST) {
                continue; // an answer that was posted
            }
            let answer = browser.ask(browser.request(method, target, NAVIGATION)).await;
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        }
    }
    let answer = browser.open("/backchannel-logout").await;
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_visit_prints_no_cookie() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    browser.sign_in().await;
    let request = browser.request(Method::GET, "/", NAVIGATION);
    let visit = browser.site.visit(request.headers());
    visit.signed_in().await.unwrap();
    let store = keyback::CookieStore::of_request(&world.client, &browser.header());
    let printed = format!("{visit:?} {:?} {store:?}", browser.site);
    for (_, value) in &browser.jar {
        assert!(!printed.contains(value), "{printed}");
    }
}

/// Cookies that are none, from whomever.
#[tokio::test]
async fn strange_cookies_are_nobodys_session() {
    let world = World::new();
    let mut browser = Browser::at(&world, &site(&world, |builder| builder));
    browser.sign_in().await;
    let good = browser.jar.clone();
    for index in 0..good.len() {
        for value in ["", "x", "~~~", &"A".repeat(43), &"A".repeat(4000)] {
            browser.jar.clone_from(&good);
            browser.jar[index].1 = value.to_owned();
            assert_eq!(browser.subject().await, None, "{} = {value:?}", good[index].0);
        }
    }
    // A neighbour's cookie of the same name hides nothing.
    browser.jar.clone_from(&good);
    let id = good.iter().find(|(name, _)| name.ends_with(".id")).unwrap();
    browser.jar.insert(0, (id.0.clone(), "B".repeat(43)));
    assert_eq!(browser.subject().await.as_deref(), Some(SUBJECT));
}
