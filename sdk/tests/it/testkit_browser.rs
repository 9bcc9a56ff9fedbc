//! The testkit's browser, in front of a site of axum.

use axum::Router;
use axum::http::HeaderMap;
use axum::response::Redirect;
use axum::routing::{get, post};
use http::header::{LOCATION, SET_COOKIE};
use keyback::testkit::{Browser, Misbehaviour, Person, TestProvider, TestkitError, in_process};
use keyback::{SignedIn, Site};

const ORIGIN: &str = "https://app.example";

fn site(provider: &TestProvider) -> Router {
    let client = provider.client("my-app", "https://app.example/callback");
    let site = Site::builder(client.build().unwrap(), [7; 32]).signed_out("/bye");
    let home = async |person: Option<SignedIn>| {
        person.map_or("nobody".to_owned(), |person| person.subject().to_owned())
    };
    let echo =
        async |headers: HeaderMap, body: String| format!("{} {body}", headers["origin"].to_str().unwrap());
    Router::new()
        .route("/", get(home))
        .route("/bye", get(async || "bye"))
        .route(
            "/orders",
            get(async |person: SignedIn| format!("orders of {}", person.subject())),
        )
        .route("/echo", post(echo))
        .route(
            "/elsewhere",
            get(async || Redirect::to("https://elsewhere.example/")),
        )
        .route("/round", get(async || Redirect::to("/round")))
        .route(
            "/cookies",
            get(async |headers: HeaderMap| {
                headers
                    .get("cookie")
                    .map_or(String::new(), |value| value.to_str().unwrap().to_owned())
            }),
        )
        .route("/set", get(async || ([(SET_COOKIE, "a=1; Path=/")], "set")))
        .route("/unset", get(async || ([(SET_COOKIE, "a=; Max-Age=0")], "unset")))
        .layer(site.build().unwrap())
}

fn browser(provider: &TestProvider) -> Browser {
    let app = in_process(site(provider));
    provider.browser(app, ORIGIN, &Person::new("ada")).unwrap()
}

#[tokio::test]
async fn it_signs_in_where_it_is_sent_to_and_out_by_a_form() {
    let provider = TestProvider::new().unwrap();
    let mut browser = browser(&provider);
    assert_eq!(browser.open("/").await.unwrap().body, "nobody");
    let orders = browser.open("/orders").await.unwrap();
    assert_eq!(
        (orders.url.path(), orders.body.as_str()),
        ("/orders", "orders of ada")
    );
    assert_eq!(browser.open("/").await.unwrap().body, "ada");

    let out = browser.post("/sign-out", &[]).await.unwrap();
    assert_eq!((out.url.path(), out.body.as_str()), ("/bye", "bye"));
    assert_eq!(provider.requests("/oidc/session/end"), 1);
    assert_eq!(browser.open("/").await.unwrap().body, "nobody");

    browser.person_is(Person::new("grace"));
    browser.open("/forgot-password?return_to=/orders").await.unwrap();
    assert_eq!(browser.open("/").await.unwrap().body, "grace");
}

#[tokio::test]
async fn it_keeps_cookies_sends_forms_and_stops_where_it_knows_nobody() {
    let provider = TestProvider::new().unwrap();
    let mut browser = browser(&provider);
    browser.open("/set").await.unwrap();
    assert_eq!(browser.open("/cookies").await.unwrap().body, "a=1");
    assert!(!format!("{browser:?}").contains("a=1"));
    browser.open("/unset").await.unwrap();
    assert_eq!(browser.open("/cookies").await.unwrap().body, "");
    let echoed = browser.post("/echo", &[("x", "1 & 2")]).await.unwrap();
    assert_eq!(echoed.body, "https://app.example x=1+%26+2");

    let elsewhere = browser.open("/elsewhere").await.unwrap();
    assert_eq!(elsewhere.headers[LOCATION], "https://elsewhere.example/");
    assert_eq!(elsewhere.url.path(), "/elsewhere");
    assert_eq!(browser.open("/round").await.unwrap_err(), TestkitError::Redirects);
    assert_eq!(browser.open("//").await.unwrap_err(), TestkitError::Origin);
    for origin in ["app.example", "https://app.example/path"] {
        let refused = provider.browser(in_process(site(&provider)), origin, &Person::new("ada"));
        assert_eq!(refused.unwrap_err(), TestkitError::Origin, "{origin}");
    }
}

#[tokio::test]
async fn what_the_provider_plays_reaches_the_site() {
    let provider = TestProvider::new().unwrap();
    let mut browser = browser(&provider);
    provider.misbehave(Misbehaviour::ForeignIssuerInCallback);
    let refused = browser.open("/orders").await.unwrap();
    assert_eq!((refused.url.path(), refused.status.as_u16()), ("/callback", 400));
    assert_eq!(browser.open("/").await.unwrap().body, "nobody");
    // A request that no provider answers at the redirect URI.
    let other = TestProvider::new().unwrap();
    let mut browser = other
        .browser(in_process(site(&provider)), ORIGIN, &Person::new("ada"))
        .unwrap();
    let refused = browser.open("/orders").await.unwrap_err();
    assert!(matches!(refused, TestkitError::Request(_)), "{refused}");
}
