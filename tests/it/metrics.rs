//! `/metrics`: the funnel of resets, refusals, the outbox; and the dashboard that shows them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use keyback_companion::config::messages::EmailConnectorKind;
use keyback_tests::{
    ADA, Behaviour, Browser, MessageProvider, NEW_PASSWORD, OLD_PASSWORD, Tells, TestApp, eventually,
};
use serde_json::Value;

/// The samples of a scrape: name and labels, and the value.
pub(crate) struct Scraped {
    text: String,
    samples: BTreeMap<String, f64>,
}

impl Scraped {
    pub(crate) async fn of(app: &TestApp) -> Self {
        let page = Browser::at(&app.admin).get_once("/metrics").await;
        assert_eq!(page.status, 200);
        assert_eq!(
            page.header("content-type"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        );
        let samples = page
            .body
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let (name, value) = line.rsplit_once(' ').unwrap();
                (name.to_owned(), value.parse().unwrap())
            })
            .collect();
        assert!(page.body.ends_with("# EOF\n"));
        Self {
            text: page.body,
            samples,
        }
    }

    fn value(&self, sample: &str) -> f64 {
        let value = self.samples.get(sample);
        *value.unwrap_or_else(|| panic!("{sample} is not told: {}", self.text))
    }

    fn step(&self, step: &str) -> f64 {
        self.value(&format!("keyback_reset_steps_total{{step=\"{step}\"}}"))
    }

    pub(crate) fn refused(&self, at: &str, reason: &str) -> f64 {
        self.value(&format!(
            "keyback_refusals_total{{at=\"{at}\",reason=\"{reason}\"}}"
        ))
    }

    fn names(&self) -> BTreeSet<&str> {
        let samples = self.samples.keys();
        samples.map(|sample| sample.split('{').next().unwrap()).collect()
    }
}

#[tokio::test]
async fn the_funnel_of_a_reset_is_counted_from_the_start_to_the_sign_in() {
    let app = TestApp::start().await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let before = Scraped::of(&app).await;
    let steps = [
        "started",
        "resent",
        "sent",
        "verified",
        "changed",
        "signed_in_again",
    ];
    assert_eq!(
        steps.map(|step| before.step(step)),
        [0.0; 6],
        "what has not happened is 0"
    );

    let mut nobody = app.browser();
    nobody.open("/forgot-password").await;
    nobody.ask_reset("nobody@example.com").await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    app.last_code_for(ADA).await;
    app.advance(Duration::from_secs(61));
    browser.resend().await;
    let code = app.last_code_for(ADA).await;
    browser
        .enter_code(if code == "000000" { "000001" } else { "000000" })
        .await;
    browser.enter_code(&code).await;
    browser.choose_password("short").await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.click("Sign in").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_at("/account");
    // The second time, nobody is awaited any more.
    let mut other = app.browser();
    other.open("/sign-in").await;
    other.sign_in(ADA, NEW_PASSWORD).await;
    app.settle().await;

    let after = Scraped::of(&app).await;
    assert_eq!(
        steps.map(|step| after.step(step)),
        [2.0, 1.0, 2.0, 1.0, 1.0, 1.0],
        "{}",
        after.text
    );
    assert_eq!(after.value("keyback_sign_ins_total"), 2.0);
    assert_eq!(after.refused("code", "wrong_code"), 1.0);
    assert_eq!(after.refused("new_password", "policy"), 1.0);
    assert_eq!(after.refused("sign_in", "wrong_password"), 1.0);
    let done = |kind: &str| after.value(&format!("keyback_jobs_total{{kind=\"{kind}\",outcome=\"done\"}}"));
    assert_eq!([done("send-code"), done("password-changed")], [3.0, 1.0]);
    let again: Vec<String> =
        sqlx::query_scalar("SELECT detail FROM audit WHERE event = 'signed_in' ORDER BY rowid")
            .fetch_all(app.companion.store.reader())
            .await
            .unwrap();
    assert_eq!(again, [r#"{"after_reset":true}"#, "{}"], "the trail tells it too");
    // SR-31: no label is anything that somebody typed, or where they were.
    for text in ["example.com", "127.0.0.1", "shop", &code] {
        assert!(!after.text.contains(text), "{text}: {}", after.text);
    }
}

/// Account, hash of what was typed, address of the client, and the rest of a line.
type Refused = (Option<String>, Option<String>, Option<String>, String);

#[tokio::test]
async fn refusals_are_counted_by_their_reason_and_written_down_together() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.open("/sign-in").await;
    let mut refused = 0;
    for _ in 0..75 {
        browser.sign_in(ADA, OLD_PASSWORD).await;
        refused += u32::from(browser.page().status == 429);
    }
    assert!(refused > 10, "{refused}");
    let mut foreign = app.browser().that_tells(Tells::Nothing);
    foreign.open("/sign-in").await;
    foreign.sign_in(ADA, OLD_PASSWORD).await;
    foreign.assert_status(403);
    let scraped = Scraped::of(&app).await;
    assert_eq!(scraped.refused("sign_in", "limit"), f64::from(refused));
    assert_eq!(scraped.refused("form", "other_site"), 1.0);

    assert_eq!(app.audited("refused").await, 0, "nobody waits for it");
    app.companion.write_refusals().await.unwrap();
    app.companion.write_refusals().await.unwrap();
    let lines: Vec<Refused> = sqlx::query_as(
        "SELECT subject, identifier, client_ip, detail FROM audit WHERE event = 'refused' ORDER BY detail",
    )
    .fetch_all(app.companion.store.reader())
    .await
    .unwrap();
    let details: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(&line.3).unwrap())
        .collect();
    assert_eq!(
        details,
        [
            serde_json::json!({"at": "form", "reason": "other_site", "times": 1}),
            serde_json::json!({"at": "sign_in", "reason": "limit", "times": refused}),
        ]
    );
    for (subject, identifier, address, _) in lines {
        assert_eq!(
            (subject, identifier),
            (None, None),
            "refused whoever was asked for"
        );
        assert_eq!(address.as_deref(), Some("127.0.0.1"));
    }
}

#[tokio::test]
async fn an_outbox_that_waits_for_a_provider_in_trouble_is_told_with_its_age() {
    let down = MessageProvider::start(Behaviour::Says(503, "", "")).await;
    let app = TestApp::with(|config| {
        config.email.connector = Some(EmailConnectorKind::Http);
        config.email.url = Some(down.url.clone());
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let retried = "keyback_jobs_total{kind=\"send-code\",outcome=\"retried\"}";
    eventually("a first try", async || {
        (Scraped::of(&app).await.value(retried) == 1.0).then_some(())
    })
    .await;
    app.advance(Duration::from_secs(1));
    let scraped = Scraped::of(&app).await;
    assert_eq!(scraped.value("keyback_outbox_jobs{kind=\"send-code\"}"), 1.0);
    assert_eq!(scraped.value("keyback_outbox_jobs{kind=\"webhook\"}"), 0.0);
    let age = "keyback_outbox_oldest_age_seconds{kind=\"send-code\"}";
    assert_eq!(scraped.value(age), 1.0);
    assert_eq!((scraped.step("started"), scraped.step("sent")), (1.0, 0.0));
    assert_eq!(scraped.value("keyback_store_up"), 1.0);
    // A database that can't be read is told, and nothing that was read before it.
    app.companion.store.close().await;
    let scraped = Scraped::of(&app).await;
    assert_eq!(scraped.value("keyback_store_up"), 0.0);
    assert!(!scraped.text.contains("keyback_outbox_jobs{"));
    assert_eq!(scraped.step("started"), 1.0);
}

const DASHBOARD: &str = include_str!("../../companion/dashboards/keyback.json");

/// The names of metrics in an expression.
fn named(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("keyback_") || word.starts_with("process_"))
}

#[tokio::test]
async fn the_dashboard_is_one_of_grafanas_and_names_metrics_that_are_printed() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    assert!(dashboard["id"].is_null(), "an import gives it one");
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 36);
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let source = variables.iter().find(|variable| variable["name"] == "datasource");
    assert_eq!(source.unwrap()["type"], "datasource");
    assert_eq!(source.unwrap()["query"], "prometheus");
    let variables: BTreeSet<_> = variables
        .iter()
        .map(|variable| format!("${}", variable["name"].as_str().unwrap()))
        .chain(["$__range", "$__rate_interval"].map(str::to_owned))
        .collect();

    let app = TestApp::start().await;
    let scraped = Scraped::of(&app).await;
    let printed = scraped.names();
    let mut shown = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        assert!(
            ids.insert(panel["id"].as_u64().unwrap()),
            "{title}: its id is another's"
        );
        let place = &panel["gridPos"];
        assert!(
            place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24,
            "{title}"
        );
        if panel["type"] == "row" {
            continue;
        }
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{title}");
        let mut letters = BTreeSet::new();
        for target in targets {
            assert!(letters.insert(target["refId"].as_str().unwrap()), "{title}");
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            let expression = target["expr"].as_str().unwrap();
            let names: Vec<_> = named(expression).collect();
            assert!(!names.is_empty(), "{title}: {expression}");
            for name in names {
                // Only channels with a server elsewhere are told.
                assert!(printed.contains(name) || name == "keyback_channel_up", "{name}");
                shown.insert(name);
            }
            for word in expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$') {
                assert!(
                    !word.starts_with('$') || variables.contains(word),
                    "{title}: {word}"
                );
            }
        }
    }
    // And nothing is printed that nobody looks at.
    assert!(printed.is_subset(&shown), "{:?}", printed.difference(&shown));
}
