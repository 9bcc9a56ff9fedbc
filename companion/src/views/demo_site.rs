//! The pretend shop of the demo: another site, with another look, whose people forget their passwords.

use askama::Template;

use super::assets::DEMO_STYLE;

/// The icon of the browser's tab: the flower of the shop's sign.
pub const ICON: &str = include_str!("../../templates/assets/demo_icon.svg");

#[derive(Clone, Debug, Template)]
#[template(path = "demo/demo_site.html")]
pub struct DemoSite<'a> {
    pub home_url: &'a str,
    pub icon_url: &'a str,
    pub sign_in_url: &'a str,
    pub forgot_password_url: &'a str,
    pub sign_out_action: &'a str,
    /// The companion's account page.
    pub account_url: &'a str,
    /// The companion's development inbox, where the demo's messages arrive.
    pub inbox_url: &'a str,
    pub visitor: Visitor<'a>,
    pub trouble: Option<Trouble<'a>>,
}

/// Who looks at the shop.
#[derive(Clone, Copy, Debug)]
pub enum Visitor<'a> {
    Anonymous,
    SignedIn(Customer<'a>),
}

/// What went wrong on the way to the shop.
#[derive(Clone, Copy, Debug)]
pub enum Trouble<'a> {
    /// The sign-in came back, but not with a sign-in. `reason` is the SDK's own word, without secrets.
    Refused {
        reason: &'a str,
    },
    NotFound,
    /// An address that takes forms was opened as a page, or the other way round.
    MethodNotAllowed,
    /// Another site sent the form.
    OtherOrigin,
    /// The shop was called by another name than its own.
    OtherHost,
}

#[derive(Clone, Copy, Debug)]
pub struct Customer<'a> {
    pub name: Option<&'a str>,
    pub email: Option<&'a str>,
    /// This sign-in began at "Forgot password?". It does not tell that a reset happened: no callback can.
    pub began_as_reset: bool,
}

impl Customer<'_> {
    fn shown(&self) -> &str {
        self.name.or(self.email).unwrap_or("reader")
    }
}

impl<'a> DemoSite<'a> {
    fn style(&self) -> &'static str {
        DEMO_STYLE.text()
    }

    pub fn samples() -> Vec<(&'static str, DemoSite<'static>)> {
        let shop = DemoSite {
            home_url: "/",
            icon_url: "/favicon.svg",
            sign_in_url: "/sign-in",
            forgot_password_url: "/forgot-password",
            sign_out_action: "/sign-out",
            account_url: "http://localhost:3001/account",
            inbox_url: "http://localhost:3001/dev/inbox",
            visitor: Visitor::Anonymous,
            trouble: None,
        };
        let with = |visitor: Visitor<'static>| DemoSite {
            visitor,
            ..shop.clone()
        };
        let failed = |trouble: Trouble<'static>| DemoSite {
            trouble: Some(trouble),
            ..shop.clone()
        };
        let ada = Customer {
            name: Some("Ada Lovelace"),
            email: Some("ada@example.com"),
            began_as_reset: false,
        };
        vec![
            ("anonymous", shop.clone()),
            (
                "refused",
                failed(Trouble::Refused {
                    reason: "the sign-in took too long",
                }),
            ),
            ("not-found", failed(Trouble::NotFound)),
            ("method-not-allowed", failed(Trouble::MethodNotAllowed)),
            ("other-origin", failed(Trouble::OtherOrigin)),
            ("other-host", failed(Trouble::OtherHost)),
            ("signed-in", with(Visitor::SignedIn(ada))),
            (
                "signed-in-after-reset",
                with(Visitor::SignedIn(Customer {
                    began_as_reset: true,
                    ..ada
                })),
            ),
            (
                "signed-in-bare",
                with(Visitor::SignedIn(Customer { name: None, ..ada })),
            ),
        ]
    }
}
