//! The companion's cookies: one form for all, `__Host-` wherever the public URL is https.

use std::fmt::Write as _;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use url::Url;

/// Browsers take a cookie of such a name only from the host itself, over https and for all paths (RFC 6265bis 4.1.3.2).
const HOST_PREFIX: &str = "__Host-";

/// Names, writes and reads the companion's cookies. All begin with `kb_` (the SDK's with `kbrp_`), since on
/// localhost cookies ignore ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookies {
    secure: bool,
}

/// What stands behind the value of a cookie when it is set.
#[derive(Clone, Debug)]
pub struct Attributes(String);

impl Cookies {
    /// The form that fits the public URL: secure for https, plain for http, which is loopback.
    pub fn for_url(public_url: &Url) -> Self {
        Self {
            secure: public_url.scheme() == "https",
        }
    }

    /// The full name of a cookie, with its prefix.
    pub fn name(self, name: &str) -> String {
        if self.secure {
            format!("{HOST_PREFIX}{name}")
        } else {
            name.to_owned()
        }
    }

    /// The value of a cookie, if the browser sent exactly one of that name.
    pub fn read<'h>(self, headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
        if !headers.contains_key(header::COOKIE) {
            return None;
        }
        let name = self.name(name);
        let mut values = pairs(headers).filter(|(n, _)| *n == name).map(|(_, value)| value);
        let value = values.next()?;
        // Two of one name: somebody else on the host set one, and which is ours can't be told.
        values.next().is_none().then_some(value)
    }

    /// The names (without prefix) of the cookies that begin with `start`.
    pub fn names<'h>(self, headers: &'h HeaderMap, start: &str) -> Vec<&'h str> {
        if !headers.contains_key(header::COOKIE) {
            return Vec::new();
        }
        let full = self.name(start);
        let skip = full.len() - start.len();
        pairs(headers)
            .map(|(name, _)| name)
            .filter(|name| name.starts_with(&full))
            .map(|n| &n[skip..])
            .collect()
    }

    /// `Set-Cookie` of a value for as long as given, or for the browser's session.
    pub fn set(self, name: &str, value: &str, max_age: Option<Duration>) -> HeaderValue {
        self.set_written(name, value.len(), &self.attributes(max_age), |text| {
            text.push_str(value);
        })
    }

    /// The attributes of a cookie for as long as given, or for the browser's session.
    pub fn attributes(self, max_age: Option<Duration>) -> Attributes {
        let secure = if self.secure { "; Secure" } else { "" };
        let mut text = format!("; HttpOnly; SameSite=Lax{secure}; Path=/");
        if let Some(max_age) = max_age {
            // Writing to memory can't fail.
            let _ = write!(text, "; Max-Age={}", max_age.as_secs());
        }
        Attributes(text)
    }

    /// [`Self::set`] of a value that `write` writes: base64url or hex, which mean nothing else in a cookie. There is room for
    /// `length` bytes of it; more take more time. `attributes` are of [`Self::attributes`].
    pub fn set_written(
        self,
        name: &str,
        length: usize,
        attributes: &Attributes,
        write: impl FnOnce(&mut String),
    ) -> HeaderValue {
        let prefix = if self.secure { HOST_PREFIX } else { "" };
        let mut text = String::with_capacity(prefix.len() + name.len() + 1 + length + attributes.0.len());
        text.push_str(prefix);
        text.push_str(name);
        text.push('=');
        write(&mut text);
        text.push_str(&attributes.0);
        // A value that is unfit for a header sets nothing.
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// `Set-Cookie` that removes a cookie.
    pub fn clear(self, name: &str) -> HeaderValue {
        self.set(name, "", Some(Duration::ZERO))
    }
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookie).unwrap())])
    }

    #[test]
    fn sr65_cookies_are_host_bound_and_secure_where_the_public_url_is_https() {
        let https = Cookies::for_url(&Url::parse("https://id.example").unwrap());
        let set = https.set("kb_session", "abc", Some(Duration::from_secs(60)));
        let set = set.to_str().unwrap();
        assert!(set.starts_with("__Host-kb_session=abc"), "{set}");
        for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=60"] {
            assert!(set.contains(attribute), "{set}");
        }
        let http = Cookies::for_url(&Url::parse("http://localhost:3001").unwrap());
        let set = http.set("kb_session", "abc", None);
        let set = set.to_str().unwrap();
        assert!(set.starts_with("kb_session=abc") && !set.contains("Secure") && set.contains("HttpOnly"));
    }

    #[test]
    fn of_two_cookies_with_one_name_neither_is_believed() {
        let http = Cookies::for_url(&Url::parse("http://localhost:3001").unwrap());
        assert_eq!(
            http.read(&sent("a=1; kb_session=x; b=2"), "kb_session"),
            Some("x")
        );
        assert_eq!(http.read(&sent("kb_session=x; kb_session=y"), "kb_session"), None);
        assert_eq!(http.read(&sent("__Host-kb_session=x"), "kb_session"), None);
    }
}
