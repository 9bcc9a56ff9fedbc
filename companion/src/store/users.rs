//! Accounts: rows of the embedded backend.

use keyback_core::identifier::Identifier;
use keyback_core::time::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, SqliteExecutor};

use super::StoreError;
use super::account_status::AccountStatus;
use crate::profile::Profile;

/// An account.
#[derive(Clone, Debug, FromRow)]
pub struct User {
    /// The random, never reused id: `sub` of tokens, `userId` of webhooks.
    pub id: String,
    pub username: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
    pub phone: Option<String>,
    pub phone_verified: bool,
    pub name: Option<String>,
    /// Further standard claims (OIDC Core 5.1) as a JSON object.
    pub profile: String,
    #[sqlx(try_from = "String")]
    pub status: AccountStatus,
    created_at: i64,
    updated_at: i64,
    not_before: i64,
    email_verified_at: Option<i64>,
    phone_verified_at: Option<i64>,
    contested_at: Option<i64>,
}

impl User {
    /// A bare, active account made at `at`.
    #[cfg(test)]
    pub(crate) fn for_test(id: &str, at: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            username: None,
            email: None,
            email_verified: false,
            phone: None,
            phone_verified: false,
            name: None,
            profile: "{}".to_owned(),
            status: AccountStatus::Active,
            created_at: at.as_millis(),
            updated_at: at.as_millis(),
            not_before: 0,
            email_verified_at: None,
            phone_verified_at: None,
            contested_at: None,
        }
    }

    /// Whether what was issued to the person at a moment still counts: not where the account is disabled, or has cut off what
    /// was issued before now (SR-55).
    pub fn honours(&self, issued_at: Timestamp) -> bool {
        self.may_sign_in() && issued_at >= self.not_before()
    }

    /// Whether an address is the account's own and verified: only then notices go there.
    pub fn is_verified(&self, identifier: &Identifier) -> bool {
        let (stored, verified) = match identifier {
            Identifier::Email(_) => (&self.email, self.email_verified),
            Identifier::Phone(_) => (&self.phone, self.phone_verified),
        };
        verified && stored.as_deref() == Some(identifier.as_str())
    }

    /// The verified addresses: where notices go.
    pub fn verified_addresses(&self) -> Vec<Identifier> {
        let email = self.email.as_deref().filter(|_| self.email_verified);
        let phone = self.phone.as_deref().filter(|_| self.phone_verified);
        email
            .into_iter()
            .chain(phone)
            .filter_map(|address| Identifier::from_normal_form(address).ok())
            .collect()
    }

    pub fn created_at(&self) -> Timestamp {
        Timestamp::from_millis(self.created_at)
    }

    pub fn updated_at(&self) -> Timestamp {
        Timestamp::from_millis(self.updated_at)
    }

    /// Tokens issued before this moment are dead.
    pub fn not_before(&self) -> Timestamp {
        Timestamp::from_millis(self.not_before)
    }

    /// Since when the e-mail address is verified.
    pub fn email_verified_at(&self) -> Option<Timestamp> {
        self.email_verified_at.map(Timestamp::from_millis)
    }

    /// Since when the phone number is verified.
    pub fn phone_verified_at(&self) -> Option<Timestamp> {
        self.phone_verified_at.map(Timestamp::from_millis)
    }

    /// When the change was made for which the account is frozen.
    pub fn contested_at(&self) -> Option<Timestamp> {
        self.contested_at.map(Timestamp::from_millis)
    }

    /// What pages call the person: the first of name, user name, e-mail, phone.
    pub fn display_name(&self) -> &str {
        [&self.name, &self.username, &self.email, &self.phone]
            .into_iter()
            .find_map(|value| value.as_deref())
            .unwrap_or(&self.id)
    }

    /// What the person types to sign in: the first of e-mail, phone, user name.
    pub fn sign_in_name(&self) -> &str {
        [&self.email, &self.phone, &self.username]
            .into_iter()
            .find_map(|value| value.as_deref())
            .unwrap_or(&self.id)
    }
}

/// What a new account begins with. A password is set by a reset, or apart from it.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    pub id: String,
    pub username: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub name: Option<String>,
    pub profile: Profile,
    /// Whether the operator vouches for the addresses.
    pub verified: bool,
}

/// How an addition to a table with unique columns ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    Added,
    /// Another row has one of its unique values.
    Taken,
}

/// The columns of a [`User`].
macro_rules! user_columns {
    () => {
        "id, username, email, email_verified, phone, phone_verified, name, profile, status, created_at, updated_at, \
         not_before, email_verified_at, phone_verified_at, contested_at"
    };
}
pub(super) use user_columns;

/// A statement that reads whole accounts.
macro_rules! select_users {
    ($which:literal) => {
        concat!("SELECT ", user_columns!(), " FROM users ", $which)
    };
}

/// The account, if there is one, that a statement finds by one value.
async fn find_one<A>(
    db: impl SqliteExecutor<'_>,
    statement: &'static str,
    value: &str,
) -> Result<Option<A>, StoreError>
where
    A: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    Ok(sqlx::query_as(statement).bind(value).fetch_optional(db).await?)
}

/// Finds an account by its id.
pub async fn find(db: impl SqliteExecutor<'_>, id: &str) -> Result<Option<User>, StoreError> {
    find_one(db, select_users!("WHERE id = $1"), id).await
}

/// Finds the account of an e-mail address or phone number. The stored form is the identifier's normal form.
pub async fn find_by_identifier(
    db: impl SqliteExecutor<'_>,
    identifier: &Identifier,
) -> Result<Option<User>, StoreError> {
    let by = match identifier {
        Identifier::Email(_) => select_users!("WHERE email = $1"),
        Identifier::Phone(_) => select_users!("WHERE phone = $1"),
    };
    find_one(db, by, identifier.as_str()).await
}

/// Finds the account of a user name.
pub async fn find_by_username(
    db: impl SqliteExecutor<'_>,
    username: &str,
) -> Result<Option<User>, StoreError> {
    find_one(db, select_users!("WHERE username = $1"), username).await
}

/// An account with the PHC string of its password, if it has one.
#[derive(Clone, Debug, FromRow)]
pub struct UserWithPassword {
    #[sqlx(flatten)]
    pub user: User,
    pub password_hash: Option<String>,
}

/// A statement that reads whole accounts with their passwords.
macro_rules! select_with_password {
    ($which:literal) => {
        concat!(
            "SELECT ",
            user_columns!(),
            ", password_hash FROM users LEFT JOIN credentials ON user_id = id ",
            $which
        )
    };
}

/// [`find_by_identifier`], with the password.
pub async fn find_with_password(
    db: impl SqliteExecutor<'_>,
    identifier: &Identifier,
) -> Result<Option<UserWithPassword>, StoreError> {
    let by = match identifier {
        Identifier::Email(_) => select_with_password!("WHERE email = $1"),
        Identifier::Phone(_) => select_with_password!("WHERE phone = $1"),
    };
    find_one(db, by, identifier.as_str()).await
}

/// [`find_by_username`], with the password.
pub async fn find_with_password_by_username(
    db: impl SqliteExecutor<'_>,
    username: &str,
) -> Result<Option<UserWithPassword>, StoreError> {
    find_one(db, select_with_password!("WHERE username = $1"), username).await
}

/// A page of accounts in the order of their ids, after the id given.
pub async fn list(db: impl SqliteExecutor<'_>, after: &str, limit: i64) -> Result<Vec<User>, StoreError> {
    Ok(
        sqlx::query_as(select_users!("WHERE id > $1 ORDER BY id LIMIT $2"))
            .bind(after)
            .bind(limit)
            .fetch_all(db)
            .await?,
    )
}

/// Adds an account without a password.
pub async fn add(db: impl SqliteExecutor<'_>, new: &NewUser, now: Timestamp) -> Result<Added, StoreError> {
    let result = sqlx::query(
        "INSERT INTO users (id, username, email, email_verified, phone, phone_verified, name, profile, \
         created_at, updated_at, email_verified_at, phone_verified_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
         $9, CASE WHEN $4 THEN $9 END, CASE WHEN $6 THEN $9 END)",
    )
    .bind(&new.id)
    .bind(&new.username)
    .bind(&new.email)
    .bind(new.verified && new.email.is_some())
    .bind(&new.phone)
    .bind(new.verified && new.phone.is_some())
    .bind(&new.name)
    .bind(new.profile.to_stored())
    .bind(now.as_millis())
    .execute(db)
    .await;
    unless_taken(result)
}

fn unless_taken<T>(result: Result<T, sqlx::Error>) -> Result<Added, StoreError> {
    match result {
        Ok(_) => Ok(Added::Added),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(Added::Taken),
        Err(error) => Err(error.into()),
    }
}

/// Writes what an operator changed of an account, found before in the same transaction: its names, its addresses and
/// whether they are verified, and its claims.
pub async fn edit(db: impl SqliteExecutor<'_>, user: &User, now: Timestamp) -> Result<Added, StoreError> {
    let result = sqlx::query(
        "UPDATE users SET username = $2, email = $3, email_verified = $4, phone = $5, phone_verified = $6, \
         name = $7, profile = $8, updated_at = $9, \
         email_verified_at = CASE WHEN NOT $4 THEN NULL WHEN email_verified AND email = $3 THEN email_verified_at \
         ELSE $9 END, \
         phone_verified_at = CASE WHEN NOT $6 THEN NULL WHEN phone_verified AND phone = $5 THEN phone_verified_at \
         ELSE $9 END WHERE id = $1",
    )
    .bind(&user.id)
    .bind(&user.username)
    .bind(&user.email)
    .bind(user.email_verified)
    .bind(&user.phone)
    .bind(user.phone_verified)
    .bind(&user.name)
    .bind(&user.profile)
    .bind(now.as_millis())
    .execute(db)
    .await;
    unless_taken(result)
}

/// Enables or disables an account, or thaws it. Answers whether there is such an account.
pub async fn set_status(
    db: impl SqliteExecutor<'_>,
    id: &str,
    status: AccountStatus,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE users SET status = $2, contested_at = NULL, frozen_at = NULL, updated_at = $3 WHERE id = $1",
    )
    .bind(id)
    .bind(status.as_str())
    .bind(now.as_millis())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Marks the address that a finished reset has proved.
pub async fn mark_verified(
    db: impl SqliteExecutor<'_>,
    id: &str,
    identifier: &Identifier,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = match identifier {
        Identifier::Email(_) => {
            "UPDATE users SET email_verified = TRUE, email_verified_at = COALESCE(email_verified_at, $3) \
             WHERE id = $1 AND email = $2"
        }
        Identifier::Phone(_) => {
            "UPDATE users SET phone_verified = TRUE, phone_verified_at = COALESCE(phone_verified_at, $3) \
             WHERE id = $1 AND phone = $2"
        }
    };
    sqlx::query(statement)
        .bind(id)
        .bind(identifier.as_str())
        .bind(now.as_millis())
        .execute(db)
        .await?;
    Ok(())
}

/// When somebody last signed in to an account.
pub async fn last_sign_in_at(db: impl SqliteExecutor<'_>, id: &str) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<Option<i64>> = sqlx::query_scalar("SELECT last_sign_in_at FROM users WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await?;
    Ok(at.flatten().map(Timestamp::from_millis))
}

/// Kills every token issued before `now`.
pub async fn set_not_before(db: impl SqliteExecutor<'_>, id: &str, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE users SET not_before = $2, updated_at = $2 WHERE id = $1")
        .bind(id)
        .bind(now.as_millis())
        .execute(db)
        .await?;
    Ok(())
}
