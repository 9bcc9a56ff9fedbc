//! The settings of the connectors that hand messages to any HTTP endpoint: `[sms]` and `[email]` with
//! `connector = "http"`.

use std::collections::BTreeMap;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use super::app::Secret;
use super::connector::{Fault, Faults};
use super::messages::EmailConfig;
use super::server::is_loopback;
use super::sms::{MessageMethod, SmsConfig};
use crate::connectors::body_template::{BodyTemplate, Escaping};
use crate::outgoing::signature::SigningKey;

/// The least a signing key may have: 128 bits as hexadecimal digits.
const LEAST_KEY: usize = 32;

/// Logto's payload of its HTTP SMS connector, with the finished text beside it.
const LOGTOS_BODY: &str =
    r#"{"to":{{ to }},"type":{{ type }},"payload":{"code":{{ code }},"locale":"en","text":{{ text }}}}"#;

/// An endpoint that takes messages.
#[derive(Clone, Debug)]
pub struct HttpEndpoint {
    pub url: Url,
    pub headers: HeaderMap,
    /// Signs the body, in this header.
    pub signature: Option<(HeaderName, SigningKey)>,
    pub timeout: Duration,
}

/// The settings of a valid HTTP connector for SMS.
#[derive(Clone, Debug)]
pub struct HttpSmsSettings {
    pub endpoint: HttpEndpoint,
    /// What stands after the `?` of the URL, where values stand there.
    pub query: Option<BodyTemplate>,
    pub method: Method,
    /// None: there is no body.
    pub body: Option<BodyTemplate>,
    pub content_type: HeaderValue,
    pub from: Option<String>,
    /// Which answers mean "taken"; none is every 2xx.
    pub success: Vec<StatusCode>,
}

/// The settings of a valid HTTP connector for e-mail: Logto's payload to an endpoint.
#[derive(Clone, Debug)]
pub struct HttpEmailSettings {
    pub endpoint: HttpEndpoint,
}

impl HttpSmsSettings {
    pub(super) fn of(section: &SmsConfig) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let url = section.url.as_deref().filter(|url| !url.is_empty());
        let url = url.ok_or(Fault::Missing("url")).and_then(templated_url);
        let url = faults.note(url);
        let method = match section.method {
            MessageMethod::Post => Method::POST,
            MessageMethod::Put => Method::PUT,
            MessageMethod::Patch => Method::PATCH,
            MessageMethod::Get => Method::GET,
        };
        let has_body = section.method != MessageMethod::Get;
        if !has_body && section.signing_key.is_some() {
            let why = "signs the body, and a GET has none";
            faults.note::<()>(Err(Fault::malformed("signing_key", why)));
        }
        if !has_body && section.body.is_some() {
            let why = "is not sent with a GET; put the values after the ? of the url";
            faults.note::<()>(Err(Fault::malformed("body", why)));
        }
        let body = faults.note(has_body.then(|| body(section)).transpose());
        let content_type = HeaderValue::from_str(&section.content_type)
            .map_err(|_| Fault::malformed("content_type", "is no media type"));
        let content_type = faults.note(content_type);
        let success = section.success.iter().map(|&status| success(status));
        let success = faults.note(success.collect::<Result<_, _>>());
        let headers = headers(&section.headers, &mut faults);
        let signature = signature(
            section.signing_key.as_ref(),
            &section.signature_header,
            &mut faults,
        );
        match (url, body, content_type, success) {
            (Some((url, query)), Some(body), Some(content_type), Some(success)) if faults.is_empty() => {
                Ok(Self {
                    endpoint: HttpEndpoint {
                        url,
                        headers,
                        signature,
                        timeout: section.timeout.into(),
                    },
                    query,
                    method,
                    body,
                    content_type,
                    from: section.from.clone(),
                    success,
                })
            }
            _ => Err(faults),
        }
    }
}

impl HttpEmailSettings {
    pub(super) fn of(section: &EmailConfig) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let url = section.url.clone().ok_or(Fault::Missing("url")).and_then(|url| {
            check_endpoint(&url).map_err(|why| Fault::malformed("url", why))?;
            Ok(url)
        });
        let url = faults.note(url);
        let headers = headers(&section.headers, &mut faults);
        let signature = signature(
            section.signing_key.as_ref(),
            &section.signature_header,
            &mut faults,
        );
        match url {
            Some(url) if faults.is_empty() => Ok(Self {
                endpoint: HttpEndpoint {
                    url,
                    headers,
                    signature,
                    timeout: section.timeout.into(),
                },
            }),
            _ => Err(faults),
        }
    }
}

/// Codes travel there: https, or this very machine.
pub(super) fn check_endpoint(url: &Url) -> Result<(), &'static str> {
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(url)) {
        Err("must be https; plain http is allowed on loopback only")
    } else if !url.username().is_empty() || url.password().is_some() {
        Err("must hold no user name or password; write the Authorization header into headers")
    } else if url.fragment().is_some() {
        Err("must have no fragment")
    } else {
        Ok(())
    }
}

/// The URL, and the template of its query. Values may stand in the query alone: none may choose host or path.
fn templated_url(text: &str) -> Result<(Url, Option<BodyTemplate>), Fault> {
    let malformed = |why: String| Fault::malformed("url", why);
    let (base, query) = match text.split_once('?') {
        Some((base, query)) if query.contains("{{") || query.contains("{%") => (base, Some(query)),
        _ => (text, None),
    };
    if base.contains("{{") || base.contains("{%") {
        return Err(malformed("may hold values after its ? only".to_owned()));
    }
    let url = Url::parse(base).map_err(|error| malformed(format!("is no address: {error}")))?;
    check_endpoint(&url).map_err(|why| malformed(why.to_owned()))?;
    let query = query
        .map(|query| BodyTemplate::new(query, Escaping::Url))
        .transpose()
        .map_err(|error| malformed(error.to_string()))?;
    Ok((url, query))
}

fn body(section: &SmsConfig) -> Result<BodyTemplate, Fault> {
    let escaping = Escaping::of_media_type(&section.content_type).ok_or_else(|| {
        Fault::malformed(
            "content_type",
            "is one of application/json, application/x-www-form-urlencoded, application/xml and text/plain, or a kin of them",
        )
    })?;
    if section.body.is_none() && escaping != Escaping::Json {
        return Err(Fault::Missing("body, since its content_type is not JSON,"));
    }
    BodyTemplate::new(section.body.as_deref().unwrap_or(LOGTOS_BODY), escaping)
        .map_err(|error| Fault::malformed("body", error.to_string()))
}

fn headers(section: &BTreeMap<String, Secret>, faults: &mut Faults) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(section.len());
    for (name, value) in section {
        let Some((header, value)) = faults.note(header(name, value)) else {
            continue;
        };
        if headers.insert(header, value).is_some() {
            let why = "is there twice, in capitals and in small letters";
            faults.note::<()>(Err(Fault::malformed(format!("headers.{name}"), why)));
        }
    }
    headers
}

fn header(name: &str, value: &Secret) -> Result<(HeaderName, HeaderValue), Fault> {
    let malformed = |why: &str| Fault::malformed(format!("headers.{name}"), why);
    let header = HeaderName::try_from(name).map_err(|_| malformed("is no name of a header"))?;
    if header == CONTENT_TYPE {
        return Err(malformed("has a key of its own in [sms]: content_type"));
    }
    if [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION].contains(&header) {
        return Err(malformed("is the connection's own header"));
    }
    if header == AUTHORIZATION && value.expose().is_empty() {
        return Err(malformed("is empty"));
    }
    let mut value =
        HeaderValue::from_str(value.expose()).map_err(|_| malformed("holds what a header can't"))?;
    // Not printed, and by HTTP/2 not kept in its table.
    value.set_sensitive(true);
    Ok((header, value))
}

fn signature(key: Option<&Secret>, header: &str, faults: &mut Faults) -> Option<(HeaderName, SigningKey)> {
    let key = key?;
    let header = HeaderName::try_from(header)
        .map_err(|_| Fault::malformed("signature_header", "is no name of a header"));
    let header = faults.note(header);
    if key.expose().len() < LEAST_KEY {
        let why = format!("must have at least {LEAST_KEY} characters");
        return faults.note(Err(Fault::malformed("signing_key", why)));
    }
    Some((header?, SigningKey::new(key.expose().as_bytes())))
}

fn success(status: u16) -> Result<StatusCode, Fault> {
    StatusCode::from_u16(status)
        .ok()
        .filter(StatusCode::is_success)
        .ok_or_else(|| Fault::malformed("success", "is a list of statuses from 200 to 299"))
}
