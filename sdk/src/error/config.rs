use super::{Fault, Remedy, Verdict, verdict};
use crate::transport::TransportError;

/// Why a client could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The issuer is not a URL.
    #[error("the issuer is not a URL")]
    IssuerNotUrl,
    /// The issuer is plain http to another machine.
    #[error("the issuer must be https (plain http is for loopback addresses)")]
    IssuerInsecure,
    /// The issuer has a query, a fragment or credentials (OpenID Connect Discovery section 3).
    #[error("the issuer must have no query, no fragment and no credentials")]
    IssuerNotPlain,
    /// The client id is empty.
    #[error("the client id is empty")]
    EmptyClientId,
    /// The client secret is empty.
    #[error("the client secret is empty: leave it out for a public client")]
    EmptyClientSecret,
    /// The client's key is no private key of its algorithm.
    #[error("the client key is no private key of its algorithm, in PKCS#8 or as a JWK")]
    ClientKey,
    /// The client's key is for an algorithm that this crate does not sign by.
    #[error("the client key must sign by ES256, ES384, RS256, PS256 or EdDSA")]
    ClientKeyAlgorithm,
    /// Both a secret and a key were given: a client proves itself in one way.
    #[error("a client has a secret or a key, not both: leave one out")]
    SecretAndKey,
    /// No redirect URI was given.
    #[error("no redirect URI was given")]
    MissingRedirectUri,
    /// The redirect URI is not a URL.
    #[error("the redirect URI is not an absolute URL")]
    RedirectUriNotUrl,
    /// The redirect URI is plain http to another machine, or has a scheme that is no application's own (RFC 8252
    /// section 7.1).
    #[error(
        "the redirect URI must be https, http on a loopback address, or have a scheme of its own with a dot in it"
    )]
    RedirectUriInsecure,
    /// The redirect URI has a query, a fragment or credentials, so that a callback could not be compared exactly.
    #[error("the redirect URI must have no query, no fragment and no credentials")]
    RedirectUriNotPlain,
    /// The provider's profile has a name that is no name there, or an address that is not https.
    #[error("the provider's profile has an empty or impossible name, or an address that is not https")]
    Profile,
    /// The API's identifier is not an absolute URI without fragment (RFC 8707 section 2).
    #[error("the API's identifier is not an absolute URI without a fragment")]
    AudienceNotUri,
    /// The introspection endpoint is not https, or has credentials.
    #[error(
        "the introspection endpoint must be an https URL (plain http is for loopback addresses) without credentials"
    )]
    IntrospectionEndpoint,
    /// An API that shares its keys with a client was given settings of its own.
    #[error("an API that shares a client's keys has the client's settings: change them there")]
    SharedClient,
    /// No signature algorithm is allowed.
    #[error("the list of allowed signature algorithms is empty")]
    NoAlgorithms,
    /// Neither a transport was given nor is the default one compiled in.
    #[error("no HTTP transport: give one, or enable the feature `reqwest`")]
    NoTransport,
    /// The default transport could not be set up.
    #[error("the HTTP transport could not be set up: {0}")]
    Transport(#[source] TransportError),
}

impl ConfigError {
    pub(super) fn verdict(&self) -> Verdict {
        let code = match self {
            Self::IssuerNotUrl => "config.issuer_not_url",
            Self::IssuerInsecure => "config.issuer_insecure",
            Self::IssuerNotPlain => "config.issuer_not_plain",
            Self::EmptyClientId => "config.empty_client_id",
            Self::EmptyClientSecret => "config.empty_client_secret",
            Self::ClientKey => "config.client_key",
            Self::ClientKeyAlgorithm => "config.client_key_algorithm",
            Self::SecretAndKey => "config.secret_and_key",
            Self::MissingRedirectUri => "config.missing_redirect_uri",
            Self::RedirectUriNotUrl => "config.redirect_uri_not_url",
            Self::RedirectUriInsecure => "config.redirect_uri_insecure",
            Self::RedirectUriNotPlain => "config.redirect_uri_not_plain",
            Self::Profile => "config.profile",
            Self::AudienceNotUri => "config.audience_not_uri",
            Self::IntrospectionEndpoint => "config.introspection_endpoint",
            Self::SharedClient => "config.shared_client",
            Self::NoAlgorithms => "config.no_algorithms",
            Self::NoTransport => "config.no_transport",
            Self::Transport(_) => "config.transport",
        };
        verdict(code, Fault::Application, Remedy::FixApplication)
    }
}
