//! Where an app lives, as far as people can tell.

use url::Url;

/// Where an answer to an app goes: what it can't choose freely, unlike its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home<'a> {
    /// The host of a site.
    Site(&'a str),
    /// A program on the person's own machine.
    ThisDevice,
}

impl<'a> Home<'a> {
    /// The site among the addresses that an app is answered at, if there is one.
    pub fn site_among(redirect_uris: &'a [Url]) -> Option<&'a str> {
        redirect_uris.iter().map(Self::of).find_map(|home| match home {
            Self::Site(host) => Some(host),
            Self::ThisDevice => None,
        })
    }

    /// Where a redirect URI leads.
    pub fn of(redirect_uri: &'a Url) -> Self {
        let host = redirect_uri
            .host_str()
            .filter(|_| matches!(redirect_uri.scheme(), "http" | "https"));
        match host {
            None | Some("localhost" | "127.0.0.1" | "[::1]") => Self::ThisDevice,
            Some(host) => Self::Site(host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_of_an_app_is_where_its_answers_go() {
        for (uri, home) in [
            ("https://app.example/callback", Home::Site("app.example")),
            ("http://127.0.0.1:5000/callback", Home::ThisDevice),
            ("http://[::1]/callback", Home::ThisDevice),
            ("com.example.app:/callback", Home::ThisDevice),
            ("com.example.app://bank.example/callback", Home::ThisDevice),
        ] {
            assert_eq!(Home::of(&Url::parse(uri).unwrap()), home, "{uri}");
        }
    }
}
