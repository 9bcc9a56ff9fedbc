//! Mann and Whitney's comparison of two samples.

use std::time::Duration;

/// How two samples compare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Comparison {
    /// How often a time of the second is above one of the first; half a win for equal ones. One half: nothing is told.
    pub(super) auc: f64,
    /// How often chance alone would lead this far from one half, on either side.
    pub(super) p: f64,
}

/// Compares by ranks, with the normal approximation (good from some twenty samples on), ties corrected.
#[expect(clippy::cast_precision_loss, reason = "sample counts are far below 2^52")]
pub(super) fn compare(first: &[Duration], second: &[Duration]) -> Comparison {
    let mut all: Vec<(Duration, bool)> = first
        .iter()
        .map(|&time| (time, false))
        .chain(second.iter().map(|&time| (time, true)))
        .collect();
    all.sort_unstable();
    let (mut rank_sum, mut ties) = (0.0, 0.0);
    let mut from = 0;
    for equal in all.chunk_by(|a, b| a.0 == b.0) {
        let count = equal.len() as f64;
        // Ranks count from one; equal ones share their mean.
        let rank = from as f64 + (count + 1.0) / 2.0;
        rank_sum += rank * equal.iter().filter(|(_, of_second)| *of_second).count() as f64;
        ties += count.powi(3) - count;
        from += equal.len();
    }
    let (m, n) = (first.len() as f64, second.len() as f64);
    let u = rank_sum - n * (n + 1.0) / 2.0;
    let total = m + n;
    let variance = m * n / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    let z = (u - m * n / 2.0).abs() / variance.sqrt();
    let p = if variance > 0.0 {
        libm::erfc(z / 2_f64.sqrt())
    } else {
        1.0
    };
    Comparison { auc: u / (m * n), p }
}

/// The middle one; of an even count the upper of the two.
pub(super) fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(times: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        times.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn the_same_times_tell_nothing() {
        let times = millis(1..=50);
        let Comparison { auc, p } = compare(&times, &times);
        assert!((auc - 0.5).abs() < 1e-12, "{auc}");
        assert!(p > 0.99, "{p}");
        let equal = millis([7; 20]);
        assert_eq!(compare(&equal, &equal), Comparison { auc: 0.5, p: 1.0 });
    }

    #[test]
    fn times_that_never_cross_tell_all() {
        let Comparison { auc, p } = compare(&millis(1..=30), &millis(31..=60));
        assert!((auc - 1.0).abs() < 1e-12, "{auc}");
        assert!(p < 1e-9, "{p}");
        assert!(compare(&millis(31..=60), &millis(1..=30)).auc.abs() < 1e-12);
    }

    /// By hand: of the nine pairs of (1, 3, 5) and (2, 4, 6) six are wins of the second.
    #[test]
    fn the_share_of_wins_by_hand() {
        let Comparison { auc, .. } = compare(&millis([1, 3, 5]), &millis([2, 4, 6]));
        assert!((auc - 6.0 / 9.0).abs() < 1e-12, "{auc}");
        // One tie: half a win.
        let Comparison { auc, .. } = compare(&millis([1, 2]), &millis([2, 3]));
        assert!((auc - 3.5 / 4.0).abs() < 1e-12, "{auc}");
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&millis([9, 1, 5])), Duration::from_millis(5));
        assert_eq!(median(&[]), Duration::ZERO);
    }
}
