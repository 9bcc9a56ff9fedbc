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
