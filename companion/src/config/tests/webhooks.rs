//! `[[webhook]]`.

use super::*;

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
        ("https://hook.example/a", "secret = \"x\"", "no such key"),
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
fn all_that_is_wrong_with_a_webhook_is_told_at_once() {
    let found = problems(&format!(
        "{LEAST}[[webhook]]\nurl = \"http://hook.example/a?token=s3cret\"\nevents = [\"PostRegister\"]\n\
         signing_key = \"short\"\nsecret = \"x\"\n"
    ));
    for why in ["PostRegister", "at least 32", "no such key", "must be https"] {
        let told = |problem: &&String| problem.contains(why);
        assert_eq!(found.iter().filter(told).count(), 1, "{why}: {found:#?}");
    }
    assert_eq!(found.len(), 4, "{found:#?}");
    let is_named = |problem: &String| problem.starts_with("[[webhook]] http://hook.example (number 1): ");
    assert!(found.iter().all(is_named), "{found:#?}");
    let found = problems(&format!("{LEAST}[[webhook]]\nevents = []\n"));
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(
        found[0].starts_with("[[webhook]] number 1: url is missing"),
        "{found:#?}"
    );
}

/// Whoever knows the address of a hook can often post to it: user names, paths and queries stay where they are.
#[test]
fn sr31_problems_do_not_repeat_the_address_of_a_webhook() {
    for url in [
        "https://ada:s3cret@hook.example/a",
        "http://hook.example/s3cret",
        "http://hook.example/a?token=s3cret",
        "hook.example/a?token=s3cret",
        "https://hook.example:port/s3cret",
    ] {
        let found = problems(&format!(
            "{LEAST}[[webhook]]\nurl = \"{url}\"\nsigning_key = \"short\"\n"
        ));
        assert!(found.len() >= 2, "{url}: {found:#?}");
        assert!(
            found.iter().all(|problem| !problem.contains("s3cret")),
            "{found:#?}"
        );
    }
}
