//! The captchas that are known by name, against what their providers document, with a provider of the test's own in the place
//! of each. SR-13.
//!
//! - Turnstile: <https://developers.cloudflare.com/turnstile/get-started/server-side-validation/>
//! - hCaptcha: <https://docs.hcaptcha.com/>
//! - reCAPTCHA, version 2: <https://developers.google.com/recaptcha/docs/verify>

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use keyback_companion::captcha::{Captcha, CaptchaParts, Passage};
use keyback_companion::config::app::Secret;
use keyback_companion::config::captcha::{CaptchaConfig, CaptchaProvider, CaptchaRoute};
use keyback_core::rate_limit::ClientPrefix;
use keyback_core::time::Clock as _;
use keyback_tests::TestApp;
use serde_json::{Value, json};

use super::captcha::Provider;

/// What a provider documents.
struct Documented {
    provider: CaptchaProvider,
    script: &'static str,
    class: &'static str,
    field: &'static str,
    verify: &'static str,
    /// What it is sent beside `secret` and `response`.
    further: &'static [(&'static str, &'static str)],
    /// What it says of a right answer.
    right: Value,
    /// What it says of answers that were not solved for this, or of none.
    others: Vec<Value>,
}

const SITE_KEY: &str = "the key of this site";

fn documented() -> [Documented; 3] {
    let turnstile = |hostname: Value, action: Value| {
        json!({
            "success": true, "error-codes": [], "challenge_ts": "2026-01-01T00:00:00.000Z",
            "hostname": hostname, "action": action, "cdata": "",
        })
    };
    let hcaptcha = |hostname: &str| json!({ "success": true, "challenge_ts": "2026-01-01T00:00:00.000000Z", "hostname": hostname, "credit": false });
    let recaptcha = |hostname: &str| json!({ "success": true, "challenge_ts": "2026-01-01T00:00:00Z", "hostname": hostname });
    [
        Documented {
            provider: CaptchaProvider::Turnstile,
            script: "https://challenges.cloudflare.com/turnstile/v0/api.js",
            class: "cf-turnstile",
            field: "cf-turnstile-response",
            verify: "https://challenges.cloudflare.com/turnstile/v0/siteverify",
            further: &[],
            right: turnstile("localhost".into(), "keyback_send".into()),
            others: vec![
                turnstile("localhost".into(), "keyback_resend".into()),
                // A widget without `data-action`, which ours always has.
                turnstile("localhost".into(), "".into()),
                turnstile("localhost".into(), Value::Null),
                turnstile("elsewhere.example".into(), "keyback_send".into()),
                turnstile(Value::Null, "keyback_send".into()),
                json!({ "success": false, "error-codes": ["timeout-or-duplicate"], "messages": [] }),
            ],
        },
        Documented {
            provider: CaptchaProvider::HCaptcha,
            script: "https://js.hcaptcha.com/1/api.js",
            class: "h-captcha",
            field: "h-captcha-response",
            verify: "https://api.hcaptcha.com/siteverify",
            // Its secret is the account's, whose every site it would answer for.
            further: &[("sitekey", SITE_KEY)],
            right: hcaptcha("localhost"),
            others: vec![
                hcaptcha("elsewhere.example"),
                hcaptcha("not-provided"),
                json!({ "success": true }),
                json!({ "success": false, "error-codes": ["invalid-or-already-seen-response"] }),
            ],
        },
        Documented {
            provider: CaptchaProvider::ReCaptcha,
            script: "https://www.google.com/recaptcha/api.js",
            class: "g-recaptcha",
            field: "g-recaptcha-response",
            verify: "https://www.google.com/recaptcha/api/siteverify",
            further: &[],
            right: recaptcha("localhost"),
            others: vec![
                recaptcha("elsewhere.example"),
                // Of an app for Android.
                json!({ "success": true, "challenge_ts": "2026-01-01T00:00:00Z", "apk_package_name": "com.example" }),
                // Of a key of version 3: whoever asks succeeds, and nobody here reads the score.
                json!({ "success": true, "score": 0.1, "action": "keyback_send", "hostname": "localhost" }),
                json!({ "success": false, "error-codes": ["timeout-or-duplicate"] }),
            ],
        },
    ]
}

fn config(provider: CaptchaProvider) -> CaptchaConfig {
    CaptchaConfig {
        provider: Some(provider),
        site_key: Some(SITE_KEY.to_owned()),
        secret: Some(Secret::new("the secret of this site")),
        ..CaptchaConfig::default()
    }
}

#[tokio::test]
async fn sr13_the_page_holds_what_the_script_of_each_preset_looks_for() {
    for known in documented() {
        let app = TestApp::with(|all| all.captcha = config(known.provider)).await;
        let page = app.browser().get_once("/forgot-password").await;
        for part in [
            format!("<script src=\"{}\" async defer></script>", known.script),
            format!("class=\"{}\" data-sitekey=\"{SITE_KEY}\"", known.class),
        ] {
            assert!(page.body.contains(&part), "{part}: {}", page.body);
        }
        let captcha = app.companion.captcha.as_ref().unwrap();
        assert_eq!(captcha.token_field(), known.field);
    }
}

#[tokio::test]
async fn sr13_each_preset_asks_as_documented_and_takes_what_was_solved_for_this_alone() {
    let app = TestApp::start().await;
    let (companion, stand_in) = (&app.companion, Provider::start().await);
    let client = ClientPrefix::from(IpAddr::V4(Ipv4Addr::LOCALHOST));
    for known in documented() {
        let mut settings = config(known.provider).settings(&app.url).unwrap();
        assert_eq!(settings.verify_url.as_str(), known.verify);
        settings.verify_url = stand_in.url.join("/verify").unwrap();
        settings.allow_private = true;
        let parts = CaptchaParts {
            store: companion.store.clone(),
            limiter: companion.limiter.clone(),
            outgoing: Arc::clone(&companion.outgoing),
            identifiers: companion.identifiers.clone(),
            breakers: companion.breakers.clone(),
        };
        let captcha = Captcha::new(settings, parts);
        let passage = async |answer: String, verdict: &Value| {
            stand_in.answers(verdict.clone());
            let now = app.clock.now();
            let passage = captcha.check(CaptchaRoute::Send, &answer, client, now).await;
            passage.unwrap()
        };
        let answer = format!("an answer of {:?}", known.provider);
        assert_eq!(passage(answer.clone(), &known.right).await, Passage::FREE);
        let mut asked: HashMap<_, _> = stand_in.asked().remove(0);
        assert_eq!(asked.remove("secret").as_deref(), Some("the secret of this site"));
        assert_eq!(asked.remove("response"), Some(answer));
        let further = known.further.iter();
        assert_eq!(
            asked,
            further
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        );
        for (number, other) in known.others.iter().enumerate() {
            let answer = format!("answer {number} of {:?}", known.provider);
            assert_eq!(passage(answer, other).await, Passage::Wrong, "{other}");
        }
        let secret = json!({ "success": false, "error-codes": ["invalid-input-secret"] });
        let answer = format!("another answer of {:?}", known.provider);
        assert_eq!(passage(answer, &secret).await, Passage::Down);
        stand_in.asked();
    }
}
