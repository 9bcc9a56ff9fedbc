//! The commented reference against the code.

use std::collections::BTreeSet;

use serde::Serialize;
use toml::Value;

use super::super::connector::{OF_EMAIL, OF_SMS, OwnKeys};
use super::super::messages::{EmailConnectorConfig, SmsConnectorConfig};
use super::*;

/// The reference with every default switched on.
fn uncommented() -> String {
    with_lines(|rest| !rest.starts_with(' '))
}

/// With what goes with another choice, too: those lines are set in.
fn every_line() -> toml::Table {
    let text = with_lines(|rest| !rest.starts_with(' ') || rest.starts_with("   "));
    text.parse().unwrap()
}

fn with_lines(is_in_use: impl Fn(&str) -> bool) -> String {
    REFERENCE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if is_in_use(rest) => rest,
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn keys(section: &impl Serialize) -> BTreeSet<String> {
    let value = serde_json::to_value(section).unwrap();
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_reference_loads_and_states_the_defaults() {
    // The inbox is for loopback alone.
    let on_loopback = [("KEYBACK__SERVER__PUBLIC_URL", "http://localhost:3001")];
    let stated = loaded(&uncommented(), &on_loopback).unwrap_or_else(|problems| panic!("{problems}"));
    let default = Config::default();
    assert_eq!(stated.store, default.store);
    assert_eq!(stated.backend, default.backend);
    assert_eq!(stated.captcha.on, default.captcha.on);
    assert_eq!(stated.captcha.timeout, default.captcha.timeout);
    assert_eq!(stated.captcha.slow_lane, default.captcha.slow_lane);
    assert!(stated.captcha.provider.is_none() && !stated.captcha.allow_private);
    assert_eq!(stated.reset, default.reset);
    assert_eq!(stated.hashing, default.hashing);
    assert_eq!(stated.session, default.session);
    assert_eq!(stated.tokens, default.tokens);
    assert_eq!(stated.limits, default.limits);
    assert_eq!(stated.audit, default.audit);
    let [hook] = stated.webhooks.as_slice() else {
        panic!("{:?}", stated.webhooks)
    };
    assert_eq!(hook.events, [webhook::WebhookEvent::PostResetPassword]);
    assert!(!hook.allow_private);
    assert_eq!(stated.branding, default.branding);
    assert_eq!(stated.breached.timeout, default.breached.timeout);
    assert_eq!(stated.breached.when_down, default.breached.when_down);
    assert_eq!(stated.server.listen, default.server.listen);
    assert_eq!(stated.server.max_connections, default.server.max_connections);
    assert_eq!(stated.server.header_timeout, default.server.header_timeout);
    assert_eq!(stated.server.request_timeout, default.server.request_timeout);
    assert_eq!(stated.server.forwarded_header, default.server.forwarded_header);
    assert_eq!(stated.server.max_body, default.server.max_body);
    assert_eq!(stated.email.security, default.email.security);
    assert_eq!(stated.email.timeout, default.email.timeout);
    assert_eq!(stated.sms.timeout, default.sms.timeout);
    assert!(matches!(stated.sms.connector(), SmsConnectorConfig::Twilio(_)));
    assert_eq!(
        password::policy(&stated.policy),
        password::policy(&default.policy)
    );
    assert!(matches!(stated.email.connector(), EmailConnectorConfig::Smtp(_)));
}

#[test]
fn the_reference_names_every_key() {
    let table = every_line();
    let named = |path: &str| -> BTreeSet<String> {
        let value = path
            .split('.')
            .try_fold(&table, |table, name| table.get(name)?.as_table());
        value
            .unwrap_or_else(|| panic!("[{path}] is missing"))
            .keys()
            .cloned()
            .collect()
    };
    let default = Config::default();
    assert_eq!(named("server"), keys(&default.server));
    assert_eq!(named("store"), keys(&default.store));
    assert_eq!(named("backend"), keys(&default.backend));
    let mut sms = keys(&default.sms);
    // Secrets are not written anywhere, so not here either.
    sms.extend(["auth_token", "api_key_secret", "headers", "signing_key"].map(str::to_owned));
    assert_eq!(named("sms"), sms);
    let mut captcha = keys(&default.captcha);
    captcha.insert("secret".to_owned());
    assert_eq!(named("captcha"), captcha);
    assert_eq!(named("reset"), keys(&default.reset));
    assert_eq!(named("password.breached"), keys(&default.breached));
    assert_eq!(named("password.hashing"), keys(&default.hashing));
    assert_eq!(named("session"), keys(&default.session));
    assert_eq!(named("tokens"), keys(&default.tokens));
    assert_eq!(named("limits"), keys(&default.limits));
    assert_eq!(named("audit"), keys(&default.audit));
    assert_eq!(named("branding"), keys(&default.branding));
}

/// The keys of the connectors that the reference doesn't choose: they load with those that do, and state the defaults.
#[test]
fn the_reference_states_the_keys_of_each_connector() {
    fn chosen(section: &str, own_keys: OwnKeys, connector: &str) -> toml::Table {
        let mut table = every_line();
        let Some(Value::Table(mut section)) = table.remove(section) else {
            panic!("[{section}] is missing")
        };
        for (_, own) in own_keys.iter().filter(|(other, _)| *other != connector) {
            for key in *own {
                assert!(section.remove(*key).is_some(), "{key} is not in the reference");
            }
        }
        section.insert("connector".to_owned(), connector.into());
        section
    }
    let mut table: toml::Table = LEAST.parse().unwrap();
    table.insert("email".to_owned(), chosen("email", OF_EMAIL, "http").into());
    table.insert("sms".to_owned(), chosen("sms", OF_SMS, "http").into());
    let stated = loaded(&table.to_string(), &[]).unwrap_or_else(|problems| panic!("{problems}"));
    let default = Config::default();
    assert_eq!(stated.email.timeout, default.email.timeout);
    assert_eq!(stated.email.signature_header, default.email.signature_header);
    assert_eq!(stated.sms.method, default.sms.method);
    assert_eq!(stated.sms.content_type, default.sms.content_type);
    assert_eq!(stated.sms.success, default.sms.success);
    assert_eq!(stated.sms.signature_header, default.sms.signature_header);
    assert!(matches!(stated.email.connector(), EmailConnectorConfig::Http(_)));
    assert!(matches!(stated.sms.connector(), SmsConnectorConfig::Http(_)));
}
