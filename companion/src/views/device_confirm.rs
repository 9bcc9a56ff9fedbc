//! The page on which a signed-in person lets a device in, or doesn't (RFC 8628 3.3, 5.4).

use askama::Template;

use super::consent::{About, Ask, Detail};
use super::shell::Shell;
use super::theme::initial;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/device_confirm.html")]
pub struct DeviceConfirm<'a> {
    pub shell: Shell<'a>,
    pub action: &'a str,
    pub app_name: &'a str,
    /// As the device shows it.
    pub user_code: &'a str,
    /// Where the device asked from, if that is known.
    pub client_ip: Option<&'a str>,
    /// Whole minutes since it asked.
    pub minutes_ago: u64,
    /// What an app of others asks for; empty for one's own.
    pub asks: Vec<Ask>,
    /// Who is signed in: a name or an identifier.
    pub person: &'a str,
    /// What they sign in with; the same as `person` where they have no name.
    pub sign_in_name: &'a str,
    /// The public id of the session that the page speaks of.
    pub session: &'a str,
    pub as_another_url: &'a str,
}

impl<'a> DeviceConfirm<'a> {
    fn initial(&self) -> String {
        initial(self.app_name)
    }

    fn face(&self) -> String {
        initial(self.person)
    }

    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let own = Self {
            shell,
            action: "/device/confirm?d=sample",
            app_name: "Larkspur on TV",
            user_code: "WDJB-MJHT",
            client_ip: Some("192.0.2.7"),
            minutes_ago: 0,
            asks: Vec::new(),
            person: "Ada Lovelace",
            sign_in_name: "ada@example.com",
            session: "sample",
            as_another_url: "/sign-in?d=sample&as=another",
        };
        let line = |about, what: &str, detail: &str| Ask {
            about,
            what: what.to_owned(),
            details: vec![Detail::Words(detail.to_owned())],
        };
        let others = Self {
            app_name: "Papertrail for the reading room",
            client_ip: Some("2001:db8:85a3:8d3:1319:8a2e:370:7348"),
            minutes_ago: 4,
            asks: vec![
                line(About::SigningIn, "Sign you in", "and know you again next time"),
                line(About::Email, "See your e-mail address", "ada@example.com"),
                line(
                    About::Staying,
                    "Stay signed in while you’re away",
                    "and go on doing all this without you",
                ),
            ],
            ..own.clone()
        };
        let bare = Self {
            client_ip: None,
            minutes_ago: 1,
            person: "a.rather.long.mail.address.of.somebody@subdomain.example.com",
            sign_in_name: "a.rather.long.mail.address.of.somebody@subdomain.example.com",
            ..own.clone()
        };
        vec![("own", own), ("others", others), ("bare", bare)]
    }
}
