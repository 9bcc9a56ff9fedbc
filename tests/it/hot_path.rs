//! What is done for every request, whatever it asks for, stays small.

use axum::body::Body;
use axum::http::Request;
use keyback_companion::http::server::Answers as _;
use keyback_companion::pages;
use keyback_tests::TestApp;

/// The future of an answer is moved from where it is made to where it is polled. What only some requests need room for
/// is boxed; left within, a look-up in the store once made all of them move forty kilobytes.
#[tokio::test]
async fn the_future_of_an_answer_is_small() {
    let app = TestApp::start().await;
    let request = Request::get("/oidc/auth").body(Body::empty()).unwrap();
    let answer = pages::router(&app.companion).answer(request, ([127, 0, 0, 1], 9).into());
    let bytes = size_of_val(&answer);
    assert!(bytes < 4_096, "{bytes} bytes");
}
