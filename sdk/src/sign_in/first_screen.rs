//! What the provider shows first, and how each provider spells it.

use crate::client::Provider;

/// The page that the provider shows first.
///
/// The wire spelling belongs to the provider: an unknown value makes Logto drop every extra parameter of the
/// request without a word. So this is a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FirstScreen {
    /// The sign-in page, which is shown by default.
    SignIn,
    /// The page where an account is made.
    Register,
    /// The first page of the way back for who forgot the password.
    ResetPassword,
    /// A sign-in page that offers only the given identifiers.
    IdentifierSignIn,
    /// A registration page that offers only the given identifiers.
    IdentifierRegister,
    /// The entry of single sign-on.
    SingleSignOn,
}

impl FirstScreen {
    /// The spelling for `provider`, which may list what it accepts as `first_screen_values_supported`. None where the
    /// parameter had better be left out.
    pub(crate) fn spelling(self, provider: &Provider, advertised: Option<&[String]>) -> Option<&'static str> {
        let (hyphen, underscore) = match self {
            Self::SignIn => ("sign-in", "sign_in"),
            Self::Register => ("register", "register"),
            Self::ResetPassword => ("reset-password", "reset_password"),
            Self::IdentifierSignIn => ("identifier:sign-in", "identifier:sign_in"),
            Self::IdentifierRegister => ("identifier:register", "identifier:register"),
            Self::SingleSignOn => ("single-sign-on", "single_sign_on"),
        };
        if *provider == Provider::Logto {
            return Some(underscore);
        }
        let offers = |value: &str| advertised.is_some_and(|values| values.iter().any(|v| v == value));
        if offers(hyphen) {
            Some(hyphen)
        } else if offers(underscore) {
            Some(underscore)
        } else if *provider == Provider::Generic && advertised.is_some() {
            None
        } else if self == Self::ResetPassword {
            Some(hyphen)
        } else {
            Some(underscore)
        }
    }
}

/// A kind of identifier that the first screen may be limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Identifier {
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A user name.
    Username,
}

impl Identifier {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Username => "username",
        }
    }
}

/// A sign-in that skips the first screen and goes to another provider at once. Logto knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DirectSignIn {
    /// A social connector, by its target, such as `google`.
    Social(String),
    /// An enterprise connector, by its id.
    Sso(String),
}

impl DirectSignIn {
    pub(crate) fn spelling(&self) -> String {
        match self {
            Self::Social(target) => format!("social:{target}"),
            Self::Sso(connector) => format!("sso:{connector}"),
        }
    }
}

/// What brought the person to the provider.
///
/// `ResetPassword` says that this sign-in *began* as a request to reset the password. It does not say that a
/// password was changed: the callback follows an ordinary sign-in, and the person may have remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Purpose {
    /// An ordinary sign-in.
    #[default]
    SignIn,
    /// The person asked to reset a forgotten password.
    ResetPassword,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reset(provider: &Provider, advertised: &[&str]) -> Option<&'static str> {
        let advertised: Vec<String> = advertised.iter().map(|value| (*value).to_owned()).collect();
        FirstScreen::ResetPassword.spelling(provider, Some(&advertised))
    }

    #[test]
    fn logto_gets_underscores_whatever_is_advertised() {
        assert_eq!(
            reset(&Provider::Logto, &["reset-password"]),
            Some("reset_password")
        );
        assert_eq!(
            FirstScreen::ResetPassword.spelling(&Provider::Logto, None),
            Some("reset_password")
        );
    }

    #[test]
    fn others_get_what_they_advertise_and_the_hyphen_is_preferred() {
        for provider in [Provider::Keyback, Provider::Generic] {
            assert_eq!(
                reset(&provider, &["reset_password", "reset-password"]),
                Some("reset-password")
            );
            assert_eq!(reset(&provider, &["reset_password"]), Some("reset_password"));
            assert_eq!(
                FirstScreen::ResetPassword.spelling(&provider, None),
                Some("reset-password")
            );
            assert_eq!(FirstScreen::SignIn.spelling(&provider, None), Some("sign_in"));
        }
    }

    /// A companion says that it knows no such screen. Another provider is not sent what it does not list.
    #[test]
    fn a_screen_that_is_not_listed_goes_to_keyback_alone() {
        assert_eq!(reset(&Provider::Keyback, &["sign_in"]), Some("reset-password"));
        assert_eq!(reset(&Provider::Generic, &["sign_in"]), None);
        assert_eq!(reset(&Provider::Generic, &[]), None);
    }
}
