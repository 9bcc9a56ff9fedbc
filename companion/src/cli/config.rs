//! `keyback config` and `keyback check-config`.

use std::sync::Arc;

use anyhow::{Result, bail};
use keyback_core::time::SystemClock;

use super::{ConfigFile, open};
use crate::config::messages::{EmailConnectorConfig, SmsConnectorConfig};
use crate::config::{Problems, REFERENCE, Reading};
use crate::connectors::{Channel, Connectors, EmailConnector, Inbox, SmsConnector};
use crate::outgoing::{Targets, check_target};
use crate::store::Store;

pub(super) fn print() -> Result<()> {
    print!("{REFERENCE}");
    Ok(())
}

/// Everything that can be known without serving: the file, the keys, the database, and the
/// servers that carry messages. One wrong thing hides no other.
pub(super) async fn check(file: &ConfigFile) -> Result<()> {
    let reading = open::reading(file)?;
    let mut found = Findings {
        notes: Vec::new(),
        problems: reading.problems.0.clone(),
    };
    root_keys(&reading, &mut found);
    store(&reading, &mut found).await;
    messages(&reading, &mut found).await;
    webhooks(&reading, &mut found).await;
    for problem in &mut found.problems[reading.problems.0.len()..] {
        reading.variables.name_in(problem);
    }
    found.notes.iter().for_each(|note| println!("{note}"));
    if !found.problems.is_empty() {
        bail!(Problems(found.problems));
    }
    println!("the configuration is sound");
    Ok(())
}

/// What a check finds.
struct Findings {
    /// What becomes of messages: what each connector and webhook is.
    notes: Vec<String>,
    /// What keeps the companion from starting, or from sending what is meant to go out.
    problems: Vec<String>,
}

fn root_keys(reading: &Reading, found: &mut Findings) {
    let Err(problems) = reading.config.secrets.root_keys() else {
        return;
    };
    // Where a key of the section can't be read, nobody knows whether there is no root key at all.
    let is_known = |problem: &String| reading.has_all("secrets") || !problem.starts_with("[secrets]: ");
    found.problems.extend(problems.0.into_iter().filter(is_known));
}

async fn store(reading: &Reading, found: &mut Findings) {
    if !reading.has("store", "url") {
        return;
    }
    let database = reading.config.store.url.path();
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder
        && !folder.is_dir()
    {
        found.problems.push(format!(
            "[store] url: the folder {} doesn't exist",
            folder.display()
        ));
        return;
    }
    if let Err(error) = Store::check(database).await {
        found.problems.push(format!("[store] url: {error}"));
    }
}

async fn messages(reading: &Reading, found: &mut Findings) {
    let config = &reading.config;
    // The inbox takes nothing here.
    let inbox = Inbox::new(Arc::new(SystemClock));
    let (connectors, availability) = Connectors::from_config(config, &inbox, &Arc::default());
    found.problems.extend(reading.incomplete_connectors());
    let is_incomplete = [
        matches!(config.email.connector(), EmailConnectorConfig::Missing(_)),
        matches!(config.sms.connector(), SmsConnectorConfig::Missing(_)),
    ];
    let channels = [
        ("e-mail", config.email.connector.is_some(), availability.email),
        ("SMS", config.sms.connector.is_some(), availability.sms),
    ];
    for ((what, is_meant, state), is_incomplete) in channels.into_iter().zip(is_incomplete) {
        match state {
            Err(why) if is_meant && !is_incomplete => found.problems.push(why),
            Err(why) if !is_meant && reading.problems.0.is_empty() => {
                found.notes.push(format!("{what}: {why}"));
            }
            Ok(()) | Err(_) => {}
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
        let section = match channel {
            Channel::Email => "email",
            Channel::Sms => "sms",
        };
        // With the default of a key that can't be read, another server would be asked than the one that is meant.
        if !reading.has_all(section) {
            continue;
        }
        match connectors.probe(channel).await {
            Ok(()) => found.notes.push(format!("{server} answers")),
            Err(error) => found.problems.push(format!("{server} can't be reached: {error}")),
        }
    }
    if connectors.sms.is_some() && connectors.email.is_none() && reading.problems.0.is_empty() {
        found.notes.push(
            "codes go by text message alone: whoever takes over a phone number can reset its account's password; [email] \
             beside it is the safer way"
                .to_owned(),
        );
    }
    if !connectors.any() && reading.problems.0.is_empty() {
        found
            .notes
            .push("no code can be sent, so \"Forgot password?\" is not shown".to_owned());
    }
}

/// Which webhooks there are, and whether their names lead anywhere: asking them would be an event.
async fn webhooks(reading: &Reading, found: &mut Findings) {
    for (index, hook) in reading.config.webhooks.iter().enumerate() {
        let origin = hook.url.origin().ascii_serialization();
        let place = format!("[[webhook]] {origin} ");
        // What is wrong with it by itself has been told.
        if reading
            .problems
            .0
            .iter()
            .any(|problem| problem.starts_with(&place))
        {
            continue;
        }
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
                .problems
                .push(format!("the webhook {target} can't be told: {}", error.in_full())),
        }
    }
}
