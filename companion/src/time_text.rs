//! Times as text.

use chrono::{DateTime, SecondsFormat, Utc};
use keyback_core::time::Timestamp;

/// RFC 3339 in UTC with milliseconds, such as `2026-11-23T18:10:50.000Z`.
pub fn rfc3339(time: Timestamp) -> String {
    date_time(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// As the calendar's own type.
pub fn date_time(time: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(time.as_millis()).unwrap_or_default()
}
