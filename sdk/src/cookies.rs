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

/// A `Set-Cookie` value that no script can read. Lax, because the callback is a navigation from the provider's site;
/// Strict would withhold the cookie.
pub(crate) fn set_cookie(name: &str, value: &str, life: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Max-Age={life}; Path=/; HttpOnly; SameSite=Lax{secure}")
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
