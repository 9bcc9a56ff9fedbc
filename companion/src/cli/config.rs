//! `keyback config` and `keyback check-config`.

use anyhow::{Result, bail};

use super::{ConfigFile, open};
use crate::config::REFERENCE;
use crate::config::messages::EmailConnectorConfig;
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
        problems.push(format!("[store] url: the folder {} doesn't exist", folder.display()));
    }
    if !problems.is_empty() {
        bail!(crate::config::Problems(problems));
    }
    println!("the configuration is sound");
    match config.email.connector() {
        EmailConnectorConfig::Inbox => println!("e-mail goes to the development inbox"),
        EmailConnectorConfig::Missing(why) => {
            println!("e-mail: {why}");
            if config.sms.connector.is_none() {
                println!("without a connector for e-mail or SMS, \"Forgot password?\" is not shown");
            }
        }
        EmailConnectorConfig::Smtp(settings) => match SmtpConnector::new(&settings)?.probe().await {
            Ok(()) => println!("the mail server {}:{} answers", settings.host, settings.port),
            Err(error) => {
                println!("the mail server {}:{} can't be reached: {error}", settings.host, settings.port);
            }
        },
    }
    Ok(())
}
