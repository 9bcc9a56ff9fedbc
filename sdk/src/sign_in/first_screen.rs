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
    /// The spelling for `provider`, which may list what it accepts as `first_screen_values_supported`.
    pub(crate) fn spelling(self, provider: Provider, advertised: Option<&[String]>) -> &'static str {
        let (hyphen, underscore) = match self {
            Self::SignIn => ("sign-in", "sign_in"),
            Self::Register => ("register", "register"),
            Self::ResetPassword => ("reset-password", "reset_password"),
            Self::IdentifierSignIn => ("identifier:sign-in", "identifier:sign_in"),
            Self::IdentifierRegister => ("identifier:register", "identifier:register"),
            Self::SingleSignOn => ("single-sign-on", "single_sign_on"),
        };
        if provider == Provider::Logto {
            return underscore;
        }
        let offers = |value: &str| advertised.is_some_and(|values| values.iter().any(|v| v == value));
        if offers(hyphen) {
            hyphen
        } else if offers(underscore) {
            underscore
        } else if self == Self::ResetPassword {
            hyphen
        } else {
            underscore
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

    #[test]
    fn logto_gets_underscores_whatever_is_advertised() {
        let advertised = ["reset-password".to_owned()];
        assert_eq!(
            FirstScreen::ResetPassword.spelling(Provider::Logto, Some(&advertised)),
            "reset_password"
        );
        assert_eq!(
            FirstScreen::ResetPassword.spelling(Provider::Logto, None),
            "reset_password"
        );
    }

    #[test]
    fn others_get_what_they_advertise_and_the_hyphen_is_preferred() {
        let both = ["reset_password".to_owned(), "reset-password".to_owned()];
        let underscore = ["reset_password".to_owned()];
        let neither = ["sign_in".to_owned()];
        for provider in [Provider::Keyback, Provider::Generic] {
            assert_eq!(
                FirstScreen::ResetPassword.spelling(provider, Some(&both)),
                "reset-password"
            );
            assert_eq!(
                FirstScreen::ResetPassword.spelling(provider, Some(&underscore)),
                "reset_password"
            );
            assert_eq!(
                FirstScreen::ResetPassword.spelling(provider, Some(&neither)),
                "reset-password"
            );
            assert_eq!(
                FirstScreen::ResetPassword.spelling(provider, None),
                "reset-password"
            );
            assert_eq!(FirstScreen::SignIn.spelling(provider, None), "sign_in");
        }
    }
}
