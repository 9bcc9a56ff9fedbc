//! Which redirect URIs are an app's own (RFC 9700 2.1, RFC 8252 7.3, RP-Initiated Logout 3).

use url::Url;

use crate::config::app::AppKind;

/// Whether `asked` is one of the registered addresses: the same text (RFC 9700 2.1), except that native apps choose the
/// port of a loopback address (RFC 8252 7.3).
pub(super) fn allow(kind: AppKind, registered: &[Url], asked: &str) -> bool {
    registered.iter().any(|registered| {
        is_same_text(registered, asked) || (kind == AppKind::Native && is_same_loopback(registered, asked))
    })
}

/// Text equality, but for the slash that parsing puts behind a bare origin: who registered
/// `https://app.example` may ask with exactly that.
fn is_same_text(registered: &Url, asked: &str) -> bool {
    let is_bare =
        || registered.path() == "/" && registered.query().is_none() && registered.fragment().is_none();
    registered.as_str() == asked || (registered.as_str().strip_suffix('/') == Some(asked) && is_bare())
}

fn is_same_loopback(registered: &Url, asked: &str) -> bool {
    let split = |uri| -> Option<(&str, &str)> {
        let rest = str::strip_prefix(uri, "http://")?;
        let host = ["127.0.0.1", "[::1]", "localhost"]
            .into_iter()
            .find(|host| rest.starts_with(host))?;
        let rest = &rest[host.len()..];
        let path = match rest.strip_prefix(':') {
            None => rest,
            Some(port) => {
                let end = port.find(|c: char| !c.is_ascii_digit()).unwrap_or(port.len());
                port[..end].parse::<u16>().ok()?;
                &port[end..]
            }
        };
        // Else `127.0.0.1.evil.example` and `127.0.0.1:80@evil.example` were loopback.
        (path.is_empty() || path.starts_with('/') || path.starts_with('?')).then_some((host, path))
    };
    match (split(registered.as_str()), split(asked)) {
        (Some((host, path)), Some((asked_host, asked_path))) => {
            host == asked_host && or_root(path) == or_root(asked_path)
        }
        _ => false,
    }
}

/// An empty path is the root's (RFC 3986 6.2.3).
fn or_root(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed((kind, registered): (AppKind, &[&str]), asked: &str) -> bool {
        let registered: Vec<Url> = registered.iter().map(|uri| uri.parse().unwrap()).collect();
        allow(kind, &registered, asked)
    }

    #[test]
    fn sr77_redirect_uris_match_as_text() {
        let web = (
            AppKind::Web,
            &["https://app.example/callback?x=1", "https://bare.example"][..],
        );
        for good in [
            "https://app.example/callback?x=1",
            "https://bare.example",
            "https://bare.example/",
        ] {
            assert!(allowed(web, good), "{good}");
        }
        for bad in [
            "https://app.example/callback",
            "https://app.example/callback?x=1&y=2",
            "https://app.example/callback?x=1#f",
            "https://app.example/callback/?x=1",
            "https://APP.example/callback?x=1",
            "https://app.example/x/../callback?x=1",
            "https://app.example/%63allback?x=1",
            "https://app.example:443/callback?x=1",
            "https://user@app.example/callback?x=1",
            "https://app.example\\callback?x=1",
            "//app.example/callback?x=1",
            "http://app.example/callback?x=1",
            "",
        ] {
            assert!(!allowed(web, bad), "{bad}");
        }
    }

    #[test]
    fn rfc8252_7_3_native_apps_choose_the_loopback_port() {
        let uris = [
            "http://127.0.0.1/callback",
            "http://[::1]/callback",
            "http://localhost:8000/callback",
        ];
        let native = (AppKind::Native, &uris[..]);
        for good in [
            "http://127.0.0.1:51004/callback",
            "http://127.0.0.1/callback",
            "http://[::1]:1/callback",
            "http://localhost:65535/callback",
        ] {
            assert!(allowed(native, good), "{good}");
            assert_eq!(
                allowed((AppKind::Web, &uris[..]), good),
                uris.contains(&good),
                "{good}"
            );
        }
        for bad in [
            "http://127.0.0.1:51004/other",
            "http://127.0.0.1:51004/callback?x=1",
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1:80@evil.example/callback",
            "http://user@127.0.0.1:80/callback",
            "http://127.0.0.2:80/callback",
            "https://127.0.0.1:80/callback",
            "http://localhost.evil.example:80/callback",
        ] {
            assert!(!allowed(native, bad), "{bad}");
        }
    }

    #[test]
    fn custom_schemes_match_as_text() {
        let native = (
            AppKind::Native,
            &["com.example.app:/callback", "app://callback"][..],
        );
        assert!(allowed(native, "com.example.app:/callback"));
        assert!(allowed(native, "app://callback"));
        assert!(!allowed(native, "app://callback/"));
    }
}
