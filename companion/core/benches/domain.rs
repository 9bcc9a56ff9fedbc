//! What the domain costs: the policy at its usual and at its worst, and one-time codes.

#![expect(clippy::unwrap_used, reason = "a bench fails where it stands, as tests do")]

use divan::{Bencher, black_box};
use keyback_core::identifier::Identifier;
use keyback_core::ids::{ChallengeId, FlowId};
use keyback_core::one_time_code::{CodeContext, CodeKey, CodeKeyring, OneTimeCode};
use keyback_core::password::{NewPassword, PasswordPolicy, Preset, UserFacts};
use keyback_core::random::SystemRandom;

fn main() {
    divan::main();
}

fn policy_of(bencher: Bencher<'_, '_>, password: &str) {
    let policy = PasswordPolicy::preset(Preset::Nist, false);
    let (password, facts) = (NewPassword::parse(password).unwrap(), UserFacts::default());
    bencher.bench_local(|| policy.violations(black_box(&password), &facts));
}

#[divan::bench]
fn policy_of_a_good_password(bencher: Bencher<'_, '_>) {
    policy_of(bencher, "violet otter paddles");
}

#[divan::bench]
fn policy_of_a_common_password(bencher: Bencher<'_, '_>) {
    policy_of(bencher, "passwordpassword1");
}

/// As long as is allowed, and made of what estimating takes longest for: runs that look like dates, words and leet.
#[divan::bench(sample_count = 10)]
fn policy_of_the_worst_password(bencher: Bencher<'_, '_>) {
    policy_of(bencher, &"p4$$w0rd1991".repeat(22)[..256]);
}

fn keyring() -> CodeKeyring {
    CodeKeyring::new(CodeKey::new("bench", &[7; 32]), Vec::new())
}

fn with_context<T>(take: impl FnOnce(&CodeContext<'_>) -> T) -> T {
    let identifier = Identifier::parse("ada@example.com").unwrap();
    take(&CodeContext {
        flow_id: &FlowId::draw(&SystemRandom),
        challenge_id: &ChallengeId::draw(&SystemRandom),
        identifier: &identifier,
        client_id: Some("shop"),
    })
}

#[divan::bench]
fn code_draw() -> OneTimeCode {
    OneTimeCode::draw(&SystemRandom)
}

#[divan::bench]
fn code_digest(bencher: Bencher<'_, '_>) {
    let (keyring, code) = (keyring(), OneTimeCode::draw(&SystemRandom));
    with_context(|context| bencher.bench_local(|| keyring.digest(black_box(&code), context)));
}

#[divan::bench]
fn code_check(bencher: Bencher<'_, '_>) {
    let (keyring, code) = (keyring(), OneTimeCode::draw(&SystemRandom));
    with_context(|context| {
        let resting = keyring.digest(&code, context);
        bencher.bench_local(|| keyring.matches(black_box(&resting), &code, context));
    });
}
