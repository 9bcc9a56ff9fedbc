//! `[sms]`: who carries text messages, and the country of phone numbers that are typed without one.
//!
//! A connector is valid when its keys are there and well formed, which is known without network. A missing key is no
//! error: the log says so, and no code goes out by SMS. A malformed one stops the start.

use std::collections::BTreeMap;

use keyback_core::phone::Region;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Problems;
use super::app::Secret;
use super::connector::Faults;
use super::duration::Span;
use super::http_message::HttpSmsSettings;
use super::sms_limits::Price;
use super::twilio::TwilioSettings;

/// `[sms]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmsConfig {
    pub connector: Option<SmsConnectorKind>,
    /// The country of a phone number that is typed without a country code.
    pub default_region: Option<Region>,
    /// Where codes may go to; none is everywhere.
    pub countries: Vec<Region>,
    /// Codes in an hour to numbers that differ in their last four digits alone.
    pub messages_per_prefix: u32,
    /// Messages in one day, UTC.
    pub messages_per_day: u32,
    /// What messages may cost in one day, UTC.
    pub spend_per_day: Option<Price>,
    /// What one message costs, by the two letters of the country.
    pub prices: BTreeMap<String, Price>,
    /// What one message costs to the countries that have no price of their own.
    pub price_elsewhere: Option<Price>,
    /// For one message: 1s to 60s.
    pub timeout: Span,
    /// The sender: a number, a short code, or a name where the country allows it.
    pub from: Option<String>,
    /// Twilio: `AC` and 32 hexadecimal digits.
    pub account_sid: Option<String>,
    #[serde(skip_serializing)]
    pub auth_token: Option<Secret>,
    /// Twilio: an API key in place of the auth token, `SK` and 32 hexadecimal digits.
    pub api_key_sid: Option<String>,
    #[serde(skip_serializing)]
    pub api_key_secret: Option<Secret>,
    /// Twilio: in place of `from`, `MG` and 32 hexadecimal digits.
    pub messaging_service_sid: Option<String>,
    /// Twilio: the region's address, where it is not the usual one.
    pub endpoint: Option<Url>,
    /// HTTP: where messages go. Values may stand after its `?`.
    pub url: Option<String>,
    /// HTTP: `POST`, `PUT`, `PATCH` or `GET`.
    pub method: MessageMethod,
    #[serde(skip_serializing)]
    pub headers: BTreeMap<String, Secret>,
    pub content_type: String,
    /// HTTP: the template of the body. By default Logto's payload, with the text.
    pub body: Option<String>,
    /// HTTP: the statuses that mean "taken"; none is every 2xx.
    pub success: Vec<u16>,
    #[serde(skip_serializing)]
    pub signing_key: Option<Secret>,
    pub signature_header: String,
}

/// Who carries SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SmsConnectorKind {
    /// Twilio's Programmable Messaging.
    Twilio,
    /// Any provider with an HTTP interface.
    Http,
    /// The development inbox at `/dev/inbox`: loopback only.
    Inbox,
}

/// How a message is handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MessageMethod {
    #[default]
    Post,
    Put,
    Patch,
    /// Without a body: the values stand in the URL.
    Get,
}

/// What the `[sms]` section amounts to.
#[derive(Clone, Debug)]
pub enum SmsConnectorConfig {
    Twilio(Box<TwilioSettings>),
    Http(Box<HttpSmsSettings>),
    Inbox,
    /// Not valid; says what is missing.
    Missing(String),
}

impl Default for SmsConfig {
    fn default() -> Self {
        Self {
            connector: None,
            default_region: None,
            countries: Vec::new(),
            messages_per_prefix: 20,
            messages_per_day: 1_000,
            spend_per_day: None,
            prices: BTreeMap::new(),
            price_elsewhere: None,
            timeout: Span::seconds(10),
            from: None,
            account_sid: None,
            auth_token: None,
            api_key_sid: None,
            api_key_secret: None,
            messaging_service_sid: None,
            endpoint: None,
            url: None,
            method: MessageMethod::Post,
            headers: BTreeMap::new(),
            content_type: "application/json".to_owned(),
            body: None,
            success: Vec::new(),
            signing_key: None,
            signature_header: "keyback-signature".to_owned(),
        }
    }
}

impl SmsConfig {
    /// The connector, or why there is none.
    pub fn connector(&self) -> SmsConnectorConfig {
        match self.settings() {
            None => SmsConnectorConfig::Missing(
                "no SMS connector is set; write [sms] connector = \"twilio\" or \"http\"".to_owned(),
            ),
            Some(Ok(settings)) => settings,
            Some(Err((name, faults))) => SmsConnectorConfig::Missing(faults.line("sms", name)),
        }
    }

    /// What the connector that is set lacks, but for keys that are there and can't be read.
    pub(super) fn lacking(&self, is_read: impl Fn(&str) -> bool) -> Option<String> {
        let (name, faults) = self.settings()?.err()?;
        faults.lacking("sms", name, is_read)
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        if !(Span::seconds(1)..=Span::seconds(60)).contains(&self.timeout) {
            problems.add("[sms] timeout", "must be 1s to 60s");
        }
        self.check_limits(problems);
        if let Some(Err((_, faults))) = self.settings() {
            faults.tell("sms", problems);
        }
    }

    /// What the connector that is set needs, or its name and all that is wrong with it.
    fn settings(&self) -> Option<Result<SmsConnectorConfig, (&'static str, Faults)>> {
        let settings = match self.connector? {
            SmsConnectorKind::Inbox => Ok(SmsConnectorConfig::Inbox),
            SmsConnectorKind::Twilio => TwilioSettings::of(self)
                .map(|settings| SmsConnectorConfig::Twilio(Box::new(settings)))
                .map_err(|faults| ("twilio", faults)),
            SmsConnectorKind::Http => HttpSmsSettings::of(self)
                .map(|settings| SmsConnectorConfig::Http(Box::new(settings)))
                .map_err(|faults| ("http", faults)),
        };
        Some(settings)
    }
}
