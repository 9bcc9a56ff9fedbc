//! `profile`, `picture` and `website` (OIDC Core 5.1): addresses on the web.

use url::Url;

/// Bytes at most: what browsers and databases of others take.
const MOST: usize = 2048;

pub(super) fn read(typed: &str) -> Result<String, &'static str> {
    let reason = "this is an address on the web, such as https://example.com/ada, without a password in it";
    let url = Url::parse(typed).map_err(|_| reason)?;
    let fit = matches!(url.scheme(), "https" | "http")
        && url.host().is_some()
        && url.username().is_empty()
        && url.password().is_none()
        && url.as_str().len() <= MOST
        && !typed.contains(char::is_control);
    if fit { Ok(url.into()) } else { Err(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oidc_core_5_1_addresses_are_of_the_web() {
        assert_eq!(
            read("https://example.com/ada").as_deref(),
            Ok("https://example.com/ada")
        );
        assert_eq!(
            read("http://bücher.example/é").as_deref(),
            Ok("http://xn--bcher-kva.example/%C3%A9")
        );
        for bad in [
            "",
            "example.com",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://example.com/",
            "https://",
            "https://ada:secret@example.com/",
            "https://example.com/\nx",
            "//example.com/",
            &format!("https://example.com/{}", "a".repeat(2048)),
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
