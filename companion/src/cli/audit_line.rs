//! How `keyback audit` reads a moment and writes a line.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime};
use keyback_core::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::config::duration::Span;
use crate::store::audit_log::Written;
use crate::time_text::rfc3339;

/// A moment as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    At(Timestamp),
    Ago(Span),
}

/// The text is no moment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a day such as 2026-11-27, a moment such as 2026-11-27T09:30:00Z, or how long ago: 90m, 24h, 7d"
)]
pub(super) struct NotAMoment;

/// How lines are written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// Columns, for people.
    Table,
    /// A JSON object a line, for programs.
    Json,
}

/// A line for programs: every key stands in every line.
#[derive(Serialize)]
struct JsonLine<'a> {
    at: String,
    event: &'a str,
    actor: &'a str,
    user_id: Option<&'a str>,
    identifier_hash: Option<&'a str>,
    flow_id: Option<&'a str>,
    client_id: Option<&'a str>,
    client_ip: Option<&'a str>,
    detail: Map<String, Value>,
}

impl Moment {
    /// The moment itself.
    pub(super) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Ago(span) => now - span.0,
        }
    }
}

impl FromStr for Moment {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        if let Ok(span) = text.parse() {
            return Ok(Self::Ago(span));
        }
        let moment = match DateTime::parse_from_rfc3339(text) {
            Ok(moment) => moment.to_utc(),
            Err(_) => NaiveDate::from_str(text)
                .map_err(|_| NotAMoment)?
                .and_time(NaiveTime::MIN)
                .and_utc(),
        };
        Ok(Self::At(Timestamp::from_millis(moment.timestamp_millis())))
    }
}

impl Form {
    /// What stands above the lines.
    pub(super) fn head(self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Table => columns(
                out,
                ["TIME (UTC)", "EVENT", "ACTOR", "ACCOUNT", "APP", "FROM"],
                "DETAIL",
            ),
            Self::Json => Ok(()),
        }
    }

    pub(super) fn line(self, line: &Written, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Table => table_line(line, out),
            Self::Json => {
                let line = JsonLine {
                    at: rfc3339(line.at()),
                    event: &line.event,
                    actor: &line.actor,
                    user_id: line.subject.as_deref(),
                    identifier_hash: line.identifier.as_deref(),
                    flow_id: line.flow_id.as_deref(),
                    client_id: line.client_id.as_deref(),
                    client_ip: line.client_ip.as_deref(),
                    detail: detail(&line.detail),
                };
                serde_json::to_writer(&mut *out, &line)?;
                out.write_all(b"\n")
            }
        }
    }
}

fn table_line(line: &Written, out: &mut impl Write) -> io::Result<()> {
    let mut told = String::new();
    for (key, value) in detail(&line.detail) {
        let gap = if told.is_empty() { "" } else { " " };
        // Writing to a text can't fail.
        let _ = match value {
            Value::String(text) => write!(told, "{gap}{key}={text}"),
            value => write!(told, "{gap}{key}={value}"),
        };
    }
    let at = rfc3339(line.at());
    // Where no account is known, the beginning of the hash tells lines about one address from those about another.
    let typed = line
        .identifier
        .as_deref()
        .map(|hash| format!("#{}", hash.get(..8).unwrap_or(hash)));
    let account = line.subject.as_deref().or(typed.as_deref()).unwrap_or("-");
    let cells = [
        at.as_str(),
        &line.event,
        &line.actor,
        account,
        line.client_id.as_deref().unwrap_or("-"),
        line.client_ip.as_deref().unwrap_or("-"),
    ];
    columns(out, cells, &told)
}

fn columns(out: &mut impl Write, cells: [&str; 6], last: &str) -> io::Result<()> {
    const WIDTHS: [usize; 6] = [24, 22, 8, 12, 12, 15];
    let mut row = String::new();
    for (cell, width) in cells.into_iter().zip(WIDTHS) {
        // Writing to a text can't fail.
        let _ = write!(row, "{:width$}  ", plain(cell));
    }
    row.push_str(&plain(last));
    writeln!(out, "{}", row.trim_end())
}

/// Without what moves the cursor of a terminal or ends a line: nobody forges one (SR-63).
fn plain(text: &str) -> String {
    let harmless = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    text.chars().map(harmless).collect()
}

/// What the event tells besides what the line has told already.
fn detail(text: &str) -> Map<String, Value> {
    let mut detail: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    detail.retain(|key, _| !matches!(key.as_str(), "event" | "subject"));
    detail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_days_instants_and_times_gone_by() {
        let now = Timestamp::from_millis(1_795_773_600_000);
        for (text, before) in [
            ("2026-11-27", 1_795_737_600_000),
            ("2026-11-27T09:30:00Z", 1_795_771_800_000),
            ("2026-11-27T10:30:00+01:00", 1_795_771_800_000),
            ("90m", now.as_millis() - 90 * 60_000),
            ("7d", now.as_millis() - 7 * 86_400_000),
        ] {
            let moment: Moment = text.parse().unwrap();
            assert_eq!(moment.before(now).as_millis(), before, "{text}");
        }
        for wrong in [
            "",
            "yesterday",
            "2026-13-01",
            "27.11.2026",
            "2026-11-27T09:30:00",
            "-1d",
        ] {
            assert_eq!(wrong.parse::<Moment>(), Err(NotAMoment), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_told_twice() {
        let told = detail(r#"{"event":"code_accepted","subject":"k3v9x1p0m2qa","tries":2}"#);
        assert_eq!(told.keys().collect::<Vec<_>>(), ["tries"]);
        assert!(detail("{}").is_empty() && detail("no JSON").is_empty());
    }

    #[test]
    fn sr63_no_text_of_a_line_moves_the_cursor_or_begins_another() {
        let mut out = Vec::new();
        let evil = "a\n2026-11-27T00:00:00.000Z  signed_in\u{1b}[2J\u{9b}";
        columns(&mut out, ["t", "e", "visitor", "-", evil, "-"], evil).unwrap();
        let row = String::from_utf8(out).unwrap();
        assert_eq!(row.matches(char::is_control).count(), 1, "its own end: {row:?}");
    }
}
