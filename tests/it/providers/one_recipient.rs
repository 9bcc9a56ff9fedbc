//! What may lie in one recipient alone stops nobody else's messages (SR-87), and what lies in the mail account loses none.

use keyback_companion::config::duration::Span;
use keyback_companion::config::messages::EmailConnectorKind;
use keyback_tests::{
    Behaviour, Browser, Mail, MessageProvider, NEW_PASSWORD, OLD_PASSWORD, SmtpManner, SmtpSink, TestApp,
    eventually,
};

use super::breakers::{PEOPLE, a_second, address, ask, is_open, tries_at_rest, with_people};
use crate::smtp::over_smtp;

/// Asks for one person again and again, whose messages all fail: nobody else's wait for that.
async fn fail_for_one(app: &TestApp) {
    for _ in 0..PEOPLE / 2 {
        ask(app, &address(0)).await;
    }
    eventually("each to have failed", async || {
        (tries_at_rest(app).await == vec![1; PEOPLE / 2]).then_some(())
    })
    .await;
    assert_eq!(app.companion.breakers.open(), []);
}

/// One mailbox that holds up whatever is sent to it, as one behind greylisting or a tar pit does, asked for again and again.
#[tokio::test]
async fn sr87_one_mailbox_that_holds_mails_up_stops_no_others_and_many_do() {
    let mail = SmtpSink::in_manner(SmtpManner::HoldsUp("person0@")).await;
    let app = with_people(|config| {
        over_smtp(config, mail.address);
        config.email.timeout = Span::seconds(1);
    })
    .await;
    fail_for_one(&app).await;
    let ready = Browser::at(&app.admin).get_once("/readyz").await;
    assert!(!ready.body.contains("left alone"), "{}", ready.body);
    // Nor does its conversation go on in another's: each mail is whole, and for one.
    for at in 1..5 {
        ask(&app, &address(at)).await;
    }
    eventually("the others' mails", async || {
        (mail.mails().len() == 4).then_some(())
    })
    .await;
    for mail in mail.mails() {
        let [to] = &mail.to[..] else {
            panic!("{:?}", mail.to);
        };
        assert!(mail.data.contains(&format!("To: {to}")), "{}", mail.data);
    }
    // The same with different mailboxes is the server's.
    mail.behave(SmtpManner::HoldsUp("@house"));
    for at in 5..PEOPLE {
        ask(&app, &address(at)).await;
    }
    is_open(&app, "email").await;
    let open = app.companion.breakers.open().remove(0);
    assert!(
        open.cause.contains("did not take this mail in time"),
        "{}",
        open.cause
    );
}

/// Whoever has a domain has any number of addresses there, and a mail server that takes its time over each.
#[tokio::test]
async fn sr87_a_domain_that_holds_all_of_its_mails_up_leaves_places_to_others() {
    let mail = SmtpSink::in_manner(SmtpManner::HoldsUp("pit.example>")).await;
    let app = with_people(|config| {
        over_smtp(config, mail.address);
        // As good as for ever: nothing of the pit's ends before this test.
        config.email.timeout = Span::seconds(60);
    })
    .await;
    for at in 0..PEOPLE {
        let address = format!("person{at}@s{at}.pit.example");
        app.add_user(&address, Some(OLD_PASSWORD)).await;
        ask(&app, &address).await;
    }
    eventually("two mails to the pit to be under way", async || {
        (mail.connections() == 2).then_some(())
    })
    .await;
    ask(&app, &address(1)).await;
    eventually("the other's mail", async || {
        (mail.mails().len() == 1).then_some(())
    })
    .await;
    assert_eq!(mail.mails()[0].to, [address(1)]);
}

/// A gateway that fails at one recipient, whom a stranger asks for again and again, serves the others.
#[tokio::test]
async fn sr87_a_gateway_that_fails_at_one_recipient_is_called_for_the_others() {
    let gateway = MessageProvider::start(Behaviour::Says(500, "", "")).await;
    let app = with_people(|config| {
        config.email.connector = Some(EmailConnectorKind::Http);
        config.email.url = Some(gateway.url.clone());
    })
    .await;
    fail_for_one(&app).await;
    for at in 1..PEOPLE / 2 {
        ask(&app, &address(at)).await;
    }
    is_open(&app, "email").await;
}

/// A wrong password of the mail account, a sender that it may not use, or a server that wants no mail at all, is the operator's trouble: what was promised waits
/// for it to be mended, and the operator is told why.
#[tokio::test]
async fn sr59_sr87_a_notice_outlives_what_is_wrong_with_the_mail_account() {
    for (manner, told) in [
        (
            SmtpManner::RefusesLogin("535 5.7.8 wrong"),
            "535: compare [email] username and password",
        ),
        (
            SmtpManner::RefusesLogin("530 5.7.0 log in"),
            "530: compare [email] username and password",
        ),
        (SmtpManner::Refuses("554 5.3.2 no mail here"), "answered 554"),
        (
            SmtpManner::RefusesSender("550 5.7.1 not your address"),
            "550 5.7.1 to our sender: compare [email] from",
        ),
        (SmtpManner::RefusesSender("553 not allowed"), "553 to our sender"),
    ] {
        let mail = SmtpSink::start().await;
        let app = with_people(|config| over_smtp(config, mail.address)).await;
        let mut browser = ask(&app, &address(0)).await;
        let code = eventually("the code", async || {
            let mails = mail.mails();
            mails.first().and_then(Mail::code)
        })
        .await;
        browser.enter_code(&code).await;
        mail.behave(manner);
        browser.choose_password(NEW_PASSWORD).await;
        browser.assert_at("/forgot-password/done");
        // Its tries come farther and farther apart.
        eventually("the circuit to open", async || {
            a_second(&app).await;
            (!app.companion.breakers.open().is_empty()).then_some(())
        })
        .await;
        let [tries] = tries_at_rest(&app).await[..] else {
            panic!("the notice is gone: {manner:?}");
        };
        assert!(tries >= 5, "{tries}");
        let ready = Browser::at(&app.admin).get_once("/readyz").await;
        assert_eq!(ready.status, 503);
        assert!(ready.body.contains(told), "{}", ready.body);
        let kept: String = sqlx::query_scalar("SELECT last_error FROM jobs")
            .fetch_one(app.companion.store.reader())
            .await
            .unwrap();
        assert!(kept.contains(told), "{kept}");
        mail.behave(SmtpManner::Takes);
        eventually("the notice", async || {
            a_second(&app).await;
            (mail.mails().len() == 2).then_some(())
        })
        .await;
        assert_eq!(mail.mails()[1].to, [address(0)]);
    }
}
