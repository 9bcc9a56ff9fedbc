//! What holds for every page in every state.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::assets::{DEMO_STYLE, SCRIPT, SEND_BACK_SCRIPT};
use super::gallery::{Picture, gallery};
use super::*;

fn theme() -> Theme {
    Theme::new(Brand {
        name: "Larkspur Books".to_owned(),
        color: "#2f5bea".parse().unwrap(),
        logo: None,
    })
}

fn pictures(theme: &Theme) -> Vec<Picture> {
    gallery(Shell::english(theme)).unwrap()
}

/// The opening tags of a page, each without its angle brackets. Our own text holds no `>` in a value.
fn tags<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let open = format!("<{name}");
    let at_tag = |rest: &&str| rest.starts_with([' ', '>', '\n']);
    let found = html.split(open.as_str()).skip(1).filter(at_tag);
    found.map(|rest| rest.split('>').next().unwrap()).collect()
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

/// There at the first round trip: page, style and script together, compressed.
#[test]
fn every_page_weighs_under_eight_kilobytes() {
    for Picture { name, html } in pictures(&theme()) {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(html.as_bytes()).unwrap();
        let weight = gzip.finish().unwrap().len();
        assert!(weight < 8 * 1024, "{name} weighs {weight} bytes");
    }
}

fn script_of(picture: &str) -> &'static str {
    if picture.starts_with("send-back") {
        SEND_BACK_SCRIPT.text()
    } else {
        SCRIPT.text()
    }
}

/// SR-67: one style and one script, the ones whose hashes are told; no attribute that the policy would have to allow.
#[test]
fn pages_hold_one_style_and_one_script_and_nothing_inline() {
    let theme = theme();
    for Picture { name, html } in pictures(&theme) {
        let demo_site = name.starts_with("demo-site");
        let style = if demo_site {
            DEMO_STYLE.text()
        } else {
            theme.style().text()
        };
        assert_eq!(html.matches("<style>").count(), 1, "{name}");
        assert!(html.contains(&format!("<style>{style}</style>")), "{name}");
        let script = script_of(&name);
        // A captcha brings the provider's, by its address.
        let scripts = usize::from(!demo_site) + html.matches("class=\"check\"").count();
        assert_eq!(html.matches("<script").count(), scripts, "{name}");
        assert!(
            demo_site || html.contains(&format!("<script>{script}</script>")),
            "{name}"
        );

        let markup = html.replace(style, "").replace(script, "");
        for forbidden in [
            " style=",
            " onclick=",
            " onsubmit=",
            " onload=",
            "javascript:",
            "data:",
            "<iframe",
            "<object",
            "<base",
        ] {
            assert!(!markup.contains(forbidden), "{name} holds {forbidden}");
        }
        for address in markup.split("src=\"").skip(1) {
            assert!(address.starts_with('/'), "{name} loads from elsewhere");
        }
    }
}

/// SR-83: every field has its label, every error is tied to where it belongs and told by the title.
#[test]
fn pages_can_be_heard_and_driven_by_keyboard() {
    for Picture { name, html } in pictures(&theme()) {
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\""), "{name}");
        assert_eq!(tags(&html, "main").len(), 1, "{name}");
        assert_eq!(tags(&html, "h1").len(), 1, "{name}");
        assert!(html.matches(" autofocus").count() <= 1, "{name}");
        let seen = |input: &&str| attribute(input, "type") != Some("hidden");
        for input in tags(&html, "input").into_iter().filter(seen) {
            let id = attribute(input, "id").unwrap_or_else(|| panic!("{name}: a field without id"));
            assert_eq!(attribute(input, "name"), Some(id), "{name}");
            assert!(
                html.contains(&format!("<label for=\"{id}\">")),
                "{name}: {id} has no label"
            );
            assert!(
                attribute(input, "autocomplete").is_some(),
                "{name}: {id} has no autocomplete"
            );
        }
        for form in tags(&html, "form") {
            assert_eq!(attribute(form, "method"), Some("post"), "{name}");
            let action = attribute(form, "action").unwrap();
            // The one form that leaves us posts an answer to the app.
            assert_eq!(action.starts_with('/'), !name.starts_with("send-back"), "{name}");
        }
        for reference in html.split("aria-describedby=\"").skip(1) {
            for id in reference.split('"').next().unwrap().split(' ') {
                assert!(
                    html.contains(&format!("id=\"{id}\"")),
                    "{name}: nothing is called {id}"
                );
            }
        }
        let alarmed = html.contains("role=\"alert\"") || name.starts_with("error.");
        let titled = html.contains("<title>Error: ");
        assert!(
            alarmed == titled || name.starts_with("demo-site"),
            "{name}: title and alert disagree"
        );
        let ids: Vec<_> = html
            .split(" id=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        assert!(
            ids.iter()
                .all(|id| ids.iter().filter(|other| *other == id).count() == 1),
            "{name}: {ids:?}"
        );
    }
}

/// What all pages hold is compressed once, where they hold it to the letter.
#[test]
fn every_page_begins_and_ends_as_all_do() {
    let theme = theme();
    let shell = Shell::english(&theme);
    let (head, foot) = (Head { shell }.render().unwrap(), Foot { shell }.render().unwrap());
    for Picture { name, html } in pictures(&theme) {
        let demo_site = name.starts_with("demo-site");
        let begins = html.starts_with(&head) || demo_site;
        // This one has a script of its own (`pages_hold_one_style_and_one_script_and_nothing_inline`).
        let foot = foot.replace(SCRIPT.text(), script_of(&name));
        let ends = html.ends_with(&foot) || demo_site;
        assert!(begins && ends, "{name}");
    }
}

/// SR-42: a page asks for what these names say, and for no hint, no secret question and no date of birth.
#[test]
fn sr42_no_page_asks_for_a_secret_but_password_and_code() {
    const ASKED: [&str; 6] = [
        "identifier",
        "code",
        "user_code",
        "password",
        "current_password",
        "username",
    ];
    for Picture { name, html } in pictures(&theme()) {
        let typed =
            |input: &&str| !matches!(attribute(input, "type"), Some("hidden" | "submit" | "checkbox"));
        for input in tags(&html, "input").into_iter().filter(typed) {
            let field = attribute(input, "name").unwrap_or_else(|| panic!("{name}: a field without name"));
            assert!(ASKED.contains(&field), "{name} asks for {field}");
        }
    }
}

/// SR-84, SR-43: the attributes by which password managers, phones and screen readers know the fields.
#[test]
fn fields_say_what_they_are() {
    let theme = theme();
    let shell = Shell::english(&theme);
    let field = |html: &str, name: &str| {
        let inputs = tags(html, "input").into_iter().map(str::to_owned);
        inputs
            .filter(|input| attribute(input, "name") == Some(name))
            .collect::<Vec<_>>()
    };
    let code = Code::samples(shell)[0].1.render().unwrap();
    let fields = field(&code, "code");
    assert_eq!(fields.len(), 1);
    assert_eq!(attribute(&fields[0], "inputmode"), Some("numeric"));
    assert_eq!(attribute(&fields[0], "autocomplete"), Some("one-time-code"));
    assert!(
        !fields[0].contains("maxlength") && !fields[0].contains("pattern"),
        "a code with spaces can be pasted"
    );

    let change = AccountPassword::samples(shell)[0].1.render().unwrap();
    let password = &field(&change, "password")[0];
    assert_eq!(attribute(password, "type"), Some("password"));
    assert_eq!(attribute(password, "autocomplete"), Some("new-password"));
    assert_eq!(
        attribute(password, "passwordrules"),
        Some("minlength: 15; maxlength: 256; allowed: ascii-printable;")
    );
    assert_eq!(
        attribute(&field(&change, "current_password")[0], "autocomplete"),
        Some("current-password")
    );
    let username = &field(&change, "username")[0];
    assert_eq!(attribute(username, "autocomplete"), Some("username"));
    assert!(username.contains(" readonly") && !username.contains("hidden"));
}

/// SR-70: data of visitors and of operators is data, in text and in attributes; what turns direction stays inside its `bdi`.
#[test]
fn hostile_data_stays_data() {
    const HOSTILE: &str = "\"><script>alert('1')</script>&\u{202e}";
    let theme = Theme::new(Brand {
        name: HOSTILE.to_owned(),
        color: "#2f5bea".parse().unwrap(),
        logo: Some("/x\" onerror=\"alert(1)".to_owned()),
    });
    let shell = Shell::english(&theme);
    let sign_in = SignIn {
        app_name: HOSTILE,
        identifier: HOSTILE,
        ..SignIn::samples(shell)[0].1.clone()
    };
    let forgot = ForgotPassword {
        identifier: HOSTILE,
        ..ForgotPassword::samples(shell)[0].1.clone()
    };
    let code = Code {
        identifier: HOSTILE,
        ..Code::samples(shell)[0].1.clone()
    };
    let new = NewPassword {
        username: HOSTILE,
        ..NewPassword::samples(shell)[0].1.clone()
    };
    let done = Done {
        app_name: HOSTILE,
        ..Done::samples(shell)[0].1.clone()
    };
    let person = account::Person {
        name: Some(HOSTILE),
        username: Some(HOSTILE),
        email: Some(account::Address {
            text: HOSTILE,
            verified: true,
        }),
        phone: Some(account::Address {
            text: HOSTILE,
            verified: false,
        }),
    };
    let account = Account {
        person,
        sessions: vec![account::SignedIn {
            id: HOSTILE,
            address: Some(HOSTILE),
            is_here: false,
            ..Account::samples(shell)[0].1.sessions[0].clone()
        }],
        apps: vec![account::AppAccess {
            client_id: HOSTILE.to_owned(),
            name: HOSTILE.to_owned(),
            host: Some(HOSTILE.to_owned()),
            ..Account::samples(shell)[1].1.apps[0].clone()
        }],
        ..Account::samples(shell)[0].1.clone()
    };
    let out = SignOut {
        person: HOSTILE,
        ..SignOut::samples(shell)[0].1.clone()
    };
    let message = dev_inbox::InboxMessage {
        to: HOSTILE,
        channel: HOSTILE,
        subject: HOSTILE,
        text: HOSTILE,
        code: Some(HOSTILE),
        at: HOSTILE,
    };
    let inbox = DevInbox {
        messages: &[message],
        ..DevInbox::samples(shell)[0].1.clone()
    };
    let customer = demo_site::Customer {
        name: Some(HOSTILE),
        email: Some(HOSTILE),
        began_as_reset: true,
    };
    let consent = Consent {
        asker: consent::Asker {
            name: HOSTILE,
            home: crate::home::Home::Site(HOSTILE),
        },
        person: HOSTILE,
        sign_in_name: HOSTILE,
        session: HOSTILE,
        asks: vec![consent::Ask {
            about: consent::About::Profile,
            what: HOSTILE.to_owned(),
            details: vec![
                consent::Detail::Words(HOSTILE.to_owned()),
                consent::Detail::Name(HOSTILE.to_owned()),
            ],
        }],
        ..Consent::samples(shell)[0].1.clone()
    };
    let fields = [("state", HOSTILE.to_owned())];
    let back = SendBack {
        action: "https://app.example/callback?x=\"><script>alert(1)</script>",
        host: HOSTILE,
        fields: &fields,
        ..SendBack::samples(shell)[0].1.clone()
    };
    let shop = DemoSite {
        visitor: demo_site::Visitor::SignedIn(customer),
        ..DemoSite::samples()[0].1.clone()
    };
    let pages = [
        sign_in.render(),
        forgot.render(),
        code.render(),
        new.render(),
        done.render(),
        account.render(),
        out.render(),
        inbox.render(),
        consent.render(),
        back.render(),
        shop.render(),
    ];
    for page in pages {
        let page = page.unwrap();
        assert!(!page.contains("<script>alert"), "{page}");
        assert!(!page.contains("\"><script"), "{page}");
        assert!(!page.contains(" onerror=\""), "{page}");
    }
    assert!(code.render().unwrap().contains("<bdi>&#34;"));
}

/// SR-32: the page of the code knows nothing but what was typed.
#[test]
fn sr32_the_code_page_shows_what_was_typed() {
    let theme = theme();
    let typed = Code {
        identifier: "Ada@Example.com",
        ..Code::samples(Shell::english(&theme))[0].1.clone()
    };
    let page = typed.render().unwrap();
    assert!(page.contains("If <b><bdi>Ada@Example.com</bdi></b> has an account"));
}

/// What is read out first: a problem is called one, and what is none is not.
#[test]
fn a_title_says_error_where_the_page_raises_an_alarm() {
    for Picture { name, html } in pictures(&theme()) {
        if name.starts_with("error.") || name.starts_with("demo-site.") {
            continue;
        }
        let alarms = html.contains(" role=\"alert\"");
        assert_eq!(html.contains("<title>Error: "), alarms, "{name}");
    }
}

#[test]
fn the_title_of_a_dead_code_says_what_the_page_says() {
    let theme = theme();
    for (name, view) in Code::samples(Shell::english(&theme)) {
        let page = view.render().unwrap();
        for words in ["You need a new code", "This code was used"] {
            let heads = page.contains(&format!("<h1>{words}</h1>"));
            let titled = page.contains(&format!("<title>Error: {words} · "));
            assert_eq!(titled, heads, "{name}");
        }
    }
}

/// An IPv6 address, the longest thing in a row, is broken after a colon and nowhere else.
#[test]
fn a_long_address_breaks_between_its_groups() {
    let theme = theme();
    let shell = Shell::english(&theme);
    let page = Account::samples(shell)[1].1.render().unwrap();
    assert!(
        page.contains("<bdi>2001:<wbr>db8:<wbr>85a3:<wbr>8d3:<wbr>1319:<wbr>8a2e:<wbr>370:<wbr>7348</bdi>")
    );
    assert!(page.contains("<bdi>203.0.113.9</bdi>"));
}

/// Without a valid connector nothing leads to the reset.
#[test]
fn forgot_password_is_only_offered_when_it_can_be_kept() {
    let theme = theme();
    for (name, view) in SignIn::samples(Shell::english(&theme)) {
        let offered = view.render().unwrap().contains("Forgot password?");
        assert_eq!(offered, view.forgot_password_url.is_some(), "{name}");
    }
}

/// SR-83: without a script the wait is said in words and the button is there.
#[test]
fn sr83_the_wait_is_told_without_a_script() {
    let theme = theme();
    let page = Code::samples(Shell::english(&theme))[0].1.render().unwrap();
    assert!(page.contains("You can ask for a new code in 41 seconds."));
    assert!(page.contains("data-wait=\"41\""));
    assert!(page.contains(">Send a new code</button>"));
}

#[test]
fn right_to_left_is_said_at_the_root() {
    let theme = theme();
    let shell = Shell {
        theme: &theme,
        lang: "ar",
        direction: Direction::RightToLeft,
    };
    let page = SignIn::samples(shell)[0].1.render().unwrap();
    assert!(page.contains("<html lang=\"ar\" dir=\"rtl\">"));
}

/// SR-68: an error page never names a status the handler would not send.
#[test]
fn error_pages_travel_with_their_status() {
    let theme = theme();
    let statuses: Vec<_> = ErrorPage::samples(Shell::english(&theme))
        .iter()
        .map(|(_, page)| page.kind.status())
        .collect();
    assert_eq!(
        statuses,
        [400, 400, 400, 400, 400, 403, 404, 405, 413, 421, 429, 500, 503]
    );
}

/// Writes every page into the folder named by KEYBACK_GALLERY, to be looked at.
#[test]
fn pages_can_be_looked_at() {
    let Some(folder) = std::env::var_os("KEYBACK_GALLERY").map(std::path::PathBuf::from) else {
        return;
    };
    for Picture { name, html } in pictures(&theme()) {
        std::fs::write(folder.join(format!("{name}.html")), html).unwrap();
    }
    let shell = Shell {
        lang: "ar",
        direction: Direction::RightToLeft,
        theme: &theme(),
    };
    for Picture { name, html } in gallery(shell).unwrap() {
        std::fs::write(folder.join(format!("rtl.{name}.html")), html).unwrap();
    }
    for (color, name) in [("#ffd400", "yellow"), ("#111111", "black"), ("#0b7a5c", "green")] {
        let theme = Theme::new(Brand {
            name: "Ocean & Co".to_owned(),
            color: color.parse().unwrap(),
            logo: None,
        });
        for Picture { name: page, html } in pictures(&theme) {
            std::fs::write(folder.join(format!("{name}.{page}.html")), html).unwrap();
        }
    }
}
