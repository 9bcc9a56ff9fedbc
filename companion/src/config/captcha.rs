//! `[captcha]`: what keeps robots from having codes sent (SR-13). Off unless a provider is named.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::Problems;
use super::app::Secret;
use super::duration::Span;
use super::reset::ResetConfig;
use super::server::ServerConfig;

/// `[captcha]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaptchaConfig {
    /// Who asks the question.
    pub provider: Option<CaptchaProvider>,
    /// What the provider calls this site, for everybody to read.
    pub site_key: Option<String>,
    /// What proves this site to the provider.
    #[serde(skip_serializing)]
    pub secret: Option<Secret>,
    /// Where it is asked.
    pub on: Vec<CaptchaRoute>,
    /// The host that an answer must be from, where the provider says it; by default the public URL's.
    pub hostname: Option<String>,
    /// For one look at an answer: 1s to 20s.
    pub timeout: Span,
    /// How much later a code is sent to who has no script: 10s to 5m.
    pub slow_lane: Span,
    /// Custom: where answers are verified.
    pub verify_url: Option<Url>,
    /// Custom: whether that may be a private address, and plain http.
    pub allow_private: bool,
    /// Custom: the provider's script.
    pub script_url: Option<Url>,
    /// Custom: the class of the element that the script fills.
    pub widget_class: Option<String>,
    /// Custom: the form field that the script writes its answer into.
    pub token_field: Option<String>,
    /// Custom: further origins that the script loads from, frames and talks to.
    pub sources: Vec<Url>,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CaptchaProvider {
    /// Cloudflare Turnstile.
    Turnstile,
    HCaptcha,
    /// reCAPTCHA v2, with its box.
    ReCaptcha,
    /// Any other that verifies in the same manner.
    Custom,
}

/// What can be asked for with an answer alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CaptchaRoute {
    /// The first code.
    Send,
    /// Another code.
    Resend,
}

/// A `[captcha]` that is whole.
#[derive(Clone, Debug)]
pub struct CaptchaSettings {
    pub on: Vec<CaptchaRoute>,
    pub site_key: String,
    pub secret: Secret,
    /// The host that an answer must be from.
    pub hostname: String,
    pub timeout: Duration,
    pub slow_lane: Duration,
    pub verify_url: Url,
    pub allow_private: bool,
    pub script_url: Url,
    pub widget_class: String,
    pub token_field: String,
    pub tells: Tells,
    /// Whether the provider is told which site's answer is to be verified: where its secrets are good for many.
    pub names_site: bool,
    /// The source expressions of all that the page then loads.
    pub sources: Vec<String>,
}

/// What an answer was solved for, as its provider says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// The site and the action, always.
    SiteAndAction,
    /// The site always, and never an action: what has one comes of a key of another kind.
    Site,
    /// Whatever it knows.
    WhatItKnows,
}

/// What is fixed for a provider.
struct Preset {
    verify_url: &'static str,
    tells: Tells,
    names_site: bool,
    script_url: &'static str,
    widget_class: &'static str,
    token_field: &'static str,
    /// Of Google a path alone: its host serves scripts that would run whatever a stranger wants.
    sources: &'static [&'static str],
}

impl CaptchaRoute {
    /// What the answer is bound to, where the provider knows actions.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Send => "keyback_send",
            Self::Resend => "keyback_resend",
        }
    }
}

impl CaptchaProvider {
    const fn preset(self) -> Option<Preset> {
        Some(match self {
            Self::Turnstile => Preset {
                verify_url: "https://challenges.cloudflare.com/turnstile/v0/siteverify",
                tells: Tells::SiteAndAction,
                names_site: false,
                script_url: "https://challenges.cloudflare.com/turnstile/v0/api.js",
                widget_class: "cf-turnstile",
                token_field: "cf-turnstile-response",
                sources: &["https://challenges.cloudflare.com"],
            },
            Self::HCaptcha => Preset {
                verify_url: "https://api.hcaptcha.com/siteverify",
                tells: Tells::Site,
                names_site: true,
                script_url: "https://js.hcaptcha.com/1/api.js",
                widget_class: "h-captcha",
                token_field: "h-captcha-response",
                sources: &["https://hcaptcha.com", "https://*.hcaptcha.com"],
            },
            Self::ReCaptcha => Preset {
                verify_url: "https://www.google.com/recaptcha/api/siteverify",
                tells: Tells::Site,
                names_site: false,
                script_url: "https://www.google.com/recaptcha/api.js",
                widget_class: "g-recaptcha",
                token_field: "g-recaptcha-response",
                sources: &[
                    "https://www.google.com/recaptcha/",
                    "https://www.gstatic.com/recaptcha/",
                    "https://recaptcha.google.com/recaptcha/",
                ],
            },
            Self::Custom => return None,
        })
    }
}

impl Default for CaptchaConfig {
    fn default() -> Self {
        Self {
            provider: None,
            site_key: None,
            secret: None,
            on: vec![CaptchaRoute::Send, CaptchaRoute::Resend],
            hostname: None,
            timeout: Span::seconds(5),
            slow_lane: Span::minutes(2),
            verify_url: None,
            allow_private: false,
            script_url: None,
            widget_class: None,
            token_field: None,
            sources: Vec::new(),
        }
    }
}

impl CaptchaConfig {
    /// The settings, where a provider is named and nothing is missing: [`super::load`] has told what is.
    pub fn settings(&self, public_url: &Url) -> Option<CaptchaSettings> {
        let preset = self.provider?.preset();
        let preset = preset.as_ref();
        let url = |own: &Option<Url>, fixed: Option<&str>| match fixed {
            Some(fixed) => Url::parse(fixed).ok(),
            None => own.clone(),
        };
        let text =
            |own: &Option<String>, fixed: Option<&str>| fixed.map(str::to_owned).or_else(|| own.clone());
        let sources = match preset {
            Some(preset) => preset.sources.iter().map(|source| (*source).to_owned()).collect(),
            None => self.script_url.iter().chain(&self.sources).map(origin).collect(),
        };
        Some(CaptchaSettings {
            on: self.on.clone(),
            site_key: self.site_key.clone()?,
            secret: self.secret.clone()?,
            hostname: self
                .hostname
                .clone()
                .or_else(|| public_url.host_str().map(str::to_owned))?,
            timeout: self.timeout.into(),
            slow_lane: self.slow_lane.into(),
            verify_url: url(&self.verify_url, preset.map(|preset| preset.verify_url))?,
            allow_private: self.allow_private,
            script_url: url(&self.script_url, preset.map(|preset| preset.script_url))?,
            widget_class: text(&self.widget_class, preset.map(|preset| preset.widget_class))?,
            token_field: text(&self.token_field, preset.map(|preset| preset.token_field))?,
            tells: preset.map_or(Tells::WhatItKnows, |preset| preset.tells),
            names_site: preset.is_some_and(|preset| preset.names_site),
            sources,
        })
    }

    pub(super) fn check(&self, server: &ServerConfig, reset: &ResetConfig, problems: &mut Problems) {
        let Some(provider) = self.provider else {
            return;
        };
        let mut wrong = |key: &str, what: &str| problems.add(format!("[captcha] {key}"), what);
        let is_word = |text: &str| {
            !text.is_empty()
                && text.len() <= 200
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        if !self.site_key.as_deref().is_some_and(is_word) {
            wrong(
                "site_key",
                "is missing, or holds other than letters, digits, - and _",
            );
        }
        if self
            .secret
            .as_ref()
            .is_none_or(|secret| secret.expose().is_empty())
        {
            wrong("secret", "is missing; the provider shows it beside the site key");
        }
        if !(Span::seconds(1)..=Span::seconds(20)).contains(&self.timeout) {
            wrong("timeout", "must be 1s to 20s");
        }
        if !(Span::seconds(10)..=Span::minutes(5)).contains(&self.slow_lane) {
            wrong(
                "slow_lane",
                "must be 10s to 5m, so that the code still works when it comes",
            );
        }
        if self.slow_lane.0 * 2 > reset.code_lifetime.0 {
            wrong(
                "slow_lane",
                "must be at most half of [reset] code_lifetime, which begins when the code is asked for",
            );
        }
        if self.on.is_empty() {
            wrong("on", "is empty; name \"send\", and \"resend\" too");
        }
        let own: [(&str, bool); 6] = [
            ("verify_url", self.verify_url.is_some()),
            ("script_url", self.script_url.is_some()),
            ("widget_class", self.widget_class.is_some()),
            ("token_field", self.token_field.is_some()),
            ("sources", !self.sources.is_empty()),
            ("allow_private", self.allow_private),
        ];
        if provider != CaptchaProvider::Custom {
            for (key, _) in own.into_iter().filter(|(_, set)| *set) {
                wrong(key, "goes with provider = \"custom\" alone; remove it");
            }
            return;
        }
        for (key, set) in own.into_iter().take(4) {
            if !set {
                wrong(key, "is missing; provider = \"custom\" needs it");
            }
        }
        for (key, text) in [
            ("widget_class", &self.widget_class),
            ("token_field", &self.token_field),
        ] {
            if text.as_deref().is_some_and(|text| !is_word(text)) {
                wrong(key, "may hold letters, digits, -, _ and . alone");
            }
        }
        let plain_http = |url: &Url| url.scheme() == "http" && self.allow_private;
        if self
            .verify_url
            .as_ref()
            .is_some_and(|url| url.scheme() != "https" && !plain_http(url))
        {
            wrong(
                "verify_url",
                "must be https; plain http only with allow_private, within your own network",
            );
        }
        // Browsers load no plain http into a page of https.
        let on_http = server
            .public_url
            .as_ref()
            .is_some_and(|url| url.scheme() == "http");
        let loads = |url: &Url| url.scheme() == "https" || (url.scheme() == "http" && on_http);
        for (key, mut urls) in [
            ("script_url", self.script_url.iter().collect::<Vec<_>>()),
            ("sources", self.sources.iter().collect()),
        ]
        .map(|(key, urls)| (key, urls.into_iter()))
        {
            if !urls.all(loads) {
                wrong(key, "must be https");
            }
        }
    }
}

/// The source expression of a URL: its origin.
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
