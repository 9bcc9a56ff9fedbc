//! Bodies of calls, made at random and by changing sound ones at random, from callers who may make the call: whatever comes,
//! the answer is a success or the refusal that the API documents, and no fault of ours. SR-10.

mod changes;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use keyback_companion::store::users::NewUser;
use keyback_tests::{ADA, Browser, OLD_PASSWORD, TestApp, counts, tell};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use reqwest::{Method, header};
use serde_json::Value;

use crate::api::account::sign_in;
use crate::api::{BACKEND, machine_token, with_backend};
use changes::change;

/// Every route of the APIs that takes a body, with a body that it takes. `{user}` and `{token}` are an account's id, and a token's.
const ROUTES: [(&str, &str, Caller, &str); 16] = {
    use Caller::{Machine, Person};
    [
        (
            "POST",
            "/api/users",
            Machine,
            r#"{"primaryEmail":"new@example.com","primaryPhone":"14155550177","username":"newcomer","name":"New","avatar":null,
                "profile":{"givenName":"N","address":{"country":"US"}},"customData":{},"password":"a pair of new shoelaces"}"#,
        ),
        (
            "PATCH",
            "/api/users/{user}",
            Machine,
            r#"{"username":"bob","name":"Bob","profile":{"website":"https://bob.example/","birthdate":"1990-01-02"}}"#,
        ),
        (
            "PATCH",
            "/api/users/{user}/is-suspended",
            Machine,
            r#"{"isSuspended":false}"#,
        ),
        (
            "PATCH",
            "/api/users/{user}/password",
            Machine,
            r#"{"password":"a pair of new shoelaces"}"#,
        ),
        (
            "POST",
            "/api/users/{user}/password/verify",
            Machine,
            r#"{"password":"a pair of new shoelaces"}"#,
        ),
        (
            "PATCH",
            "/api/users/{user}/password/expiration",
            Machine,
            r#"{"isExpired":false}"#,
        ),
        (
            "POST",
            "/api/one-time-tokens",
            Machine,
            r#"{"email":"bob@example.com","expiresIn":600,"context":{"interactionEvent":"ForgotPassword"}}"#,
        ),
        (
            "PUT",
            "/api/one-time-tokens/{token}/status",
            Machine,
            r#"{"status":"revoked"}"#,
        ),
        (
            "POST",
            "/api/one-time-tokens/verify",
            Machine,
            r#"{"token":"abcdefghijklmnopqrstuvwxyz012345","email":"bob@example.com"}"#,
        ),
        (
            "POST",
            "/api/verification-codes",
            Machine,
            r#"{"email":"bob@example.com"}"#,
        ),
        (
            "POST",
            "/api/verification-codes/verify",
            Machine,
            r#"{"email":"bob@example.com","verificationCode":"123456"}"#,
        ),
        (
            "POST",
            "/api/sign-in-exp/default/check-password",
            Machine,
            r#"{"password":"a pair of new shoelaces","userId":"{user}"}"#,
        ),
        (
            "POST",
            "/api/my-account/password",
            Person,
            r#"{"password":"a pair of new shoelaces"}"#,
        ),
        (
            "POST",
            "/api/verifications/password",
            Person,
            r#"{"password":"violet otter paddles"}"#,
        ),
        (
            "POST",
            "/api/verifications/verification-code",
            Person,
            r#"{"identifier":{"type":"email","value":"ada@example.com"}}"#,
        ),
        (
            "POST",
            "/api/verifications/verification-code/verify",
            Person,
            r#"{"identifier":{"type":"email","value":"ada@example.com"},"verificationId":"x","code":"123456"}"#,
        ),
    ]
};

/// Who may make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Machine,
    Person,
}

/// What a route made of the bodies that came.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    not_read: usize,
    read: usize,
    done: usize,
}

/// The answers to one body: nothing but a success, or a refusal in the form of all of them.
fn judge(status: u16, body: &[u8], tally: &mut Tally, told: &str) {
    if (200..300).contains(&status) {
        tally.read += 1;
        tally.done += 1;
        return;
    }
    assert!((400..500).contains(&status), "{status}: {told}");
    assert!(
        !matches!(status, 401 | 403 | 404 | 405 | 429) || is_about_the_body(status, told),
        "{status}: {told}"
    );
    let refusal: BTreeMap<String, Value> =
        serde_json::from_slice(body).unwrap_or_else(|_| panic!("{status}: {told}"));
    // The one answer of another form, as Logto's (`password_check.rs`).
    if told.contains("/check-password") && refusal.get("result") == Some(&Value::Bool(false)) {
        assert!(refusal["issues"].is_array(), "{refusal:?}: {told}");
        tally.read += 1;
        return;
    }
    assert!(
        refusal["code"].as_str().is_some_and(|code| code.contains('.')),
        "{refusal:?}: {told}"
    );
    let message = refusal["message"].as_str().unwrap_or_default();
    assert!(!message.is_empty(), "{refusal:?}: {told}");
    assert!(
        refusal
            .keys()
            .all(|name| matches!(name.as_str(), "code" | "message" | "data")),
        "{refusal:?}: {told}"
    );
    if message.starts_with("The body is not a JSON object") {
        tally.not_read += 1;
    } else {
        tally.read += 1;
    }
}

/// Calls that name something in their body may not find it, and a change asks for a verification that none of these has.
fn is_about_the_body(status: u16, told: &str) -> bool {
    match status {
        404 => ["one-time-tokens", "check-password"]
            .iter()
            .any(|route| told.contains(route)),
        401 => told.contains("/my-account/password"),
        _ => false,
    }
}

/// A caller, and what the routes' names stand for.
struct World {
    app: TestApp,
    http: reqwest::Client,
    machine: String,
    person: String,
    user: String,
    _browser: Browser,
}

impl World {
    async fn start() -> Self {
        let app = with_backend(|config| config.limits.factor = 100_000).await;
        app.add_user(ADA, Some(OLD_PASSWORD)).await;
        let bob = NewUser {
            email: Some("bob@example.com".to_owned()),
            verified: true,
            ..NewUser::default()
        };
        let user = app.add(bob, Some(OLD_PASSWORD)).await;
        let (browser, session) = sign_in(&app).await;
        Self {
            machine: machine_token(&app, BACKEND).await,
            person: session.access_token().to_owned(),
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(20))
                .build()
                .unwrap(),
            app,
            user,
            _browser: browser,
        }
    }

    /// One more token for Bob's address.
    async fn one_time_token(&self) -> String {
        let request = self
            .http
            .post(self.app.url.join("/api/one-time-tokens").unwrap())
            .bearer_auth(&self.machine)
            .header(header::CONTENT_TYPE, "application/json")
            .body(r#"{"email":"bob@example.com"}"#);
        let token: Value =
            serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
        token["id"].as_str().unwrap().to_owned()
    }

    async fn send(&self, method: &str, path: &str, caller: Caller, body: Vec<u8>) -> (u16, Vec<u8>) {
        let token = match caller {
            Caller::Machine => &self.machine,
            Caller::Person => &self.person,
        };
        let request = self
            .http
            .request(
                method.parse::<Method>().unwrap(),
                self.app.url.join(path).unwrap(),
            )
            .bearer_auth(token)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        let response = request.send().await.unwrap();
        (
            response.status().as_u16(),
            response.bytes().await.unwrap().to_vec(),
        )
    }
}

/// The routes that the router knows to take a body: those that are posted, patched or put to.
#[test]
fn no_route_that_takes_a_body_is_left_out() {
    let source = include_str!("../../../../companion/src/api/mod.rs");
    let of = |method: &str| source.matches(&format!("{method}(")).count();
    assert_eq!(of("post") + of("patch") + of("put"), ROUTES.len());
}

#[tokio::test]
async fn sr10_whatever_json_a_caller_sends_is_done_or_refused_in_the_apis_own_form() {
    let world = World::start().await;
    let mut runner = TestRunner::deterministic();
    let changes = change();
    let rounds = counts(150, 2_000);
    let (mut all, mut slowest) = (Tally::default(), Duration::ZERO);
    for (method, path, caller, sound) in ROUTES {
        let mut tally = Tally::default();
        let token = world.one_time_token().await;
        let named = |text: &str| text.replace("{user}", &world.user).replace("{token}", &token);
        let (path, sound) = (named(path), named(sound));
        for _ in 0..rounds {
            let change = changes.new_tree(&mut runner).unwrap().current();
            let body = change.of(&sound);
            let told = format!(
                "{method} {path}: {}",
                String::from_utf8_lossy(&body[..body.len().min(300)])
            );
            let began = Instant::now();
            let (status, answer) = world.send(method, &path, caller, body).await;
            slowest = slowest.max(began.elapsed());
            judge(status, &answer, &mut tally, &told);
        }
        // Both happened: bodies came to what reads their members, and did not.
        assert!(
            tally.read * 10 >= rounds && tally.not_read * 10 >= rounds,
            "{method} {path}: {tally:?}"
        );
        all = Tally {
            not_read: all.not_read + tally.not_read,
            read: all.read + tally.read,
            done: all.done + tally.done,
        };
    }
    tell(&format!(
        "random JSON to {} routes of the APIs: {} bodies, {} refused by the parser, {} read and {} of them done; the slowest took {} ms",
        ROUTES.len(),
        all.not_read + all.read,
        all.not_read,
        all.read,
        all.done,
        slowest.as_millis()
    ));
}

/// The one parameter of an authorization request that is JSON (OIDC Core 5.5).
#[tokio::test]
async fn sr10_whatever_claims_are_asked_for_the_answer_is_no_fault_of_ours() {
    let app = TestApp::start().await;
    let mut runner = TestRunner::deterministic();
    let changes = change();
    let sound = r#"{"userinfo":{"email":{"essential":true},"name":null},"id_token":{"auth_time":{"essential":true},"acr":{"values":["0"]}}}"#;
    let redirect_uri = app.site.at("/callback");
    let (mut refused, mut taken) = (0, 0);
    for _ in 0..counts(300, 5_000) {
        let claims = changes.new_tree(&mut runner).unwrap().current().of(sound);
        let mut request = app.url.join("/oidc/auth").unwrap();
        let challenge = "c".repeat(43);
        request.query_pairs_mut().extend_pairs([
            ("client_id", "shop"),
            ("response_type", "code"),
            ("scope", "openid"),
            ("redirect_uri", redirect_uri.as_str()),
            ("state", "s"),
            ("nonce", "n"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ]);
        let claims: String = url::form_urlencoded::byte_serialize(&claims).collect();
        let request = format!("{request}&claims={claims}");
        let page = app.browser().get_once(&request).await;
        assert!(
            matches!(page.status, 302 | 303 | 400 | 414 | 431),
            "{}: {request}",
            page.status
        );
        // Told to the app, or to the person, or led on to sign in.
        match page.location() {
            Some(to) if to.path() == "/sign-in" => taken += 1,
            _ => refused += 1,
        }
    }
    assert!(taken > 20 && refused > 20, "{taken} taken, {refused} refused");
}
