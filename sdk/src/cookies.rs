//! Cookies as this crate reads, names and writes them.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::Cookie;

/// The cookies of a `Cookie` header whose names have only the characters that ours have: a name may be sent back when
/// its cookie is cleared.
pub(crate) fn cookies(header: &str) -> impl Iterator<Item = (&str, &str)> {
    let ours = |name: &str| {
        name.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    Cookie::split_parse(header)
        .filter_map(Result::ok)
        .filter_map(|cookie| Some((cookie.name_raw()?, cookie.value_raw()?)))
        .filter(move |(name, _)| ours(name))
}

/// Which requests bring a cookie along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those of this site, and navigations from others (`SameSite=Lax`): the callback is one, from which Strict would withhold
    /// the cookie.
    Navigations {
        /// Over TLS alone.
        secure: bool,
    },
    /// All, over TLS alone (`SameSite=None`): a form that another site posts brings no other cookie, and browsers take none of
    /// these without `Secure`.
    All,
}

/// A `Set-Cookie` value that no script can read.
pub(crate) fn set_cookie(name: &str, value: &str, life: u64, reach: Reach) -> String {
    let reach = match reach {
        Reach::Navigations { secure: true } => "Lax; Secure",
        Reach::Navigations { secure: false } => "Lax",
        Reach::All => "None; Secure",
    };
    format!("{name}={value}; Max-Age={life}; Path=/; HttpOnly; SameSite={reach}")
}

/// What the names of one client's cookies have in common, because cookies ignore ports: on localhost, two sites share
/// one jar.
pub(crate) fn client_hash(issuer: &str, client_id: &str) -> String {
    short_hash(&[issuer, client_id].join("\n"))
}

pub(crate) fn short_hash(text: &str) -> String {
    URL_SAFE_NO_PAD
        .encode(&digest(&SHA256, text.as_bytes()).as_ref()[..9])
        .replace('_', ".")
}
