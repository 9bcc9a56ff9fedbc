//! The link of a reset mail: looking at it does nothing and tells nothing, and it acts in the browser that asked alone.

use std::time::Duration;

use keyback_companion::config::messages::EmailConnectorKind;
use keyback_companion::store::users::NewUser;
use keyback_tests::{ADA, Behaviour, Browser, MessageProvider, NEW_PASSWORD, OLD_PASSWORD, TestApp};
use keyback_tests::{eventually, wire};
use url::Url;

use super::codes::wrong;
use super::frozen::{PHONE, signs_in};

const PATH: &str = "/forgot-password/link";
const OVER: &str = "This link no longer works";

/// A companion whose mails carry links, and a browser that has asked for Ada.
async fn asked() -> (TestApp, Browser) {
    let app = TestApp::with(|config| config.reset.links = true).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.assert_at("/forgot-password/code");
    (app, browser)
}

/// The link in a text.
pub(crate) fn link_in(text: &str) -> Option<Url> {
    let word = text
        .split_whitespace()
        .find(|word| word.contains("/forgot-password/link?t="));
    word.map(|word| Url::parse(word).unwrap())
}

/// The link of the newest mail to Ada.
async fn link(app: &TestApp) -> Url {
    let letters = app.letters_to(ADA).await;
    let link = link_in(&letters[0].text).unwrap_or_else(|| panic!("no link in {}", letters[0].text));
    assert_eq!(link.origin(), app.url.origin());
    link
}

/// All that a reset could change: flows and challenges to the letter, and how much there is of everything else, but for the
/// lines which say that a code was shown.
async fn all_that_rests(app: &TestApp) -> String {
    let flows: Vec<String> = sqlx::query_scalar("SELECT flow FROM reset_flows ORDER BY id")
        .fetch_all(app.companion.store.reader())
        .await
        .unwrap();
    let mut counts = app.row_counts().await;
    *counts.get_mut("audit").unwrap() -= app.audited("code_shown").await;
    format!("{flows:?} {:?} {counts:?}", app.challenges().await)
}

async fn head(app: &TestApp, link: &Url, cookies: &str) -> String {
    let target = &link[url::Position::BeforePath..];
    let port = app.url.port().unwrap();
    let request =
        format!("HEAD {target} HTTP/1.1\r\nHost: localhost:{port}\r\n{cookies}Connection: close\r\n\r\n");
    wire::exchange(&app.url, request.as_bytes()).await
}

/// SR-30: scanners open, render and prefetch, some of them in the reader's own browser.
#[tokio::test]
async fn sr30_twenty_looks_use_nothing_up_and_the_button_still_works() {
    let (app, mut browser) = asked().await;
    let (link, code) = (link(&app).await, app.last_code_for(ADA).await);
    let before = all_that_rests(&app).await;
    let scanner = app.browser();
    let name = browser.cookie_names(&app.url).remove(0);
    let own = format!("Cookie: {name}={}\r\n", browser.cookie(&app.url, &name).unwrap());
    let prefetch = format!("{own}Sec-Purpose: prefetch\r\n");
    for _ in 0..20 {
        for cookies in ["", &own, &prefetch] {
            let answer = head(&app, &link, cookies).await;
            assert_eq!(wire::status(&answer), 200, "{answer}");
            assert!(!answer.to_lowercase().contains("set-cookie"), "{answer}");
        }
        for looker in [&scanner, &browser] {
            let page = looker.get_once(link.as_str()).await;
            assert_eq!(page.status, 200);
            page.assert_guarded();
            assert!(page.header("cache-control").contains("no-store"));
            assert!(page.header("set-cookie").is_empty());
        }
        let scanned = scanner.get_once(link.as_str()).await;
        assert!(!scanned.body.contains(&code), "{}", scanned.body);
    }
    assert_eq!(scanner.cookie_names(&app.url), [] as [&str; 0]);
    assert_eq!(all_that_rests(&app).await, before);
    // Then comes the person.
    browser.open(link.as_str()).await;
    browser.assert_says("Go on with your new password");
    browser.assert_says(ADA);
    let form = browser.page().form_to("/forgot-password/code");
    browser.submit(form).await;
    browser.assert_at("/forgot-password/password");
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
    assert!(signs_in(&app, NEW_PASSWORD).await);
}

/// Presses the button of the page that a link opens elsewhere.
async fn show_code(browser: &mut Browser) {
    let form = browser.page().form_to(PATH);
    browser.submit(form).await;
}

/// SR-30, SR-23: elsewhere a button shows the code and does no more, and what could be sent from there does nothing.
#[tokio::test]
async fn sr30_another_browser_is_shown_the_code_after_a_press_and_can_send_nothing() {
    let (app, mut browser) = asked().await;
    let (link, code) = (link(&app).await, app.last_code_for(ADA).await);
    let mut phone = app.browser();
    phone.open(link.as_str()).await;
    phone.assert_says("Somebody asked in another browser to choose a new password");
    phone.assert_says("within 10 minutes");
    // What a scanner publishes of it: no code, and not whose address it is.
    for secret in [&*code, ADA] {
        assert!(!phone.page().body.contains(secret), "{}", phone.page().body);
    }
    let before = all_that_rests(&app).await;
    show_code(&mut phone).await;
    phone.assert_status(200);
    phone.page().assert_guarded();
    assert!(phone.page().header("cache-control").contains("no-store"));
    phone.assert_says("within 10 minutes");
    assert_eq!(phone.page().text_of("code"), Some(code.clone()));
    assert_eq!(phone.page().forms().len(), 0);
    assert_eq!(phone.page().url.query(), None);
    assert!(!phone.page().body.contains(ADA));
    assert_eq!(all_that_rests(&app).await, before);
    // A flow of its own makes no difference, nor does a cookie that is made up.
    phone.open("/forgot-password").await;
    phone.ask_reset("nobody@example.com").await;
    let own = phone.cookie_names(&app.url).remove(0);
    let binding = phone.cookie(&app.url, &own).unwrap();
    let flow = browser.cookie_names(&app.url).remove(0);
    phone.put_cookie(&app.url, &flow, &binding);
    phone.open(link.as_str()).await;
    assert_eq!(phone.page().forms().len(), 1);
    show_code(&mut phone).await;
    assert_eq!(phone.page().text_of("code"), Some(code.clone()));
    // The form of the browser that asked, sent from here.
    browser.open(link.as_str()).await;
    let form = browser.page().form_to("/forgot-password/code");
    phone.submit(form.clone()).await;
    phone.assert_at("/forgot-password");
    phone.assert_says("That reset is over.");
    let mut stranger = app.browser();
    stranger.submit(form).await;
    stranger.assert_says("That reset is over.");
    assert_eq!(app.challenges().await[0].attempts, 0);
    // What was read there is typed here.
    browser.open(&link_to_code_page(&browser)).await;
    browser.enter_code(&code).await;
    browser.assert_at("/forgot-password/password");
}

/// The code page of the flow that the open page belongs to.
fn link_to_code_page(browser: &Browser) -> String {
    let form = browser.page().form_to("/forgot-password/code");
    form.action.to_string()
}

/// SR-30, SR-17: the link is as old as its code.
#[tokio::test]
async fn sr30_a_link_expires_with_its_code() {
    let (app, mut browser) = asked().await;
    let link = link(&app).await;
    let mut phone = app.browser();
    app.advance(Duration::from_secs(590));
    phone.open(link.as_str()).await;
    phone.assert_says("within 1 minute.");
    let press = phone.page().form_to(PATH);
    browser.open(link.as_str()).await;
    let form = browser.page().form_to("/forgot-password/code");
    app.advance(Duration::from_secs(10));
    phone.submit(press).await;
    phone.assert_status(410);
    phone.assert_says(OVER);
    phone.open(link.as_str()).await;
    phone.assert_status(410);
    phone.assert_says(OVER);
    browser.submit(form).await;
    browser.assert_says("This code is too old.");
    browser.open(link.as_str()).await;
    browser.assert_status(410);
    browser.assert_says(OVER);
    browser.click("Go on").await;
    browser.assert_at("/forgot-password/code");
    browser.assert_says("This code is too old.");
    // Days later nothing is left of the flow.
    app.advance(Duration::from_secs(3 * 86_400));
    app.companion.sweep().await.unwrap();
    for looker in [&mut browser, &mut phone] {
        looker.open(link.as_str()).await;
        looker.assert_status(410);
        looker.click("Choose a new password").await;
        looker.assert_at("/forgot-password");
    }
}

/// SR-30, SR-22: a newer code takes the older link's place.
#[tokio::test]
async fn sr30_a_newer_code_supersedes_the_link() {
    let (app, mut browser) = asked().await;
    let older = link(&app).await;
    browser.open(older.as_str()).await;
    let form = browser.page().form_to("/forgot-password/code");
    app.advance(Duration::from_secs(60));
    let mut code_page = browser.clone();
    code_page.open(&link_to_code_page(&browser)).await;
    code_page.resend().await;
    let newer = link(&app).await;
    assert_ne!(older, newer);
    browser.submit(form).await;
    browser.assert_says("That is an older code.");
    let mut phone = app.browser();
    for looker in [&mut browser, &mut phone] {
        looker.open(older.as_str()).await;
        looker.assert_status(410);
        looker.assert_says(OVER);
    }
    phone.open(newer.as_str()).await;
    show_code(&mut phone).await;
    assert_eq!(phone.page().text_of("code"), Some(app.last_code_for(ADA).await));
    browser.open(newer.as_str()).await;
    let form = browser.page().form_to("/forgot-password/code");
    browser.submit(form).await;
    browser.assert_at("/forgot-password/password");
}

/// SR-30, SR-19, SR-21: the tries are those of the code, and the proof is one.
#[tokio::test]
async fn sr30_a_link_is_counted_with_its_code_and_serves_once() {
    let (app, mut browser) = asked().await;
    let (first, code) = (link(&app).await, app.last_code_for(ADA).await);
    let mut typing = browser.clone();
    typing.open(browser.page().url.to_string().as_str()).await;
    for _ in 0..5 {
        typing.enter_code(&wrong(&code)).await;
    }
    let mut phone = app.browser();
    for looker in [&mut browser, &mut phone] {
        looker.open(first.as_str()).await;
        looker.assert_status(410);
    }
    app.advance(Duration::from_secs(60));
    typing.resend().await;
    let second = link(&app).await;
    browser.open(second.as_str()).await;
    let form = browser.page().form_to("/forgot-password/code");
    browser.submit(form.clone()).await;
    browser.assert_at("/forgot-password/password");
    assert_eq!(app.audited("code_accepted").await, 1);
    // Once more it leads to where the flow stands, and elsewhere to nothing.
    for again in [0, 1] {
        browser.open(second.as_str()).await;
        browser.assert_at("/forgot-password/password");
        phone.open(second.as_str()).await;
        phone.assert_status(410);
        if again == 0 {
            browser.submit(form.clone()).await;
            browser.assert_at("/forgot-password/password");
        }
    }
    browser.choose_password(NEW_PASSWORD).await;
    browser.open(second.as_str()).await;
    browser.assert_at("/forgot-password/done");
    assert_eq!(app.audited("code_accepted").await, 1);
}

/// SR-30: nobody makes a page of ours show what they like.
#[tokio::test]
async fn sr30_what_is_no_link_of_ours_shows_nothing() {
    let (app, mut browser) = asked().await;
    let link = link(&app).await;
    let (_, token) = link.query_pairs().next().unwrap();
    let (head, tail) = token.split_at(token.len() / 2);
    for forged in [
        String::new(),
        "123456".to_owned(),
        head.to_owned(),
        format!("{tail}{head}"),
        token.replacen(&token[30..31], if &token[30..31] == "A" { "B" } else { "A" }, 1),
        "A".repeat(30_000),
    ] {
        let page = browser.get_once(&format!("{PATH}?t={forged}")).await;
        assert_eq!(page.status, 410, "{forged}");
        assert!(page.text().contains(OVER) && page.forms().is_empty());
    }
    assert_eq!(browser.get_once(PATH).await.status, 410);
    assert_eq!(
        browser
            .get_once(&format!("{PATH}?t={token}&t={token}"))
            .await
            .status,
        400
    );
    // A press shows what it brings in its body, and tries nothing: what is tried goes the way of a typed code or none.
    browser.open(link.as_str()).await;
    let mut form = browser.page().form_to("/forgot-password/code");
    form.action = link.clone();
    assert_eq!(browser.post_once(&form).await.status, 410);
    form.fields = vec![("t".to_owned(), "A".repeat(1_000))];
    assert_eq!(browser.post_once(&form).await.status, 410);
    form.fields = vec![("t".to_owned(), token.clone().into_owned())];
    let pressed = browser.post_once(&form).await;
    assert_eq!(pressed.status, 200);
    assert!(
        pressed.text().contains("Go on with your new password"),
        "{}",
        pressed.text()
    );
    assert_eq!(app.challenges().await[0].attempts, 0);
}

/// SR-30: off unless the operator wants it; a text message never has one. SR-4: who has no account gets neither.
#[tokio::test]
async fn sr30_only_mails_carry_links_and_only_where_they_are_on() {
    for on in [false, true] {
        let app = TestApp::with(|config| config.reset.links = on).await;
        let user = NewUser {
            email: Some(ADA.to_owned()),
            phone: Some(PHONE.to_owned()),
            verified: true,
            ..NewUser::default()
        };
        app.add(user, Some(OLD_PASSWORD)).await;
        for (to, has_link) in [(ADA, on), (PHONE, false)] {
            let mut browser = app.browser();
            browser.open("/forgot-password").await;
            browser.ask_reset(to).await;
            let letters = app.letters_to(to).await;
            assert_eq!(link_in(&letters[0].text).is_some(), has_link, "{to} {on}");
        }
        let mut browser = app.browser();
        browser.open("/forgot-password").await;
        browser.ask_reset("nobody@example.com").await;
        browser.assert_at("/forgot-password/code");
        assert_eq!(app.letters_to("nobody@example.com").await.len(), 0);
    }
}

/// SR-34: a try after a failure brings the same link; both parts of the mail have it.
#[tokio::test]
async fn sr30_sr34_every_try_of_a_mail_carries_the_same_link() {
    let endpoint = MessageProvider::start(Behaviour::Says(503, "", "")).await;
    let app = TestApp::with(|config| {
        config.reset.links = true;
        config.email.connector = Some(EmailConnectorKind::Http);
        config.email.url = Some(endpoint.url.clone());
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let tried = async |count: usize| {
        eventually("a try", async || {
            // A job whose failure is written down is due again later.
            app.advance(Duration::from_millis(500));
            (endpoint.messages().len() >= count).then_some(())
        })
        .await;
    };
    tried(1).await;
    endpoint.behave(Behaviour::Takes);
    tried(2).await;
    let links: Vec<Url> = endpoint
        .messages()
        .iter()
        .map(|asked| {
            let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
            let link = link_in(body["payload"]["text"].as_str().unwrap()).unwrap();
            let (_, token) = link.query_pairs().next().unwrap();
            let html = body["payload"]["html"].as_str().unwrap();
            assert!(html.contains(&*token), "{html}");
            link
        })
        .collect();
    assert_eq!(links[0], links[1]);
    browser.open(links[1].as_str()).await;
    let form = browser.page().form_to("/forgot-password/code");
    browser.submit(form).await;
    browser.assert_at("/forgot-password/password");
}

/// Whatever a request says of the host: of a client, and of a proxy whose word about addresses is believed.
#[tokio::test]
async fn sr08_no_link_depends_on_a_header_of_the_request() {
    const EVIL: &[(&str, &str)] = &[
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "gopher"),
        ("x-forwarded-port", "666"),
        ("x-forwarded-server", "evil.example"),
        ("x-original-host", "evil.example"),
        ("x-host", "evil.example"),
        ("forwarded", "for=198.51.100.7;host=evil.example;proto=gopher"),
        ("referer", "https://evil.example/"),
    ];
    for proxies in [None, Some("127.0.0.0/8")] {
        let app = TestApp::with(|config| {
            config.reset.links = true;
            config.server.trusted_proxies = proxies.iter().map(|range| range.parse().unwrap()).collect();
        })
        .await;
        let ada = NewUser {
            email: Some(ADA.to_owned()),
            phone: Some(PHONE.to_owned()),
            verified: true,
            ..NewUser::default()
        };
        app.add(ada, Some(OLD_PASSWORD)).await;
        let mut sent = Vec::new();
        for identifier in [ADA, PHONE] {
            let mut browser = app.browser().that_says(EVIL);
            browser.open("/forgot-password").await;
            browser.ask_reset(identifier).await;
            browser.enter_code(&app.last_code_for(identifier).await).await;
            browser
                .choose_password(&format!("{NEW_PASSWORD} of {identifier}"))
                .await;
            browser.assert_at("/forgot-password/done");
            assert!(!browser.page().body.contains("evil"), "{}", browser.page().body);
            sent.extend(app.letters_to(identifier).await);
        }
        let links: Vec<Url> = sent.iter().filter_map(|letter| link_in(&letter.text)).collect();
        assert_eq!(links.len(), 1);
        assert_eq!(links[0].origin(), app.url.origin());
        // One by mail, of the first reset, and two by text message.
        let of_notice = format!("{}not-me?t=", app.url);
        let notices = sent.iter().filter(|letter| letter.text.contains(&of_notice));
        assert_eq!(notices.count(), 3);
        for letter in sent {
            assert!(
                !letter.text.contains("evil") && !letter.text.contains("gopher"),
                "{}",
                letter.text
            );
        }
    }
}
