//! Provider profiles: what differs between providers and cannot be discovered.

/// Which kind of provider the issuer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// Keyback's companion: screens as its discovery document lists them in `first_screen_values_supported`.
    #[default]
    Keyback,
    /// Logto: screens with underscores, and a reset asks for `login consent`.
    Logto,
    /// Any other provider. Screens are sent as to Keyback; most providers ignore them.
    Generic,
}

/// How the client proves who it is at the token endpoint (OpenID Connect Core section 9). Without a secret it is a
/// public client, which sends its id alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// `client_secret_basic`: in the Authorization header.
    #[default]
    Basic,
    /// `client_secret_post`: in the body.
    Post,
}
