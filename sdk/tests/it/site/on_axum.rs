//! The site as a layer, and who is signed in as an argument.

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use http::{Method, Request, StatusCode};
use keyback::SignedIn;
use tower::ServiceExt as _;
use url::Url;

use super::browser::{Browser, NAVIGATION, location, site};
use crate::provider::{SUBJECT, World};

async fn home(person: Option<SignedIn>) -> String {
    person.map_or_else(|| "nobody".to_owned(), |person| person.subject().to_owned())
}

async fn orders(person: SignedIn) -> String {
    person.subject().to_owned()
}

fn routes() -> Router {
    Router::new()
        .route("/", get(home))
        .route("/orders", get(orders))
        .route("/buy", post(orders))
}

async fn ask(router: &Router, request: Request<bytes::Bytes>) -> (StatusCode, http::HeaderMap, String) {
    let answer = router.clone().oneshot(request.map(Body::from)).await.unwrap();
    let (head, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, 100_000).await.unwrap();
    (
        head.status,
        head.headers,
        String::from_utf8(body.to_vec()).unwrap(),
    )
}

#[tokio::test]
async fn a_layer_is_all_it_takes() {
    let world = World::conventional(|builder| builder);
    let site = site(&world, |builder| builder);
    let router = routes().layer(site.clone());
    let mut browser = Browser::at(&world, &site);
    let (status, _, body) = ask(&router, browser.request(Method::GET, "/", NAVIGATION)).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "nobody"));

    // Who wants a page comes back to it.
    let (status, headers, _) = ask(
        &router,
        browser.request(Method::GET, "/orders?page=2", NAVIGATION),
    )
    .await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let to = headers["location"].to_str().unwrap().to_owned();
    assert_eq!(to, "/sign-in?return_to=%2Forders%3Fpage%3D2");
    let mut answer = router
        .clone()
        .oneshot(browser.request(Method::GET, &to, NAVIGATION).map(Body::from))
        .await
        .unwrap();
    browser.take(&answer);
    let callback = world.provider.answer(&Url::parse(location(&answer)).unwrap());
    let callback = format!("{}?{}", callback.path(), callback.query().unwrap());
    let request = browser
        .request(Method::GET, &callback, NAVIGATION)
        .map(Body::from);
    answer = router.clone().oneshot(request).await.unwrap();
    browser.take(&answer);
    assert_eq!(location(&answer), "/orders?page=2");

    for target in ["/", "/orders"] {
        let (status, _, body) = ask(&router, browser.request(Method::GET, target, NAVIGATION)).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, SUBJECT));
    }
    let own = [("sec-fetch-site", "same-origin")];
    let (status, headers, _) = ask(&router, browser.request(Method::POST, "/sign-out", &own)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(headers["location"].to_str().unwrap().contains("/session/end?"));
    // In a task of its own.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.provider.lock().revocations.len(), 1);
}

#[tokio::test]
async fn a_script_or_a_form_of_nobody_is_refused() {
    let world = World::new();
    let site = site(&world, |builder| builder);
    let router = routes().layer(site.clone());
    let browser = Browser::at(&world, &site);
    let script = [("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")];
    let json = [("accept", "application/json")];
    for request in [
        browser.request(Method::GET, "/orders", &script),
        browser.request(Method::GET, "/orders", &json),
        browser.request(Method::POST, "/buy", NAVIGATION),
    ] {
        assert_eq!(ask(&router, request).await.0, StatusCode::UNAUTHORIZED);
    }
}

/// A mistake that shows at the first request, and lets nobody in.
#[tokio::test]
async fn without_the_layer_nobody_is_let_in() {
    for target in ["/", "/orders"] {
        let request = Request::get(target).body(bytes::Bytes::new()).unwrap();
        assert_eq!(ask(&routes(), request).await.0, StatusCode::INTERNAL_SERVER_ERROR);
    }
}

#[tokio::test]
async fn a_body_without_an_end_is_cut_off() {
    let world = World::new();
    let router = routes().layer(site(&world, |builder| builder));
    let huge = bytes::Bytes::from(vec![b'a'; 600 * 1024]);
    let request = Request::post("/backchannel-logout").body(huge).unwrap();
    assert_eq!(ask(&router, request).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

/// A nested router sees the end of the path alone; the way back is the whole.
#[tokio::test]
async fn the_way_back_into_a_nested_router_is_the_whole_path() {
    let world = World::conventional(|builder| builder);
    let site = site(&world, |builder| builder);
    let router = Router::new().nest("/shop", routes()).layer(site.clone());
    let browser = Browser::at(&world, &site);
    let request = browser.request(Method::GET, "/shop/orders?page=2", NAVIGATION);
    let (status, headers, _) = ask(&router, request).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(
        headers["location"],
        "/sign-in?return_to=%2Fshop%2Forders%3Fpage%3D2"
    );
}
