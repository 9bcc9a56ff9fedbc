use keyback_core::time::Timestamp;

use super::*;

/// 23 November 2026, 18:04 UTC.
const AT: Timestamp = Timestamp::from_millis(1_795_457_040_000);
const HOSTILE: &str = "<script>alert(\"1\")</script>\r\nBcc: eve@example.com\u{202e}\u{2028}'&";

fn messages() -> Messages {
    Messages::built_in().unwrap()
}

fn code_message(app_name: &str) -> CodeMessage<'_> {
    CodeMessage {
        app_name,
        code: "004217",
        expires_in_minutes: 10,
        link_url: None,
        host: "id.example.com",
        color: "#2f5bea".parse().unwrap(),
    }
}

fn changed_message(app_name: &str) -> PasswordChangedMessage<'_> {
    PasswordChangedMessage {
        app_name,
        at: AT,
        way: Way::Reset,
        sessions_ended: 3,
        reset_url: "https://id.example.com/reset-password",
        not_me_url: Some("https://id.example.com/not-me?t=abc"),
        color: "#2f5bea".parse().unwrap(),
    }
}

/// SR-33: app name, purpose, expiry, "didn't ask? ignore", in both parts of the mail and in the text message.
#[test]
fn a_code_message_says_what_it_is_for() {
    let message = code_message("Larkspur Books");
    let mail = messages().render_reset_code(&message).unwrap();
    assert_eq!(mail.subject, "Your code for a new Larkspur Books password");
    let sms = messages().render_reset_code_sms(&message).unwrap();
    let html = mail.html.unwrap();
    for part in [&mail.text, &html, &sms.text] {
        for said in ["Larkspur Books", "004217", "password", "10 minutes", "gnore"] {
            assert!(part.contains(said), "{said} is not in {}", part.as_str());
        }
        assert!(part.contains("idn't ask") || part.contains("idn’t ask") || part.contains("id not ask"));
        assert!(
            !part.contains("http"),
            "a code message has no link: {}",
            part.as_str()
        );
    }
}

/// SR-30: both parts of the mail lead to the page, once each; a text message never does.
#[test]
fn sr30_a_mail_has_the_link_where_there_is_one() {
    let link = "https://id.example.com/forgot-password/link?t=abc";
    let message = CodeMessage {
        link_url: Some(link),
        ..code_message("Larkspur Books")
    };
    let mail = messages().render_reset_code(&message).unwrap();
    let html = mail.html.unwrap();
    assert_eq!(mail.text.matches(link).count(), 1, "{}", mail.text.as_str());
    assert_eq!(html.matches("href=").count(), 1);
    assert!(html.contains("link?t=abc"), "{}", html.as_str());
    for part in [&mail.text, &html] {
        assert!(part.contains("004217") && part.contains("button"));
    }
    assert!(!mail.subject.contains("http"));
    let sms = messages().render_reset_code_sms(&message).unwrap();
    assert!(!sms.text.contains("http"));
}

/// The subject shows on lock screens.
#[test]
fn the_code_is_not_in_the_subject() {
    let mail = messages()
        .render_reset_code(&code_message("Larkspur Books"))
        .unwrap();
    assert!(!mail.subject.contains("004217"));
}

/// SR-33: the last line is exactly `@host #code`, whatever the names contain, and the message is one the GSM alphabet can write.
#[test]
fn origin_bound_codes_2_the_last_line_of_a_text_message_binds_the_code_to_the_host() {
    for name in ["Larkspur Books", HOSTILE, "a\n@evil.example #111111"] {
        let sms = messages().render_reset_code_sms(&code_message(name)).unwrap();
        assert_eq!(sms.text.lines().last(), Some("@id.example.com #004217"));
        assert_eq!(sms.text.lines().filter(|line| line.starts_with('@')).count(), 1);
        assert!(sms.text.ends_with('7') && sms.subject.is_empty() && sms.html.is_none());
    }
    let sms = messages()
        .render_reset_code_sms(&code_message("Larkspur Books"))
        .unwrap();
    assert!(
        sms.text.is_ascii() && sms.text.len() <= 160,
        "{} characters",
        sms.text.len()
    );
}

/// WICG origin-bound one-time codes: a phone takes the last line for a code where it has the form of one. A message
/// without a code has none, whatever the names in it.
#[test]
fn sr33_the_notice_by_text_message_offers_no_code() {
    for name in ["Larkspur Books", HOSTILE, "a\n@evil.example #111111"] {
        let sms = messages()
            .render_password_changed_sms(&changed_message(name))
            .unwrap();
        assert_eq!(sms.text.lines().filter(|line| line.starts_with('@')).count(), 0);
        assert_eq!(sms.text.lines().count(), 1, "{}", sms.text.as_str());
    }
}

/// SR-59: time, what was ended, what to do; no link that acts.
#[test]
fn the_notice_says_when_what_and_what_to_do() {
    let message = changed_message("Larkspur Books");
    let mail = messages().render_password_changed(&message).unwrap();
    assert_eq!(mail.subject, "Your Larkspur Books password was changed");
    let html = mail.html.unwrap();
    for part in [mail.text.as_str(), html.as_str()] {
        assert!(part.contains("23 November 2026 at 18:04 UTC"), "{part}");
        assert!(part.contains("3 devices"), "{part}");
        assert!(part.contains("not-me?t=abc"), "{part}");
    }
    assert!(mail.text.contains("https://id.example.com/not-me?t=abc"));
    assert_eq!(html.matches("href=").count(), 1);

    let one = PasswordChangedMessage {
        sessions_ended: 1,
        way: Way::Change,
        ..message
    };
    assert!(
        messages()
            .render_password_changed(&one)
            .unwrap()
            .text
            .contains("1 device ")
    );
    let none = PasswordChangedMessage {
        sessions_ended: 0,
        ..message
    };
    assert!(
        !messages()
            .render_password_changed(&none)
            .unwrap()
            .text
            .contains("device")
    );
    let sms = messages().render_password_changed_sms(&message).unwrap();
    assert!(sms.text.contains("Larkspur Books") && sms.text.contains("https://id.example.com/not-me?t=abc"));
}

/// What waits in the outbox since before there were links is said without one.
#[test]
fn sr59_a_notice_without_a_link_leads_to_a_reset() {
    let message = PasswordChangedMessage {
        not_me_url: None,
        ..changed_message("Larkspur Books")
    };
    let mail = messages().render_password_changed(&message).unwrap();
    let sms = messages().render_password_changed_sms(&message).unwrap();
    let html = mail.html.unwrap();
    for part in [&mail.text, &html, &sms.text] {
        assert!(part.contains("reset-password"), "{}", part.as_str());
        assert!(
            !part.contains("not-me") && !part.contains("\"none"),
            "{}",
            part.as_str()
        );
    }
}

/// SR-59: of two addresses, the one that is lost is told too; a text message is one message of the GSM alphabet.
#[test]
fn sr59_the_notice_of_a_changed_address_says_which_and_what_to_do() {
    let not_me_url = format!("https://id.example.com/not-me?t={}", "A".repeat(22));
    for (what, words) in [
        (ChangedAddresses::Email, "e-mail address"),
        (ChangedAddresses::Phone, "phone number"),
        (ChangedAddresses::Both, "e-mail address and phone number"),
    ] {
        let message = AddressChangedMessage {
            app_name: "Larkspur Books",
            at: AT,
            what,
            not_me_url: Some(&not_me_url),
            color: "#2f5bea".parse().unwrap(),
        };
        let mail = messages().render_address_changed(&message).unwrap();
        let sms = messages().render_address_changed_sms(&message).unwrap();
        for part in [&mail.text, &sms.text] {
            for said in [words, "23 November 2026 at 18:04 UTC", &not_me_url] {
                assert!(part.contains(said), "{said} is not in {}", part.as_str());
            }
        }
        assert_eq!(mail.html.unwrap().matches("href=").count(), 1);
        // Of both it is two messages.
        let length = sms.text.len();
        assert!(
            sms.text.is_ascii() && (length <= 160 || what == ChangedAddresses::Both),
            "{length} characters"
        );
    }
    for what in [ChangedAddresses::Email, ChangedAddresses::Phone] {
        let distrusted = AddressChangedMessage {
            app_name: "Larkspur Books",
            at: AT,
            what,
            not_me_url: None,
            color: "#2f5bea".parse().unwrap(),
        };
        let mail = messages().render_address_changed(&distrusted).unwrap();
        let sms = messages().render_address_changed_sms(&distrusted).unwrap();
        assert!(sms.text.is_ascii() && sms.text.len() <= 160, "{}", sms.text.len());
        let html = mail.html.unwrap();
        for part in [mail.text.as_str(), &sms.text, &html] {
            let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(part.contains("23 November 2026 at 18:04 UTC"), "{part}");
            assert!(
                part.contains("no more") && part.contains("sk the people behind"),
                "{part}"
            );
            assert!(
                !part.contains("href=") && !part.contains("http"),
                "nothing to follow"
            );
        }
    }
    let mut changed = changed_message("Larkspur Books");
    changed.not_me_url = Some(&not_me_url);
    let sms = messages().render_password_changed_sms(&changed).unwrap();
    assert!(
        sms.text.is_ascii() && sms.text.len() <= 160,
        "{} characters",
        sms.text.len()
    );
}

/// SR-12, SR-70: no value breaks a header, a line of a text message or the HTML.
#[test]
fn hostile_values_stay_values() {
    let code = messages().render_reset_code(&code_message(HOSTILE)).unwrap();
    let changed = messages()
        .render_password_changed(&changed_message(HOSTILE))
        .unwrap();
    for mail in [code, changed] {
        assert!(
            !mail.subject.contains(['\r', '\n', '\u{202e}', '\u{2028}']),
            "{}",
            mail.subject
        );
        assert!(!mail.text.contains('\r') && !mail.text.contains('\u{202e}'));
        assert!(!mail.text.lines().any(|line| line.starts_with("Bcc")));
        let html = mail.html.unwrap();
        assert!(!html.contains("<script") && !html.contains("\"1\"") && !html.contains('\u{202e}'));
    }
}

#[test]
fn messages_do_not_show_their_code_in_logs() {
    let message = code_message("Larkspur Books");
    let mail = messages().render_reset_code(&message).unwrap();
    assert!(!format!("{message:?} {mail:?}").contains("004217"));
}

/// Writes every message into the folder named by KEYBACK_GALLERY, to be looked at.
#[test]
fn messages_can_be_looked_at() {
    let Some(folder) = std::env::var_os("KEYBACK_GALLERY").map(std::path::PathBuf::from) else {
        return;
    };
    let code = messages()
        .render_reset_code(&code_message("Larkspur Books"))
        .unwrap();
    let changed = messages()
        .render_password_changed(&changed_message("Larkspur Books"))
        .unwrap();
    let linked = CodeMessage {
        link_url: Some("https://id.example.com/forgot-password/link?t=abc"),
        ..code_message("Larkspur Books")
    };
    let linked = messages().render_reset_code(&linked).unwrap();
    for (name, mail) in [
        ("reset-code", code),
        ("reset-code-with-link", linked),
        ("password-changed", changed),
    ] {
        std::fs::write(
            folder.join(format!("mail.{name}.html")),
            mail.html.unwrap().as_bytes(),
        )
        .unwrap();
        std::fs::write(folder.join(format!("mail.{name}.txt")), mail.text.as_bytes()).unwrap();
    }
    let sms = messages()
        .render_reset_code_sms(&code_message("Larkspur Books"))
        .unwrap();
    std::fs::write(folder.join("sms.reset-code.txt"), sms.text.as_bytes()).unwrap();
}
