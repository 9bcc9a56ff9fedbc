//! The one gate that every new password passes: the policy's checks, then the look-up of breached passwords.

use super::breached::{self, WhenDown};
use super::policy::PasswordPolicy;
use super::typed::{AcceptedPassword, NewPassword};
use super::user_info::UserFacts;
use super::violation::Violation;
use crate::ports::BreachedPasswords;

/// The policy, and where breached passwords are looked up.
#[derive(Clone, Debug)]
pub struct PasswordGate<B> {
    policy: PasswordPolicy,
    breached: Option<(B, WhenDown)>,
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
    pub async fn accept(
        &self,
        password: NewPassword,
        facts: &UserFacts,
    ) -> Result<AcceptedPassword, PasswordRejection> {
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
                        return Err(PasswordRejection::CheckUnavailable);
                    }
                }
            }
        }
        if violations.is_empty() {
            Ok(password.into_accepted())
        } else {
            Err(PasswordRejection::Weak(violations))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::ports::Failure;

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
        at_once(gate.accept(NewPassword::parse(password).unwrap(), &UserFacts::default()))
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
