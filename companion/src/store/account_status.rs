//! What an account may do: the one enum, and the one place that says it.

use std::fmt;

use keyback_core::identifier::Identifier;
use keyback_core::time::Timestamp;

use super::former_addresses::Over;
use super::users::{self, User};
use super::{StoreError, Transaction, former_addresses, freeze_links};

/// Where an account stands. `store::sessions` and `store::reset` ask the same in SQL; a test holds them to this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    Active,
    /// Its owner has said that a change of the password was not theirs (SR-59). A reset over an address that was
    /// verified before the change thaws it.
    Frozen,
    /// By the operator, who alone can enable it.
    Disabled,
}

impl AccountStatus {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 3] = [Self::Active, Self::Frozen, Self::Disabled];

    /// How it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Frozen => "frozen",
            Self::Disabled => "disabled",
        }
    }

    /// Whether the account may sign in, and use what a sign-in gave it.
    pub fn may_sign_in(self) -> bool {
        match self {
            Self::Active => true,
            Self::Frozen | Self::Disabled => false,
        }
    }

    /// Whether a reset may set its password, over an address that serves ([`User::may_reset_over`]).
    pub fn may_reset(self) -> bool {
        match self {
            Self::Active | Self::Frozen => true,
            Self::Disabled => false,
        }
    }
}

impl fmt::Display for AccountStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A status that this version does not know.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no status of an account: {0:?}")]
pub struct UnknownStatus(String);

impl TryFrom<String> for AccountStatus {
    type Error = UnknownStatus;

    fn try_from(text: String) -> Result<Self, UnknownStatus> {
        match text.as_str() {
            "active" => Ok(Self::Active),
            "frozen" => Ok(Self::Frozen),
            "disabled" => Ok(Self::Disabled),
            _ => Err(UnknownStatus(text)),
        }
    }
}

impl User {
    /// Whether the account may sign in.
    pub fn may_sign_in(&self) -> bool {
        self.status.may_sign_in()
    }

    /// Whether a reset may go over an address: one that is the account's own and verified; of a frozen account, since
    /// before the change that its owner contests. Whoever made the change may have brought an address of their own.
    pub fn may_reset_over(&self, identifier: &Identifier) -> bool {
        if !self.is_verified(identifier) {
            return false;
        }
        match self.status {
            AccountStatus::Active => true,
            AccountStatus::Frozen => self
                .verified_since(identifier)
                .is_some_and(|verified| self.is_uncontested(verified)),
            AccountStatus::Disabled => false,
        }
    }

    /// Whether a reset may go over an address that was the account's own once, verified since then. A thief who brings an
    /// address of their own must not be able to lock the owner out by that.
    pub fn may_thaw_over_former(&self, verified_at: Timestamp) -> bool {
        match self.status {
            AccountStatus::Frozen => self.is_uncontested(verified_at),
            AccountStatus::Active | AccountStatus::Disabled => false,
        }
    }

    fn is_uncontested(&self, verified_at: Timestamp) -> bool {
        self.contested_at()
            .is_some_and(|contested| verified_at < contested)
    }

    /// Since when an address of the account's own is verified.
    pub(crate) fn verified_since(&self, identifier: &Identifier) -> Option<Timestamp> {
        match identifier {
            Identifier::Email(_) => self.email_verified_at(),
            Identifier::Phone(_) => self.phone_verified_at(),
        }
    }
}

/// Freezes an account for a change that was made at `contested_at`; of several the earliest counts. One that the
/// operator has disabled stays so, since a reset would thaw it otherwise: there the contested password is gone at once.
pub async fn freeze(
    tx: &mut Transaction,
    id: &str,
    contested_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE users SET status = $2, updated_at = $4, frozen_at = COALESCE(frozen_at, $4), \
         contested_at = CASE WHEN contested_at < $3 THEN contested_at ELSE $3 END WHERE id = $1 AND status <> $5",
    )
    .bind(id)
    .bind(AccountStatus::Frozen.as_str())
    .bind(contested_at.as_millis())
    .bind(now.as_millis())
    .bind(AccountStatus::Disabled.as_str())
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "DELETE FROM credentials WHERE user_id IN (SELECT id FROM users WHERE id = $1 AND status = $2)",
    )
    .bind(id)
    .bind(AccountStatus::Disabled.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends the freeze, for its owner has reset the password over an address of before. What came to the account since the
/// contested change could open it again, and is trusted no more: answers those addresses. The links of that change and of
/// later ones are settled with it. Links of earlier changes still freeze the account: a thief who has contested a change of
/// their own, and thaws, must not take the owner's by that. So do all where the account has lost an address that still serves: a
/// thief may have had one of their own before, with a link for the very change that took it.
pub async fn thaw(
    tx: &mut Transaction,
    id: &str,
    over: (&Identifier, Over),
    now: Timestamp,
) -> Result<Vec<Identifier>, StoreError> {
    let distrusted = distrust_contested_addresses(tx, id).await?;
    if let (address, Over::Former { verified_at }) = over {
        former_addresses::restore(tx, id, address, verified_at).await?;
    }
    freeze_links::forget_settled(&mut **tx, id, now).await?;
    users::set_status(&mut **tx, id, AccountStatus::Active, now).await?;
    Ok(distrusted)
}

/// Sets what the operator says. Whatever becomes of a frozen account, the password that its owner contests is gone, and so
/// is what the addresses of that time could do; what the operator has set since the freeze stays. An account that the
/// operator enables is reset over the addresses it has by then, and over no former one, and no notice of before freezes it
/// again. Answers the addresses that are trusted no more; nothing, where there is no such account.
pub async fn set_by_operator(
    tx: &mut Transaction,
    id: &str,
    status: AccountStatus,
    now: Timestamp,
) -> Result<Option<Vec<Identifier>>, StoreError> {
    sqlx::query(
        "DELETE FROM credentials WHERE user_id = $1 AND changed_at <= \
         (SELECT frozen_at FROM users WHERE id = $1 AND status = $2)",
    )
    .bind(id)
    .bind(AccountStatus::Frozen.as_str())
    .execute(&mut **tx)
    .await?;
    let distrusted = distrust_contested_addresses(tx, id).await?;
    if status == AccountStatus::Active {
        former_addresses::forget_all(tx, id).await?;
        freeze_links::forget_all(&mut **tx, id).await?;
    }
    let found = users::set_status(&mut **tx, id, status, now).await?;
    Ok(found.then_some(distrusted))
}

/// Takes the trust from addresses that a frozen account got between the contested change and the freeze. Nobody but a
/// thief, or somebody whom a thief has talked into it, gave it those. Answers them.
async fn distrust_contested_addresses(tx: &mut Transaction, id: &str) -> Result<Vec<Identifier>, StoreError> {
    former_addresses::forget_contested(tx, id).await?;
    let mut distrusted = Vec::new();
    for statement in [
        "UPDATE users SET email_verified = FALSE, email_verified_at = NULL WHERE id = $1 AND status = $2 \
         AND email_verified AND email_verified_at BETWEEN contested_at AND frozen_at RETURNING email",
        "UPDATE users SET phone_verified = FALSE, phone_verified_at = NULL WHERE id = $1 AND status = $2 \
         AND phone_verified AND phone_verified_at BETWEEN contested_at AND frozen_at RETURNING phone",
    ] {
        let address: Option<Option<String>> = sqlx::query_scalar(statement)
            .bind(id)
            .bind(AccountStatus::Frozen.as_str())
            .fetch_optional(&mut **tx)
            .await?;
        let address = address.flatten();
        distrusted.extend(address.and_then(|address| Identifier::from_normal_form(&address).ok()));
    }
    Ok(distrusted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store, credentials, reset, sessions, users};

    const ADA: &str = "ada@example.com";

    /// An account in a state, with a session and a challenge; answers what SQL allows: to sign in, to reset.
    async fn allowed(store: &Store, user: &User, status: AccountStatus, verified_at: i64) -> (bool, bool) {
        let db = store.writer();
        sqlx::query(
            "UPDATE users SET status = $2, email_verified_at = $3, contested_at = 1000 WHERE id = $1",
        )
        .bind(&user.id)
        .bind(status.as_str())
        .bind(verified_at)
        .execute(db)
        .await
        .unwrap();
        let (now, identifier) = (Timestamp::from_millis(5_000), Identifier::parse(ADA).unwrap());
        let session = sessions::find(store.reader(), "digest", now).await.unwrap();
        let new = sessions::NewSession {
            secret_digest: "another digest",
            id: "another sid",
            user_id: &user.id,
            password_hash: "hash",
            amr: "pwd",
            auth_time: now,
            expires_at: now,
            user_agent: None,
            client_ip: None,
        };
        let begun = sessions::begin(&mut store.begin().await.unwrap(), &new)
            .await
            .unwrap();
        assert_eq!(session.is_some(), begun.is_some());
        let bound = reset::bind_challenge(db, "challenge", Some(&user.id), &identifier, now);
        (session.is_some(), bound.await.unwrap())
    }

    /// SR-59: the statements of sessions and challenges know no more and no less than the enum.
    #[tokio::test]
    async fn sr59_the_store_lets_an_account_do_what_its_status_allows() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db")).await.unwrap();
        let at = Timestamp::from_millis(500);
        let new = users::NewUser {
            id: "ada".to_owned(),
            email: Some(ADA.to_owned()),
            verified: true,
            ..users::NewUser::default()
        };
        users::add(store.writer(), &new, at).await.unwrap();
        sqlx::raw_sql(
            "INSERT INTO sessions (secret_digest, id, user_id, auth_time, amr, created_at, last_seen_at, expires_at) \
             VALUES ('digest', 'sid', 'ada', 500, 'pwd', 500, 500, 9000); \
             INSERT INTO credentials (user_id, password_hash, changed_at) VALUES ('ada', 'hash', 500); \
             INSERT INTO reset_flows (id, version, flow, expires_at) VALUES ('flow', 1, '{}', 9000); \
             INSERT INTO challenges (id, flow_id, code_digest, key_id, created_at, expires_at) \
             VALUES ('challenge', 'flow', '', '', 2000, 9000);",
        )
        .execute(store.writer())
        .await
        .unwrap();
        let identifier = Identifier::parse(ADA).unwrap();
        let mut may_reset = Vec::new();
        for status in AccountStatus::ALL {
            for verified_at in [999, 1_000] {
                let user = users::find(store.reader(), "ada").await.unwrap().unwrap();
                let (signs_in, resets) = allowed(&store, &user, status, verified_at).await;
                let user = users::find(store.reader(), "ada").await.unwrap().unwrap();
                assert_eq!(user.status, status);
                assert_eq!(signs_in, user.may_sign_in(), "{status} {verified_at}");
                assert_eq!(resets, user.may_reset_over(&identifier), "{status} {verified_at}");
                may_reset.push(resets);
            }
        }
        assert_eq!(may_reset, [true, true, true, false, false, false]);
    }

    /// SR-59: disabling and enabling it again does not bring the contested password back.
    #[tokio::test]
    async fn sr59_whatever_the_operator_makes_of_a_frozen_account_its_contested_password_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db")).await.unwrap();
        let at = Timestamp::from_millis(500);
        for (id, frozen, kept) in [("ada", true, false), ("bea", false, true)] {
            let new = users::NewUser {
                id: id.to_owned(),
                email: Some(format!("{id}@example.com")),
                ..users::NewUser::default()
            };
            let mut tx = store.begin().await.unwrap();
            users::add(&mut *tx, &new, at).await.unwrap();
            credentials::save_password_hash(&mut *tx, id, "phc", at)
                .await
                .unwrap();
            if frozen {
                freeze(&mut tx, id, at, at).await.unwrap();
            }
            for status in [AccountStatus::Disabled, AccountStatus::Active] {
                set_by_operator(&mut tx, id, status, at).await.unwrap().unwrap();
            }
            let password = credentials::find_password_hash(&mut *tx, id).await.unwrap();
            assert_eq!(password.is_some(), kept, "{id}");
            tx.commit().await.unwrap();
        }
    }
}
