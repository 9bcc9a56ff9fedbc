//! The cookies of a browser: by host and path, blind to ports as browsers are.

use cookie::{Cookie, SameSite};
use url::Url;

/// Browsers drop a cookie that is longer, without a word; here it is a failure.
const LONGEST: usize = 4096;

/// Cookies as a browser keeps them.
#[derive(Clone, Debug, Default)]
pub(super) struct Jar(Vec<Kept>);

#[derive(Clone, Debug)]
struct Kept {
    host: String,
    path: String,
    name: String,
    value: String,
    same_site: SameSite,
}

impl Jar {
    /// Keeps, replaces or removes what a `Set-Cookie` says.
    pub(super) fn store(&mut self, url: &Url, set_cookie: &str) {
        assert!(
            set_cookie.len() <= LONGEST,
            "a browser would drop a cookie of {} bytes",
            set_cookie.len()
        );
        let cookie = Cookie::parse(set_cookie).unwrap();
        assert!(
            cookie.domain().is_none(),
            "a cookie for other hosts: {set_cookie}"
        );
        if cookie.secure() == Some(true) {
            assert_eq!(url.scheme(), "https", "a browser refuses it: {set_cookie}");
        }
        let kept = Kept {
            host: url.host_str().unwrap().to_owned(),
            path: cookie.path().unwrap_or("/").to_owned(),
            name: cookie.name().to_owned(),
            value: cookie.value().to_owned(),
            same_site: cookie.same_site().unwrap_or(SameSite::Lax),
        };
        self.0
            .retain(|old| (&old.host, &old.path, &old.name) != (&kept.host, &kept.path, &kept.name));
        if cookie.max_age().is_none_or(cookie::time::Duration::is_positive) {
            self.0.push(kept);
        }
    }

    /// The `Cookie` header of a request. `foreign_post` is a POST that another site's page began.
    pub(super) fn header(&self, url: &Url, foreign_post: bool) -> Option<String> {
        let fit = self.0.iter().filter(|kept| kept.is_for(url));
        let pairs: Vec<_> = fit
            .filter(|kept| !foreign_post || kept.same_site == SameSite::None)
            .map(|kept| format!("{}={}", kept.name, kept.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    pub(super) fn value(&self, url: &Url, name: &str) -> Option<String> {
        let mut fit = self.0.iter().filter(|kept| kept.is_for(url));
        fit.find(|kept| kept.name == name).map(|kept| kept.value.clone())
    }

    pub(super) fn names(&self, url: &Url) -> Vec<String> {
        let fit = self.0.iter().filter(|kept| kept.is_for(url));
        fit.map(|kept| kept.name.clone()).collect()
    }

    pub(super) fn put(&mut self, url: &Url, name: &str, value: &str) {
        self.store(url, &format!("{name}={value}; Path=/"));
    }
}

impl Kept {
    fn is_for(&self, url: &Url) -> bool {
        let path = url.path();
        let below = || {
            path.starts_with(&self.path)
                && (self.path.ends_with('/') || path[self.path.len()..].starts_with('/'))
        };
        url.host_str() == Some(&self.host) && (path == self.path || below())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn cookies_ignore_ports_and_keep_to_their_host_and_path() {
        let mut jar = Jar::default();
        jar.store(
            &url("http://localhost:1/a"),
            "kb=1; Path=/; HttpOnly; SameSite=Lax",
        );
        jar.store(&url("http://localhost:1/a"), "deep=2; Path=/deep");
        assert_eq!(
            jar.header(&url("http://localhost:2/x"), false).as_deref(),
            Some("kb=1")
        );
        assert_eq!(
            jar.header(&url("http://localhost:2/deep/er"), false).as_deref(),
            Some("kb=1; deep=2")
        );
        assert_eq!(
            jar.header(&url("http://localhost:2/deeper"), false).as_deref(),
            Some("kb=1")
        );
        assert_eq!(jar.header(&url("http://127.0.0.1:1/x"), false), None);
        // Lax stays at home when another site's form posts.
        assert_eq!(jar.header(&url("http://localhost:1/x"), true), None);
        jar.store(&url("http://localhost:3/"), "kb=; Path=/; Max-Age=0");
        assert_eq!(jar.header(&url("http://localhost:1/x"), false), None);
    }

    #[test]
    #[should_panic(expected = "a browser would drop")]
    fn a_cookie_that_browsers_would_drop_is_a_failure() {
        Jar::default().store(&url("http://localhost/"), &format!("kb={}", "x".repeat(5_000)));
    }
}
