//! Templates of what is sent to a provider of messages. A value enters by one door, which escapes it for the format of
//! the body: no filter, no block and no quote in the template goes around it.

use std::collections::BTreeMap;
use std::fmt;

use minijinja::value::Value;
use minijinja::{Environment, ErrorKind, Output, UndefinedBehavior};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escaping {
    /// As a whole JSON value (RFC 8259): a text with its quotes, and `null` for none.
    Json,
    /// Percent-encoded UTF-8, for forms and queries.
    Url,
    /// With XML's five references, without what XML can't hold.
    Xml,
    /// As it is: plain text has nothing that could be ended.
    Plain,
}

/// All but the unreserved characters of RFC 3986 section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What a template may name. A text message that carries no code has none.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    /// The number in E.164, `+` first.
    pub to: &'a str,
    pub text: &'a str,
    pub code: Option<&'a str>,
    /// Logto's name of the kind of message.
    pub kind: &'a str,
    /// The same for all tries of one message.
    pub id: &'a str,
    pub from: Option<&'a str>,
    pub app_name: &'a str,
}

/// A template that has been tried out.
#[derive(Clone)]
pub struct BodyTemplate {
    source: String,
    environment: Environment<'static>,
}

/// A template can't be used. Says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BadTemplate {
    #[error("can't be rendered: {0}. There are to, to_digits, text, code, type, id, from and app_name")]
    Template(String),
    #[error("makes no JSON: {0}. Write {{{{ text }}}} without quotes around it: they come with the value")]
    NotJson(serde_json::Error),
}

impl Escaping {
    /// That of a media type (RFC 6838), by its suffix too. `None`: values can't be brought into such a body safely.
    pub fn of_media_type(text: &str) -> Option<Self> {
        let essence = text
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match essence.as_str() {
            "application/json" | "text/json" => Some(Self::Json),
            "application/x-www-form-urlencoded" => Some(Self::Url),
            "application/xml" | "text/xml" => Some(Self::Xml),
            "text/plain" => Some(Self::Plain),
            other if other.ends_with("+json") => Some(Self::Json),
            other if other.ends_with("+xml") => Some(Self::Xml),
            _ => None,
        }
    }

    fn write(self, out: &mut Output<'_>, value: &Value) -> Result<(), minijinja::Error> {
        let failed =
            |error: &dyn fmt::Display| minijinja::Error::new(ErrorKind::WriteFailure, error.to_string());
        if value.is_undefined() {
            return Err(minijinja::Error::from(ErrorKind::UndefinedError));
        }
        let written = match self {
            Self::Json => serde_json::to_string(value).map_err(|error| failed(&error))?,
            _ if value.is_none() => String::new(),
            Self::Url => utf8_percent_encode(&value.to_string(), RESERVED).to_string(),
            Self::Xml => xml(&value.to_string()),
            Self::Plain => value.to_string(),
        };
        out.write_str(&Zeroizing::new(written))
            .map_err(|error| failed(&error))
    }
}

impl BodyTemplate {
    /// Reads a template and tries it out with texts that would break a body which doesn't escape.
    pub fn new(source: &str, escaping: Escaping) -> Result<Self, BadTemplate> {
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // Whatever a template says of escaping, this is how each value of it is written.
        environment.set_formatter(move |out, _, value| escaping.write(out, value));
        let template = Self {
            source: source.to_owned(),
            environment,
        };
        let hostile = Values {
            to: "+14155550123",
            text: "a\"b\\c\n<d>&'\u{2028}\u{1f511}\n\n@id.example.com #123456",
            code: Some("123456"),
            kind: "ForgotPassword",
            id: "id",
            from: Some("\"from\""),
            app_name: "\",\"to\":\"",
        };
        let without = Values {
            code: None,
            from: None,
            ..hostile
        };
        for values in [hostile, without] {
            let rendered = template
                .render(&values)
                .map_err(|error| BadTemplate::Template(error.to_string()))?;
            if escaping == Escaping::Json {
                serde_json::from_str::<IgnoredAny>(&rendered).map_err(BadTemplate::NotJson)?;
            }
        }
        Ok(template)
    }

    /// Fills it in.
    pub fn render(&self, values: &Values<'_>) -> Result<Zeroizing<String>, minijinja::Error> {
        let text = |text: Option<&str>| text.map_or_else(|| Value::from(()), Value::from);
        let values: BTreeMap<&str, Value> = BTreeMap::from([
            ("to", Value::from(values.to)),
            ("to_digits", Value::from(values.to.trim_start_matches('+'))),
            ("text", Value::from(values.text)),
            ("code", text(values.code)),
            ("type", Value::from(values.kind)),
            ("id", Value::from(values.id)),
            ("from", text(values.from)),
            ("app_name", Value::from(values.app_name)),
        ]);
        self.environment
            .render_str(&self.source, values)
            .map(Zeroizing::new)
    }
}

impl fmt::Debug for BodyTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BodyTemplate").field(&self.source).finish()
    }
}

fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // XML 1.0 section 2.2: no reference makes these allowed.
            letter if letter.is_control() && !matches!(letter, '\n' | '\t' | '\u{7f}'..='\u{9f}') => {}
            '\u{fffe}' | '\u{ffff}' => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
