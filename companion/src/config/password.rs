//! `[password.policy]`, `[password.breached]` and `[password.hashing]`.

use keyback_core::password::{PasswordPolicy, PolicyConfig, WhenDown};
use serde::{Deserialize, Serialize};
use url::Url;

use super::Problems;
use super::duration::Span;
use super::server::is_loopback;
use crate::hashing::HashParams;

/// `[password.policy]`: the domain's own form, which is Logto's.
pub type PolicySection = PolicyConfig;

/// `[password.breached]`: a corpus of breached passwords, asked by the range protocol: five hex digits leave.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreachedConfig {
    /// Such as `https://api.pwnedpasswords.com/range/`. Off until one is set.
    pub range_url: Option<Url>,
    pub timeout: Span,
    /// What happens to a password while the corpus doesn't answer.
    pub when_down: WhenDown,
}

impl Default for BreachedConfig {
    fn default() -> Self {
        Self {
            range_url: None,
            timeout: Span::seconds(3),
            when_down: WhenDown::Accept,
        }
    }
}

impl BreachedConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        let place = "[password.breached]";
        if let Some(url) = &self.range_url
            && url.scheme() != "https"
            && !is_loopback(url)
        {
            problems.add(format!("{place} range_url"), "must be https");
        }
        if !(Span::seconds(1)..=Span::seconds(30)).contains(&self.timeout) {
            problems.add(format!("{place} timeout"), "must be 1s to 30s");
        }
    }
}

/// `[password.hashing]`: argon2id (RFC 9106).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct HashingConfig {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
    /// Threads that hash; 0 is one per processor. Each keeps `memory_kib`.
    pub threads: usize,
    /// Hashes that may wait; more are answered 503 with Retry-After.
    pub queue: usize,
}

impl Default for HashingConfig {
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            iterations: 2,
            parallelism: 1,
            threads: 0,
            queue: 128,
        }
    }
}

impl HashingConfig {
    /// The cost of a new hash.
    pub fn params(&self) -> HashParams {
        HashParams {
            memory_kib: self.memory_kib,
            iterations: self.iterations,
            parallelism: self.parallelism,
        }
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        let weak = u64::from(self.memory_kib) * u64::from(self.iterations) < 19 * 1024 * 2;
        if weak {
            problems.add(
                "[password.hashing]",
                "is weaker than argon2id with 19456 KiB and 2 iterations; raise memory_kib or iterations",
            );
        }
        if self.memory_kib > 256 * 1024 || self.iterations > 64 {
            problems.add(
                "[password.hashing]",
                "memory_kib may be at most 262144 and iterations at most 64: one hash would block sign-ins",
            );
        }
        if !(1..=16).contains(&self.parallelism) {
            problems.add("[password.hashing] parallelism", "must be 1 to 16");
        }
        if self.threads > 256 || !(2..=100_000).contains(&self.queue) {
            problems.add(
                "[password.hashing]",
                "threads may be at most 256 and queue must be 2 to 100000",
            );
        }
    }
}

pub(super) fn check_policy(policy: &PolicySection, problems: &mut Problems) {
    if let Err(malformed) = policy.clone().resolve(false) {
        for problem in malformed {
            problems.add("[password.policy]", problem);
        }
    }
}

/// The policy as it is applied. `load` has checked it; the preset stands in for what could not be.
pub fn policy(section: &PolicySection) -> PasswordPolicy {
    section.clone().resolve(false).unwrap_or_default()
}
