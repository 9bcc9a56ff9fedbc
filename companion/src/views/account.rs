//! The account page: who is signed in, and what they can do about it.

use askama::Template;
use keyback_core::identifier::Identifier;

use super::shell::Shell;
use super::theme::initial;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/account.html")]
pub struct Account<'a> {
    pub shell: Shell<'a>,
    pub person: Person<'a>,
    pub change_password_url: &'a str,
    pub sign_out_url: &'a str,
}

/// The signed-in person, as they are told apart from others.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    pub name: Option<&'a str>,
    pub email: Option<&'a str>,
    pub phone: Option<&'a str>,
}

impl Person<'_> {
    /// The name, or what they sign in with.
    pub(super) fn shown(&self) -> &str {
        self.name.or(self.email).or(self.phone).unwrap_or("Your account")
    }

    /// The number in the groups of its country.
    pub(super) fn phone_shown(&self) -> Option<String> {
        let number = Identifier::from_normal_form(self.phone?);
        number.map_or_else(|_| self.phone.map(str::to_owned), |number| Some(number.shown()))
    }

    pub(super) fn initial(&self) -> String {
        initial(self.shown())
    }
}

impl<'a> Account<'a> {
    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let ada = Self {
            shell,
            person: Person {
                name: Some("Ada Lovelace"),
                email: Some("ada@example.com"),
                phone: Some("+44 7700 900123"),
            },
            change_password_url: "/account/password",
            sign_out_url: "/sign-out",
        };
        let bare = Person {
            name: None,
            email: Some("a.rather.long.mail.address.of.somebody@subdomain.example.com"),
            phone: None,
        };
        vec![("full", ada.clone()), ("bare", Self { person: bare, ..ada })]
    }
}
