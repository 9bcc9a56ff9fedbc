//! Many accounts at once: a statement writes some hundred of them.

use std::collections::HashSet;

use keyback_core::time::Timestamp;
use sqlx::{QueryBuilder, Sqlite, SqliteExecutor};

use super::account_status::AccountStatus;
use super::{StoreError, Transaction};

/// An account to import, whole.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub id: String,
    pub username: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
    pub phone: Option<String>,
    pub phone_verified: bool,
    pub name: Option<String>,
    /// The further standard claims as a JSON object.
    pub profile: String,
    pub disabled: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub password_hash: Option<String>,
}

/// A column whose value one account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
    Id,
    Username,
    Email,
    Phone,
}

impl Unique {
    /// The column, as the claims call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Username => "username",
            Self::Email => "email",
            Self::Phone => "phone_number",
        }
    }
}

/// Forgets the ids that an earlier import has noted.
pub async fn forget_noted_ids(tx: &mut Transaction) -> Result<(), StoreError> {
    sqlx::query("CREATE TEMPORARY TABLE IF NOT EXISTS imported_ids (id TEXT PRIMARY KEY)")
        .execute(&mut **tx)
        .await?;
    sqlx::query("DELETE FROM imported_ids").execute(&mut **tx).await?;
    Ok(())
}

/// Notes the ids of entries. Answers those that were not noted before.
///
/// They rest in a table of the writing connection, in a file that goes with it: a file of any length takes the same
/// memory, and parts that are committed forget nothing.
pub async fn note_ids(tx: &mut Transaction, ids: &[String]) -> Result<HashSet<String>, StoreError> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let mut statement = QueryBuilder::<Sqlite>::new("INSERT INTO imported_ids (id) ");
    statement.push_values(ids, |mut row, id| {
        row.push_bind(id);
    });
    statement.push(" ON CONFLICT DO NOTHING RETURNING id");
    let new: Vec<String> = statement.build_query_scalar().fetch_all(&mut **tx).await?;
    Ok(new.into_iter().collect())
}

impl NewAccount {
    fn status(&self) -> AccountStatus {
        if self.disabled {
            AccountStatus::Disabled
        } else {
            AccountStatus::Active
        }
    }
}

/// Writes accounts with their passwords. Answers the indices of those that were left out, because another account
/// has one of their unique values.
pub async fn add(
    tx: &mut Transaction,
    accounts: &[NewAccount],
    now: Timestamp,
) -> Result<Vec<usize>, StoreError> {
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    // A row that was written is known by its id, so each id is sent once.
    let mut ids = HashSet::with_capacity(accounts.len());
    let is_first: Vec<bool> = accounts
        .iter()
        .map(|account| ids.insert(account.id.as_str()))
        .collect();
    let sent = accounts
        .iter()
        .zip(&is_first)
        .filter_map(|(account, is_first)| is_first.then_some(account));
    let mut statement = QueryBuilder::<Sqlite>::new(
        "INSERT INTO users (id, username, email, email_verified, phone, phone_verified, name, profile, status, \
         created_at, updated_at, email_verified_at, phone_verified_at) ",
    );
    statement.push_values(sent, |mut row, account| {
        row.push_bind(&account.id)
            .push_bind(&account.username)
            .push_bind(&account.email)
            .push_bind(account.email_verified)
            .push_bind(&account.phone)
            .push_bind(account.phone_verified)
            .push_bind(&account.name)
            .push_bind(&account.profile)
            .push_bind(account.status().as_str())
            .push_bind(account.created_at.as_millis())
            .push_bind(account.updated_at.as_millis())
            .push_bind(account.email_verified.then_some(now.as_millis()))
            .push_bind(account.phone_verified.then_some(now.as_millis()));
    });
    statement.push(" ON CONFLICT DO NOTHING RETURNING id");
    let written: Vec<String> = statement.build_query_scalar().fetch_all(&mut **tx).await?;
    let written: HashSet<String> = written.into_iter().collect();
    let mut left_out = Vec::new();
    let mut with_password = Vec::new();
    for (index, (account, is_first)) in accounts.iter().zip(is_first).enumerate() {
        if !is_first || !written.contains(&account.id) {
            left_out.push(index);
        } else if let Some(hash) = &account.password_hash {
            with_password.push((&account.id, hash));
        }
    }
    if !with_password.is_empty() {
        let mut statement =
            QueryBuilder::<Sqlite>::new("INSERT INTO credentials (user_id, password_hash, changed_at) ");
        statement.push_values(with_password, |mut row, (id, hash)| {
            row.push_bind(id).push_bind(hash).push_bind(now.as_millis());
        });
        statement.build().execute(&mut **tx).await?;
    }
    Ok(left_out)
}

/// The first unique value of an account that another one has.
pub async fn taken<'a>(
    tx: &mut Transaction,
    account: &'a NewAccount,
) -> Result<Option<(Unique, &'a str)>, StoreError> {
    let values = [
        (Unique::Email, account.email.as_deref()),
        (Unique::Phone, account.phone.as_deref()),
        (Unique::Username, account.username.as_deref()),
        (Unique::Id, Some(account.id.as_str())),
    ];
    for (column, value) in values {
        if let Some(value) = value
            && exists(&mut **tx, column, value).await?
        {
            return Ok(Some((column, value)));
        }
    }
    Ok(None)
}

/// Whether an account has a value, as the connection sees it: a reader sees what is committed.
pub async fn exists(db: impl SqliteExecutor<'_>, column: Unique, value: &str) -> Result<bool, StoreError> {
    let statement = match column {
        Unique::Id => "SELECT COUNT(*) FROM users WHERE id = $1",
        Unique::Username => "SELECT COUNT(*) FROM users WHERE username = $1",
        Unique::Email => "SELECT COUNT(*) FROM users WHERE email = $1",
        Unique::Phone => "SELECT COUNT(*) FROM users WHERE phone = $1",
    };
    let count: i64 = sqlx::query_scalar(statement).bind(value).fetch_one(db).await?;
    Ok(count > 0)
}
