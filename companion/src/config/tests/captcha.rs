//! `[captcha]`: presets, and providers of one's own.

use url::Url;

use crate::config::Problems;
use crate::config::app::Secret;
use crate::config::captcha::{CaptchaConfig, CaptchaProvider};
use crate::config::duration::Span;
use crate::config::reset::ResetConfig;
use crate::config::server::ServerConfig;

fn public_url() -> Url {
    Url::parse("https://id.example.com").unwrap()
}

fn problems(config: &CaptchaConfig) -> Vec<String> {
    let server = ServerConfig {
        public_url: Some(public_url()),
        ..ServerConfig::default()
    };
    let mut problems = Problems::default();
    config.check(&server, &ResetConfig::default(), &mut problems);
    problems.0
}

fn of(provider: CaptchaProvider) -> CaptchaConfig {
    CaptchaConfig {
        provider: Some(provider),
        site_key: Some("0x4AAA-site".to_owned()),
        secret: Some(Secret::new("of the provider")),
        ..CaptchaConfig::default()
    }
}

#[test]
fn sr13_without_a_provider_there_is_none_and_a_preset_needs_two_keys() {
    assert_eq!(problems(&CaptchaConfig::default()), [""; 0]);
    assert!(CaptchaConfig::default().settings(&public_url()).is_none());
    for provider in [
        CaptchaProvider::Turnstile,
        CaptchaProvider::HCaptcha,
        CaptchaProvider::ReCaptcha,
    ] {
        let config = of(provider);
        assert_eq!(problems(&config), [""; 0]);
        let settings = config.settings(&public_url()).unwrap();
        assert_eq!(settings.hostname, "id.example.com");
        assert_eq!(settings.script_url.scheme(), "https");
        assert!(!settings.sources.contains(&"https://www.google.com".to_owned()));
        let bare = CaptchaConfig {
            provider: Some(provider),
            ..CaptchaConfig::default()
        };
        assert_eq!(problems(&bare).len(), 2);
        assert!(bare.settings(&public_url()).is_none());
    }
}

#[test]
fn sr13_the_slow_way_is_no_dead_end() {
    let config = of(CaptchaProvider::Turnstile);
    let reset = ResetConfig {
        code_lifetime: Span::minutes(3),
        ..ResetConfig::default()
    };
    let mut problems = Problems::default();
    config.check(&ServerConfig::default(), &reset, &mut problems);
    assert!(
        problems.0[0].contains("half of [reset] code_lifetime"),
        "{problems:?}"
    );
}

#[test]
fn sr13_a_custom_provider_names_all_of_its_own() {
    let missing = problems(&of(CaptchaProvider::Custom));
    assert_eq!(missing.len(), 4, "{missing:?}");
    let url = |text| Some(Url::parse(text).unwrap());
    let whole = CaptchaConfig {
        verify_url: url("https://captcha.example/verify"),
        script_url: url("https://captcha.example/api.js"),
        widget_class: Some("my-captcha".to_owned()),
        token_field: Some("my-answer".to_owned()),
        sources: vec![Url::parse("https://frames.captcha.example/x").unwrap()],
        ..of(CaptchaProvider::Custom)
    };
    assert_eq!(problems(&whole), [""; 0]);
    let settings = whole.settings(&public_url()).unwrap();
    assert_eq!(
        settings.sources,
        ["https://captcha.example", "https://frames.captcha.example"]
    );
    let plain = CaptchaConfig {
        verify_url: url("http://10.0.0.1/verify"),
        script_url: url("http://captcha.example/api.js"),
        widget_class: Some("a b".to_owned()),
        ..whole.clone()
    };
    assert_eq!(problems(&plain).len(), 3, "{:?}", problems(&plain));
    let foreign = CaptchaConfig {
        provider: Some(CaptchaProvider::Turnstile),
        ..whole
    };
    assert_eq!(problems(&foreign).len(), 5);
}
