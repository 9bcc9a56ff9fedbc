//! The settings of Twilio's connector, checked.

use std::time::Duration;

use url::Url;

use super::app::Secret;
use super::connector::{Fault, Faults};
use super::http_message::check_endpoint;
use super::sms::SmsConfig;

/// Where Twilio is, unless `[sms] endpoint` names one of its regions.
const ENDPOINT: &str = "https://api.twilio.com";

/// The settings of a valid connector to Twilio.
#[derive(Clone, Debug)]
pub struct TwilioSettings {
    /// `…/2010-04-01/Accounts/{account_sid}`, without the last slash.
    pub account: Url,
    /// User name and password of the basic authentication.
    pub credentials: (String, Secret),
    /// Whether they are the account's own, and not those of an API key, which may have fewer rights.
    pub are_the_accounts: bool,
    pub sender: TwilioSender,
    pub timeout: Duration,
}

/// Who the message comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TwilioSender {
    From(String),
    MessagingService(String),
}

impl TwilioSettings {
    pub(super) fn of(section: &SmsConfig) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let account_sid = sid("account_sid", "AC", section.account_sid.as_ref());
        let account_sid = faults.note(account_sid.and_then(|sid| sid.ok_or(Fault::Missing("account_sid"))));
        let endpoint = faults.note(endpoint(section.endpoint.as_ref()));
        let api_key = faults.note(sid("api_key_sid", "SK", section.api_key_sid.as_ref()));
        let credentials = api_key.and_then(|api_key| faults.note(credentials(section, api_key)));
        let service = sid(
            "messaging_service_sid",
            "MG",
            section.messaging_service_sid.as_ref(),
        );
        let service = faults.note(service);
        let from = faults.note(section.from.as_deref().map(sender).transpose());
        let sender = match (service, from) {
            (Some(Some(service)), _) => Some(TwilioSender::MessagingService(service)),
            (_, Some(Some(from))) => Some(TwilioSender::From(from)),
            (Some(None), Some(None)) => faults.note(Err(Fault::Missing("from, or messaging_service_sid,"))),
            // What is malformed has been noted.
            (None, _) | (_, None) => None,
        };
        let account = endpoint
            .zip(account_sid.as_ref())
            .and_then(|(mut endpoint, sid)| {
                let mut segments = endpoint.path_segments_mut().ok()?;
                segments.pop_if_empty().extend(["2010-04-01", "Accounts", sid]);
                drop(segments);
                Some(endpoint)
            });
        match (account, account_sid, credentials, sender) {
            (Some(account), Some(account_sid), Some(credentials), Some(sender)) if faults.is_empty() => {
                let are_the_accounts = matches!(credentials, Credentials::OfTheAccount(_));
                Ok(Self {
                    account,
                    credentials: credentials.pair(account_sid),
                    are_the_accounts,
                    sender,
                    timeout: section.timeout.into(),
                })
            }
            _ => Err(faults),
        }
    }
}

/// By what the companion proves itself to Twilio.
enum Credentials {
    /// The auth token, which goes with the account's own SID.
    OfTheAccount(Secret),
    /// An API key, and its secret.
    OfAKey(String, Secret),
}

impl Credentials {
    fn pair(self, account_sid: String) -> (String, Secret) {
        match self {
            Self::OfTheAccount(token) => (account_sid, token),
            Self::OfAKey(key, secret) => (key, secret),
        }
    }
}

fn credentials(section: &SmsConfig, api_key: Option<String>) -> Result<Credentials, Fault> {
    match (api_key, &section.api_key_secret, &section.auth_token) {
        (Some(key), Some(secret), _) => Ok(Credentials::OfAKey(key, secret.clone())),
        (Some(_), None, _) => Err(Fault::Missing("api_key_secret (or api_key_secret_file)")),
        (None, Some(_), _) => Err(Fault::Missing("api_key_sid")),
        (None, None, Some(token)) => Ok(Credentials::OfTheAccount(token.clone())),
        (None, None, None) => Err(Fault::Missing(
            "auth_token (or auth_token_file), or api_key_sid with api_key_secret,",
        )),
    }
}

fn endpoint(set: Option<&Url>) -> Result<Url, Fault> {
    let malformed = |why: &str| Fault::malformed("endpoint", why);
    let endpoint = match set {
        Some(endpoint) => endpoint.clone(),
        None => Url::parse(ENDPOINT).map_err(|error| malformed(&error.to_string()))?,
    };
    check_endpoint(&endpoint).map_err(malformed)?;
    if endpoint.query().is_some() {
        return Err(malformed("must have no query"));
    }
    Ok(endpoint)
}

fn sid(key: &'static str, prefix: &str, text: Option<&String>) -> Result<Option<String>, Fault> {
    let Some(text) = text else {
        return Ok(None);
    };
    let well_formed = text
        .strip_prefix(prefix)
        .is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if well_formed {
        Ok(Some(text.clone()))
    } else {
        Err(Fault::malformed(
            key,
            format!("is {prefix} and 32 hexadecimal digits, as Twilio's console shows it"),
        ))
    }
}

/// A number in E.164, a short code, or an alphanumeric sender of at most eleven characters.
fn sender(text: &str) -> Result<String, Fault> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text
        .strip_prefix('+')
        .is_some_and(|rest| (7..=15).contains(&rest.len()) && digits(rest));
    let short_code = (3..=8).contains(&text.len()) && digits(text);
    let name = (1..=11).contains(&text.len())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b" +-_&".contains(&byte));
    if number || short_code || name {
        Ok(text.to_owned())
    } else {
        Err(Fault::malformed(
            "from",
            "is a number such as +14155550123, a short code, or a name of at most 11 letters and digits",
        ))
    }
}
