//! The development inbox: every message the demo "sent", newest first. It exists on loopback only.

use askama::Template;

use super::shell::Shell;

/// The page asks itself for news every two seconds: its policy needs `connect-src 'self'`.
#[derive(Clone, Debug, Template)]
#[template(path = "demo/dev_inbox.html")]
pub struct DevInbox<'a> {
    pub shell: Shell<'a>,
    /// Our own, such as `https://id.example.com`: addresses below it are links, no others.
    pub origin: &'a str,
    /// The demo's shop.
    pub shop_url: Option<&'a str>,
    pub messages: &'a [InboxMessage<'a>],
}

/// A message as the inbox keeps it, the same fields as in `/dev/inbox.json`. Text messages have an empty subject.
#[derive(Clone, Debug)]
pub struct InboxMessage<'a> {
    pub to: &'a str,
    /// `email` or `sms`.
    pub channel: &'a str,
    pub subject: &'a str,
    pub text: &'a str,
    pub code: Option<&'a str>,
    /// RFC 3339.
    pub at: &'a str,
}

impl InboxMessage<'_> {
    /// `2026-11-23T18:22:05Z` as `18:22:05`; anything else as it is.
    fn time(&self) -> &str {
        self.at.get(11..19).unwrap_or(self.at)
    }

    fn pieces(&self, origin: &str) -> Vec<Piece<'_>> {
        pieces(self.text, origin)
    }
}

/// A stretch of a message's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    Words(&'a str),
    /// An address of our own.
    Link(&'a str),
}

/// Tells our own addresses apart from the words around them. An app's name, or a person's, stands in messages too: an
/// address of somebody else stays text.
fn pieces<'a>(text: &'a str, origin: &str) -> Vec<Piece<'a>> {
    let begin = format!("{origin}/");
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(&begin) {
        let (words, from) = rest.split_at(at);
        let end = from.find(|c: char| !c.is_ascii_graphic()).unwrap_or(from.len());
        // What ends a sentence ends no address.
        let end = from[..end]
            .trim_end_matches(['.', ',', ';', ':', '!', '?', ')'])
            .len();
        let (url, after) = from.split_at(end);
        pieces.extend([Piece::Words(words), Piece::Link(url)]);
        rest = after;
    }
    pieces.push(Piece::Words(rest));
    pieces
}

const SAMPLES: &[InboxMessage<'static>] = &[
    InboxMessage {
        to: "ada@example.com",
        channel: "email",
        subject: "Your Larkspur Books password was changed",
        text: "The password of your Larkspur Books account was changed on 23 November 2026 at 18:24 UTC.\n\nWasn't you? Freeze the account:\nhttp://localhost:3001/not-me?t=sample\n",
        code: None,
        at: "2026-11-23T18:24:11Z",
    },
    InboxMessage {
        to: "+447700900123",
        channel: "sms",
        subject: "",
        text: "004217 is your code to reset your Larkspur Books password. It works for 10 minutes. Didn't ask? Ignore this.\n\n@localhost #004217",
        code: Some("004217"),
        at: "2026-11-23T18:23:40Z",
    },
    InboxMessage {
        to: "ada@example.com",
        channel: "email",
        subject: "Your code to reset your Larkspur Books password",
        text: "Hello,\n\nuse this code to choose a new password for Larkspur Books:\n\n    402917\n\nIt works for 10 minutes.",
        code: Some("402917"),
        at: "2026-11-23T18:22:05Z",
    },
];

impl<'a> DevInbox<'a> {
    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let empty = Self {
            shell,
            origin: "http://localhost:3001",
            shop_url: None,
            messages: &[],
        };
        let messages = Self {
            shop_url: Some("http://localhost:9000"),
            messages: SAMPLES,
            ..empty.clone()
        };
        vec![("empty", empty), ("messages", messages)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Brand, Theme};
    use super::Piece::{Link, Words};
    use super::*;

    #[test]
    fn our_own_addresses_become_links_and_nothing_else() {
        const OURS: &str = "http://localhost:3001";
        for (text, expected) in [
            ("Hello", vec![Words("Hello")]),
            (
                "Freeze it: http://localhost:3001/not-me?t=a-_1.\nBye",
                vec![
                    Words("Freeze it: "),
                    Link("http://localhost:3001/not-me?t=a-_1"),
                    Words(".\nBye"),
                ],
            ),
            (
                "http://localhost:3001/\u{202e}x",
                vec![Words(""), Link("http://localhost:3001/"), Words("\u{202e}x")],
            ),
            (
                "http://localhost:3001.evil.example/a http://localhost:30011/a javascript:alert(1)",
                vec![Words(
                    "http://localhost:3001.evil.example/a http://localhost:30011/a javascript:alert(1)",
                )],
            ),
            (
                "https://localhost:3001/a",
                vec![Words("https://localhost:3001/a")],
            ),
        ] {
            assert_eq!(pieces(text, OURS), expected, "{text}");
        }
    }

    /// A text message has no subject: its text stands there once, open.
    #[test]
    fn the_inbox_shows_a_text_once_and_links_to_our_pages() {
        let theme = Theme::new(Brand {
            name: "Larkspur Books".to_owned(),
            color: "#2f5bea".parse().unwrap(),
            logo: None,
        });
        let page = DevInbox::samples(Shell::english(&theme))[1].1.render().unwrap();
        assert_eq!(page.matches("004217 is your code").count(), 1);
        assert_eq!(page.matches("<details>").count(), 2, "of the two e-mails");
        let url = "http://localhost:3001/not-me?t=sample";
        assert!(page.contains(&format!("<a href=\"{url}\" rel=\"noopener\">{url}</a>")));
    }
}
