//! Providers that are slow, failing or lying: visitors see nothing of it, operators are told, and nothing is sent
//! twice that need not be.

use std::time::Duration;

use keyback_companion::config::Config;
use keyback_core::time::Clock as _;
use keyback_tests::{ADA, Behaviour, MessageProvider, OLD_PASSWORD, TestApp, eventually};
use serde_json::Value;

use super::{NOBODYS, PHONE, ask, code_of, mail_over_http, message, over_http, over_twilio, with_phone};

/// What an endpoint of the operator's own carries. Troubles are the same with both.
#[derive(Clone, Copy, Debug)]
enum Carried {
    Texts,
    Mails,
}

impl Carried {
    const BOTH: [Self; 2] = [Self::Texts, Self::Mails];

    /// An app whose account is reached by such an endpoint.
    async fn by(self, endpoint: &MessageProvider) -> TestApp {
        match self {
            Self::Texts => with_phone(|config: &mut Config| over_http(config, endpoint)).await,
            Self::Mails => {
                let app = TestApp::with(|config| mail_over_http(config, endpoint)).await;
                app.add_user(ADA, Some(OLD_PASSWORD)).await;
                app
            }
        }
    }

    /// What the account's owner types.
    fn known(self) -> &'static str {
        match self {
            Self::Texts => PHONE,
            Self::Mails => ADA,
        }
    }

    fn unknown(self) -> &'static str {
        match self {
            Self::Texts => NOBODYS,
            Self::Mails => "eve@example.com",
        }
    }
}

/// What a visitor is shown after asking for a code and after a wrong one, without what is random.
pub(super) async fn shown(app: &TestApp, typed: &str) -> Vec<(u16, String)> {
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(typed).await;
    let mut shown = vec![(browser.page().status, browser.page().text())];
    browser.enter_code("000000").await;
    shown.push((browser.page().status, browser.page().text()));
    shown
        .into_iter()
        .map(|(status, text)| (status, text.replace("0199", "0123").replace("eve@", "ada@")))
        .collect()
}

/// The job that waits after so many tries: when it is due in milliseconds from now, and why it failed.
pub(super) async fn failed_job(app: &TestApp, tries: i64) -> (i64, String) {
    let (run_at, error): (i64, String) = eventually("a failure", async || {
        // While it is tried it is leased.
        sqlx::query_as("SELECT run_at, last_error FROM jobs WHERE attempts = $1 AND lease_until = 0 AND last_error IS NOT NULL")
            .bind(tries)
            .fetch_optional(app.companion.store.reader())
            .await
            .unwrap()
    })
    .await;
    (run_at - app.clock.now().as_millis(), error)
}

async fn jobs_left(app: &TestApp) -> i64 {
    app.row_counts().await["jobs"]
}

/// SR-87, SR-34: whatever the provider does, known and unknown numbers are answered alike, and as on a good day.
#[tokio::test]
async fn sr87_no_trouble_of_a_provider_shows_on_a_page() {
    let elsewhere = MessageProvider::start(Behaviour::Takes).await;
    let healthy = MessageProvider::start(Behaviour::Takes).await;
    let app = with_phone(|config| over_twilio(config, &healthy)).await;
    let good_day = shown(&app, PHONE).await;
    assert_eq!(good_day, shown(&app, NOBODYS).await);
    for behaviour in [
        Behaviour::Mute,
        Behaviour::HangsUp,
        Behaviour::Babbles,
        Behaviour::Endless,
        Behaviour::Redirects(elsewhere.url.clone()),
        Behaviour::Says(200, "", "<html>a portal of the network</html>"),
        Behaviour::Says(
            400,
            "",
            r#"{"code":21211,"message":"The 'To' number +14155550123 is not valid"}"#,
        ),
        Behaviour::Says(401, "", r#"{"code":20003,"message":"Authenticate"}"#),
        Behaviour::Says(500, "", ""),
    ] {
        let troubled = MessageProvider::start(behaviour.clone()).await;
        let app = with_phone(|config| over_twilio(config, &troubled)).await;
        assert_eq!(shown(&app, PHONE).await, good_day, "{behaviour:?}");
        assert_eq!(shown(&app, NOBODYS).await, good_day, "{behaviour:?}");
        // Only the known number was ever handed over.
        for asked in troubled.messages() {
            assert_eq!(asked.form()["To"], PHONE, "{behaviour:?}");
        }
    }
    // A redirect is not followed: the code stays where the operator said.
    assert!(elsewhere.asked().is_empty());
}

/// SR-87, SR-34: the same of an endpoint of the operator's own, and of mails.
#[tokio::test]
async fn sr87_no_trouble_of_an_endpoint_shows_on_a_page() {
    for carried in Carried::BOTH {
        let elsewhere = MessageProvider::start(Behaviour::Takes).await;
        let healthy = MessageProvider::start(Behaviour::Takes).await;
        let app = carried.by(&healthy).await;
        let good_day = shown(&app, carried.known()).await;
        assert_eq!(good_day, shown(&app, carried.unknown()).await);
        for behaviour in [
            Behaviour::Mute,
            Behaviour::HangsUp,
            Behaviour::Endless,
            Behaviour::Redirects(elsewhere.url.clone()),
            Behaviour::Says(401, "", r#"{"message":"who is ada@example.com"}"#),
            Behaviour::Says(500, "", ""),
        ] {
            let troubled = MessageProvider::start(behaviour.clone()).await;
            let app = carried.by(&troubled).await;
            for typed in [carried.known(), carried.unknown()] {
                assert_eq!(shown(&app, typed).await, good_day, "{carried:?} {behaviour:?}");
            }
            for asked in troubled.messages() {
                let body: Value = serde_json::from_str(&asked.body).unwrap();
                assert_eq!(body["to"], carried.known(), "{behaviour:?}");
            }
        }
        assert!(elsewhere.asked().is_empty(), "{carried:?}");
    }
}

#[tokio::test]
async fn sr34_what_passes_is_tried_again_with_the_same_code_and_id_when_the_provider_asks_to() {
    let twilio = MessageProvider::start(Behaviour::Says(
        429,
        "retry-after: 45",
        r#"{"code":20429,"message":"Too many requests to +1 415 555 0123, code 123456"}"#,
    ))
    .await;
    let app = with_phone(|config| over_twilio(config, &twilio)).await;
    let (mut browser, first) = ask(&app, PHONE, &twilio).await;
    let (wait, error) = failed_job(&app, 1).await;
    // Two seconds would be our own pause.
    assert_eq!(wait, 45_000);
    assert_eq!(
        error,
        "Twilio answered 429, error 20429: Too many requests to [number], code [number]; it asks to come back in 45 s"
    );
    twilio.behave(Behaviour::Takes);
    app.advance(Duration::from_secs(44));
    assert_eq!(twilio.messages().len(), 1);
    app.advance(Duration::from_secs(1));
    let second = message(&twilio, 2).await;
    assert_eq!(
        second.headers["idempotency-key"],
        first.headers["idempotency-key"]
    );
    let (before, after) = (first.form(), second.form());
    assert_eq!(code_of(&before["Body"]), code_of(&after["Body"]));
    // What is left of the code's time.
    assert_eq!(after["ValidityPeriod"], "555");
    app.settle().await;
    assert_eq!(jobs_left(&app).await, 0);
    browser.enter_code(&code_of(&after["Body"])).await;
    browser.assert_at("/forgot-password/password");
}

/// The same of an endpoint of the operator's own; what it says is told without the person and the code (SR-31).
#[tokio::test]
async fn sr34_an_endpoint_that_asks_to_wait_gets_the_same_code_and_id_then() {
    for (carried, whom) in [
        (Carried::Texts, "the SMS endpoint"),
        (Carried::Mails, "the e-mail endpoint"),
    ] {
        let endpoint = MessageProvider::start(Behaviour::Says(
            429,
            "retry-after: 45",
            "too many to ada@example.com or +14155550123,\ncode 123456",
        ))
        .await;
        let app = carried.by(&endpoint).await;
        let (mut browser, first) = ask(&app, carried.known(), &endpoint).await;
        let (wait, error) = failed_job(&app, 1).await;
        assert_eq!(wait, 45_000, "{carried:?}");
        let (mail, number) = match carried {
            Carried::Texts => ("[address]", "[recipient],"),
            Carried::Mails => ("[recipient]", "[number],"),
        };
        assert_eq!(
            error,
            format!(
                "{whom} answered 429: too many to {mail} or {number} code [number]; it asks to come back in 45 s"
            )
        );
        endpoint.behave(Behaviour::Says(204, "", ""));
        app.advance(Duration::from_secs(45));
        let second = message(&endpoint, 2).await;
        assert_eq!(
            second.headers["idempotency-key"],
            first.headers["idempotency-key"]
        );
        let code = |body: &str| serde_json::from_str::<Value>(body).unwrap()["payload"]["code"].clone();
        assert_eq!(code(&first.body), code(&second.body));
        app.settle().await;
        assert_eq!(jobs_left(&app).await, 0, "{carried:?}");
        browser.enter_code(code(&second.body).as_str().unwrap()).await;
        browser.assert_at("/forgot-password/password");
    }
}

/// A wrong address, key or template is the operator's to mend, and no status of an endpoint tells it from a number that is none.
#[tokio::test]
async fn sr59_what_an_endpoint_refuses_waits_until_the_operator_has_mended_it() {
    for carried in Carried::BOTH {
        for status in [400, 403, 404, 422] {
            let endpoint = MessageProvider::start(Behaviour::Says(status, "", "no")).await;
            let app = carried.by(&endpoint).await;
            ask(&app, carried.known(), &endpoint).await;
            let (wait, error) = failed_job(&app, 1).await;
            assert_eq!(wait, 2_000, "{carried:?} {status}");
            assert!(
                error.contains(&format!("endpoint answered {status}: no")),
                "{error}"
            );
            endpoint.behave(Behaviour::Says(204, "", ""));
            app.advance(Duration::from_secs(2));
            message(&endpoint, 2).await;
            app.settle().await;
            assert_eq!(jobs_left(&app).await, 0, "{carried:?} {status}");
        }
    }
}

#[tokio::test]
async fn a_number_that_twilio_refuses_for_good_is_not_tried_again() {
    for (status, body) in [
        (400, r#"{"code":21211,"message":"invalid"}"#),
        (400, r#"{"code":21610,"message":"unsubscribed"}"#),
        (400, r#"{"code":21614,"message":"no mobile number"}"#),
        (201, r#"{"sid":"SM1","status":"failed","error_code":30006}"#),
    ] {
        let twilio = MessageProvider::start(Behaviour::Says(status, "", body)).await;
        let app = with_phone(|config| over_twilio(config, &twilio)).await;
        ask(&app, PHONE, &twilio).await;
        app.settle().await;
        assert_eq!(jobs_left(&app).await, 0, "{status} {body}");
        assert_eq!(twilio.messages().len(), 1, "{status} {body}");
    }
}

/// A key that was changed at Twilio, an account that is not there, a region or a sender that may not be used: all are the
/// operator's to mend, and nobody's message is lost by them.
#[tokio::test]
async fn sr59_a_message_waits_while_twilio_refuses_what_is_not_about_the_number() {
    for (status, body, told) in [
        (
            401,
            r#"{"code":20003,"message":"Authenticate"}"#,
            "compare its credentials with the provider's",
        ),
        (404, "", "compare [sms] account_sid and endpoint with Twilio's"),
        (
            403,
            r#"{"code":20003,"message":"Permission Denied"}"#,
            "Permission Denied; compare its address and what its key may do",
        ),
        (
            400,
            r#"{"code":21408,"message":"not in this region"}"#,
            "not in this region",
        ),
        (
            201,
            r#"{"sid":"SM1","status":"failed","error_code":30007}"#,
            "failed it with error 30007",
        ),
    ] {
        let twilio = MessageProvider::start(Behaviour::Says(status, "", body)).await;
        let app = with_phone(|config| over_twilio(config, &twilio)).await;
        ask(&app, PHONE, &twilio).await;
        let (wait, error) = failed_job(&app, 1).await;
        assert_eq!(wait, 2_000, "{error}");
        assert!(error.contains(told), "{error}");
        twilio.behave(Behaviour::Takes);
        app.advance(Duration::from_secs(2));
        message(&twilio, 2).await;
        app.settle().await;
        assert_eq!(jobs_left(&app).await, 0, "{status} {body}");
    }
}

/// To send it again would be to send it twice.
#[tokio::test]
async fn what_twilio_took_is_sent_once_whatever_it_says_of_it() {
    for body in ["", "<html>", r#"{"sid":7}"#, r#"{"status":"queued"}"#] {
        let twilio = MessageProvider::start(Behaviour::Says(201, "", body)).await;
        let app = with_phone(|config| over_twilio(config, &twilio)).await;
        ask(&app, PHONE, &twilio).await;
        app.settle().await;
        assert_eq!((jobs_left(&app).await, twilio.messages().len()), (0, 1), "{body}");
    }
    let between = MessageProvider::start(Behaviour::Says(200, "", "<html>")).await;
    let app = with_phone(|config| over_twilio(config, &between)).await;
    ask(&app, PHONE, &between).await;
    let (_, error) = failed_job(&app, 1).await;
    assert!(error.contains("without the sid"), "{error}");
}

#[tokio::test]
async fn what_may_pass_waits_longer_each_time() {
    for carried in Carried::BOTH {
        let elsewhere = MessageProvider::start(Behaviour::Takes).await;
        for (behaviour, passes) in [
            (Behaviour::HangsUp, true),
            (Behaviour::Babbles, true),
            (Behaviour::Mute, true),
            (Behaviour::Says(503, "", "away"), true),
            (Behaviour::Redirects(elsewhere.url.clone()), true),
            // The message was taken: what the answer goes on to say is nobody's business.
            (Behaviour::Endless, false),
        ] {
            let endpoint = MessageProvider::start(behaviour.clone()).await;
            let app = carried.by(&endpoint).await;
            ask(&app, carried.known(), &endpoint).await;
            if passes {
                let (wait, error) = failed_job(&app, 1).await;
                assert_eq!(wait, 2_000, "{carried:?} {behaviour:?}: {error}");
                assert!(error.contains("endpoint"), "{error}");
                app.advance(Duration::from_secs(2));
                message(&endpoint, 2).await;
                assert_eq!(failed_job(&app, 2).await.0, 4_000, "{carried:?} {behaviour:?}");
            } else {
                app.settle().await;
                assert_eq!(
                    (jobs_left(&app).await, endpoint.messages().len()),
                    (0, 1),
                    "{carried:?} {behaviour:?}"
                );
            }
        }
        assert!(elsewhere.asked().is_empty());
    }
}

/// A slow provider slows no page: the answer is there before the provider's.
#[tokio::test]
async fn sr02_a_slow_provider_slows_no_page() {
    for carried in Carried::BOTH {
        let endpoint = MessageProvider::start(Behaviour::Mute).await;
        let app = carried.by(&endpoint).await;
        let (browser, _) = ask(&app, carried.known(), &endpoint).await;
        browser.assert_status(200);
        assert_eq!(jobs_left(&app).await, 1, "the provider still has it");
    }
}
