//! What is done for every request, whatever it asks for, stays small; and a shorter way leads to the same answer.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use keyback_companion::config::app::{AppConfig, AppKind};
use keyback_companion::http::server::Answers as _;
use keyback_companion::pages;
use keyback_companion::store::apps::{self, StoredApp};
use keyback_core::time::Clock as _;
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

/// The same challenge as in RFC 7636 appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

struct Asked<'a> {
    app: &'a TestApp,
    method: Method,
    host: String,
    query: String,
    cookie: Option<String>,
}

impl<'a> Asked<'a> {
    fn new(app: &'a TestApp, more: &str) -> Self {
        let redirect_uri = app.site.at("/callback");
        Self {
            app,
            method: Method::GET,
            host: app.url.authority().to_owned(),
            query: format!(
                "client_id=shop&redirect_uri={redirect_uri}&response_type=code&scope=openid+email&state=s&nonce=n\
                 &code_challenge={CHALLENGE}&code_challenge_method=S256{more}"
            ),
            cookie: None,
        }
    }

    fn request(&self) -> Request<Body> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(format!("/oidc/auth?{}", self.query))
            .header(header::HOST, &self.host);
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        request.body(Body::empty()).unwrap()
    }

    /// What is answered without waiting, if anything is.
    fn at_once(&self) -> Option<(StatusCode, HeaderMap)> {
        let answer = pages::router(&self.app.companion).at_once(&self.request())?;
        Some((answer.status(), answer.headers().clone()))
    }

    /// What is answered by the way of all requests.
    async fn in_time(&self) -> (StatusCode, HeaderMap) {
        let peer = ([127, 0, 0, 1], 9).into();
        let answer = pages::router(&self.app.companion)
            .answer(self.request(), peer)
            .await;
        (answer.status(), answer.headers().clone())
    }
}

/// Names and values in order, with what is drawn for each request left out.
fn shape(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        let value = value.to_str().unwrap();
        let known = match *name {
            header::LOCATION => value.split_once("?i=").unwrap().0.to_owned(),
            header::SET_COOKIE => {
                let (pair, attributes) = value.split_once(';').unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                format!("{} {};{attributes}", &name[..6], value.is_empty())
            }
            _ => value.to_owned(),
        };
        all.entry(name.to_string()).or_default().push(known);
    }
    all
}

#[tokio::test]
async fn an_authorization_request_that_is_answered_at_once_is_answered_as_any() {
    let app = TestApp::start().await;
    for more in [
        "",
        "&first_screen=reset-password&prompt=login",
        "&first_screen=reset-password&one_time_token=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&login_hint=ada%40example.com",
        "&prompt=consent&max_age=5&ui_locales=de&login_hint=ada%40example.com",
        "&response_mode=form_post&claims=%7B%22userinfo%22%3A%7B%22name%22%3Anull%7D%7D",
    ] {
        for cookies in 0..6 {
            let mut asked = Asked::new(&app, more);
            // Of several waiting requests in one browser the oldest go.
            let waiting: Vec<_> = (0..cookies).map(|n| format!("kb_ix_{n}=x")).collect();
            asked.cookie = Some(waiting.join("; ")).filter(|cookie| !cookie.is_empty());
            let (status, headers) = asked.at_once().expect(more);
            let (other_status, other_headers) = asked.in_time().await;
            assert_eq!(
                (status, other_status),
                (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER)
            );
            assert_eq!(shape(&headers), shape(&other_headers), "{more} beside {cookies}");
        }
    }
}

/// An app of the store may be changed by another process, and then is another within a second. Nobody gets a code by what
/// was true before: who comes back from the pages is answered by the app that is there then.
#[tokio::test]
async fn an_app_of_the_store_begins_sign_ins_at_once_for_a_second_after_it_was_read() {
    let app = TestApp::start().await;
    let stored = StoredApp {
        config: AppConfig {
            redirect_uris: vec![app.site.at("/callback").as_str().parse().unwrap()],
            ..AppConfig::new("books", AppKind::Web)
        },
        secret_digest: None,
    };
    apps::add(app.companion.store.writer(), &stored, app.clock.now())
        .await
        .unwrap();
    let plain = Asked::new(&app, "");
    let asked = Asked {
        query: plain.query.replace("client_id=shop", "client_id=books"),
        ..plain
    };
    assert!(asked.at_once().is_none(), "nobody has read it yet");
    let (status, headers) = asked.in_time().await;
    let (status_at_once, headers_at_once) = asked.at_once().expect("it was read just now");
    assert_eq!(
        (status, status_at_once),
        (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER)
    );
    assert_eq!(shape(&headers), shape(&headers_at_once));

    app.advance(Duration::from_millis(999));
    assert!(asked.at_once().is_some());
    app.advance(Duration::from_millis(1));
    assert!(asked.at_once().is_none());

    let mut tx = app.companion.store.begin().await.unwrap();
    assert!(apps::remove(&mut tx, "books").await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(asked.in_time().await.0, StatusCode::BAD_REQUEST);
    assert!(asked.at_once().is_none(), "it is known to be gone");
}

/// Only what nothing has to be looked up for, and what nothing speaks against, has the shorter way: there is one place that
/// refuses.
#[tokio::test]
async fn what_must_be_looked_up_or_is_refused_goes_the_way_of_all_requests() {
    let app = TestApp::start().await;
    let large = format!("&login_hint={}", "x".repeat(1_500));
    let too_long = format!("&state={}", "x".repeat(17_000));
    for more in [
        "&prompt=none",
        "&prompt=unknown",
        "&id_token_hint=x",
        "&request_uri=urn:ietf:params:oauth:request_uri:x",
        "&request=x",
        "&state=twice",
        "&first_screen=unknown",
        "&max_age=soon",
        "&client_id=another",
        "&login_hint=%00",
        "&login_hint=%ff",
        &large,
        &too_long,
    ] {
        assert!(Asked::new(&app, more).at_once().is_none(), "{more}");
    }
    let plain = Asked::new(&app, "");
    let without = |part: &str| Asked {
        query: plain.query.replace(part, ""),
        ..Asked::new(&app, "")
    };
    for part in ["client_id=shop&", "response_type=code&", "scope=openid+email&"] {
        assert!(without(part).at_once().is_none(), "without {part}");
    }
    let foreign = Asked {
        query: plain.query.replace("/callback", "/callback/x"),
        ..Asked::new(&app, "")
    };
    let posted = Asked {
        method: Method::POST,
        ..Asked::new(&app, "")
    };
    // Another name than one's own is refused before anything is looked at.
    let elsewhere = Asked {
        host: "elsewhere.example".to_owned(),
        ..Asked::new(&app, "")
    };
    let signed_in = Asked {
        cookie: Some("kb_session=x".to_owned()),
        ..Asked::new(&app, "")
    };
    for asked in [foreign, posted, elsewhere, signed_in] {
        assert!(asked.at_once().is_none(), "{} {}", asked.method, asked.query);
    }
}
