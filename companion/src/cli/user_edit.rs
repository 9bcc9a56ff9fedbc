//! `keyback user edit`: who a person is. Not the password: nobody here chooses that of somebody else (SR-73).

use anyhow::{Context as _, Result, bail};
use clap::Args;
use keyback_core::random::SystemRandom;
use keyback_core::time::{Clock as _, SystemClock};

use super::profile_args::ProfileArgs;
use super::user::{email, find, notices, operator_line, phone, tell, webhooks};
use super::{ConfigFile, open};
use crate::accounts;
use crate::config::Config;
use crate::config::webhook::WebhookEvent;
use crate::profile::{self, Profile};
use crate::store::audit;
use crate::store::users::{self, Added, User};

#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// An e-mail address, a phone number, a user name, or the id
    account: String,
    /// The e-mail address. An empty text takes a value away, here and with the other flags
    #[arg(long)]
    email: Option<String>,
    /// The phone number, such as +14155550123, or as it is dialled in the country of [sms] default_region
    #[arg(long)]
    phone: Option<String>,
    /// The user name, to sign in with
    #[arg(long)]
    username: Option<String>,
    /// The full name, as apps and messages show it
    #[arg(long)]
    name: Option<String>,
    /// Nobody vouches for the addresses given: no code goes there
    #[arg(long)]
    unverified: bool,
    #[command(flatten)]
    profile: ProfileArgs,
}

impl EditArgs {
    /// `--unverified` says something of addresses that are given, and nothing alone.
    fn changes_something(&self) -> bool {
        let own = [&self.email, &self.phone, &self.username, &self.name];
        own.into_iter().any(Option::is_some) || self.profile.says_something()
    }
}

pub(super) async fn run(args: &EditArgs) -> Result<()> {
    if !args.changes_something() {
        bail!(
            "nothing was given to change; name it, as with --name \"Ada Lovelace\", and see all flags with `keyback user edit --help`"
        );
    }
    let (config, store) = open::store(&args.config).await?;
    let named = find(&config, &store, &args.account).await?;
    let now = SystemClock.now();
    let mut tx = store.begin().await?;
    let user = users::find(&mut *tx, &named.id)
        .await?
        .context("the account has gone meanwhile")?;
    let edited = edited(&config, args, user.clone())?;
    if accounts::save_edited(&mut tx, &notices(&config), &user, &edited, now).await? == Added::Taken {
        bail!(
            "another account has this e-mail address, phone number or user name; `keyback user list` shows it"
        );
    }
    audit::write(
        &mut *tx,
        &SystemRandom,
        &operator_line("user_edited", &user.id, now),
    )
    .await?;
    let updated = WebhookEvent::UserDataUpdated;
    tell(&mut tx, &webhooks(&config), &user.id, updated, now).await?;
    tx.commit().await?;
    println!("{} is edited", edited.sign_in_name());
    store.close().await;
    Ok(())
}

/// The account with what flags were given for. Everything is checked before anything is written.
fn edited(config: &Config, args: &EditArgs, mut user: User) -> Result<User> {
    let verified = !args.unverified;
    if let Some(typed) = &args.email {
        user.email = given(typed, email)?;
        user.email_verified = verified && user.email.is_some();
    }
    if let Some(typed) = &args.phone {
        user.phone = given(typed, |text| phone(config, text))?;
        user.phone_verified = verified && user.phone.is_some();
    }
    if let Some(typed) = &args.username {
        user.username = given(typed, |text| {
            Ok(profile::username(text, config.sms.default_region)?)
        })?;
    }
    if let Some(typed) = &args.name {
        user.name = given(typed, |text| Ok(profile::full_name(text)?))?;
    }
    let mut profile = Profile::from_stored(&user.profile);
    args.profile.apply(&mut profile)?;
    user.profile = profile.to_stored();
    if user.email.is_none() && user.phone.is_none() && user.username.is_none() {
        bail!(
            "an account keeps an e-mail address, a phone number or a user name: nobody could sign in without"
        );
    }
    Ok(user)
}

fn given(typed: &str, read: impl Fn(&str) -> Result<String>) -> Result<Option<String>> {
    if typed.is_empty() {
        Ok(None)
    } else {
        read(typed).map(Some)
    }
}
