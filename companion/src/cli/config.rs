//! `keyback config` and `keyback check-config`.

use anyhow::{Result, bail};

use super::{ConfigFile, open};
use crate::config::messages::EmailConnectorConfig;
use crate::config::{Config, REFERENCE};
use crate::connectors::SmtpConnector;

pub(super) fn print() -> Result<()> {
    print!("{REFERENCE}");
    Ok(())
}

/// Everything that can be known without serving: the file, the keys, the folder of the database, the mail server.
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
    let messages = messages(&config).await;
    println!("the configuration is sound");
    match messages {
        Ok(notes) => notes.iter().for_each(|note| println!("{note}")),
        Err(problem) => bail!("{problem}"),
    }
    Ok(())
}

/// What becomes of messages: notes, or why those that are meant to go out can't.
async fn messages(config: &Config) -> Result<Vec<String>, String> {
    let mut notes = Vec::new();
    match config.email.connector() {
        EmailConnectorConfig::Inbox => notes.push("e-mail goes to the development inbox".to_owned()),
        EmailConnectorConfig::Missing(why) if config.email.connector.is_some() => return Err(why),
        EmailConnectorConfig::Missing(why) => notes.push(format!("e-mail: {why}")),
        EmailConnectorConfig::Smtp(settings) => {
            let server = format!("the mail server {}:{}", settings.host, settings.port);
            let smtp = SmtpConnector::new(&settings).map_err(|error| error.to_string())?;
            smtp.probe()
                .await
                .map_err(|error| format!("{server} can't be reached: {error}"))?;
            notes.push(format!("{server} answers"));
        }
    }
    if config.email.connector.is_none() && config.sms.connector.is_none() {
        notes.push("no code can be sent, so \"Forgot password?\" is not shown".to_owned());
    }
    Ok(notes)
}
