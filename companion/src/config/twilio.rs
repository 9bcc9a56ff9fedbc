//! The settings of Twilio's connector, checked.

use std::time::Duration;

use url::Url;

use super::app::Secret;
use super::http_message::check_endpoint;
use super::sms::{NotValid, SmsConfig};

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
    pub(super) fn of(section: &SmsConfig) -> Result<Self, NotValid> {
        let account_sid = sid("account_sid", "AC", section.account_sid.as_ref())?
            .ok_or(NotValid::Missing("account_sid"))?;
        let api_key = sid("api_key_sid", "SK", section.api_key_sid.as_ref())?;
        let messaging_service = sid(
            "messaging_service_sid",
            "MG",
            section.messaging_service_sid.as_ref(),
        )?;
        let from = section.from.as_deref().map(sender).transpose()?;
        let endpoint = match &section.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => {
                Url::parse(ENDPOINT).map_err(|error| NotValid::malformed("endpoint", error.to_string()))?
            }
        };
        check_endpoint(&endpoint).map_err(|why| NotValid::malformed("endpoint", why))?;
        if endpoint.query().is_some() {
            return Err(NotValid::malformed("endpoint", "must have no query"));
        }
        let mut account = endpoint;
        account
            .path_segments_mut()
            .map_err(|()| NotValid::malformed("endpoint", "must be https"))?
            .pop_if_empty()
            .extend(["2010-04-01", "Accounts", &account_sid]);
        let (credentials, are_the_accounts) = match (api_key, &section.api_key_secret, &section.auth_token) {
            (Some(key), Some(secret), _) => ((key, secret.clone()), false),
            (Some(_), None, _) => return Err(NotValid::Missing("api_key_secret (or api_key_secret_file)")),
            (None, Some(_), _) => return Err(NotValid::Missing("api_key_sid")),
            (None, None, Some(token)) => ((account_sid, token.clone()), true),
            (None, None, None) => {
                return Err(NotValid::Missing(
                    "auth_token (or auth_token_file), or api_key_sid with api_key_secret,",
                ));
            }
        };
        let sender = match (messaging_service, from) {
            (Some(service), _) => TwilioSender::MessagingService(service),
            (None, Some(from)) => TwilioSender::From(from),
            (None, None) => return Err(NotValid::Missing("from, or messaging_service_sid,")),
        };
        Ok(Self {
            account,
            credentials,
            are_the_accounts,
            sender,
            timeout: section.timeout.into(),
        })
    }
}

fn sid(key: &'static str, prefix: &str, text: Option<&String>) -> Result<Option<String>, NotValid> {
    let Some(text) = text else {
        return Ok(None);
    };
    let well_formed = text
        .strip_prefix(prefix)
        .is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if well_formed {
        Ok(Some(text.clone()))
    } else {
        Err(NotValid::malformed(
            key,
            format!("is {prefix} and 32 hexadecimal digits, as Twilio's console shows it"),
        ))
    }
}

/// A number in E.164, a short code, or an alphanumeric sender of at most eleven characters.
fn sender(text: &str) -> Result<String, NotValid> {
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
        Err(NotValid::malformed(
            "from",
            "is a number such as +14155550123, a short code, or a name of at most 11 letters and digits",
        ))
    }
}
