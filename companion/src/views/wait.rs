//! A time to wait, in words for people and in seconds for the script.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// At least a second to wait. Shown as "41 seconds", "2 minutes", "1 hour": rounded up, so that it is never too soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(NonZeroU32);

impl Wait {
    /// None where nothing is left to wait for.
    pub fn new(left: Duration) -> Option<Self> {
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        NonZeroU32::new(u32::try_from(seconds).unwrap_or(u32::MAX)).map(Self)
    }

    /// The same, where an answer must name some time: at least a second.
    pub fn at_least_a_second(left: Duration) -> Self {
        Self::new(left).unwrap_or(Self(NonZeroU32::MIN))
    }

    pub fn seconds(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds();
        let (count, unit) = match seconds {
            0..90 => (seconds, "second"),
            whole if whole.is_multiple_of(3600) => (whole / 3600, "hour"),
            90..5400 => (seconds.div_ceil(60), "minute"),
            _ => (seconds.div_ceil(3600), "hour"),
        };
        write!(out, "{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_told_in_words_and_never_too_short() {
        let told = |millis: u64| Wait::new(Duration::from_millis(millis)).map(|wait| wait.to_string());
        assert_eq!(told(0), None);
        assert_eq!(told(1).as_deref(), Some("1 second"));
        assert_eq!(told(40_001).as_deref(), Some("41 seconds"));
        assert_eq!(told(91_000).as_deref(), Some("2 minutes"));
        assert_eq!(told(3_590_000).as_deref(), Some("60 minutes"));
        assert_eq!(told(3_600_000).as_deref(), Some("1 hour"));
        assert_eq!(told(5_400_000).as_deref(), Some("2 hours"));
        assert_eq!(Wait::at_least_a_second(Duration::ZERO).seconds(), 1);
    }
}
