//! The development inbox: every message the demo "sent", newest first. It exists on loopback only.

use askama::Template;

use super::shell::Shell;

/// The page asks itself for news every two seconds: its policy needs `connect-src 'self'`.
#[derive(Clone, Debug, Template)]
#[template(path = "demo/dev_inbox.html")]
pub struct DevInbox<'a> {
    pub shell: Shell<'a>,
    pub messages: &'a [InboxMessage<'a>],
}

/// A message as the inbox keeps it, the same fields as in `/dev/inbox.json`.
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
}

const SAMPLES: &[InboxMessage<'static>] = &[
    InboxMessage {
        to: "ada@example.com",
        channel: "email",
        subject: "Your Larkspur Books password was changed",
        text: "The password of your Larkspur Books account was changed on 23 November 2026 at 18:24 UTC.",
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
        vec![
            ("empty", Self { shell, messages: &[] }),
            (
                "messages",
                Self {
                    shell,
                    messages: SAMPLES,
                },
            ),
        ]
    }
}
