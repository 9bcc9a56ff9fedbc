//! Provider profiles: what differs between providers and cannot be discovered.

/// Which kind of provider the issuer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// Keyback's companion: screens are spelled as its discovery document lists them in `first_screen_values_supported`,
    /// and `reset-password` where it lists no spelling. A screen that is not listed is sent all the same: the companion
    /// answers with `invalid_request`, and so the mistake shows.
    #[default]
    Keyback,
    /// Logto: screens with underscores, whatever is listed, and a reset asks for `login consent`.
    Logto,
    /// Any other provider. Screens are spelled as for Keyback, but one that is missing from a provider's list is not sent:
    /// an unknown value may be refused, and so the person gets the sign-in page, which may have the link as well.
    /// A provider that has no list, as most, is sent `reset-password`: it knows the parameter or has to ignore it
    /// (RFC 6749 section 3.1).
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
