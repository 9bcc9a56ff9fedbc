//! The account page: who is signed in, where, which apps have access, and what they can do about it.

use askama::Template;
use keyback_core::identifier::Identifier;

use super::shell::Shell;
use super::theme::initial;
use crate::device::{Device, Shape};

#[derive(Clone, Debug, Template)]
#[template(path = "pages/account.html")]
pub struct Account<'a> {
    pub shell: Shell<'a>,
    pub person: Person<'a>,
    pub change_password_url: &'a str,
    pub sign_out_url: &'a str,
    /// Where the buttons of the sessions post to.
    pub sessions_action: &'a str,
    /// This browser's first.
    pub sessions: Vec<SignedIn<'a>>,
    /// Where the buttons of the apps post to.
    pub apps_action: &'a str,
    pub apps: Vec<AppAccess>,
    /// What was just done.
    pub done: Option<Done>,
}

/// The signed-in person, as they are told apart from others.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    pub name: Option<&'a str>,
    pub username: Option<&'a str>,
    pub email: Option<Address<'a>>,
    pub phone: Option<Address<'a>>,
}

/// An address of theirs, and whether they have shown that it is.
#[derive(Clone, Copy, Debug)]
pub struct Address<'a> {
    pub text: &'a str,
    pub verified: bool,
}

/// One browser that is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn<'a> {
    /// The public id of the session.
    pub id: &'a str,
    pub device: Device,
    /// The browser that looks at this page.
    pub is_here: bool,
    pub signed_in: Moment,
    pub last_seen: Moment,
    /// The address that the sign-in came from.
    pub address: Option<&'a str>,
}

/// A time, for people and for machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// "3 days ago".
    pub words: String,
    /// "20 November 2026 at 14:03 UTC".
    pub exact: String,
    /// RFC 3339.
    pub machine: String,
}

/// An app that may do something without the person being there, or that they have allowed something.
#[derive(Clone, Debug)]
pub struct AppAccess {
    pub client_id: String,
    pub name: String,
    /// Its site; none for a program on a device.
    pub host: Option<String>,
    pub since: Moment,
    /// It stays signed in while they are away (`offline_access`).
    pub while_away: bool,
}

/// What was just done on this page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// One browser was signed out.
    One,
    /// All but this were.
    Others,
    /// An app's access was removed.
    Removed,
}

impl<'a> Person<'a> {
    /// The name, or what they sign in with.
    pub(super) fn shown(&self) -> &'a str {
        let email = self.email.map(|email| email.text);
        let phone = self.phone.map(|phone| phone.text);
        let first = self.name.or(self.username).or(email).or(phone);
        first.unwrap_or("Your account")
    }

    fn has_name(&self) -> bool {
        self.name.is_some() || self.username.is_some()
    }

    pub(super) fn initial(&self) -> String {
        initial(self.shown())
    }
}

impl Address<'_> {
    /// A number in the groups of its country.
    fn grouped(&self) -> String {
        Identifier::from_normal_form(self.text).map_or_else(|_| self.text.to_owned(), |number| number.shown())
    }
}

impl SignedIn<'_> {
    fn icon(&self) -> &'static str {
        match self.device.shape {
            Shape::Computer => "computer",
            Shape::Handheld => "phone",
        }
    }

    /// The address in the pieces between which a line may end: an IPv6 one after each colon, others nowhere.
    fn address_groups(&self) -> impl Iterator<Item = &str> {
        self.address.unwrap_or_default().split_inclusive(':')
    }
}

impl Account<'_> {
    fn has_others(&self) -> bool {
        self.sessions.iter().any(|session| !session.is_here)
    }
}

impl<'a> Account<'a> {
    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let ada = Self {
            shell,
            person: Person {
                name: Some("Ada Lovelace"),
                username: Some("ada"),
                email: Some(Address {
                    text: "ada@example.com",
                    verified: true,
                }),
                phone: Some(Address {
                    text: "+447700900123",
                    verified: false,
                }),
            },
            change_password_url: "/account/password",
            sign_out_url: "/sign-out",
            sessions_action: "/account/sessions",
            sessions: vec![sample(0, true)],
            apps_action: "/account/apps",
            apps: Vec::new(),
            done: None,
        };
        let bare = Person {
            name: None,
            username: None,
            email: Some(Address {
                text: "a.rather.long.mail.address.of.somebody@subdomain.example.com",
                verified: true,
            }),
            phone: None,
        };
        let many = Self {
            sessions: (0..5).map(|number| sample(number, number == 0)).collect(),
            apps: vec![
                AppAccess {
                    client_id: "larkspur".to_owned(),
                    name: "Larkspur Books".to_owned(),
                    host: Some("shop.example.com".to_owned()),
                    since: moment("3 October 2026", "3 October 2026 at 09:15 UTC"),
                    while_away: true,
                },
                AppAccess {
                    client_id: "reader".to_owned(),
                    name: "A reading app with a rather long name of its own".to_owned(),
                    host: None,
                    since: moment("yesterday", "22 November 2026 at 20:40 UTC"),
                    while_away: false,
                },
            ],
            ..ada.clone()
        };
        vec![
            ("one", ada.clone()),
            ("many", many.clone()),
            (
                "signed-out-one",
                Self {
                    done: Some(Done::One),
                    ..many
                },
            ),
            (
                "none-other",
                Self {
                    done: Some(Done::Others),
                    ..ada.clone()
                },
            ),
            ("bare", Self { person: bare, ..ada }),
        ]
    }
}

fn moment(words: &str, exact: &str) -> Moment {
    Moment {
        words: words.to_owned(),
        exact: exact.to_owned(),
        machine: "2026-11-20T14:03:00.000Z".to_owned(),
    }
}

fn sample(number: usize, is_here: bool) -> SignedIn<'static> {
    let agents = [
        "(X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
        "(iPhone; CPU iPhone OS 18_5) Version/18.5 Mobile/15E148 Safari/604.1",
        "(Windows NT 10.0; Win64; x64) Chrome/141.0.0.0 Safari/537.36",
        "(Linux; Android 13) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
        "curl/8.14.1",
    ];
    let seen = [
        "just now",
        "5 minutes ago",
        "yesterday",
        "6 days ago",
        "3 November 2026",
    ];
    let addresses = [
        "203.0.113.9",
        "2001:db8:85a3:8d3:1319:8a2e:370:7348",
        "198.51.100.7",
    ];
    SignedIn {
        id: "sample",
        device: Device::parse(agents.get(number).copied()),
        is_here,
        signed_in: moment("3 days ago", "20 November 2026 at 14:03 UTC"),
        last_seen: moment(seen[number % 5], "23 November 2026 at 18:10 UTC"),
        address: addresses.get(number).copied(),
    }
}
