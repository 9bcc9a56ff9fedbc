//! Where a sign-in or a reset leads: back into an app's authorization request, or to a page of the account.

use crate::http::forms::Fields;

/// The end of the way. It stands in addresses of pages, and in the reset flow as its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The authorization request of this id, which waits in the browser's cookie.
    Interaction(String),
    /// The device of this id, whose code was typed in this browser.
    Device(String),
    /// A page of the companion itself.
    Account(AccountPage),
}

/// The companion's own pages that ask for a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountPage {
    Account,
    Password,
}

impl AccountPage {
    pub fn path(self) -> &'static str {
        match self {
            Self::Account => "/account",
            Self::Password => "/account/password",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Password => "password",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Account, Self::Password]
            .into_iter()
            .find(|page| page.name() == name)
    }
}

impl Destination {
    /// Reads `?i=`, `?d=` or `?to=`; a page opened by itself leads to the account.
    pub fn from_query(query: &Fields) -> Self {
        match (query.one("i"), query.one("d")) {
            (Some(id), _) => Self::Interaction(id.to_owned()),
            (None, Some(id)) => Self::Device(id.to_owned()),
            (None, None) => Self::Account(
                query
                    .one("to")
                    .and_then(AccountPage::parse)
                    .unwrap_or(AccountPage::Account),
            ),
        }
    }

    /// The id of the waiting authorization request.
    pub fn interaction(&self) -> Option<&str> {
        match self {
            Self::Interaction(id) => Some(id),
            Self::Device(_) | Self::Account(_) => None,
        }
    }

    /// The query that carries it to the next page.
    pub fn to_query(&self) -> String {
        match self {
            Self::Interaction(id) => pair("i", id),
            Self::Device(id) => pair("d", id),
            Self::Account(page) => format!("to={}", page.name()),
        }
    }

    /// The text that a reset flow keeps.
    pub fn to_text(&self) -> String {
        match self {
            Self::Interaction(id) => format!("i:{id}"),
            Self::Device(id) => format!("d:{id}"),
            Self::Account(page) => format!("to:{}", page.name()),
        }
    }

    /// Reads the text of a reset flow.
    pub fn from_text(text: Option<&str>) -> Self {
        let known = text.and_then(|text| match text.split_once(':')? {
            ("i", id) => Some(Self::Interaction(id.to_owned())),
            ("d", id) => Some(Self::Device(id.to_owned())),
            ("to", name) => AccountPage::parse(name).map(Self::Account),
            _ => None,
        });
        known.unwrap_or(Self::Account(AccountPage::Account))
    }
}

/// Ids are base64url, and what a visitor made up is encoded.
fn pair(name: &str, id: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair(name, id)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_survive_the_query_and_the_flow() {
        for destination in [
            Destination::Interaction("abc-_9".to_owned()),
            Destination::Device("abc-_9".to_owned()),
            Destination::Account(AccountPage::Account),
            Destination::Account(AccountPage::Password),
        ] {
            let query = Fields::from_query(Some(&destination.to_query())).unwrap();
            assert_eq!(Destination::from_query(&query), destination);
            assert_eq!(Destination::from_text(Some(&destination.to_text())), destination);
        }
    }

    #[test]
    fn sr71_no_address_of_elsewhere_is_a_destination() {
        for query in [
            "to=https://evil.example",
            "to=//evil.example",
            "to=/account",
            "next=/x",
            "",
        ] {
            let query = Fields::from_query(Some(query)).unwrap();
            assert_eq!(
                Destination::from_query(&query),
                Destination::Account(AccountPage::Account)
            );
        }
    }
}
