//! A browser's share of a journey: it keeps cookies, finds the form of a page and follows what it is told.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};

use crate::wire::{Answer, Wire};

/// What Chromium sends when a person follows a link.
pub(crate) const BROWSER: &str = "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n\
     accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
     accept-language: en-GB,en;q=0.9\r\naccept-encoding: gzip, deflate, br, zstd\r\n\
     sec-fetch-dest: document\r\nsec-fetch-mode: navigate\r\nsec-fetch-user: ?1\r\nupgrade-insecure-requests: 1\r\n";

/// A person with a browser that has been nowhere yet.
pub(crate) struct Person<'w> {
    wire: &'w mut Wire,
    host: String,
    cookies: BTreeMap<String, String>,
}

/// What an answer leads to.
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    /// The body, unpacked.
    pub(crate) text: String,
    /// Bytes of the body as it travelled.
    pub(crate) travelled: usize,
}

impl<'w> Person<'w> {
    pub(crate) fn new(wire: &'w mut Wire, port: u16) -> Self {
        Self {
            wire,
            host: format!("localhost:{port}"),
            cookies: BTreeMap::new(),
        }
    }

    /// Opens an address of the companion.
    pub(crate) async fn open(&mut self, path: &str) -> Result<Seen> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\n{BROWSER}sec-fetch-site: same-origin\r\n{}\r\n",
            self.host,
            self.cookie_header(),
        );
        self.exchange(&request).await
    }

    /// Opens what an answer led to.
    pub(crate) async fn follow(&mut self, seen: &Seen) -> Result<Seen> {
        let location = seen.location.as_deref().with_context(|| {
            format!(
                "{} without a way on: {}",
                seen.status,
                seen.text.chars().take(2_000).collect::<String>()
            )
        })?;
        let origin = format!("http://{}", self.host);
        let path = location.strip_prefix(&origin).unwrap_or(location).to_owned();
        if !path.starts_with('/') {
            bail!("the way led away to {path}");
        }
        self.open(&path).await
    }

    /// Sends the first form of a page.
    pub(crate) async fn send(&mut self, page: &Seen, fields: &[(&str, &str)]) -> Result<Seen> {
        let action = action(&page.text)
            .with_context(|| format!("{}: a page without a form: {}", page.status, page.text))?;
        let mut body = String::new();
        for (name, value) in fields {
            let separator = if body.is_empty() { "" } else { "&" };
            write!(body, "{separator}{name}={}", encoded(value))?;
        }
        let request = format!(
            "POST {action} HTTP/1.1\r\nhost: {host}\r\n{BROWSER}sec-fetch-site: same-origin\r\n\
             origin: http://{host}\r\n{}content-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n\r\n{body}",
            self.cookie_header(),
            body.len(),
            host = self.host,
        );
        self.exchange(&request).await
    }

    async fn exchange(&mut self, request: &str) -> Result<Seen> {
        let answer = self.wire.exchange(request.as_bytes()).await?;
        let cookies: Vec<(String, String)> = set_cookies(&answer)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let seen = Seen {
            status: answer.status,
            location: answer.header("location").map(str::to_owned),
            travelled: answer.body()?.len(),
            text: answer.text()?,
        };
        for (name, value) in cookies {
            if value.is_empty() {
                self.cookies.remove(&name);
            } else {
                self.cookies.insert(name, value);
            }
        }
        Ok(seen)
    }

    fn cookie_header(&self) -> String {
        if self.cookies.is_empty() {
            return String::new();
        }
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("cookie: {}\r\n", pairs.join("; "))
    }
}

fn set_cookies<'a>(answer: &'a Answer<'_>) -> impl Iterator<Item = (&'a str, &'a str)> {
    answer
        .headers()
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .filter_map(|(_, cookie)| cookie.split(';').next()?.split_once('='))
}

/// The `action` of the first form.
fn action(html: &str) -> Option<String> {
    let form = html.split_once("<form ")?.1;
    let action = form.split_once("action=\"")?.1.split_once('"')?.0;
    Some(
        action
            .replace("&amp;", "&")
            .replace("&#38;", "&")
            .replace("&#x3d;", "="),
    )
}

/// A value of a form or query.
pub(crate) fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte));
            }
            b' ' => text.push('+'),
            _ => {
                // Writing to a string can't fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_sent_where_its_action_says() {
        let html = r#"<h1>x</h1><form method="post" action="/sign-in?i=a&#38;n=b"><input>"#;
        assert_eq!(action(html).as_deref(), Some("/sign-in?i=a&n=b"));
        assert_eq!(action("<p>nothing</p>"), None);
    }

    #[test]
    fn fields_are_encoded() {
        assert_eq!(encoded("ada+1@example.com é"), "ada%2B1%40example.com+%C3%A9");
    }
}
