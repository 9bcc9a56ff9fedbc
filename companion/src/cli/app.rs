//! `keyback app`: apps of the store. Those of the configuration file are read-only.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use keyback_core::random::SystemRandom;
use keyback_core::time::{Clock as _, SystemClock, Timestamp};
use url::Url;

use super::{ConfigFile, open};
use crate::config::app::{AppConfig, AppKind, IdTokenAlg, Secret};
use crate::config::authentication::AuthMethod;
use crate::config::client_keys::ClientKeys;
use crate::oidc::RESET_CLIENT_ID;
use crate::secrets::{digest_of, random_token};
use crate::store::apps::{self, StoredApp};
use crate::store::audit::{self, Actor, Line};
use crate::store::users::Added;

#[derive(Debug, Subcommand)]
pub(super) enum AppCommand {
    /// Add an app; prints its secret once, if it is one that keeps a secret
    Add(Box<AddArgs>),
    /// List the apps of the file and of the store
    List(ConfigFile),
    /// Remove an app of the store, and all that people granted it
    Remove(RemoveArgs),
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// 1 to 100 letters, digits, dots, dashes or underscores
    client_id: String,
    #[arg(long, value_enum)]
    r#type: Kind,
    /// What people see
    #[arg(long)]
    name: Option<String>,
    /// Where sign-ins return to; may be given several times
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<Url>,
    /// Where sign-outs return to; may be given several times
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<Url>,
    /// Where the app is told that a session has ended, so that it ends its own (OIDC Back-Channel Logout)
    #[arg(long, value_name = "URL")]
    backchannel_logout_uri: Option<Url>,
    /// The app needs the session's id (sid) to end the right one
    #[arg(long, requires = "backchannel_logout_uri")]
    backchannel_logout_session_required: bool,
    /// Where the app begins a sign-in: the end of the way of /reset-password
    #[arg(long, value_name = "URL")]
    sign_in_url: Option<Url>,
    /// How it authenticates; without it, by its secret in either way, or not at all where it keeps none
    #[arg(long, value_enum, value_name = "METHOD")]
    auth_method: Option<Method>,
    /// For private-key-jwt: the file of its public keys (a JSON Web Key Set)
    #[arg(long, value_name = "FILE", conflicts_with = "jwks_uri")]
    jwks_file: Option<PathBuf>,
    /// For private-key-jwt: where it publishes its public keys
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<Url>,
    /// A scope it may ask for, beyond the standard ones; may be given several times
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// A resource of the file that it may ask tokens for, or https://default.logto.app/api, the companion's own; may be given several times
    #[arg(long = "resource", value_name = "URI")]
    resources: Vec<String>,
    /// It may sign people in on devices without a browser (RFC 8628)
    #[arg(long)]
    device_flow: bool,
    /// The signature of its ID tokens: many OpenID Connect libraries take RS256 alone unless told otherwise
    #[arg(long, value_enum, default_value = "es384")]
    id_token_alg: Alg,
    /// The app is somebody else's: people are asked whether they allow it what it asks for
    #[arg(long)]
    third_party: bool,
    /// Take its authorization requests only when it pushes them (RFC 9126)
    #[arg(long)]
    require_pushed_requests: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Web,
    Spa,
    Native,
    Machine,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Method {
    ClientSecretBasic,
    ClientSecretPost,
    PrivateKeyJwt,
    None,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Alg {
    Es384,
    Rs256,
}

#[derive(Debug, Args)]
pub(super) struct RemoveArgs {
    #[command(flatten)]
    config: ConfigFile,
    client_id: String,
}

pub(super) async fn run(command: AppCommand) -> Result<()> {
    match command {
        AppCommand::Add(args) => add(*args).await,
        AppCommand::List(file) => list(&file).await,
        AppCommand::Remove(args) => remove(&args).await,
    }
}

async fn add(args: AddArgs) -> Result<()> {
    let (config, store) = open::store(&args.config).await?;
    let in_file = config.apps.iter().any(|app| app.client_id == args.client_id);
    if in_file || args.client_id == RESET_CLIENT_ID {
        bail!(
            "there is an app {:?} already; choose another client id",
            args.client_id
        );
    }
    let kind = match args.r#type {
        Kind::Web => AppKind::Web,
        Kind::Spa => AppKind::Spa,
        Kind::Native => AppKind::Native,
        Kind::Machine => AppKind::Machine,
    };
    let method = args.auth_method.map(|method| match method {
        Method::ClientSecretBasic => AuthMethod::ClientSecretBasic,
        Method::ClientSecretPost => AuthMethod::ClientSecretPost,
        Method::PrivateKeyJwt => AuthMethod::PrivateKeyJwt,
        Method::None => AuthMethod::None,
    });
    let has_secret = kind.is_confidential() && method != Some(AuthMethod::PrivateKeyJwt);
    let secret = has_secret.then(|| random_token(&SystemRandom));
    let mut app = AppConfig {
        name: args.name,
        client_secret: secret.clone().map(Secret::new),
        token_endpoint_auth_method: method,
        jwks: args.jwks_file.as_deref().map(read_keys).transpose()?,
        jwks_uri: args.jwks_uri,
        scopes: args.scopes,
        resources: args.resources,
        device_flow: args.device_flow,
        redirect_uris: args.redirect_uris,
        post_logout_redirect_uris: args.post_logout_redirect_uris,
        backchannel_logout_uri: args.backchannel_logout_uri,
        backchannel_logout_session_required: args.backchannel_logout_session_required,
        sign_in_url: args.sign_in_url,
        first_party: !args.third_party,
        require_pushed_authorization_requests: args.require_pushed_requests,
        id_token_signed_response_alg: match args.id_token_alg {
            Alg::Es384 => IdTokenAlg::ES384,
            Alg::Rs256 => IdTokenAlg::RS256,
        },
        ..AppConfig::new(args.client_id, kind)
    };
    let mut problems = app.problems();
    problems.extend(app.unknown_resources(&config.resources));
    if !problems.is_empty() {
        bail!("the app can't be added:\n  {}", problems.join("\n  "));
    }
    app.client_secret = None;
    let stored = StoredApp {
        config: app,
        secret_digest: secret.as_deref().map(digest_of),
    };
    let now = SystemClock.now();
    let mut tx = store.begin().await?;
    if apps::add(&mut *tx, &stored, now).await? == Added::Taken {
        bail!(
            "there is an app {:?} already; choose another client id",
            stored.config.client_id
        );
    }
    let line = operator_line_of_app("app_added", &stored.config.client_id, now);
    audit::write(&mut *tx, &SystemRandom, &line).await?;
    tx.commit().await?;
    println!("client_id      {}", stored.config.client_id);
    if let Some(secret) = secret {
        println!("client_secret  {secret}");
        eprintln!("the secret is shown this once; only its digest is kept");
    }
    store.close().await;
    Ok(())
}

fn read_keys(path: &Path) -> Result<ClientKeys> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the key set {} can't be read", path.display()))?;
    ClientKeys::parse(&text).map_err(|error| anyhow!("{}: {error}", path.display()))
}

async fn list(file: &ConfigFile) -> Result<()> {
    let (config, store) = open::store(file).await?;
    for app in &config.apps {
        line(app, "file");
    }
    for stored in apps::list(store.reader()).await? {
        line(&stored.config, "store");
    }
    store.close().await;
    Ok(())
}

fn line(app: &AppConfig, place: &str) {
    let kind = match app.kind {
        AppKind::Web => "web",
        AppKind::Spa => "spa",
        AppKind::Native => "native",
        AppKind::Machine => "machine",
    };
    println!(
        "{}  {kind}  {place}  {}",
        app.client_id,
        app.name.as_deref().unwrap_or("-")
    );
}

async fn remove(args: &RemoveArgs) -> Result<()> {
    let (config, store) = open::store(&args.config).await?;
    if config.apps.iter().any(|app| app.client_id == args.client_id) {
        bail!(
            "{:?} stands in the configuration file; remove it there",
            args.client_id
        );
    }
    let mut tx = store.begin().await?;
    if !apps::remove(&mut tx, &args.client_id).await? {
        bail!(
            "there is no app {:?}; `keyback app list` shows all",
            args.client_id
        );
    }
    let line = operator_line_of_app("app_removed", &args.client_id, SystemClock.now());
    audit::write(&mut *tx, &SystemRandom, &line).await?;
    tx.commit().await?;
    println!("{} is removed, and all that people granted it", args.client_id);
    store.close().await;
    Ok(())
}

fn operator_line_of_app<'a>(event: &'a str, client_id: &'a str, at: Timestamp) -> Line<'a> {
    Line {
        at,
        event,
        actor: Actor::Operator,
        subject: None,
        identifier: None,
        client_id: Some(client_id),
        client_ip: None,
    }
}
