//! What `[email]` and `[sms]` have in common: which keys belong to which connector, and what can be wrong with one.

use toml::Table;

use super::Problems;

/// The keys that one connector alone reads, by its name.
pub(super) type OwnKeys = &'static [(&'static str, &'static [&'static str])];

pub(super) const OF_EMAIL: OwnKeys = &[
    (
        "smtp",
        &[
            "from", "reply_to", "host", "port", "security", "ca_file", "username", "password",
        ],
    ),
    ("http", &["url", "headers", "signing_key", "signature_header"]),
];

pub(super) const OF_SMS: OwnKeys = &[
    (
        "twilio",
        &[
            "account_sid",
            "auth_token",
            "api_key_sid",
            "api_key_secret",
            "messaging_service_sid",
            "endpoint",
        ],
    ),
    (
        "http",
        &[
            "url",
            "method",
            "headers",
            "content_type",
            "body",
            "success",
            "signing_key",
            "signature_header",
        ],
    ),
];

/// Refuses keys of another connector than the section's own: nothing reads them, so whoever wrote them meant something
/// else. As long as there is no connector, or one that there isn't, all wait for theirs.
pub(super) fn refuse_foreign_keys(section: &str, table: &Table, own_keys: OwnKeys, problems: &mut Problems) {
    let Some(connector) = table.get("connector").and_then(toml::Value::as_str) else {
        return;
    };
    if connector != "inbox" && own_keys.iter().all(|(name, _)| *name != connector) {
        return;
    }
    for key in table.keys() {
        let plain = key.strip_suffix("_file").unwrap_or(key);
        let owner = own_keys
            .iter()
            .find(|(_, own)| own.contains(&key.as_str()) || own.contains(&plain));
        if let Some((owner, _)) = owner
            && *owner != connector
        {
            problems.add(
                format!("[{section}] {key}"),
                format!("is for connector = \"{owner}\" and means nothing to {connector:?}; remove it"),
            );
        }
    }
}

/// Something that is wrong with a connector's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A key isn't there. That is no error: the log says so, and no code goes this way.
    Missing(&'static str),
    /// A key, and why its value can't be used. It stops the start.
    Malformed(String, String),
}

impl Fault {
    pub(super) fn malformed(key: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Malformed(key.into(), why.into())
    }
}

/// All that is wrong with a connector's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    /// The value, or its fault is noted: reading goes on, so that all are found.
    pub(super) fn note<T>(&mut self, read: Result<T, Fault>) -> Option<T> {
        read.map_err(|fault| self.0.push(fault)).ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is malformed, as problems of the configuration.
    pub(super) fn tell(&self, section: &str, problems: &mut Problems) {
        for fault in &self.0 {
            if let Fault::Malformed(key, why) = fault {
                problems.add(format!("[{section}] {key}"), why);
            }
        }
    }

    /// What is missing, in a line, but for keys that are there and can't be read: of those that has been told.
    pub(super) fn lacking(
        &self,
        section: &str,
        connector: &str,
        is_read: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let missing = self.0.iter().filter(|fault| match fault {
            Fault::Missing(key) => key.split([' ', ',']).next().is_some_and(&is_read),
            Fault::Malformed(..) => false,
        });
        let missing = Self(missing.cloned().collect());
        (!missing.is_empty()).then(|| missing.line(section, connector))
    }

    /// Why there is no connector, in a line for the log.
    pub(super) fn line(&self, section: &str, connector: &str) -> String {
        let told: Vec<String> = self
            .0
            .iter()
            .map(|fault| match fault {
                Fault::Missing(key) => format!("[{section}] {key} is missing"),
                Fault::Malformed(key, why) => format!("[{section}] {key} {why}"),
            })
            .collect();
        format!("the {connector} connector is not complete: {}", told.join("; "))
    }
}
