//! The configuration: one TOML file, then `KEYBACK__SECTION__KEY` of the environment, every secret also as
//! `*_file`. Nothing outside this folder reads the environment.
//!
//! Unknown keys stop the start, and all problems are told at once, each with its key and what to do.

pub mod app;
pub mod audit;
pub mod authentication;
pub mod backend;
pub mod branding;
pub mod captcha;
pub mod client_keys;
mod connector;
pub mod duration;
mod entries;
pub mod http_message;
pub mod lifetimes;
pub mod limits;
mod load;
pub mod messages;
pub mod password;
pub mod reset;
pub mod secrets;
pub mod server;
pub mod sms;
pub mod sms_limits;
pub mod store;
pub mod twilio;
mod variables;
pub mod webhook;
mod words;

use std::fmt;

pub use load::{Environment, Reading, load, read};

use app::{AppConfig, ResourceConfig};
use audit::AuditConfig;
use backend::BackendConfig;
use branding::BrandingConfig;
use captcha::CaptchaConfig;
use lifetimes::{SessionConfig, TokensConfig};
use limits::LimitsConfig;
use messages::{EmailConfig, SmsConfig};
use password::{BreachedConfig, HashingConfig, PolicySection};
use reset::ResetConfig;
use secrets::SecretsConfig;
use server::ServerConfig;
use store::StoreConfig;
use webhook::WebhookConfig;

/// The commented reference that `keyback config` prints. A test holds it against the code.
pub const REFERENCE: &str = include_str!("reference.toml");

/// Everything an operator can set.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub server: ServerConfig,
    pub secrets: SecretsConfig,
    pub store: StoreConfig,
    pub backend: BackendConfig,
    pub apps: Vec<AppConfig>,
    pub resources: Vec<ResourceConfig>,
    pub email: EmailConfig,
    pub sms: SmsConfig,
    pub captcha: CaptchaConfig,
    pub reset: ResetConfig,
    pub policy: PolicySection,
    pub breached: BreachedConfig,
    pub hashing: HashingConfig,
    pub session: SessionConfig,
    pub tokens: TokensConfig,
    pub limits: LimitsConfig,
    pub audit: AuditConfig,
    pub webhooks: Vec<WebhookConfig>,
    pub branding: BrandingConfig,
}

/// All that is wrong with a configuration, a line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<String>);

impl Problems {
    fn add(&mut self, place: impl fmt::Display, what: impl fmt::Display) {
        self.0.push(format!("{place}: {what}"));
    }

    /// The address is missing: `load` tells so first; this is for a configuration built by hand.
    pub(crate) fn no_public_url() -> Self {
        Self(vec!["[server] public_url: is missing".to_owned()])
    }

    fn none_or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(
            f,
            "the configuration has {count} problem{}:",
            if count == 1 { "" } else { "s" }
        )?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}

impl Config {
    /// The rules across keys and sections.
    fn check(&self, problems: &mut Problems) {
        self.server.check(problems);
        self.session.check(problems);
        self.tokens.check(problems);
        app::check(&self.apps, &self.resources, problems);
        self.captcha.check(&self.server, &self.reset, problems);
        self.reset.check(problems);
        self.hashing.check(problems);
        password::check_policy(&self.policy, problems);
        self.breached.check(problems);
        webhook::check(&self.webhooks, problems);
        self.branding.check(problems);
        self.limits.check(problems);
        self.audit.check(problems);
        messages::check(&self.email, &self.sms, &self.server, problems);
    }
}

#[cfg(test)]
mod tests;
