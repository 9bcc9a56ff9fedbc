//! Access tokens that are bound to a key of this application (DPoP, RFC 9449): a stolen one is of no use without the key.

mod key;
mod nonces;
mod proof;
mod protected;

pub use self::key::DpopKey;
pub(crate) use self::nonces::Nonces;
