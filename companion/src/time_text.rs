//! Times as text.

use chrono::{DateTime, SecondsFormat, Utc};
use keyback_core::time::Timestamp;

/// RFC 3339 in UTC with milliseconds, such as `2026-11-23T18:10:50.000Z`.
pub fn rfc3339(time: Timestamp) -> String {
    date_time(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// As the calendar's own type.
fn date_time(time: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(time.as_millis()).unwrap_or_default()
}

/// A day and a time of day for people, on pages and in messages, such as `23 November 2026 at 18:10 UTC`.
pub fn exact(time: Timestamp) -> String {
    date_time(time).format("%-d %B %Y at %H:%M UTC").to_string()
}

/// How long ago something was, in words: "just now", "5 minutes ago", "yesterday", and the day itself where it was
/// weeks ago. Rounded down; what lies ahead, by a clock that was put back, is just now.
pub fn ago(time: Timestamp, now: Timestamp) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let seconds = now.since(time).as_secs();
    let (count, unit) = match seconds {
        0..MINUTE => return "just now".to_owned(),
        MINUTE..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        _ if seconds < 2 * DAY => return "yesterday".to_owned(),
        _ if seconds < 14 * DAY => (seconds / DAY, "day"),
        _ => return date_time(time).format("%-d %B %Y").to_string(),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_told_in_words_while_they_are_near() {
        let then = Timestamp::from_millis(1_790_000_000_000);
        for (seconds, words) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (119, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (86_399, "23 hours ago"),
            (86_400, "yesterday"),
            (172_799, "yesterday"),
            (172_800, "2 days ago"),
            (13 * 86_400, "13 days ago"),
            (14 * 86_400, "21 September 2026"),
        ] {
            assert_eq!(ago(then, then + Duration::from_secs(seconds)), words, "{seconds}");
        }
        assert_eq!(
            ago(then + Duration::from_secs(5), then),
            "just now",
            "a clock that was put back"
        );
    }

    #[test]
    fn exact_times_are_for_people() {
        let time = Timestamp::from_millis(1_790_000_000_000);
        assert_eq!(exact(time), "21 September 2026 at 14:13 UTC");
    }
}
