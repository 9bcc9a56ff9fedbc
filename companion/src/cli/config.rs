//! `keyback config` and `keyback check-config`.

use std::sync::Arc;

use anyhow::{Result, bail};
use keyback_core::time::SystemClock;

use super::{ConfigFile, open};
use crate::config::{Config, REFERENCE};
use crate::connectors::{Connectors, EmailConnector, Inbox, SmsConnector};
use crate::outgoing::{Targets, check_target};

pub(super) fn print() -> Result<()> {
    print!("{REFERENCE}");
    Ok(())
}

/// Everything that can be known without serving: the file, the keys, the folder of the database, and the
/// servers that carry messages.
pub(super) async fn check(file: &ConfigFile) -> Result<()> {
    let config = open::config(file)?;
    let mut problems = Vec::new();
    if let Err(found) = config.secrets.root_keys() {
        problems.extend(found.0);
    }
    let database = config.store.url.path();
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder
        && !folder.is_dir()
    {
        problems.push(format!(
            "[store] url: the folder {} doesn't exist",
            folder.display()
        ));
    }
    if !problems.is_empty() {
        bail!(crate::config::Problems(problems));
    }
    let mut messages = messages(&config).await;
    webhooks(&config, &mut messages).await;
    println!("the configuration is sound");
    messages.notes.iter().for_each(|note| println!("{note}"));
    if !messages.failures.is_empty() {
        bail!("{}", messages.failures.join("\n"));
    }
    Ok(())
}

/// What becomes of messages: what each connector and webhook is, and why those that are meant to go out can't.
struct Messages {
    notes: Vec<String>,
    failures: Vec<String>,
}

async fn messages(config: &Config) -> Messages {
    // The inbox takes nothing here.
    let inbox = Inbox::new(Arc::new(SystemClock));
    let (connectors, availability) = Connectors::from_config(config, &inbox, &Arc::default());
    let mut found = Messages {
        notes: Vec::new(),
        failures: Vec::new(),
    };
    let channels = [
        ("e-mail", config.email.connector.is_some(), availability.email),
        ("SMS", config.sms.connector.is_some(), availability.sms),
    ];
    for (what, is_meant, state) in channels {
        match state {
            Ok(()) => {}
            Err(why) if is_meant => found.failures.push(why),
            Err(why) => found.notes.push(format!("{what}: {why}")),
        }
    }
    if matches!(connectors.email, Some(EmailConnector::Inbox(_))) {
        found
            .notes
            .push("e-mail goes to the development inbox".to_owned());
    }
    if matches!(connectors.sms, Some(SmsConnector::Inbox(_))) {
        found.notes.push("SMS go to the development inbox".to_owned());
    }
    for (channel, server) in connectors.remote() {
        match connectors.probe(channel).await {
            Ok(()) => found.notes.push(format!("{server} answers")),
            Err(error) => found.failures.push(format!("{server} can't be reached: {error}")),
        }
    }
    if !connectors.any() {
        found
            .notes
            .push("no code can be sent, so \"Forgot password?\" is not shown".to_owned());
    }
    found
}

/// Which webhooks there are, and whether their names lead anywhere: asking them would be an event.
async fn webhooks(config: &Config, found: &mut Messages) {
    for (index, hook) in config.webhooks.iter().enumerate() {
        let target = hook.target(index);
        let events: Vec<&str> = hook.events.iter().map(|event| event.as_str()).collect();
        let targets = if hook.allow_private {
            Targets::Any
        } else {
            Targets::Public
        };
        match check_target(&hook.url, targets).await {
            Ok(()) => found
                .notes
                .push(format!("the webhook {target} is told of {}", events.join(", "))),
            Err(error) => found
                .failures
                .push(format!("the webhook {target} can't be told: {}", error.in_full())),
        }
    }
}
