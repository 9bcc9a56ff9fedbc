mod apps;
mod captcha;
mod connectors;
mod reference;
mod webhooks;

use super::duration::Span;
use super::*;

const LEAST: &str = "[server]\npublic_url = \"https://id.example\"\n";

fn loaded(text: &str, environment: &[(&str, &str)]) -> Result<Config, Problems> {
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    load(text, &environment)
}

fn problems(text: &str) -> Vec<String> {
    loaded(text, &[]).map_or_else(|problems| problems.0, |_| Vec::new())
}

#[test]
fn all_problems_are_told_at_once_each_with_its_place() {
    let found = problems(
        "[server]\nlisten = \"nowhere\"\npublic_url = \"http://id.example\"\nport = 80\n\
         [audit]\nkept = \"12h\"\n\
         [reset]\nmax_attempts = 99\ncode_lifetime = \"1 hour\"\n\
         [passwords]\nx = 1\n\
         [[app]]\nclient_id = \"shop\"\ntype = \"web\"\nclient_secret = \"short\"\n",
    );
    for place in [
        "[server] listen",
        "[server] port",
        "[server] public_url",
        "[audit] kept",
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
    assert_eq!(found.len(), 9, "{found:#?}");
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
    let named = "KEYBACK__SERVER__MAX_CONNECTIONS, which is [server] max_connections: ";
    assert!(wrong.0[1].starts_with(named), "{wrong}");
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
