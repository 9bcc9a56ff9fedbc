//! How a provider can break the rules, or be impersonated.

use std::time::Duration;

/// A way to break the rules. A client of this crate refuses each.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misbehaviour {
    /// No connection can be made.
    Down,
    /// Every answer has this status, and nothing in it.
    Status(u16),
    /// Every answer takes so long. In memory an answer of ten seconds or more is a timeout at once, as a real transport
    /// would make it one, and a shorter one moves the clock.
    Slow(Duration),
    /// Metadata and keys are larger than any client reads.
    Huge,
    /// The discovery document names another issuer.
    ForeignIssuerInMetadata,
    /// The callback names another issuer (RFC 9207): a mix-up.
    ForeignIssuerInCallback,
    /// The callback names no issuer, although the metadata promises it.
    NoIssuerInCallback,
    /// The callback has the state of another request.
    ForeignState,
    /// The provider refuses, with `access_denied`.
    AccessDenied,
    /// The ID token names another issuer.
    ForeignIssuer,
    /// The ID token is for another client.
    ForeignAudience,
    /// The ID token has the nonce of another request.
    ForeignNonce,
    /// The ID token has no nonce.
    NoNonce,
    /// The ID token expired an hour ago.
    Expired,
    /// The ID token was issued in an hour.
    FromTheFuture,
    /// The ID token belongs to another access token.
    ForeignAccessToken,
    /// The ID token has no signature: `alg` is `none`.
    Unsigned,
    /// The ID token is signed by HMAC with the published key as its secret.
    HmacWithPublicKey,
    /// The ID token's header names another algorithm than the key's.
    SwappedAlgorithm,
    /// The ID token's signature is another token's.
    BrokenSignature,
    /// The ID token is signed by a key that is not published.
    UnpublishedKey,
    /// Userinfo is about somebody else.
    AnotherPersonInUserInfo,
}
