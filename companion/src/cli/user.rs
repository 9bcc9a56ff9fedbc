//! `keyback user`: accounts. Nobody here chooses or sees a password of somebody else's: a new account gets its
//! first password by a reset, or from standard input.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::{ArgGroup, Args, Subcommand};
use keyback_core::identifier::Identifier;
use keyback_core::random::{SystemRandom, short_id};
use keyback_core::time::{Clock as _, SystemClock};

use super::profile_args::ProfileArgs;
use super::user_edit::{self, EditArgs};
use super::user_import::{self, ImportArgs};
use super::user_password::hash_from_stdin;
use super::user_show;
use super::{ConfigFile, open};
use crate::config::Config;
use crate::config::webhook::WebhookEvent;
use crate::connectors::{Connectors, Inbox};
use crate::logout::Endings;
use crate::notices::Notices;
use crate::outbox::Outbox;
use crate::profile;
use crate::store::account_status::{self, AccountStatus};
use crate::store::users::{self, Added, NewUser, User};
use crate::store::{Store, Transaction, audit, credentials, former_addresses};
use crate::webhooks::{AccountChange, Cause, Webhooks};

const PAGE: i64 = 500;

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add an account; its first password is set by a reset, or with --password-stdin
    Add(Box<AddArgs>),
    /// Add the accounts of a file: JSON, Logto's users, or CSV
    Import(ImportArgs),
    /// List the accounts
    List(ConfigFile),
    /// Show an account
    Show(Named),
    /// Change who a person is: names, addresses, and the claims of OpenID Connect
    Edit(Box<EditArgs>),
    /// Sign an account out everywhere, and print the address where its owner sets a new password
    Reset(Named),
    /// Stop an account from signing in and resetting, and end its sessions
    Disable(Named),
    /// Let an account sign in and reset again, one that its owner has frozen too
    Enable(Named),
}

/// What a person signs in with: one of these, or more.
const SIGN_IN_NAMES: [&str; 3] = ["email", "phone", "username"];

#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("sign_in_name").args(SIGN_IN_NAMES).required(true).multiple(true),
    after_help = "An account needs an e-mail address, a phone number or a user name: one of them, or more."
)]
pub(crate) struct AddArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// The e-mail address: codes go there, and the person signs in with it
    #[arg(long)]
    email: Option<String>,
    /// The phone number, such as +14155550123, or as it is dialled in the country of [sms] default_region
    #[arg(long)]
    phone: Option<String>,
    /// The user name, to sign in with. Alone it is enough, but no code reaches it
    #[arg(long)]
    username: Option<String>,
    /// The full name, as apps and messages show it
    #[arg(long)]
    name: Option<String>,
    /// Nobody vouches for the addresses: no code goes there
    #[arg(long)]
    unverified: bool,
    /// Read the password from standard input, up to its end or the first line end
    #[arg(long)]
    password_stdin: bool,
    // Its heading stands above all flags that follow.
    #[command(flatten)]
    profile: ProfileArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    #[command(flatten)]
    pub(super) config: ConfigFile,
    /// An e-mail address, a phone number, a user name, or the id
    pub(super) account: String,
}

pub(super) async fn run(command: UserCommand) -> Result<()> {
    match command {
        UserCommand::Add(args) => add(*args).await,
        UserCommand::Import(args) => user_import::run(&args).await,
        UserCommand::List(file) => list(&file).await,
        UserCommand::Show(named) => user_show::run(&named).await,
        UserCommand::Edit(args) => user_edit::run(&args).await,
        UserCommand::Reset(named) => reset(&named).await,
        UserCommand::Disable(named) => set_status(&named, AccountStatus::Disabled).await,
        UserCommand::Enable(named) => set_status(&named, AccountStatus::Active).await,
    }
}

/// Adds an account. Shared with the demo.
pub(crate) async fn add_account(
    store: &Store,
    new: &NewUser,
    phc: Option<&str>,
    webhooks: &Webhooks,
    now: keyback_core::time::Timestamp,
) -> Result<()> {
    let mut tx = store.begin().await?;
    if users::add(&mut *tx, new, now).await? == Added::Taken {
        bail!(
            "another account has this e-mail address, phone number or user name; `keyback user list` shows it"
        );
    }
    if let Some(phc) = phc {
        credentials::save_password_hash(&mut *tx, &new.id, phc, now).await?;
    }
    let line = operator_line("user_added", &new.id, now);
    audit::write(&mut *tx, &SystemRandom, &line).await?;
    tell(&mut tx, webhooks, &new.id, WebhookEvent::UserCreated, now).await?;
    tx.commit().await?;
    Ok(())
}

async fn add(args: AddArgs) -> Result<()> {
    let (config, store) = open::store(&args.config).await?;
    let new = NewUser {
        id: short_id(&SystemRandom),
        username: args
            .username
            .as_deref()
            .map(|text| profile::username(text, config.sms.default_region))
            .transpose()?,
        email: args.email.as_deref().map(email).transpose()?,
        phone: args
            .phone
            .as_deref()
            .map(|text| phone(&config, text))
            .transpose()?,
        name: args.name.as_deref().map(profile::full_name).transpose()?,
        profile: args.profile.profile()?,
        verified: !args.unverified,
    };
    let phc = match args.password_stdin {
        true => Some(hash_from_stdin(&config, &new).await?),
        false => None,
    };
    let (webhooks, now) = (webhooks(&config), SystemClock.now());
    add_account(&store, &new, phc.as_deref(), &webhooks, now).await?;
    println!("{}", new.id);
    tell_of_resets(&config, &new, phc.is_some());
    store.close().await;
    Ok(())
}

/// Where the first password is set, or why a reset can't set one.
fn tell_of_resets(config: &Config, new: &NewUser, has_password: bool) {
    if new.email.is_none() && new.phone.is_none() {
        eprintln!(
            "warning: the account has neither e-mail address nor phone number: no code can be sent, so its password \
             can't be reset; `keyback user edit` gives it one"
        );
    } else if !new.verified {
        eprintln!(
            "warning: nobody vouches for the account's address: no code goes there, so its password can't be reset; \
             `keyback user edit` vouches for it"
        );
    } else if !has_password {
        let url = config
            .server
            .public_url()
            .map(url::Url::as_str)
            .unwrap_or_default();
        eprintln!("the account has no password yet: its first one is set at {url}reset-password");
    }
}

pub(super) fn email(text: &str) -> Result<String> {
    match Identifier::parse(text) {
        Ok(identifier @ Identifier::Email(_)) => Ok(identifier.as_str().to_owned()),
        Ok(Identifier::Phone(_)) => bail!("{text:?} is a phone number; give it with --phone"),
        Err(_) => bail!("{text:?} is no e-mail address such as ada@example.com"),
    }
}

pub(super) fn phone(config: &Config, text: &str) -> Result<String> {
    match Identifier::parse_in(config.sms.default_region, text) {
        Ok(identifier @ Identifier::Phone(_)) => Ok(identifier.as_str().to_owned()),
        Ok(Identifier::Email(_)) => bail!("{text:?} is an e-mail address; give it with --email"),
        Err(error) => bail!("{text:?} is no phone number such as +14155550123: {error}"),
    }
}

async fn list(file: &ConfigFile) -> Result<()> {
    let (_, store) = open::store(file).await?;
    let mut after = String::new();
    loop {
        let page = users::list(store.reader(), &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        for user in &page {
            println!("{}  {}  {}", user.id, user.status, user.sign_in_name());
        }
    }
    store.close().await;
    Ok(())
}

/// Nothing is sent by this process: the visitor's own browser must begin the flow, since it is bound to it.
async fn reset(named: &Named) -> Result<()> {
    let (config, store) = open::store(&named.config).await?;
    let user = find(&config, &store, &named.account).await?;
    if !user.status.may_reset() {
        bail!("the account is disabled; enable it first with `keyback user enable`");
    }
    let now = SystemClock.now();
    let addresses = former_addresses::resettable_over(store.reader(), &user, now).await?;
    let Some(address) = addresses.first() else {
        bail!("{}", no_address(user.status));
    };
    let Some(public_url) = config.server.public_url() else {
        bail!("[server] public_url is missing")
    };
    let mut url = public_url.join("/reset-password")?;
    url.query_pairs_mut().append_pair("login_hint", address.as_str());
    let mut tx = store.begin().await?;
    endings(&config).cut_off(&mut tx, &user.id, None, now).await?;
    audit::write(
        &mut *tx,
        &SystemRandom,
        &operator_line("reset_by_operator", &user.id, now),
    )
    .await?;
    tx.commit().await?;
    println!("{url}");
    eprintln!(
        "everything of the account was signed out; send its owner this address, where a new password is set"
    );
    store.close().await;
    Ok(())
}

/// Why no code can go to an account.
fn no_address(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Frozen => {
            "the account is frozen, and none of its addresses was verified before the change that its owner contests; \
             give it an address that you know to be theirs with `keyback user edit`, then thaw it with `keyback user enable`"
        }
        AccountStatus::Active | AccountStatus::Disabled => {
            "the account has no verified e-mail address or phone number that a code could go to"
        }
    }
}

async fn set_status(named: &Named, status: AccountStatus) -> Result<()> {
    let (config, store) = open::store(&named.config).await?;
    let user = find(&config, &store, &named.account).await?;
    let now = SystemClock.now();
    let mut tx = store.begin().await?;
    let distrusted = account_status::set_by_operator(&mut tx, &user.id, status, now).await?;
    notices(&config)
        .addresses_distrusted(&mut tx, &user.id, distrusted.unwrap_or_default(), now)
        .await?;
    if !status.may_sign_in() {
        endings(&config).cut_off(&mut tx, &user.id, None, now).await?;
    }
    let event = if status.may_sign_in() {
        "user_enabled"
    } else {
        "user_disabled"
    };
    audit::write(&mut *tx, &SystemRandom, &operator_line(event, &user.id, now)).await?;
    let suspension = WebhookEvent::UserSuspensionUpdated;
    tell(&mut tx, &webhooks(&config), &user.id, suspension, now).await?;
    tx.commit().await?;
    println!("{} is {status}", user.sign_in_name());
    if user.status == AccountStatus::Frozen && status.may_sign_in() {
        eprintln!(
            "the password that its owner contests is gone, and no code goes to an address that came with it before `keyback user edit` \
             vouches for it; `keyback user reset` leads to a new one"
        );
    }
    store.close().await;
    Ok(())
}

/// Writes what webhooks are told of an account as it is now. The worker of the running server delivers it.
pub(super) async fn tell(
    tx: &mut Transaction,
    webhooks: &Webhooks,
    id: &str,
    event: WebhookEvent,
    now: keyback_core::time::Timestamp,
) -> Result<()> {
    let Some(user) = users::find(&mut **tx, id).await? else {
        return Ok(());
    };
    let change = AccountChange {
        user: &user,
        client_ip: None,
        user_agent: None,
        by: Cause::CommandLine(event),
        now,
    };
    Ok(webhooks.account_changed(tx, change).await?)
}

/// The webhooks of the configuration.
pub(super) fn webhooks(config: &Config) -> Webhooks {
    Webhooks::new(outbox(config), &config.webhooks, &config.apps)
}

/// What signs an account out, and has its apps told by the worker of the running server.
fn endings(config: &Config) -> Endings {
    Endings::new(outbox(config), &config.apps)
}

/// What tells an owner of a change, by the worker of the running server.
pub(super) fn notices(config: &Config) -> Notices {
    let inbox = Inbox::new(Arc::new(SystemClock));
    let (connectors, _) = Connectors::from_config(config, &inbox, &Arc::default());
    Notices::new(outbox(config), Arc::new(SystemRandom), connectors.channels())
}

fn outbox(config: &Config) -> Outbox {
    Outbox::once_needed(config.secrets.root_keys(), Arc::new(SystemRandom))
}

pub(super) async fn find(config: &Config, store: &Store, account: &str) -> Result<User> {
    let db = store.reader();
    let by_address = match Identifier::parse_in(config.sms.default_region, account) {
        Ok(identifier) => users::find_by_identifier(db, &identifier).await?,
        Err(_) => None,
    };
    let found = match by_address {
        Some(user) => Some(user),
        None => match users::find_by_username(db, account).await? {
            Some(user) => Some(user),
            None => users::find(db, account).await?,
        },
    };
    found.with_context(|| format!("there is no account {account:?}; `keyback user list` shows all"))
}

pub(super) fn operator_line<'a>(
    event: &'a str,
    subject: &'a str,
    at: keyback_core::time::Timestamp,
) -> audit::Line<'a> {
    audit::Line {
        at,
        event,
        actor: audit::Actor::Operator,
        subject: Some(subject),
        identifier: None,
        client_id: None,
        client_ip: None,
    }
}
