//! `[sms]` and `[email]` with providers behind HTTP.

use super::super::messages::{EmailConnectorConfig, EmailConnectorKind, SmsConnectorConfig};
use super::super::twilio::TwilioSender;
use super::*;

const ACCOUNT: &str = "AC0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

fn sms(section: &str) -> SmsConnectorConfig {
    let text = format!("{LEAST}[sms]\n{section}");
    loaded(&text, &[])
        .unwrap_or_else(|problems| panic!("{problems}"))
        .sms
        .connector()
}

fn missing(section: &str) -> String {
    match sms(section) {
        SmsConnectorConfig::Missing(why) => why,
        other => panic!("{other:?}"),
    }
}

fn twilio(more: &str) -> String {
    format!("connector = \"twilio\"\naccount_sid = \"{ACCOUNT}\"\n{more}")
}

fn sms_problems(section: &str) -> Vec<String> {
    problems(&format!("{LEAST}[sms]\n{section}"))
}

#[test]
fn an_incomplete_sms_connector_is_no_problem_and_says_what_is_missing() {
    assert!(missing("").contains("no SMS connector is set"));
    for (section, key) in [
        ("connector = \"twilio\"\n".to_owned(), "account_sid"),
        (twilio(""), "auth_token"),
        (twilio("auth_token = \"secret\"\n"), "from"),
        (
            twilio("from = \"+14155550100\"\napi_key_secret = \"x\"\n"),
            "api_key_sid",
        ),
        (
            twilio(&format!(
                "from = \"Larkspur\"\napi_key_sid = \"SK{}\"\n",
                "0".repeat(32)
            )),
            "api_key_secret",
        ),
        ("connector = \"http\"\n".to_owned(), "url"),
        (
            "connector = \"http\"\nurl = \"https://sms.example/\"\ncontent_type = \"text/plain\"\n"
                .to_owned(),
            "body",
        ),
    ] {
        let why = missing(&section);
        assert!(
            why.contains(&format!("[sms] {key}")) && why.contains("is missing"),
            "{why}"
        );
    }
}

#[test]
fn a_complete_twilio_connector_is_valid_without_network() {
    let SmsConnectorConfig::Twilio(settings) =
        sms(&twilio("auth_token = \"secret\"\nfrom = \"+14155550100\"\n"))
    else {
        panic!("no connector")
    };
    assert_eq!(
        settings.account.as_str(),
        format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}")
    );
    assert!(settings.are_the_accounts && settings.credentials.0 == ACCOUNT);
    assert_eq!(settings.sender, TwilioSender::From("+14155550100".to_owned()));
    let key = format!("SK{}", "1b".repeat(16));
    let service = format!("MG{}", "2c".repeat(16));
    let more = format!(
        "auth_token = \"secret\"\nfrom = \"Larkspur\"\napi_key_sid = \"{key}\"\napi_key_secret = \"key secret\"\n\
         messaging_service_sid = \"{service}\"\nendpoint = \"https://api.dublin.ie1.twilio.com/\"\n"
    );
    let SmsConnectorConfig::Twilio(settings) = sms(&twilio(&more)) else {
        panic!("no connector")
    };
    assert!(
        settings
            .account
            .as_str()
            .starts_with("https://api.dublin.ie1.twilio.com/2010-04-01/Accounts/AC")
    );
    assert_eq!(settings.credentials.0, key);
    assert!(!settings.are_the_accounts);
    assert_eq!(settings.sender, TwilioSender::MessagingService(service));
    assert!(!format!("{settings:?}").contains("key secret"));
}

#[test]
fn what_is_malformed_stops_the_start() {
    let http = |more: &str| format!("connector = \"http\"\nurl = \"https://sms.example/\"\n{more}");
    let with_url = |url: &str| format!("connector = \"http\"\nurl = \"{url}\"\n");
    for (section, place) in [
        ("connector = \"pigeon\"\n".to_owned(), "[sms] connector"),
        (
            "default_region = \"Germany\"\n".to_owned(),
            "[sms] default_region",
        ),
        ("default_region = \"ZZ\"\n".to_owned(), "[sms] default_region"),
        (
            twilio("auth_token = \"x\"\nfrom = \"not a sender!\"\n"),
            "[sms] from",
        ),
        (
            twilio("auth_token = \"x\"\nfrom = \"twelve chars\"\n"),
            "[sms] from",
        ),
        (
            twilio("messaging_service_sid = \"MG12\"\n"),
            "[sms] messaging_service_sid",
        ),
        (twilio("endpoint = \"http://api.example\"\n"), "[sms] endpoint"),
        (
            "connector = \"twilio\"\naccount_sid = \"AC1\"\n".to_owned(),
            "[sms] account_sid",
        ),
        (with_url("http://sms.example/"), "[sms] url"),
        (with_url("https://me:secret@sms.example/"), "[sms] url"),
        (with_url("https://{{ to }}.sms.example/"), "[sms] url"),
        (with_url("https://sms.example/{{ to }}?x=1"), "[sms] url"),
        (with_url("https://sms.example/?to={{ phone }}"), "[sms] url"),
        (http("method = \"DELETE\"\n"), "[sms] method"),
        (
            http("method = \"GET\"\nsigning_key = \"0123456789abcdef0123456789abcdef\"\n"),
            "[sms] signing_key",
        ),
        (http("method = \"GET\"\nbody = \"x\"\n"), "[sms] body"),
        (http("signing_key = \"short\"\n"), "[sms] signing_key"),
        (
            http("content_type = \"multipart/form-data\"\n"),
            "[sms] content_type",
        ),
        (http("body = '{\"text\":\"{{ text }}\"}'\n"), "[sms] body"),
        (http("success = [302]\n"), "[sms] success"),
        (
            http("headers = { \"no header\" = \"x\" }\n"),
            "[sms] headers.no header",
        ),
        (http("headers = { host = \"x\" }\n"), "[sms] headers.host"),
        (
            http("headers = { content-type = \"x\" }\n"),
            "[sms] headers.content-type",
        ),
        (http("headers = { x = \"a\\nb\" }\n"), "[sms] headers.x"),
        (
            http("headers = { X-Key = \"a\", x-key = \"b\" }\n"),
            "[sms] headers.x-key",
        ),
    ] {
        let found = sms_problems(&section);
        assert_eq!(found.len(), 1, "{section}: {found:?}");
        assert!(found[0].starts_with(place), "{section}: {found:?}");
    }
    // Plain http stays on this machine.
    assert!(sms_problems(&with_url("http://127.0.0.1:8080/sms")).is_empty());
    assert!(sms_problems(&http("method = \"PUT\"\nsuccess = [200, 202]\n")).is_empty());
    assert!(sms_problems("connector = \"http\"\nmethod = \"GET\"\nurl = \"https://sms.example/?to={{ to }}&text={{ text }}\"\n").is_empty());
}

/// SR-88: every header may be a secret, in a file or in the environment.
#[test]
fn sr88_headers_come_from_files_and_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "Bearer of the file\n").unwrap();
    let text = format!(
        "{LEAST}[sms]\nconnector = \"http\"\nurl = \"https://sms.example/\"\n[sms.headers]\n\
         authorization_file = \"{}\"\nX-Api-Key = \"of the text\"\n",
        file.display()
    );
    let header = |config: &Config, name: &str| {
        let SmsConnectorConfig::Http(settings) = config.sms.connector() else {
            panic!("no connector")
        };
        let value = settings.endpoint.headers[name].clone();
        assert!(value.is_sensitive());
        value.to_str().unwrap().to_owned()
    };
    let config = loaded(&text, &[]).unwrap();
    assert_eq!(header(&config, "authorization"), "Bearer of the file");
    assert_eq!(header(&config, "x-api-key"), "of the text");
    assert!(!format!("{config:?}").contains("of the"));
    let config = loaded(
        &text,
        &[
            ("KEYBACK__SMS__HEADERS__X_API_KEY", "of the environment"),
            (
                "KEYBACK__SMS__HEADERS__AUTHORIZATION",
                "Bearer of the environment",
            ),
        ],
    )
    .unwrap();
    assert_eq!(header(&config, "authorization"), "Bearer of the environment");
    assert_eq!(header(&config, "x-api-key"), "of the environment");
    let wrong = problems(&format!(
        "{LEAST}[sms]\nauth_token_file = \"/not/there\"\n[sms.headers]\nx_file = \"/not/there\"\n"
    ));
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(
        wrong[1].starts_with("[sms] headers x_file") || wrong[0].starts_with("[sms] headers x_file"),
        "{wrong:?}"
    );
}

#[test]
fn an_http_e_mail_connector_needs_an_address_and_no_sender() {
    let email = |section: &str| loaded(&format!("{LEAST}[email]\nconnector = \"http\"\n{section}"), &[]);
    let EmailConnectorConfig::Missing(why) = email("").unwrap().email.connector() else {
        panic!("a connector")
    };
    assert!(why.contains("[email] url is missing"), "{why}");
    let complete =
        email("url = \"https://mail.example/\"\nheaders = { authorization = \"Bearer x\" }\n").unwrap();
    assert!(matches!(
        complete.email.connector(),
        EmailConnectorConfig::Http(_)
    ));
    for (section, place) in [
        ("url = \"http://mail.example/\"\n", "[email] url"),
        (
            "url = \"https://mail.example/\"\nsigning_key = \"short\"\n",
            "[email] signing_key",
        ),
        (
            "url = \"https://mail.example/\"\nsigning_key = \"0123456789abcdef0123456789abcdef\"\nsignature_header = \"a b\"\n",
            "[email] signature_header",
        ),
    ] {
        let wrong = email(section).unwrap_err();
        assert_eq!(wrong.0.len(), 1, "{wrong}");
        assert!(wrong.0[0].starts_with(place), "{wrong}");
    }
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
fn all_that_is_wrong_with_a_connector_is_told_at_once() {
    let twilio = "connector = \"twilio\"\naccount_sid = \"AC1\"\napi_key_sid = \"SK1\"\n\
                  messaging_service_sid = \"MG1\"\nfrom = \"not a sender!\"\n\
                  endpoint = \"https://api.example/?x=1\"\ntimeout = \"5m\"\n";
    let http = "connector = \"http\"\nurl = \"http://sms.example/\"\nmethod = \"GET\"\nbody = \"x\"\n\
                signing_key = \"short\"\nsignature_header = \"a b\"\nsuccess = [302]\n\
                headers = { host = \"x\", \"no header\" = \"y\" }\n";
    let keys_of = |found: &[String]| -> Vec<String> {
        let mut keys: Vec<_> = found
            .iter()
            .map(|problem| problem.split_once("] ").unwrap().1)
            .map(|rest| rest.split_once(": ").unwrap().0.to_owned())
            .collect();
        keys.sort();
        keys
    };
    let found = sms_problems(twilio);
    let expected = [
        "account_sid",
        "api_key_sid",
        "endpoint",
        "from",
        "messaging_service_sid",
        "timeout",
    ];
    assert_eq!(keys_of(&found), expected, "{found:#?}");
    let found = sms_problems(http);
    let expected = [
        "body",
        "headers.host",
        "headers.no header",
        "signature_header",
        "signing_key",
        "signing_key",
        "success",
        "url",
    ];
    assert_eq!(keys_of(&found), expected, "{found:#?}");
    let found = problems(&format!(
        "{LEAST}[email]\nconnector = \"http\"\nurl = \"http://mail.example/\"\nsigning_key = \"short\"\n\
         headers = {{ host = \"x\" }}\n"
    ));
    assert_eq!(
        keys_of(&found),
        ["headers.host", "signing_key", "url"],
        "{found:#?}"
    );
    // What is missing is no problem, and is told together too, in the log.
    let why = missing("connector = \"twilio\"\n");
    for key in ["account_sid", "auth_token", "from"] {
        assert!(why.contains(&format!("[sms] {key}")), "{why}");
    }
}

#[test]
fn keys_of_another_connector_are_refused() {
    let key = "0123456789abcdef0123456789abcdef";
    for (section, foreign) in [
        (
            format!("[sms]\nconnector = \"http\"\naccount_sid = \"{ACCOUNT}\"\n"),
            "account_sid",
        ),
        (
            "[sms]\nconnector = \"http\"\nauth_token_file = \"/dev/null\"\n".to_owned(),
            "auth_token_file",
        ),
        (
            "[sms]\nconnector = \"twilio\"\nmethod = \"POST\"\n".to_owned(),
            "method",
        ),
        (
            format!("[sms]\nconnector = \"twilio\"\nsigning_key = \"{key}\"\n"),
            "signing_key",
        ),
        (
            "[sms]\nconnector = \"twilio\"\nheaders = { x = \"y\" }\n".to_owned(),
            "headers",
        ),
        (
            "[email]\nconnector = \"http\"\nhost = \"mail\"\n".to_owned(),
            "host",
        ),
        (
            "[email]\nconnector = \"http\"\nca_file = \"/dev/null\"\n".to_owned(),
            "ca_file",
        ),
        (
            "[email]\nconnector = \"smtp\"\nurl = \"https://mail.example/\"\n".to_owned(),
            "url",
        ),
    ] {
        let found = problems(&format!("{LEAST}{section}"));
        assert_eq!(found.len(), 1, "{section}: {found:?}");
        let name = &section[..section.find('\n').unwrap()];
        assert!(found[0].starts_with(&format!("{name} {foreign}: ")), "{found:?}");
        assert!(found[0].contains("remove it"), "{found:?}");
    }
    // By the environment they come as they come by the file.
    let text = format!("{LEAST}[sms]\nconnector = \"http\"\nurl = \"https://sms.example/\"\n");
    let refused = loaded(&text, &[("KEYBACK__SMS__AUTH_TOKEN", "x")]).unwrap_err();
    assert_eq!(refused.0.len(), 1, "{refused}");
    // What all read is nobody's own, and without a connector every key waits for its own.
    assert!(sms_problems("connector = \"http\"\nfrom = \"Larkspur\"\ndefault_region = \"US\"\n").is_empty());
    assert!(sms_problems("account_sid = \"AC1\"\nmethod = \"GET\"\n").is_empty());
}
