//! Verified addresses that an account has lost. A frozen account may be thawed over one for a while (SR-59).

use keyback_core::identifier::Identifier;
use keyback_core::time::Timestamp;
use sqlx::{FromRow, SqliteExecutor};

use super::account_status::AccountStatus;
use super::users::{User, user_columns};
use super::{StoreError, Transaction};

/// An account, and the address over which its password may be reset.
#[derive(Clone, Debug)]
pub struct Resettable {
    pub user: User,
    pub over: Over,
}

/// What an address is to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    Own,
    /// It was the account's own, and comes back with the reset.
    Former {
        verified_at: Timestamp,
    },
}

#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    user: User,
    former_verified_at: Option<i64>,
}

impl Row {
    fn resettable(self, identifier: &Identifier) -> Option<Resettable> {
        let Self {
            user,
            former_verified_at,
        } = self;
        if user.may_reset_over(identifier) {
            return Some(Resettable {
                user,
                over: Over::Own,
            });
        }
        let verified_at = Timestamp::from_millis(former_verified_at?);
        user.may_thaw_over_former(verified_at).then_some(Resettable {
            user,
            over: Over::Former { verified_at },
        })
    }
}

/// An account is found by its own address before it is by a former one, and by a former one only where the address is
/// nobody else's by now. One statement, whatever it finds (SR-2).
macro_rules! find_statement {
    ($column:literal) => {
        concat!(
            "SELECT ",
            user_columns!(),
            ", (SELECT verified_at FROM former_addresses f WHERE f.user_id = users.id AND f.address = $1 \
             AND f.expires_at > $2) AS former_verified_at FROM users WHERE ",
            $column,
            " = $1 OR (id = (SELECT f.user_id FROM former_addresses f WHERE f.address = $1 AND f.expires_at > $2 \
             ORDER BY f.replaced_at DESC LIMIT 1) AND NOT EXISTS (SELECT 1 FROM users WHERE ",
            $column,
            " = $1))"
        )
    };
}

/// Finds the account that may be reset over an address.
pub async fn find_resettable(
    db: impl SqliteExecutor<'_>,
    identifier: &Identifier,
    now: Timestamp,
) -> Result<Option<Resettable>, StoreError> {
    let statement = match identifier {
        Identifier::Email(_) => find_statement!("email"),
        Identifier::Phone(_) => find_statement!("phone"),
    };
    let row: Option<Row> = sqlx::query_as(statement)
        .bind(identifier.as_str())
        .bind(now.as_millis())
        .fetch_optional(db)
        .await?;
    Ok(row.and_then(|row| row.resettable(identifier)))
}

/// All addresses over which an account may be reset.
pub async fn resettable_over(
    db: impl SqliteExecutor<'_>,
    user: &User,
    now: Timestamp,
) -> Result<Vec<Identifier>, StoreError> {
    let mut addresses = user.verified_addresses();
    addresses.retain(|address| user.may_reset_over(address));
    let former: Vec<(String, i64)> = sqlx::query_as(
        "SELECT address, verified_at FROM former_addresses f WHERE user_id = $1 AND expires_at > $2 AND NOT EXISTS \
         (SELECT 1 FROM users u WHERE u.id <> f.user_id AND (u.email = f.address OR u.phone = f.address))",
    )
    .bind(&user.id)
    .bind(now.as_millis())
    .fetch_all(db)
    .await?;
    let serving = former
        .into_iter()
        .filter(|&(_, verified_at)| user.may_thaw_over_former(Timestamp::from_millis(verified_at)));
    addresses.extend(serving.filter_map(|(address, _)| Identifier::from_normal_form(&address).ok()));
    Ok(addresses)
}

/// When the account lost the first of those addresses that still serve. What has come to it since may yet be contested.
pub async fn first_replaced_at(
    db: impl SqliteExecutor<'_>,
    user_id: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let first: Option<i64> = sqlx::query_scalar(
        "SELECT MIN(replaced_at) FROM former_addresses WHERE user_id = $1 AND expires_at > $2",
    )
    .bind(user_id)
    .bind(now.as_millis())
    .fetch_one(db)
    .await?;
    Ok(first.map(Timestamp::from_millis))
}

/// Keeps a verified address that the account is about to lose, until `until`.
pub async fn keep(
    tx: &mut Transaction,
    user: &User,
    address: &Identifier,
    now: Timestamp,
    until: Timestamp,
) -> Result<(), StoreError> {
    let Some(verified_at) = user.verified_since(address) else {
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO former_addresses (user_id, address, verified_at, replaced_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id, address) DO UPDATE SET \
         verified_at = excluded.verified_at, replaced_at = excluded.replaced_at, expires_at = excluded.expires_at",
    )
    .bind(&user.id)
    .bind(address.as_str())
    .bind(verified_at.as_millis())
    .bind(now.as_millis())
    .bind(until.as_millis())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives an account its former address back, in the place of the one that replaced it.
pub(super) async fn restore(
    tx: &mut Transaction,
    user_id: &str,
    address: &Identifier,
    verified_at: Timestamp,
) -> Result<(), StoreError> {
    let statement = match address {
        Identifier::Email(_) => {
            "UPDATE users SET email = $2, email_verified = TRUE, email_verified_at = $3 WHERE id = $1"
        }
        Identifier::Phone(_) => {
            "UPDATE users SET phone = $2, phone_verified = TRUE, phone_verified_at = $3 WHERE id = $1"
        }
    };
    sqlx::query(statement)
        .bind(user_id)
        .bind(address.as_str())
        .bind(verified_at.as_millis())
        .execute(&mut **tx)
        .await?;
    sqlx::query("DELETE FROM former_addresses WHERE user_id = $1 AND address = $2")
        .bind(user_id)
        .bind(address.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Forgets those that a frozen account got and lost since the contested change: they were the thief's.
pub(super) async fn forget_contested(tx: &mut Transaction, user_id: &str) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM former_addresses WHERE user_id = $1 AND verified_at >= \
         (SELECT contested_at FROM users WHERE id = $1 AND status = $2)",
    )
    .bind(user_id)
    .bind(AccountStatus::Frozen.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets all of an account.
pub(super) async fn forget_all(tx: &mut Transaction, user_id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM former_addresses WHERE user_id = $1")
        .bind(user_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Forgets those that serve no more.
pub async fn sweep(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM former_addresses WHERE expires_at <= $1")
        .bind(now.as_millis())
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
