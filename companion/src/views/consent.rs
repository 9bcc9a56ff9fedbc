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
    pub about: About,
    pub what: String,
    pub details: Vec<Detail>,
}

/// What it is about: chooses the sign beside it. None says that it is allowed already, as a tick would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    SigningIn,
    Profile,
    Email,
    Phone,
    Address,
    Doing,
    Staying,
}

/// More about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    Words(String),
    /// The bare name of a scope that nobody has put into words.
    Name(String),
}

impl Ask {
    pub(super) fn icon(&self) -> &'static str {
        match self.about {
            About::SigningIn => "key",
            About::Profile => "person",
            About::Email => "letter",
            About::Phone => "phone",
            About::Address => "place",
            About::Doing => "layers",
            About::Staying => "clock",
        }
    }
}

impl<'a> Consent<'a> {
    fn initial(&self) -> String {
        initial(self.asker.name)
    }

    fn face(&self) -> String {
        initial(self.person)
    }

    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let words = |about, what: &str, detail: &str| Ask {
            about,
            what: what.to_owned(),
            details: (!detail.is_empty())
                .then(|| Detail::Words(detail.to_owned()))
                .into_iter()
                .collect(),
        };
        let few = vec![
            words(About::SigningIn, "Sign you in", "and know you again next time"),
            words(
                About::Profile,
                "See your profile",
                "your name, picture, birth date, gender, time zone, languages and the like",
            ),
            words(About::Email, "See your e-mail address", "ada@example.com"),
        ];
        let mut all = few.clone();
        all.extend([
            words(About::Phone, "See your phone number", "+44 7700 900123"),
            words(About::Address, "See your postal address", ""),
            Ask {
                about: About::Doing,
                what: "Use the Larkspur orders for you".to_owned(),
                details: vec![
                    Detail::Words("see what you ordered".to_owned()),
                    Detail::Name("write:orders".to_owned()),
                ],
            },
            words(
                About::Staying,
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

#[cfg(test)]
mod tests {
    use super::super::DeviceConfirm;
    use super::super::{Brand, Theme};
    use super::*;

    fn pages() -> Vec<String> {
        let theme = Theme::new(Brand {
            name: "Larkspur Books".to_owned(),
            color: "#2f5bea".parse().unwrap(),
            logo: None,
        });
        let shell = Shell::english(&theme);
        let consents = Consent::samples(shell).into_iter().map(|(_, page)| page.render());
        let devices = DeviceConfirm::samples(shell)
            .into_iter()
            .map(|(_, page)| page.render());
        consents.chain(devices).collect::<Result<_, _>>().unwrap()
    }

    /// Whoever goes on by Tab or Enter without reading gives nothing away, and the order of the keyboard is the one that is
    /// seen (WCAG 2.2, 2.4.3).
    #[test]
    fn no_comes_before_yes() {
        for html in pages() {
            let at = |answer: &str| html.find(&format!("value=\"{answer}\"")).unwrap();
            assert!(at("deny") < at("allow"));
            assert!(!html.contains("row-reverse"));
        }
    }

    /// A tick would say that it is allowed already.
    #[test]
    fn nothing_that_is_asked_for_is_ticked() {
        let tick = "M4.5 10.5l3.7 3.7 7.3-8";
        for html in pages() {
            let (_, body) = html.split_once("<body>").unwrap();
            assert!(!body.contains(tick), "{body}");
        }
    }
}
