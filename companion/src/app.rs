//! The composition root: builds every part from the configuration and hands them to each other.

use std::sync::Arc;

use keyback_core::identifier::{Identifier, MalformedIdentifier};
use keyback_core::one_time_code::{CodeKey, CodeKeyring};
use keyback_core::password::PasswordGate;
use keyback_core::random::Random;
use keyback_core::rate_limit::{IdentifierHasher, Limiter};
use keyback_core::reset::{ResetParts, ResetService, ResetSettings};
use keyback_core::time::Clock;
use url::Url;

use crate::api::Verifications;
use crate::backends::embedded::EmbeddedBackend;
use crate::backends::reset_rows::ResetRows;
use crate::breakers::Breakers;
use crate::captcha::{Captcha, CaptchaParts};
use crate::config::Config;
use crate::config::app::{AppConfig, AppKind, ResourceConfig};
use crate::config::password::policy;
use crate::connectors::breached::BreachedRanges;
use crate::connectors::{Availability, Connectors, Inbox};
use crate::hashing::{HashPool, PoolSettings, Unavailable};
use crate::http::cookies::Cookies;
use crate::http::host::HostGuard;
use crate::jobs;
use crate::logout::Endings;
use crate::messages::{MessageError, Messages};
use crate::metrics::Metrics;
use crate::notices::Notices;
use crate::oidc::RESET_CLIENT_ID;
use crate::oidc::{Provider, ProviderError, ProviderParts};
use crate::outbox::Outbox;
use crate::outgoing::OutgoingHttp;
use crate::pages::provider_pages::DesignedPages;
use crate::refusals::Refusals;
use crate::relying_party::{InProcess, RelyingParty};
use crate::reset_links::ResetLinks;
use crate::secrets::{DerivedKey, DerivedKeys, Purpose, RootKeys};
use crate::store::boots::Boot;
use crate::store::{
    Store, StoreError, audit, captcha_answers, former_addresses, freeze_links, limits, one_time_tokens,
    reset, sent_codes, text_messages,
};
use crate::token_flows::TokenFlows;
use crate::views::{Brand, Theme};
use crate::webhooks::Webhooks;

/// The reset over the companion's adapters.
pub type Resets = ResetService<ResetRows, ResetRows, EmbeddedBackend, BreachedRanges>;

/// The whole companion. Shared by all handlers and jobs.
pub struct Companion {
    pub config: Config,
    pub public_url: Url,
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub provider: Provider,
    pub backend: EmbeddedBackend,
    pub resets: Resets,
    pub limiter: Limiter<ResetRows>,
    /// What is asked before codes are sent, where something is.
    pub captcha: Option<Captcha>,
    pub identifiers: IdentifierHasher,
    pub hashing: HashPool,
    pub connectors: Connectors,
    pub availability: Availability,
    /// The development inbox, where a connector is one.
    pub inbox: Option<Inbox>,
    pub outbox: Outbox,
    /// Reads the links of mails, also once no more are sent.
    pub reset_links: ResetLinks,
    pub token_flows: TokenFlows,
    pub notices: Notices,
    pub webhooks: Webhooks,
    pub endings: Endings,
    /// What jobs call out with: webhooks, logout tokens, providers of messages.
    pub outgoing: Arc<OutgoingHttp>,
    pub messages: Messages,
    pub theme: Arc<Theme>,
    pub cookies: Cookies,
    pub metrics: Metrics,
    pub breakers: Breakers,
    pub refusals: Refusals,
    pub(crate) verifications: Verifications,
    /// The keys of code digests.
    pub(crate) code_keys: CodeKeyring,
    pub host: HostGuard,
    /// `/reset-password` as a relying party of the own provider.
    pub relying_party: RelyingParty,
    /// What the root page shows, where it shows something: the demo.
    pub welcome: Option<Welcome>,
}

/// The root page of the demo.
#[derive(Clone, Debug)]
pub struct Welcome {
    pub site_url: String,
    pub account: String,
}

/// What the companion is started with.
pub struct Parts {
    pub config: Config,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub welcome: Option<Welcome>,
}

/// Why the companion could not start. Says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] crate::config::Problems),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the provider can't start: {0}")]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Hashing(#[from] Unavailable),
    #[error(transparent)]
    Messages(#[from] MessageError),
    #[error("the client for breached passwords can't be built: {0}")]
    Breached(#[from] reqwest::Error),
    #[error("the relying party of /reset-password can't be built: {0}")]
    RelyingParty(String),
}

impl Companion {
    /// Opens the store, makes what is made once, and puts the parts together. Listens to nothing yet.
    pub async fn start(parts: Parts) -> Result<Arc<Self>, StartError> {
        let Parts {
            config,
            clock,
            random,
            welcome,
        } = parts;
        let root_keys = config.secrets.root_keys()?;
        let public_url = config
            .server
            .public_url
            .clone()
            .ok_or_else(crate::config::Problems::no_public_url)?;
        let store = Store::open(config.store.url.path()).await?;
        let inbox = Inbox::new(Arc::clone(&clock));
        let metrics = Metrics::new(clock.now());
        let breakers = Breakers::new(Arc::clone(&clock), Arc::clone(&random), metrics.clone());
        let outgoing = Arc::<OutgoingHttp>::default();
        let (connectors, availability) = Connectors::from_config(&config, &inbox, &outgoing);
        log_availability(&availability);
        let theme = Arc::new(Theme::new(brand(&config)));
        let outbox = Outbox::new(&root_keys, Arc::clone(&random));
        let endings = Endings::new(outbox.clone(), &config.apps);
        let webhooks = Webhooks::new(outbox.clone(), &config.webhooks, &apps(&config, &public_url));
        let hashing = HashPool::start(pool_settings(&config), Arc::clone(&random))?;
        let identifiers = root_keys.identifier_hasher();
        let notices = Notices::new(outbox.clone(), Arc::clone(&random), connectors.channels());
        let backend = EmbeddedBackend::new(
            store.clone(),
            hashing.clone(),
            notices.clone(),
            endings.clone(),
            webhooks.clone(),
            Arc::clone(&random),
            identifiers.clone(),
        );
        let reset_links = ResetLinks::new(root_keys.sealer(Purpose::ResetLinks), Arc::clone(&random));
        let rows = ResetRows::new(
            store.clone(),
            outbox.clone(),
            config.reset.links.then(|| reset_links.clone()),
            Arc::clone(&random),
        );
        let resets = ResetService::new(ResetParts {
            store: rows.clone(),
            limiter: Limiter::new(rows.clone(), config.limits.limits()),
            backend: backend.clone(),
            passwords: password_gate(&config, &breakers)?,
            keyring: code_keyring(&root_keys),
            hasher: identifiers.clone(),
            random: Arc::clone(&random),
            settings: reset_settings(&config, &connectors),
        });
        let captcha = config.captcha.settings(&public_url).map(|settings| {
            let parts = CaptchaParts {
                store: store.clone(),
                limiter: Limiter::new(rows.clone(), config.limits.limits()),
                outgoing: Arc::clone(&outgoing),
                identifiers: identifiers.clone(),
                breakers: breakers.clone(),
            };
            Captcha::new(settings, parts)
        });
        let provider = Provider::start(ProviderParts {
            store: store.clone(),
            root_keys: &root_keys,
            public_url: public_url.clone(),
            apps: apps(&config, &public_url),
            resources: resources(&config),
            tokens: config.tokens.clone(),
            session: config.session.clone(),
            endings: endings.clone(),
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
            limits: config.limits.limits(),
            outgoing: Arc::clone(&outgoing),
            boot: Boot::current(),
            reset_available: connectors.any(),
            pages: Arc::new(DesignedPages::new(Arc::clone(&theme), Arc::clone(&random))),
        })
        .await?;
        let relying_party = RelyingParty::new(
            &public_url,
            InProcess::new(provider.router(), &public_url),
            &root_keys,
            &clock,
            &random,
        )
        .map_err(|error| StartError::RelyingParty(error.to_string()))?;
        Ok(Arc::new(Self {
            limiter: Limiter::new(rows, config.limits.limits()),
            captcha,
            cookies: Cookies::for_url(&public_url),
            verifications: Verifications::new(root_keys.sealer(Purpose::Verifications)),
            code_keys: code_keyring(&root_keys),
            host: HostGuard::new(&public_url),
            inbox: connectors.uses_inbox().then_some(inbox),
            messages: Messages::built_in()?,
            metrics,
            breakers,
            refusals: Refusals::default(),
            config,
            public_url,
            store,
            clock,
            random,
            provider,
            backend,
            resets,
            identifiers,
            hashing,
            connectors,
            availability,
            outbox,
            reset_links,
            token_flows: TokenFlows::new(&root_keys),
            notices,
            webhooks,
            endings,
            outgoing,
            theme,
            relying_party,
            welcome,
        }))
    }

    /// The public address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.origin().ascii_serialization())
    }

    /// Reads the e-mail address or phone number that a visitor typed.
    pub fn identifier(&self, typed: &str) -> Result<Identifier, MalformedIdentifier> {
        Identifier::parse_in(self.config.sms.default_region, typed)
    }

    /// Forgets what has expired.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let (db, now) = (self.store.writer(), self.clock.now());
        jobs::audit::sweep(self, now).await?;
        reset::sweep(db, now).await?;
        limits::sweep(db, now).await?;
        text_messages::sweep(&self.store, now).await?;
        captcha_answers::sweep(db, now).await?;
        freeze_links::sweep(db, now).await?;
        audit::sweep(db, now - self.config.audit.kept.0).await?;
        former_addresses::sweep(db, now).await?;
        sent_codes::sweep(db, now).await?;
        one_time_tokens::sweep(db, now).await?;
        self.provider.sweep(now).await?;
        Ok(())
    }
}

impl std::fmt::Debug for Companion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Companion")
            .field("public_url", &self.public_url.as_str())
            .finish_non_exhaustive()
    }
}

/// Says why "Forgot password?" doesn't show, where it doesn't.
fn log_availability(availability: &Availability) {
    match (&availability.email, &availability.sms) {
        (Err(email), Err(sms)) => {
            tracing::warn!("\"Forgot password?\" is not shown, since no code can be sent: {email}; {sms}");
        }
        (Err(email), Ok(())) => tracing::info!("codes go out by SMS alone: {email}"),
        (Ok(()), Err(sms)) => tracing::info!("codes go out by e-mail alone: {sms}"),
        (Ok(()), Ok(())) => {}
    }
}

fn brand(config: &Config) -> Brand {
    Brand {
        name: config.branding.name.clone(),
        color: config.branding.color,
        logo: None,
    }
}

fn pool_settings(config: &Config) -> PoolSettings {
    let hashing = &config.hashing;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    PoolSettings {
        params: hashing.params(),
        threads: if hashing.threads == 0 {
            processors
        } else {
            hashing.threads
        },
        queue: hashing.queue,
    }
}

fn reset_settings(config: &Config, connectors: &Connectors) -> ResetSettings {
    ResetSettings {
        channels: connectors.channels(),
        code_life: config.reset.code_lifetime.into(),
        code_attempts: config.reset.max_attempts,
        resend_cooldown: config.reset.resend_cooldown.into(),
        proof_life: config.reset.proof_lifetime.into(),
        ..ResetSettings::default()
    }
}

fn code_keyring(root_keys: &RootKeys) -> CodeKeyring {
    let DerivedKeys { first, older } = root_keys.derive(Purpose::CodeDigest);
    let key = |derived: DerivedKey| CodeKey::new(derived.id, &derived.key);
    CodeKeyring::new(key(first), older.into_iter().map(key).collect())
}

/// What every new password must pass, on the pages and at the command line alike (SR-44).
pub(crate) fn password_gate(
    config: &Config,
    breakers: &Breakers,
) -> Result<PasswordGate<BreachedRanges>, reqwest::Error> {
    let breached = BreachedRanges::from_config(&config.breached, breakers)?
        .map(|ranges| (ranges, config.breached.when_down));
    let policy = policy(&config.policy).with_words(context_words(config));
    Ok(PasswordGate::new(policy, breached))
}

/// The names that a password must not be built on (SR-40).
fn context_words(config: &Config) -> Vec<String> {
    let names = config
        .apps
        .iter()
        .filter_map(|app| app.name.clone())
        .chain([config.branding.name.clone()]);
    let mut words: Vec<String> = names
        .flat_map(|name| {
            let parts: Vec<String> = name.split_whitespace().map(str::to_owned).collect();
            parts.into_iter().chain([name])
        })
        // Shorter words stand in too many good passwords.
        .filter(|word| word.chars().count() >= 4)
        .collect();
    words.sort();
    words.dedup();
    words
}

/// The APIs of the file, and the companion's own.
fn resources(config: &Config) -> Vec<ResourceConfig> {
    let of_file = config.resources.iter().cloned();
    of_file.chain([ResourceConfig::management()]).collect()
}

/// The apps of the file, and the built-in one behind `/reset-password`.
fn apps(config: &Config, public_url: &Url) -> Vec<AppConfig> {
    let callback = public_url.join("/reset-password/callback").ok();
    let built_in = AppConfig {
        name: Some(config.branding.name.clone()),
        redirect_uris: callback.into_iter().collect(),
        ..AppConfig::new(RESET_CLIENT_ID, AppKind::Spa)
    };
    config.apps.iter().cloned().chain([built_in]).collect()
}
