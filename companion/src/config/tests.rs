use std::collections::BTreeSet;

use serde::Serialize;

use super::duration::Span;
use super::messages::{EmailConnectorConfig, EmailConnectorKind, SmsConnectorConfig};
use super::*;

pub(super) const LEAST: &str = "[server]\npublic_url = \"https://id.example\"\n";

pub(super) fn loaded(text: &str, environment: &[(&str, &str)]) -> Result<Config, Problems> {
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    load(text, &environment)
}

pub(super) fn problems(text: &str) -> Vec<String> {
    loaded(text, &[]).map_or_else(|problems| problems.0, |_| Vec::new())
}

/// The reference with every default switched on.
fn uncommented() -> String {
    REFERENCE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => rest,
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_reference_loads_and_states_the_defaults() {
    // The inbox is for loopback alone.
    let on_loopback = [("KEYBACK__SERVER__PUBLIC_URL", "http://localhost:3001")];
    let stated = loaded(&uncommented(), &on_loopback).unwrap_or_else(|problems| panic!("{problems}"));
    let default = Config::default();
    assert_eq!(stated.store, default.store);
    assert_eq!(stated.backend, default.backend);
    assert_eq!(stated.reset, default.reset);
    assert_eq!(stated.hashing, default.hashing);
    assert_eq!(stated.session, default.session);
    assert_eq!(stated.tokens, default.tokens);
    assert_eq!(stated.limits, default.limits);
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
    assert_eq!(stated.email.signature_header, default.email.signature_header);
    assert_eq!(stated.sms.timeout, default.sms.timeout);
    assert_eq!(stated.sms.method, default.sms.method);
    assert_eq!(stated.sms.content_type, default.sms.content_type);
    assert_eq!(stated.sms.success, default.sms.success);
    assert_eq!(stated.sms.signature_header, default.sms.signature_header);
    assert!(matches!(stated.sms.connector(), SmsConnectorConfig::Twilio(_)));
    assert_eq!(
        password::policy(&stated.policy),
        password::policy(&default.policy)
    );
    assert!(matches!(stated.email.connector(), EmailConnectorConfig::Smtp(_)));
}

#[test]
fn the_reference_names_every_key() {
    let table: toml::Table = uncommented().parse().unwrap();
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
    fn keys(section: &impl Serialize) -> BTreeSet<String> {
        let value = serde_json::to_value(section).unwrap();
        value.as_object().unwrap().keys().cloned().collect()
    }
    let default = Config::default();
    assert_eq!(named("server"), keys(&default.server));
    assert_eq!(named("store"), keys(&default.store));
    assert_eq!(named("backend"), keys(&default.backend));
    let mut sms = keys(&default.sms);
    // Secrets are not written anywhere, so not here either.
    sms.extend(["auth_token", "api_key_secret", "headers", "signing_key"].map(str::to_owned));
    assert_eq!(named("sms"), sms);
    assert_eq!(named("reset"), keys(&default.reset));
    assert_eq!(named("password.breached"), keys(&default.breached));
    assert_eq!(named("password.hashing"), keys(&default.hashing));
    assert_eq!(named("session"), keys(&default.session));
    assert_eq!(named("tokens"), keys(&default.tokens));
    assert_eq!(named("limits"), keys(&default.limits));
    assert_eq!(named("branding"), keys(&default.branding));
}

#[test]
fn all_problems_are_told_at_once_each_with_its_place() {
    let found = problems(
        "[server]\nlisten = \"nowhere\"\npublic_url = \"http://id.example\"\nport = 80\n\
         [reset]\nmax_attempts = 99\ncode_lifetime = \"1 hour\"\n\
         [passwords]\nx = 1\n\
         [[app]]\nclient_id = \"shop\"\ntype = \"web\"\nclient_secret = \"short\"\n",
    );
    for place in [
        "[server] listen",
        "[server] port",
        "[server] public_url",
        "[reset] max_attempts",
        "[reset] code_lifetime",
        "[passwords]",
        "[[app]] shop: client_secret",
        "[[app]] shop: redirect_uris",
    ] {
        assert!(
            found.iter().any(|problem| problem.starts_with(place)),
            "{place} is missing in {found:#?}"
        );
    }
    assert_eq!(found.len(), 8, "{found:#?}");
}

#[test]
fn the_environment_wins_and_numbers_may_come_as_text() {
    let config = loaded(
        "[server]\npublic_url = \"https://id.example\"\nmax_connections = 5\n[branding]\nname = \"File\"\n",
        &[
            ("KEYBACK__SERVER__MAX_CONNECTIONS", "7"),
            ("KEYBACK__BRANDING__NAME", "2026"),
            ("KEYBACK__PASSWORD__HASHING__THREADS", "3"),
            ("KEYBACK__SERVER__TRUSTED_PROXIES", "[\"10.0.0.0/8\"]"),
            ("KEYBACK__TOKENS__ACCESS_TOKEN", "5m"),
            ("UNRELATED", "x"),
        ],
    )
    .unwrap();
    assert_eq!(config.server.max_connections, 7);
    assert_eq!(config.branding.name, "2026");
    assert_eq!(config.hashing.threads, 3);
    assert_eq!(config.server.trusted_proxies.len(), 1);
    assert_eq!(config.tokens.access_token, Span::minutes(5));
    let wrong = loaded(
        LEAST,
        &[("KEYBACK__SERVER__MAX_CONNECTION", "7"), ("KEYBACK__X", "1")],
    )
    .unwrap_err();
    assert_eq!(wrong.0.len(), 2, "{wrong}");
}

#[test]
fn a_wrong_variable_hides_no_other() {
    let text = format!(
        "{LEAST}[[app]]\nclient_id = \"a\"\ntype = \"spa\"\nredirect_uris = [\"https://a.example/\"]\n"
    );
    let wrong = loaded(
        &text,
        &[
            ("KEYBACK__APP__NAME", "Shop"),
            ("KEYBACK__SERVER__MAX_CONNECTIONS", "none"),
        ],
    )
    .unwrap_err();
    assert_eq!(wrong.0.len(), 2, "{wrong}");
    assert!(wrong.0[0].starts_with("KEYBACK__APP__NAME"), "{wrong}");
    assert!(wrong.0[1].starts_with("[server] max_connections"), "{wrong}");
}

#[test]
fn lengths_that_nothing_could_live_with_are_refused() {
    for (section, key, wrong, right) in [
        ("tokens", "authorization_code", "9s", "10s"),
        ("tokens", "authorization_code", "11m", "10m"),
        ("tokens", "access_token", "0s", "1m"),
        ("tokens", "access_token", "25h", "1d"),
        ("tokens", "id_token", "59s", "1m"),
        ("tokens", "refresh_token", "0s", "1m"),
        ("tokens", "refresh_token", "181d", "180d"),
        ("tokens", "refresh_token_repeat", "2m", "0s"),
        ("tokens", "interaction", "1s", "1m"),
        ("session", "idle", "0s", "1m"),
        ("session", "idle", "31d", "30d"),
        ("email", "timeout", "0s", "1s"),
        ("email", "timeout", "61s", "1m"),
        ("sms", "timeout", "0s", "1s"),
        ("sms", "timeout", "61s", "1m"),
    ] {
        let with = |length: &str| problems(&format!("{LEAST}[{section}]\n{key} = \"{length}\"\n"));
        let found = with(wrong);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&format!("[{section}] {key}")), "{found:?}");
        assert_eq!(with(right), [] as [&str; 0], "{section} {key}");
    }
    let found = problems(&format!("{LEAST}[session]\nidle = \"1s\"\nmax = \"1s\"\n"));
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn the_companions_own_app_is_nobody_elses() {
    let found = problems(&format!(
        "{LEAST}[[app]]\nclient_id = \"keyback-reset\"\ntype = \"spa\"\nredirect_uris = [\"https://a.example/\"]\n"
    ));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("the companion's own"), "{found:?}");
}

#[test]
fn sr88_a_secret_may_stand_in_a_file_and_not_in_both_places() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("smtp");
    std::fs::write(&file, "s3cret\n").unwrap();
    let section = format!(
        "[email]\nusername = \"me\"\npassword_file = \"{}\"\n",
        file.display()
    );
    let config = loaded(&format!("{LEAST}{section}"), &[]).unwrap();
    assert_eq!(
        config.email.password.as_ref().map(app::Secret::expose),
        Some("s3cret")
    );
    assert!(!format!("{config:?}").contains("s3cret"));
    assert_eq!(problems(&format!("{LEAST}{section}password = \"x\"\n")).len(), 1);
    assert_eq!(
        problems(&format!("{LEAST}[email]\npassword_file = \"/not/there\"\n")).len(),
        1
    );
}

#[test]
fn sr60_a_webhook_has_one_key_or_two_from_the_file_or_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let keys = ["n", "o"].map(|letter| letter.repeat(32));
    let paths = ["new", "old"].map(|name| folder.path().join(name));
    for (path, key) in paths.iter().zip(&keys) {
        std::fs::write(path, format!("{key}\n")).unwrap();
    }
    let loaded_keys = |key: &str| {
        let text = format!("{LEAST}[[webhook]]\nurl = \"https://hook.example/\"\n{key}\n");
        let config = loaded(&text, &[]).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(!format!("{config:?}").contains(&keys[0]));
        config.webhooks[0]
            .signing_key
            .iter()
            .map(|key| key.expose().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(loaded_keys(&format!("signing_key = \"{}\"", keys[0])), keys[..1]);
    assert_eq!(
        loaded_keys(&format!("signing_key = [\"{}\", \"{}\"]", keys[0], keys[1])),
        keys
    );
    assert_eq!(
        loaded_keys(&format!("signing_key_file = {:?}", paths[0])),
        keys[..1]
    );
    assert_eq!(loaded_keys(&format!("signing_key_file = {paths:?}")), keys);
}

#[test]
fn sr61_a_webhook_that_can_not_be_told_safely_is_a_problem() {
    let key = format!("signing_key = \"{}\"", "k".repeat(32));
    let found = |rest: &str| problems(&format!("{LEAST}[[webhook]]\n{rest}\n"));
    let with_url = |url: &str, more: &str| found(&format!("url = \"{url}\"\n{key}\n{more}"));
    let none: [&str; 0] = [];
    assert_eq!(with_url("https://hook.example/a", ""), none);
    assert_eq!(with_url("http://10.0.0.7:8080/a", "allow_private = true"), none);
    for (url, more, said) in [
        ("http://hook.example/a", "", "https"),
        ("https://10.0.0.7/a", "", "allow_private"),
        ("https://[::ffff:127.0.0.1]/a", "", "allow_private"),
        ("https://2130706433/a", "", "allow_private"),
        ("ftp://hook.example/a", "allow_private = true", "https"),
        ("https://user:word@hook.example/a", "", "user name"),
        ("https://hook.example/a", "events = []", "events is empty"),
        (
            "https://hook.example/a",
            "events = [\"PostRegister\"]",
            "PostRegister",
        ),
        ("https://hook.example/a", "secret = \"x\"", "unknown field"),
    ] {
        let problems = with_url(url, more);
        assert_eq!(problems.len(), 1, "{url} {more}: {problems:?}");
        assert!(problems[0].contains(said), "{problems:?}");
    }
    for key in ["", "signing_key = \"short\"", "signing_key = []"] {
        let problems = found(&format!("url = \"https://hook.example/a\"\n{key}"));
        assert!(
            problems.len() == 1 && problems[0].contains("openssl"),
            "{problems:?}"
        );
    }
    let twice = format!("url = \"https://hook.example/a\"\n{key}\n");
    assert_eq!(found(&format!("{twice}[[webhook]]\n{twice}")).len(), 1);
}

#[test]
fn plain_http_and_the_inbox_are_for_loopback_alone() {
    assert!(problems("[server]\npublic_url = \"http://localhost:3001\"\n").is_empty());
    assert_eq!(problems("[server]\npublic_url = \"http://10.0.0.1\"\n").len(), 1);
    assert_eq!(
        problems("[server]\npublic_url = \"https://id.example/base\"\n").len(),
        1
    );
    let inbox = "[email]\nconnector = \"inbox\"\n[sms]\nconnector = \"inbox\"\n";
    assert!(
        problems(&format!(
            "[server]\npublic_url = \"http://localhost:3001\"\n{inbox}"
        ))
        .is_empty()
    );
    assert_eq!(problems(&format!("{LEAST}{inbox}")).len(), 2);
    let open = "[server]\nlisten = \"0.0.0.0:3001\"\npublic_url = \"http://localhost:3001\"\n";
    assert_eq!(problems(&format!("{open}{inbox}")).len(), 2);
}

#[test]
fn an_incomplete_connector_is_no_problem_and_says_what_is_missing() {
    let missing = |section: &str| {
        let config = loaded(&format!("{LEAST}{section}"), &[]).unwrap();
        match config.email.connector() {
            EmailConnectorConfig::Missing(why) => why,
            other => panic!("{other:?}"),
        }
    };
    assert!(missing("").contains("no e-mail connector"));
    assert!(missing("[email]\nconnector = \"smtp\"\n").contains("host"));
    assert!(missing("[email]\nconnector = \"smtp\"\nhost = \"mail\"\n").contains("from"));
    let with_from =
        "[email]\nconnector = \"smtp\"\nhost = \"mail\"\nfrom = \"a@b.example\"\nusername = \"u\"\n";
    assert!(missing(with_from).contains("password"));
    assert_eq!(
        problems(&format!(
            "{LEAST}[email]\nconnector = \"smtp\"\nfrom = \"no address\"\n"
        ))
        .len(),
        1
    );
    let config = loaded(&format!("{LEAST}[email]\nconnector = \"smtp\"\n"), &[]).unwrap();
    assert_eq!(config.email.connector, Some(EmailConnectorKind::Smtp));
}

#[test]
fn sr71_redirect_uris_that_nobody_may_be_sent_to_are_refused() {
    let app = |kind: &str, uri: &str| {
        problems(&format!(
            "{LEAST}[[app]]\nclient_id = \"a\"\ntype = \"{kind}\"\nredirect_uris = [\"{uri}\"]\n"
        ))
    };
    assert!(app("spa", "https://shop.example/callback").is_empty());
    assert!(app("native", "com.example.app:/callback").is_empty());
    assert!(app("native", "http://127.0.0.1/callback").is_empty());
    for (kind, uri) in [
        ("spa", "http://shop.example/callback"),
        ("spa", "https://shop.example/callback#x"),
        ("spa", "com.example.app:/callback"),
        ("native", "javascript:alert(1)"),
        ("spa", "/callback"),
    ] {
        assert_eq!(app(kind, uri).len(), 1, "{kind} {uri}");
    }
}

#[test]
fn bcl_2_2_logout_uris_that_a_token_may_not_travel_to_are_refused() {
    let of_app = |kind: &str, uri: &str| {
        problems(&format!(
            "{LEAST}[[app]]\nclient_id = \"a\"\ntype = \"{kind}\"\nredirect_uris = [\"https://a.example/\"]\n\
             client_secret = \"{}\"\nbackchannel_logout_uri = \"{uri}\"\n",
            "s".repeat(32)
        ))
    };
    for good in [
        "https://a.example/out?x=1",
        "http://localhost:9000/out",
        "http://127.0.0.1/out",
    ] {
        assert!(of_app("web", good).is_empty(), "{good}");
    }
    for (kind, bad, why) in [
        ("web", "http://a.example/out", "must be https"),
        ("web", "ftp://a.example/out", "must be https"),
        ("web", "https://a.example/out#f", "no fragment"),
        ("web", "https://me@a.example/out", "no user name"),
        ("machine", "https://a.example/out", "machine"),
    ] {
        let told = of_app(kind, bad);
        assert!(told.len() == 1 && told[0].contains(why), "{bad}: {told:?}");
    }
    let alone = problems(&format!(
        "{LEAST}[[app]]\nclient_id = \"a\"\ntype = \"spa\"\nredirect_uris = [\"https://a.example/\"]\n\
         backchannel_logout_session_required = true\n"
    ));
    assert!(
        alone.len() == 1 && alone[0].contains("which is missing"),
        "{alone:?}"
    );
}

#[test]
fn weak_hashing_and_impossible_policies_are_refused() {
    assert_eq!(
        problems(&format!("{LEAST}[password.hashing]\nmemory_kib = 1024\n")).len(),
        1
    );
    assert!(
        problems(&format!(
            "{LEAST}[password.hashing]\nmemory_kib = 9728\niterations = 4\n"
        ))
        .is_empty()
    );
    assert!(!problems(&format!("{LEAST}[password.policy]\nlength = {{ min = 300 }}\n")).is_empty());
    assert_eq!(
        problems(&format!("{LEAST}[password.policy]\npreset = \"strong\"\n")).len(),
        1
    );
    assert_eq!(problems("not toml at all").len(), 1);
}
