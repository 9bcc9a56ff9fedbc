//! Many accounts at once: a statement writes some hundred of them.

use std::collections::HashMap;

use keyback_core::time::Timestamp;
use sqlx::{QueryBuilder, Sqlite, SqliteExecutor};

use super::users::{ACTIVE, DISABLED};
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
    let mut statement = QueryBuilder::<Sqlite>::new(
        "INSERT INTO users (id, username, email, email_verified, phone, phone_verified, name, profile, status, \
         created_at, updated_at) ",
    );
    statement.push_values(accounts, |mut row, account| {
        row.push_bind(&account.id)
            .push_bind(&account.username)
            .push_bind(&account.email)
            .push_bind(account.email_verified)
            .push_bind(&account.phone)
            .push_bind(account.phone_verified)
            .push_bind(&account.name)
            .push_bind(&account.profile)
            .push_bind(if account.disabled { DISABLED } else { ACTIVE })
            .push_bind(account.created_at.as_millis())
            .push_bind(account.updated_at.as_millis());
    });
    statement.push(" ON CONFLICT DO NOTHING RETURNING id");
    let written: Vec<String> = statement.build_query_scalar().fetch_all(&mut **tx).await?;
    let mut written_ids: HashMap<&str, u32> = HashMap::with_capacity(written.len());
    for id in &written {
        *written_ids.entry(id).or_default() += 1;
    }
    let mut left_out = Vec::new();
    let mut with_password = Vec::new();
    for (index, account) in accounts.iter().enumerate() {
        // Of two with one id the first was written.
        match written_ids.get_mut(account.id.as_str()) {
            Some(count) if *count > 0 => {
                *count -= 1;
                if let Some(hash) = &account.password_hash {
                    with_password.push((&account.id, hash));
                }
            }
            _ => left_out.push(index),
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
