//! A password that was checked, as a value: what follows from the check demands it, and asks it once more.

use keyback_core::ids::Subject;
use keyback_core::password::{CurrentPassword, NewPassword};
use keyback_core::ports::{Failure, IdentityBackend as _, ReplacedPassword};

use super::embedded::EmbeddedBackend;
use crate::hashing::{HashPool, Lane, Unavailable, Verdict};
use crate::store::credentials;
use crate::store::users::{User, UserWithPassword};
use crate::store::{Store, StoreError, Transaction};

/// A password that was the account's when it was checked. It comes from [`EmbeddedBackend`] alone.
///
/// Checking takes tens of milliseconds outside of any transaction; a reset may replace the password meanwhile.
/// So whoever writes something on the strength of it calls [`Self::still_holds`] in the transaction of the write, or begins a
/// session for its [`Self::hash`] alone.
#[derive(Debug)]
pub struct CheckedPassword {
    user: User,
    typed: CurrentPassword,
    phc: String,
    outdated: bool,
}

/// Why a password could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Hashing(#[from] Unavailable),
}

impl EmbeddedBackend {
    /// Checks a password of an account.
    pub async fn check_password(
        &self,
        user: User,
        typed: &str,
    ) -> Result<Option<CheckedPassword>, CheckError> {
        let password_hash = credentials::find_password_hash(self.store.reader(), &user.id).await?;
        self.check_found_password(Some(UserWithPassword { user, password_hash }), typed)
            .await
    }

    /// Checks a password of what was looked for. Without an account, without a password, or with a text that can be nobody's,
    /// the same work is done, and it is wrong (SR-51).
    pub async fn check_found_password(
        &self,
        found: Option<UserWithPassword>,
        typed: &str,
    ) -> Result<Option<CheckedPassword>, CheckError> {
        let (user, stored) = match found {
            Some(found) => (Some(found.user), found.password_hash),
            None => (None, None),
        };
        let typed = CurrentPassword::parse(typed).ok();
        let text = typed.as_ref().map_or("", CurrentPassword::expose);
        let verdict = self
            .hashing()
            .verify(Lane::SignIn, text, stored.as_deref().filter(|_| typed.is_some()))
            .await?;
        let right = user.zip(stored).zip(typed).filter(|_| verdict != Verdict::Wrong);
        Ok(right
            .filter(|((user, _), _)| user.may_sign_in())
            .map(|((user, phc), typed)| CheckedPassword {
                user,
                typed,
                phc,
                outdated: verdict == Verdict::RightButOutdated,
            }))
    }
}

impl CheckedPassword {
    /// Whose password it is.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Its hash: that of the account, unless it was replaced since.
    pub fn hash(&self) -> &str {
        &self.phc
    }

    /// Whether the account may still sign in and this still its password, in the transaction that asks.
    pub async fn still_holds(&self, tx: &mut Transaction) -> Result<bool, StoreError> {
        credentials::still_has_password(tx, &self.user.id, Some(&self.phc)).await
    }

    /// Writes a hash of today's cost over an older one, unless the password was changed meanwhile. Failing is no
    /// reason to refuse the sign-in.
    pub async fn renew(&self, hashing: &HashPool, store: &Store) {
        if !self.outdated {
            return;
        }
        let written = async {
            let phc = hashing.hash(Lane::SignIn, self.typed.expose()).await?;
            credentials::replace_password_hash(store.writer(), &self.user.id, &self.phc, &phc).await?;
            Ok::<_, CheckError>(())
        };
        if let Err(error) = written.await {
            tracing::warn!(user = %self.user.id, %error, "an outdated hash could not be renewed");
        }
    }
}

/// It is known in plain, so that a new one is compared without another hash.
impl ReplacedPassword for CheckedPassword {
    async fn is(&self, new: &NewPassword) -> Result<bool, Failure> {
        Ok(self.typed.is_same_as(new))
    }
}

/// The password that an account has, which nobody has typed: comparing costs a hash.
#[derive(Clone)]
pub struct StoredPassword<'a> {
    pub backend: &'a EmbeddedBackend,
    pub subject: Subject,
}

impl ReplacedPassword for StoredPassword<'_> {
    async fn is(&self, new: &NewPassword) -> Result<bool, Failure> {
        self.backend.has_password(&self.subject, new).await
    }
}
