//! What no browser of a well-meaning person sends. Every answer is a page with its status and its guards, and nothing
//! is written.

use std::collections::BTreeMap;

use keyback_tests::{ADA, Browser, Form, OLD_PASSWORD, Page, Tells, TestApp, wire};
use reqwest::Method;
use url::Url;

const FORM: &str = "application/x-www-form-urlencoded";

/// A companion, and what its store held before.
struct Watched {
    app: TestApp,
    rows: BTreeMap<String, i64>,
    http: reqwest::Client,
}

/// A request as it shall be sent.
struct Raw<'a> {
    method: Method,
    path: &'a str,
    content_type: Option<&'a str>,
    body: Vec<u8>,
}

impl Watched {
    async fn start() -> Self {
        let app = TestApp::start().await;
        app.add_user(ADA, Some(OLD_PASSWORD)).await;
        let rows = app.row_counts().await;
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .resolve("localhost", ([127, 0, 0, 1], 0).into())
            .build()
            .unwrap();
        Self { app, rows, http }
    }

    async fn send(&self, raw: Raw<'_>) -> Page {
        let url = Url::parse(&format!(
            "{}{}",
            self.app.url.as_str().trim_end_matches('/'),
            raw.path
        ))
        .unwrap();
        let mut request = self.http.request(raw.method, url.clone()).body(raw.body);
        request = request.header("sec-fetch-site", "same-origin");
        if let Some(content_type) = raw.content_type {
            request = request.header("content-type", content_type);
        }
        let response = request.send().await.unwrap();
        Page {
            url,
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Page {
        self.send(Raw {
            method: Method::GET,
            path,
            content_type: None,
            body: Vec::new(),
        })
        .await
    }

    async fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Page {
        self.send(Raw {
            method: Method::POST,
            path,
            content_type: Some(FORM),
            body: body.into(),
        })
        .await
    }

    /// Nothing was written: every table holds what it held.
    async fn assert_untouched(&self) {
        assert_eq!(self.app.row_counts().await, self.rows);
    }
}

/// A page of our design, with its status and every guard.
#[track_caller]
fn assert_refused(page: &Page, status: u16) {
    assert_eq!(page.status, status, "{}: {}", page.url, page.text());
    page.assert_guarded();
    assert_eq!(
        page.header("content-type"),
        "text/html; charset=utf-8",
        "{}",
        page.url
    );
    assert!(page.body.contains("<!doctype html>") && page.text_of("h1").is_some());
    // SR-68: no word of what is inside.
    for word in ["panick", "sqlx", "src/", "Error {"] {
        assert!(!page.body.contains(word), "{word}: {}", page.text());
    }
}

const FORMS: [&str; 6] = [
    "/sign-in",
    "/forgot-password",
    "/forgot-password/code",
    "/forgot-password/code/resend",
    "/forgot-password/password",
    "/account/password",
];

#[tokio::test]
async fn sr10_forms_that_are_no_forms() {
    let watched = Watched::start().await;
    for path in FORMS {
        let bodies: [&[u8]; 6] = [
            b"identifier=a%40b.example&identifier=c%40d.example&code=1&password=x",
            b"code=123456&code=123456",
            b"identifier=ada%40example.com%00",
            b"password=%00",
            b"identifier=%ff%fe",
            b"identifier[]=a&identifier[]=b",
        ];
        for body in bodies {
            assert_refused(&watched.post(path, body).await, 400);
        }
        assert_refused(&watched.post(path, b"\xff\xfe=\x80".as_slice()).await, 400);
        for content_type in [
            None,
            Some("application/json"),
            Some("multipart/form-data; boundary=x"),
            Some("text/plain"),
        ] {
            let page = watched
                .send(Raw {
                    method: Method::POST,
                    path,
                    content_type,
                    body: b"identifier=ada%40example.com".to_vec(),
                })
                .await;
            assert_refused(&page, 400);
        }
    }
    watched.assert_untouched().await;
}

#[tokio::test]
async fn sr10_fields_by_other_names_are_no_identifier() {
    let watched = Watched::start().await;
    for body in [
        "identifier[]=ada%40example.com",
        "identifier[email]=ada%40example.com",
        "email=ada%40example.com",
        "Identifier=ada%40example.com",
        "",
        "&&&",
        "=",
    ] {
        let page = watched.post("/forgot-password", body).await;
        assert_eq!(page.status, 422, "{body}");
        page.assert_guarded();
    }
    for (sent, shown) in [
        ("%7B%22email%22%3A%22ada%40example.com%22%7D", "&#34;"),
        ("ada%40example.com%0D%0ABcc%3A%20eve%40example.com", ""),
        ("ada%40example.com%2Ceve%40example.com", ""),
        ("%22Ada%22%20%3Cada%40example.com%3E", "&#60;"),
        ("%3Cscript%3Ealert(1)%3C%2Fscript%3E", "&#60;script"),
        ("+1-not-a-number", ""),
    ] {
        let page = watched
            .post("/forgot-password", format!("identifier={sent}"))
            .await;
        assert_eq!(page.status, 422, "{sent}");
        assert!(
            page.text().contains("That doesn’t look like an e-mail address"),
            "{sent}"
        );
        // SR-70: what was typed is shown again, and is text.
        assert!(page.body.contains(shown), "{sent}");
        assert!(!page.body.contains("<script>alert"), "{sent}");
    }
    let long = format!("identifier={}%40example.com", "a".repeat(300));
    assert_eq!(watched.post("/forgot-password", long).await.status, 422);
    watched.assert_untouched().await;
}

#[tokio::test]
async fn queries_that_are_no_queries() {
    let watched = Watched::start().await;
    for path in [
        "/sign-in",
        "/forgot-password",
        "/forgot-password/code",
        "/forgot-password/password",
        "/forgot-password/done",
        "/account",
        "/account/password",
        "/reset-password",
        "/reset-password/callback",
        "/sign-out",
    ] {
        for query in ["i=1&i=2", "f=%ff", "to=%00", "client_id=a&client_id=b", "x=1&x=2"] {
            assert_refused(&watched.get(&format!("{path}?{query}")).await, 400);
        }
        // Strange, but harmless: no error, and never the server's fault.
        for query in [
            "",
            "%zz",
            "f[]=1&f[]x",
            "=",
            "&&",
            "i=%F0%9F%94%91",
            "client_id[]=shop",
        ] {
            let page = watched.get(&format!("{path}?{query}")).await;
            assert!(page.status < 500, "{path}?{query}: {}", page.status);
            page.assert_guarded();
        }
    }
    watched.assert_untouched().await;
}

#[tokio::test]
async fn a_body_of_a_mebibyte_is_too_much() {
    let watched = Watched::start().await;
    let body = format!("identifier={}", "a".repeat(1 << 20));
    for path in FORMS {
        assert_refused(&watched.post(path, body.clone()).await, 413);
    }
    // The provider's own endpoints answer in their own language.
    let token = watched.post("/oidc/token", body).await;
    assert!((400..500).contains(&token.status), "{}", token.status);
    assert_eq!(token.header("content-type"), "application/json");
    watched.assert_untouched().await;
}

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

#[tokio::test]
async fn methods_and_paths_that_are_not_there() {
    let watched = Watched::start().await;
    for path in FORMS {
        for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE] {
            let raw = Raw {
                method: method.clone(),
                path,
                content_type: None,
                body: Vec::new(),
            };
            assert_refused(&watched.send(raw).await, 405);
        }
    }
    for path in [
        "/account",
        "/reset-password",
        "/signed-out",
        "/forgot-password/done",
        "/",
    ] {
        assert_refused(&watched.post(path, "").await, 405);
    }
    for path in [
        "/no-such-page",
        "/sign-in/",
        "/SIGN-IN",
        "/forgot-password/..%2f..%2fetc%2fpasswd",
        "/.env",
        "/oidc",
        "/oidc/no-such-endpoint",
        "/healthz",
        "/metrics",
        "/%00",
        "/%ff",
    ] {
        assert_refused(&watched.get(path).await, 404);
    }
    // SR-29: asking with HEAD changes nothing, and has no body.
    for path in ["/sign-in", "/forgot-password"] {
        let raw = Raw {
            method: Method::HEAD,
            path,
            content_type: None,
            body: Vec::new(),
        };
        let page = watched.send(raw).await;
        assert_eq!((page.status, page.body.as_str()), (200, ""));
    }
    watched.assert_untouched().await;
}

#[tokio::test]
async fn sr07_only_the_own_name_is_answered() {
    let watched = Watched::start().await;
    let url = &watched.app.url;
    let port = url.port().unwrap();
    let get = async |host: &str| {
        let request = format!("GET /sign-in HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        wire::exchange(url, request.as_bytes()).await
    };
    assert_eq!(
        wire::status(&get(&format!("Host: localhost:{port}\r\n")).await),
        200
    );
    for host in [
        "Host: evil.example\r\n".to_owned(),
        format!("Host: 127.0.0.1:{port}\r\n"),
        "Host: localhost\r\n".to_owned(),
        format!("Host: localhost:{port}.evil.example\r\n"),
        format!("Host: evil.example\r\nX-Forwarded-Host: localhost:{port}\r\n"),
        format!("Host: localhost:{port}\r\nHost: evil.example\r\n"),
        format!("X-Forwarded-Host: localhost:{port}\r\n"),
        "Host: \r\n".to_owned(),
        String::new(),
    ] {
        let answer = get(&host).await;
        let status = wire::status(&answer);
        assert!(matches!(status, 400 | 421), "{host:?}: {answer}");
        assert!(!answer.contains("Sign in</h1>"), "{host:?}");
    }
    let foreign = get("Host: evil.example\r\n").await;
    assert_eq!(wire::status(&foreign), 421);
    assert!(foreign.contains("x-frame-options: DENY") && foreign.contains("content-security-policy: "));
    // HTTP/1.0 has no Host: refused, and never guessed (SR-7).
    let old = wire::exchange(url, b"GET /sign-in HTTP/1.0\r\n\r\n").await;
    assert_eq!(wire::status(&old), 421);
    watched.assert_untouched().await;
}

#[tokio::test]
async fn what_is_no_http_is_answered_without_harm() {
    let watched = Watched::start().await;
    let url = &watched.app.url;
    let port = url.port().unwrap();
    let head = format!(
        "POST /forgot-password HTTP/1.1\r\nHost: localhost:{port}\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\nContent-Type: {FORM}\r\n"
    );
    for request in [
        "nonsense\r\n\r\n".to_owned(),
        format!(
            "GET /{} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n",
            "a".repeat(80_000)
        ),
        format!(
            "GET / HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\nCookie: {}\r\n\r\n",
            "a=b; ".repeat(20_000)
        ),
        format!("{head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde"),
        format!("{head}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nzz\r\nno chunk"),
    ] {
        let answer = wire::exchange(url, request.as_bytes()).await;
        let status = wire::status(&answer);
        assert!(
            (400..500).contains(&status),
            "{status} to {}",
            &request[..request.len().min(60)]
        );
    }
    // And a proper request is served as before.
    assert_eq!(watched.get("/sign-in").await.status, 200);
    watched.assert_untouched().await;
}

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
async fn a_foreign_post_to_the_protocols_endpoints_is_led_to_their_get() {
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

#[tokio::test]
async fn sr67_every_page_of_the_way_is_guarded() {
    async fn guarded(browser: &Browser) {
        let page = browser.page();
        page.assert_guarded();
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("object-src 'none'") && policy.contains("form-action 'self'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(page.header("cache-control"), "no-store");
    }
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    for path in [
        "/sign-in",
        "/forgot-password",
        "/signed-out",
        "/dev/inbox",
        "/no-such-page",
    ] {
        browser.open(path).await;
        guarded(&browser).await;
    }
    browser.open(&app.site.at("/forgot-password")).await;
    guarded(&browser).await;
    browser.ask_reset(ADA).await;
    guarded(&browser).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    guarded(&browser).await;
    browser.choose_password(keyback_tests::NEW_PASSWORD).await;
    guarded(&browser).await;
    browser.click("Sign in").await;
    guarded(&browser).await;
    // The way back to the app, and no other origin.
    let policy = browser.page().header("content-security-policy");
    let shop = app.site.url.origin().ascii_serialization();
    assert!(
        policy.contains(&format!("form-action 'self' {shop};")),
        "{policy}"
    );
    browser.sign_in(ADA, keyback_tests::NEW_PASSWORD).await;
    for path in ["/account", "/account/password", "/sign-out"] {
        browser.open(path).await;
        guarded(&browser).await;
    }
}

#[tokio::test]
async fn sr68_when_the_database_fails_the_page_tells_a_number_and_no_cause() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    sqlx::query("ALTER TABLE reset_flows RENAME TO gone")
        .execute(app.companion.store.writer())
        .await
        .unwrap();
    browser.ask_reset(ADA).await;
    browser.assert_status(500);
    browser.page().assert_guarded();
    browser.assert_says("Something broke, and it’s our fault");
    assert!(browser.page().text_of("code").is_some_and(|id| id.len() >= 16));
    for word in ["reset_flows", "table", "SQL", "database"] {
        assert!(!browser.page().text().contains(word), "{word}");
    }
    // Nothing of it was half written: the transaction began with the flow.
    assert_eq!(app.row_counts().await["challenges"], 0);
    assert_eq!(app.row_counts().await["jobs"], 0);
}
