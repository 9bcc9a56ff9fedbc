//! `keyback demo`: the whole product on one machine, without a file and without network.
//!
//! The companion, a demo site with a "Forgot password?" link, an account, and an inbox that shows every message.
//! Others script against what it prints: first the companion's address, then the site's.

mod account;
mod site;

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyback_core::random::{SystemRandom, short_id};
use keyback_core::time::SystemClock;
use tempfile::TempDir;
use tokio::net::TcpListener;
use url::Url;

use crate::app::{Companion, Parts, Welcome};
use crate::cli::{keys, user};
use crate::config::Config;
use crate::config::app::{AppConfig, AppKind, Secret};
use crate::config::messages::{EmailConnectorKind, SmsConnectorKind};
use crate::config::store::StoreUrl;
use crate::config::webhook::{WebhookConfig, WebhookEvent};
use crate::hashing::Lane;
use crate::http::server::ServingLimits;
use crate::pages;
use crate::secrets::{Purpose, RootKey, RootKeys};
use crate::serve::{Running, StopSignals, listen};
use crate::store::users::{self, NewUser};

const EMAIL: &str = "ada@example.com";
const PHONE: &str = "+14155550123";
const NAME: &str = "Ada Lovelace";
/// The password that the demo's visitor has forgotten.
const PASSWORD: &str = "violet otter paddles";
const SITE_NAME: &str = "Larkspur Books";
/// A demo on loopback is tried often, by one visitor.
const LIMITS_FACTOR: u32 = 100;

/// Where the demo keeps its things and listens.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Keep the database and root.key in this folder, and with them the accounts and the apps' secrets; by default in a
    /// temporary one, gone at the end
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Where the companion listens: loopback only, port 0 takes any
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3001")]
    listen: SocketAddr,
    /// Where the demo site listens: loopback only, port 0 takes any
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    site_listen: SocketAddr,
    /// Where /healthz, /readyz and /metrics are served; nowhere unless given
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<SocketAddr>,
    /// Tell this URL of passwords that are set; the key that signs is printed
    #[arg(long, value_name = "URL", value_parser = webhook_url)]
    webhook: Option<Url>,
    /// Where a site of yours is reached, which signs people in as the app demo-web
    #[arg(long, value_name = "URL", default_value = "http://localhost:8080", value_parser = origin)]
    web_url: Url,
}

/// Runs the demo until Ctrl-C.
pub async fn run(args: DemoArgs) -> Result<()> {
    let all = [Some(args.listen), Some(args.site_listen), args.admin_listen];
    if let Some(open) = all
        .into_iter()
        .flatten()
        .find(|address| !address.ip().is_loopback())
    {
        bail!(
            "{open} is not loopback: the demo shows every message to anybody and listens to this machine alone"
        );
    }
    let stop = StopSignals::listen()?;
    let folder = Folder::open(args.data.as_deref())?;
    let listener = listen(args.listen, "--listen").await?;
    let site_listener = listen(args.site_listen, "--site-listen").await?;
    let admin = match args.admin_listen {
        Some(address) => Some(listen(address, "--admin-listen").await?),
        None => None,
    };
    let (public_url, site_url) = (local_url(&listener)?, local_url(&site_listener)?);
    let mut config = config(&folder, listener.local_addr()?, &public_url)?;
    let secrets = Secrets::of(&config.secrets.root_keys()?);
    config.apps = apps(&site_url, &args.web_url, &secrets)?;
    config.webhooks = args.webhook.iter().map(|url| webhook(url, &secrets)).collect();
    let companion = Companion::start(Parts {
        config,
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        welcome: Some(Welcome {
            site_url: site_url.to_string(),
            account: EMAIL.to_owned(),
        }),
    })
    .await?;
    let is_new = add_account(&companion).await?;
    let server = &companion.config.server;
    let limits = ServingLimits {
        max_connections: server.max_connections,
        header_timeout: server.header_timeout.into(),
        answer_timeout: server.request_timeout.into(),
    };
    let router = site::router(&companion, &site_url, &secrets.site)?;
    let twins = (ipv6_twin(&listener).await?, ipv6_twin(&site_listener).await?);
    let mut running = Running::start(&companion, listener, admin);
    running.also_serve(site_listener, router.clone(), limits);
    if let Some(twin) = twins.0 {
        running.also_serve(twin, pages::router(&companion), limits);
    }
    if let Some(twin) = twins.1 {
        running.also_serve(twin, router, limits);
    }
    print_welcome(&public_url, &site_url, &secrets, is_new);
    if let Some(url) = &args.webhook {
        println!("  webhook    {url}, signed with {}", secrets.webhook);
    }
    println!("  data       {}", folder.path().display());
    let ended = running.until(stop).await;
    companion.store.close().await;
    Ok(ended?)
}

/// The secrets of the demo's apps and webhook. They follow from the root key, so that they stay as long as its folder does.
struct Secrets {
    site: String,
    web: String,
    /// Signs what the webhook is told.
    webhook: String,
}

impl Secrets {
    fn of(root_keys: &RootKeys) -> Self {
        let derived = root_keys.derive(Purpose::DemoSecrets).first;
        let key = hmac::Key::new(hmac::HMAC_SHA256, derived.key.as_ref());
        let secret = |of: &str| URL_SAFE_NO_PAD.encode(hmac::sign(&key, of.as_bytes()));
        Self {
            site: secret("site"),
            web: secret("web"),
            webhook: secret("webhook"),
        }
    }
}

/// Where the database and the root key are.
enum Folder {
    Given(PathBuf),
    Temporary(TempDir),
}

impl Folder {
    fn open(given: Option<&Path>) -> Result<Self> {
        let Some(path) = given else {
            let folder = tempfile::Builder::new().prefix("keyback-demo-").tempdir();
            return Ok(Self::Temporary(
                folder.context("no temporary folder can be made; give one with --data")?,
            ));
        };
        std::fs::create_dir_all(path)
            .with_context(|| format!("the folder {} can't be made", path.display()))?;
        Ok(Self::Given(path.to_owned()))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }

    /// The root key's file; made when it isn't there.
    fn root_key(&self) -> Result<PathBuf> {
        let path = self.path().join("root.key");
        if !path.exists() {
            keys::write_new(&path, &RootKey::generate(&SystemRandom))?;
        }
        Ok(path)
    }
}

/// The same port on `::1`, since `localhost` is both: without it, a program that tries `::1` first finds nobody,
/// or somebody else. None where this machine has no IPv6, or the demo listens there already.
async fn ipv6_twin(listener: &TcpListener) -> Result<Option<TcpListener>> {
    let address = listener.local_addr()?;
    if address.ip() != IpAddr::V4(Ipv4Addr::LOCALHOST) {
        return Ok(None);
    }
    let twin = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), address.port());
    match TcpListener::bind(twin).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!(
                "another program uses {twin}, which localhost also means; choose another port with --listen and --site-listen"
            )
        }
        Err(_) => Ok(None),
    }
}

fn local_url(listener: &TcpListener) -> Result<Url> {
    Ok(Url::parse(&format!(
        "http://localhost:{}",
        listener.local_addr()?.port()
    ))?)
}

fn config(folder: &Folder, listen: SocketAddr, public_url: &Url) -> Result<Config> {
    let mut config = Config::default();
    config.server.listen = listen;
    config.server.public_url = Some(public_url.clone());
    config.secrets.root_key_file = vec![folder.root_key()?];
    config.store.url = StoreUrl::Sqlite(folder.path().join("keyback.db"));
    config.email.connector = Some(EmailConnectorKind::Inbox);
    config.sms.connector = Some(SmsConnectorKind::Inbox);
    // That of the demo's account.
    config.sms.default_region = Some("US".parse()?);
    config.limits.factor = LIMITS_FACTOR;
    config.branding.name = SITE_NAME.to_owned();
    Ok(config)
}

/// A webhook for every event. Its receiver is on this machine too, or where else the command line says.
fn webhook(url: &Url, secrets: &Secrets) -> WebhookConfig {
    WebhookConfig {
        url: url.clone(),
        events: WebhookEvent::ALL.to_vec(),
        signing_key: vec![Secret::new(secrets.webhook.clone())],
        allow_private: true,
    }
}

/// Reads `--webhook`.
fn webhook_url(text: &str) -> Result<Url> {
    let url = Url::parse(text)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        bail!("must be an address such as http://localhost:8090/webhooks");
    }
    Ok(url)
}

/// Reads `--web-url`.
fn origin(text: &str) -> Result<Url> {
    let url = Url::parse(text)?;
    if !matches!(url.scheme(), "http" | "https") || url.path() != "/" || url.query().is_some() {
        bail!("must be an address without a path, such as http://localhost:8081");
    }
    Ok(url)
}

fn apps(site_url: &Url, web_url: &Url, secrets: &Secrets) -> Result<Vec<AppConfig>> {
    let base = |client_id: &str, kind: AppKind, redirect_uris: Vec<Url>| AppConfig {
        redirect_uris,
        ..AppConfig::new(client_id, kind)
    };
    let site = AppConfig {
        name: Some(SITE_NAME.to_owned()),
        client_secret: Some(Secret::new(secrets.site.clone())),
        post_logout_redirect_uris: vec![site_url.join("/")?],
        backchannel_logout_uri: Some(site_url.join(site::BACKCHANNEL_LOGOUT)?),
        backchannel_logout_session_required: true,
        sign_in_url: Some(site_url.join("/sign-in")?),
        ..base("demo-site", AppKind::Web, vec![site_url.join("/callback")?])
    };
    let web = AppConfig {
        name: Some("Demo web app".to_owned()),
        client_secret: Some(Secret::new(secrets.web.clone())),
        post_logout_redirect_uris: vec![web_url.join("/signed-out")?],
        sign_in_url: Some(web_url.join("/sign-in")?),
        ..base("demo-web", AppKind::Web, vec![web_url.join("/callback")?])
    };
    // Any port of the loopback addresses matches (RFC 8252 7.3).
    let loopback = [
        "http://127.0.0.1/callback",
        "http://[::1]/callback",
        "http://localhost/callback",
    ];
    let cli = AppConfig {
        name: Some("Demo command-line app".to_owned()),
        device_flow: true,
        ..base(
            "demo-cli",
            AppKind::Native,
            loopback
                .iter()
                .map(|uri| Url::parse(uri))
                .collect::<Result<_, _>>()?,
        )
    };
    let spa = AppConfig {
        name: Some("Demo single-page app".to_owned()),
        post_logout_redirect_uris: vec![Url::parse("http://localhost:5173/")?],
        ..base(
            "demo-spa",
            AppKind::Spa,
            vec![Url::parse("http://localhost:5173/callback")?],
        )
    };
    Ok(vec![site, web, cli, spa])
}

/// Adds the demo's account, unless an earlier run in the same folder did. Answers whether it is new.
async fn add_account(companion: &Companion) -> Result<bool> {
    let email = keyback_core::identifier::Identifier::parse(EMAIL)?;
    if users::find_by_identifier(companion.store.reader(), &email)
        .await?
        .is_some()
    {
        return Ok(false);
    }
    let new = NewUser {
        id: short_id(&SystemRandom),
        username: Some("ada".to_owned()),
        email: Some(EMAIL.to_owned()),
        phone: Some(PHONE.to_owned()),
        name: Some(NAME.to_owned()),
        profile: account::profile()?,
        verified: true,
    };
    let phc = companion.hashing.hash(Lane::SignIn, PASSWORD).await?;
    user::add_account(
        &companion.store,
        &new,
        Some(&phc),
        &companion.webhooks,
        companion.clock.now(),
    )
    .await?;
    Ok(true)
}

/// Prints the addresses and the account. Scripts read the first two addresses.
fn print_welcome(public_url: &Url, site_url: &Url, secrets: &Secrets, is_new: bool) {
    let (companion, site) = (
        public_url.origin().ascii_serialization(),
        site_url.origin().ascii_serialization(),
    );
    println!("Keyback is running. Press Ctrl-C to stop.");
    println!();
    println!("  companion  {companion}");
    println!("  demo site  {site}");
    println!("  messages   {companion}/dev/inbox");
    println!();
    println!("  account    {EMAIL}  or  {PHONE}");
    println!(
        "  password   {}",
        if is_new { PASSWORD } else { "as you left it" }
    );
    println!();
    println!("Open the demo site, choose \"Forgot password?\", and read the code in the messages.");
    println!();
    println!("  issuer     {companion}/oidc");
    println!(
        "  apps       demo-site, demo-cli, demo-spa, and demo-web with the secret {}",
        secrets.web
    );
}
