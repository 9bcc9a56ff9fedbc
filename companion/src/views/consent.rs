//! The page on which a person allows an app of others what it asks for (OIDC Core 3.1.2.4).

use askama::Template;

use super::shell::Shell;
use super::theme::initial;
use crate::home::Home;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/consent.html")]
pub struct Consent<'a> {
    pub shell: Shell<'a>,
    pub action: &'a str,
    pub asker: Asker<'a>,
    /// Who is signed in: a name or an identifier.
    pub person: &'a str,
    /// What they sign in with; the same as `person` where they have no name.
    pub sign_in_name: &'a str,
    /// The public id of the session that the page speaks of.
    pub session: &'a str,
    pub asks: Vec<Ask>,
    pub as_another_url: &'a str,
}

/// The app that asks.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    pub name: &'a str,
    pub home: Home<'a>,
}

/// One thing that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub what: String,
    pub details: Vec<Detail>,
}

/// More about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    Words(String),
    /// The bare name of a scope that nobody has put into words.
    Name(String),
}

impl<'a> Consent<'a> {
    fn initial(&self) -> String {
        initial(self.asker.name)
    }

    fn face(&self) -> String {
        initial(self.person)
    }

    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let words = |what: &str, detail: &str| Ask {
            what: what.to_owned(),
            details: (!detail.is_empty())
                .then(|| Detail::Words(detail.to_owned()))
                .into_iter()
                .collect(),
        };
        let few = vec![
            words("Sign you in", "and know you again next time"),
            words(
                "See your profile",
                "your name, picture, birth date, gender, time zone, languages and the like",
            ),
            words("See your e-mail address", "ada@example.com"),
        ];
        let mut all = few.clone();
        all.extend([
            words("See your phone number", "+44 7700 900123"),
            words("See your postal address", ""),
            Ask {
                what: "Use the Larkspur orders for you".to_owned(),
                details: vec![
                    Detail::Words("see what you ordered".to_owned()),
                    Detail::Name("write:orders".to_owned()),
                ],
            },
            words(
                "Stay signed in while you’re away",
                "and go on doing all this without you",
            ),
        ]);
        let site = Self {
            shell,
            action: "/consent?i=sample",
            asker: Asker {
                name: "Papertrail",
                home: Home::Site("papertrail.example.net"),
            },
            person: "Ada Lovelace",
            sign_in_name: "ada@example.com",
            session: "sample",
            asks: few,
            as_another_url: "/sign-in?i=sample&as=another",
        };
        let everything = Self {
            asks: all,
            ..site.clone()
        };
        let program = Self {
            asker: Asker {
                name: "a-tool-with-a-rather-long-name-of-its-own",
                home: Home::ThisDevice,
            },
            person: "a.rather.long.mail.address.of.somebody@subdomain.example.com",
            sign_in_name: "a.rather.long.mail.address.of.somebody@subdomain.example.com",
            ..site.clone()
        };
        vec![("site", site), ("everything", everything), ("program", program)]
    }
}
