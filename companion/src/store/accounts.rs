//! Accounts as the Management API shows them: with what is known of them beside their row.

use keyback_core::identifier::Identifier;
use keyback_core::time::Timestamp;
use sqlx::{FromRow, QueryBuilder, Sqlite, SqliteExecutor};

use super::users::{User, user_columns};
use super::{StoreError, Transaction};

/// An account.
#[derive(Clone, Debug, FromRow)]
pub struct Account {
    #[sqlx(flatten)]
    pub user: User,
    last_sign_in_at: Option<i64>,
    pub has_password: bool,
}

impl Account {
    /// When somebody last signed in.
    pub fn last_sign_in_at(&self) -> Option<Timestamp> {
        self.last_sign_in_at.map(Timestamp::from_millis)
    }
}

/// Which accounts are meant.
#[derive(Clone, Debug)]
pub enum Which {
    All,
    Id(String),
    Identifier(Identifier),
    Username(String),
    /// Whatever the case of its ASCII letters.
    UsernameInAnyCase(String),
    /// What can be nobody's.
    None,
}

const COLUMNS: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", last_sign_in_at, EXISTS (SELECT 1 FROM credentials WHERE user_id = users.id) AS has_password FROM users"
);

/// The account of an id.
pub async fn find(db: impl SqliteExecutor<'_>, id: &str) -> Result<Option<Account>, StoreError> {
    let mut query = QueryBuilder::new(COLUMNS);
    restrict(&mut query, &Which::Id(id.to_owned()));
    Ok(query.build_query_as().fetch_optional(db).await?)
}

/// Some of the accounts that are meant, in the order of their ids.
pub async fn page(
    db: impl SqliteExecutor<'_>,
    which: &Which,
    offset: i64,
    limit: i64,
) -> Result<Vec<Account>, StoreError> {
    let mut query = QueryBuilder::new(COLUMNS);
    restrict(&mut query, which);
    query.push(" ORDER BY id LIMIT ").push_bind(limit);
    query.push(" OFFSET ").push_bind(offset);
    Ok(query.build_query_as().fetch_all(db).await?)
}

/// How many accounts are meant.
pub async fn count(db: impl SqliteExecutor<'_>, which: &Which) -> Result<i64, StoreError> {
    let mut query = QueryBuilder::new("SELECT COUNT(*) FROM users");
    restrict(&mut query, which);
    Ok(query.build_query_scalar().fetch_one(db).await?)
}

/// Forgets an account with all that hangs on it. Answers whether it was there.
pub async fn delete(tx: &mut Transaction, id: &str) -> Result<bool, StoreError> {
    let done = sqlx::query("DELETE FROM users WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn restrict(query: &mut QueryBuilder<Sqlite>, which: &Which) {
    match which {
        Which::All => {}
        Which::Id(id) => {
            query.push(" WHERE id = ").push_bind(id.clone());
        }
        Which::Identifier(identifier @ Identifier::Email(_)) => {
            query
                .push(" WHERE email = ")
                .push_bind(identifier.as_str().to_owned());
        }
        Which::Identifier(identifier @ Identifier::Phone(_)) => {
            query
                .push(" WHERE phone = ")
                .push_bind(identifier.as_str().to_owned());
        }
        Which::Username(name) => {
            query.push(" WHERE username = ").push_bind(name.clone());
        }
        Which::UsernameInAnyCase(name) => {
            query
                .push(" WHERE LOWER(username) = LOWER(")
                .push_bind(name.clone())
                .push(")");
        }
        Which::None => {
            query.push(" WHERE FALSE");
        }
    }
}
