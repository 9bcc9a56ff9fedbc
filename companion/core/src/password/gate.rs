//! The one gate that every new password passes: the policy's checks, the look-up of breached passwords, and the comparison
//! with the password that it replaces.

use super::breached::{self, WhenDown};
use super::policy::PasswordPolicy;
use super::typed::{AcceptedPassword, NewPassword};
use super::user_info::UserFacts;
use super::violation::Violation;
use crate::outcome::Answer;
use crate::ports::{BreachedPasswords, Failure, ReplacedPassword};

/// The policy, and where breached passwords are looked up.
#[derive(Clone, Debug)]
pub struct PasswordGate<B> {
    policy: PasswordPolicy,
    breached: Option<(B, WhenDown)>,
}

/// What the first password of an account replaces.
#[derive(Clone, Copy, Debug)]
pub struct NoPassword;

impl ReplacedPassword for NoPassword {
    async fn is(&self, _: &NewPassword) -> Result<bool, Failure> {
        Ok(false)
    }
}

/// Why a password was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordRejection {
    /// It breaks these rules: all of them.
    Weak(Vec<Violation>),
    /// Breached passwords can't be looked up, and the operator would rather wait ([`WhenDown::Refuse`]).
    CheckUnavailable,
}

impl<B: BreachedPasswords> PasswordGate<B> {
    /// A gate. Without a corpus to ask, breached passwords are not looked up, whatever the policy says.
    pub fn new(policy: PasswordPolicy, breached: Option<(B, WhenDown)>) -> Self {
        let breached = breached.filter(|_| policy.rejects_breached());
        Self { policy, breached }
    }

    /// The policy, to state it.
    pub fn policy(&self) -> &PasswordPolicy {
        &self.policy
    }

    /// Whether breached passwords are looked up.
    pub fn looks_up_breached(&self) -> bool {
        self.breached.is_some()
    }

    /// Accepts the password, or names every rule that it breaks.
    ///
    /// `replaced` is asked last, and only of a password that keeps all other rules: comparing costs a hash, and whoever must
    /// choose another one anyway needs no such answer (SR-45). It fails as that comparison does.
    pub async fn accept(
        &self,
        password: NewPassword,
        facts: &UserFacts,
        replaced: &impl ReplacedPassword,
    ) -> Answer<AcceptedPassword, PasswordRejection> {
        let mut violations = self.policy.violations(&password, facts);
        if let Some((corpus, when_down)) = &self.breached {
            match breached::is_breached(corpus, &password).await {
                Ok(false) => {}
                Ok(true) => violations.push(Violation::Breached),
                Err(failure) => {
                    let error = &failure as &dyn std::error::Error;
                    tracing::warn!(error, ?when_down, "breached passwords can't be looked up");
                    // Who must choose another password anyway is told so, and not to come back later.
                    if *when_down == WhenDown::Refuse && violations.is_empty() {
                        return Ok(Err(PasswordRejection::CheckUnavailable));
                    }
                }
            }
        }
        if violations.is_empty() && self.policy.rejects_current() && replaced.is(&password).await? {
            violations.push(Violation::Current);
        }
        Ok(if violations.is_empty() {
            Ok(password.into_accepted())
        } else {
            Err(PasswordRejection::Weak(violations))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Poll, Waker};

    use super::super::policy::PolicyConfig;
    use super::*;

    /// A corpus that answers as told, and checks that it is asked for five digits.
    struct Corpus(Option<&'static str>);

    impl BreachedPasswords for Corpus {
        async fn range(&self, prefix: &str) -> Result<String, Failure> {
            assert!(
                prefix.len() == 5 && prefix.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "SR-41: {prefix}"
            );
            self.0
                .map(str::to_owned)
                .ok_or_else(|| Failure::broken("ask the corpus", "it is down"))
        }
    }

    /// Runs what never waits.
    fn at_once<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("it waits"),
        }
    }

    fn accept(
        breached: Option<(Corpus, WhenDown)>,
        password: &str,
    ) -> Result<AcceptedPassword, PasswordRejection> {
        let gate = PasswordGate::new(PasswordPolicy::default(), breached);
        let password = NewPassword::parse(password).unwrap();
        at_once(gate.accept(password, &UserFacts::default(), &NoPassword)).unwrap()
    }

    /// The password there is, which counts how often it is asked.
    struct Replaced(&'static str, AtomicU32);

    impl ReplacedPassword for Replaced {
        async fn is(&self, new: &NewPassword) -> Result<bool, Failure> {
            self.1.fetch_add(1, Ordering::Relaxed);
            Ok(new.expose() == self.0)
        }
    }

    /// The violations of a password in an account that has `SUNFLOWER`, and how often the two were compared.
    fn replacing(policy: PasswordPolicy, password: &str) -> (Vec<Violation>, u32) {
        let replaced = Replaced(SUNFLOWER, AtomicU32::new(0));
        let gate = PasswordGate::<Corpus>::new(policy, None);
        let password = NewPassword::parse(password).unwrap();
        let answer = at_once(gate.accept(password, &UserFacts::default(), &replaced)).unwrap();
        let violations = match answer {
            Ok(_) => Vec::new(),
            Err(PasswordRejection::Weak(violations)) => violations,
            Err(other) => panic!("{other:?}"),
        };
        (violations, replaced.1.into_inner())
    }

    #[test]
    fn sr45_the_password_there_is_breaks_a_rule_of_its_own() {
        let nist = PasswordPolicy::default();
        assert_eq!(replacing(nist.clone(), SUNFLOWER), (vec![Violation::Current], 1));
        assert_eq!(replacing(nist, "granite-kettle-moon"), (vec![], 1));
    }

    #[test]
    fn sr45_only_a_password_that_keeps_all_other_rules_is_compared() {
        let (violations, compared) = replacing(PasswordPolicy::default(), "sunflower");
        assert_eq!((violations.contains(&Violation::Current), compared), (false, 0));
    }

    #[test]
    fn sr45_the_operator_may_let_it_pass_and_then_nothing_is_compared() {
        let mut config = PolicyConfig::default();
        config.rejects.current = Some(false);
        assert_eq!(replacing(config.resolve(false).unwrap(), SUNFLOWER), (vec![], 0));
    }

    const SUNFLOWER: &str = "sunflower-kettle";

    #[test]
    fn breached_passwords_are_refused_with_all_else() {
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, SUNFLOWER.as_bytes());
        let suffix: &'static str =
            Box::leak(format!("{}:3", &hex::encode_upper(digest)[5..]).into_boxed_str());
        let listed = Some((Corpus(Some(suffix)), WhenDown::Accept));
        assert_eq!(
            accept(listed, SUNFLOWER).unwrap_err(),
            PasswordRejection::Weak(vec![Violation::Breached])
        );
        assert_eq!(
            accept(Some((Corpus(Some("")), WhenDown::Refuse)), SUNFLOWER)
                .unwrap()
                .expose(),
            SUNFLOWER
        );
        assert!(accept(None, SUNFLOWER).is_ok(), "no corpus is set");
    }

    /// SR-41: what happens while the corpus is down is the operator's choice.
    #[test]
    fn a_corpus_that_is_down_is_the_operators_choice() {
        assert!(accept(Some((Corpus(None), WhenDown::Accept)), SUNFLOWER).is_ok());
        assert_eq!(
            accept(Some((Corpus(None), WhenDown::Refuse)), SUNFLOWER).unwrap_err(),
            PasswordRejection::CheckUnavailable
        );
        assert_eq!(
            accept(Some((Corpus(None), WhenDown::Refuse)), "short").unwrap_err(),
            PasswordRejection::Weak(vec![Violation::TooShort { min: 15 }, Violation::Common]),
            "who must choose another password is told so"
        );
    }
}
