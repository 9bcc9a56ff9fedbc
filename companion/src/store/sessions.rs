//! Browser sessions of the provider. The cookie holds a secret of 256 bits, the row its digest.

use keyback_core::time::Timestamp;
use sqlx::{FromRow, SqliteExecutor};

use super::{StoreError, Transaction};

/// A live browser session.
#[derive(Clone, Debug, FromRow)]
pub struct Session {
    /// The public id, `sid` of ID tokens and logout tokens.
    pub id: String,
    pub user_id: String,
    auth_time: i64,
    /// Authentication methods (RFC 8176), separated by spaces.
    pub amr: String,
    created_at: i64,
    last_seen_at: i64,
    expires_at: i64,
    pub user_agent: Option<String>,
    pub client_ip: Option<String>,
}

impl Session {
    /// When the person authenticated (OIDC Core 2, `auth_time`).
    pub fn auth_time(&self) -> Timestamp {
        Timestamp::from_millis(self.auth_time)
    }

    pub fn created_at(&self) -> Timestamp {
        Timestamp::from_millis(self.created_at)
    }

    pub fn last_seen_at(&self) -> Timestamp {
        Timestamp::from_millis(self.last_seen_at)
    }

    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.expires_at)
    }
}

/// What a new session begins with.
#[derive(Clone)]
pub struct NewSession<'a> {
    pub secret_digest: &'a str,
    pub id: &'a str,
    pub user_id: &'a str,
    /// The hash that the account must still have: that of the password which was checked.
    pub password_hash: &'a str,
    pub amr: &'a str,
    pub auth_time: Timestamp,
    /// The end of its idle life; later sightings move it up to the limit of its whole life.
    pub expires_at: Timestamp,
    pub user_agent: Option<&'a str>,
    pub client_ip: Option<&'a str>,
}

/// Finds the live session of a cookie's digest.
pub async fn find(
    db: impl SqliteExecutor<'_>,
    secret_digest: &str,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT s.id, s.user_id, s.auth_time, s.amr, s.created_at, s.last_seen_at, s.expires_at, s.user_agent, \
         s.client_ip FROM sessions s JOIN users u ON u.id = s.user_id AND u.status = 'active' \
         WHERE s.secret_digest = $1 AND s.expires_at > $2",
    )
    .bind(secret_digest)
    .bind(now.as_millis())
    .fetch_optional(db)
    .await?)
}

/// The live sessions of an account, the one last seen first.
pub async fn list(
    db: impl SqliteExecutor<'_>,
    user_id: &str,
    now: Timestamp,
) -> Result<Vec<Session>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT id, user_id, auth_time, amr, created_at, last_seen_at, expires_at, user_agent, client_ip \
         FROM sessions WHERE user_id = $1 AND expires_at > $2 ORDER BY last_seen_at DESC, created_at DESC, id",
    )
    .bind(user_id)
    .bind(now.as_millis())
    .fetch_all(db)
    .await?)
}

/// Whether a session is still there.
pub async fn is_live(db: impl SqliteExecutor<'_>, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM sessions WHERE id = $1 AND expires_at > $2")
        .bind(id)
        .bind(now.as_millis())
        .fetch_optional(db)
        .await?;
    Ok(found.is_some())
}

/// Begins a session, which the account notes. Answers none where that is gone or disabled, or has another password by now.
pub async fn begin(tx: &mut Transaction, new: &NewSession<'_>) -> Result<Option<Session>, StoreError> {
    let done = sqlx::query(
        "INSERT INTO sessions (secret_digest, id, user_id, auth_time, amr, created_at, last_seen_at, expires_at, \
         user_agent, client_ip) SELECT $1, $2, u.id, $4, $5, $4, $4, $6, $7, $8 FROM users u \
         WHERE u.id = $3 AND u.status = 'active' AND EXISTS \
         (SELECT 1 FROM credentials c WHERE c.user_id = u.id AND c.password_hash = $9); \
         UPDATE users SET last_sign_in_at = $4 WHERE id = $3 AND changes() = 1",
    )
    .bind(new.secret_digest)
    .bind(new.id)
    .bind(new.user_id)
    .bind(new.auth_time.as_millis())
    .bind(new.amr)
    .bind(new.expires_at.as_millis())
    .bind(new.user_agent)
    .bind(new.client_ip)
    .bind(new.password_hash)
    .execute(&mut **tx)
    .await?;
    let auth_time = new.auth_time.as_millis();
    Ok((done.rows_affected() == 2).then(|| Session {
        id: new.id.to_owned(),
        user_id: new.user_id.to_owned(),
        auth_time,
        amr: new.amr.to_owned(),
        created_at: auth_time,
        last_seen_at: auth_time,
        expires_at: new.expires_at.as_millis(),
        user_agent: new.user_agent.map(str::to_owned),
        client_ip: new.client_ip.map(str::to_owned),
    }))
}

/// Notes that a session was seen and moves the end of its idle life.
pub async fn touch(
    db: impl SqliteExecutor<'_>,
    id: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE sessions SET last_seen_at = $2, expires_at = $3 WHERE id = $1")
        .bind(id)
        .bind(now.as_millis())
        .bind(expires_at.as_millis())
        .execute(db)
        .await?;
    Ok(())
}

/// Ends one session. Answers whether it was there.
pub async fn end(db: impl SqliteExecutor<'_>, id: &str) -> Result<bool, StoreError> {
    let done = sqlx::query("DELETE FROM sessions WHERE id = $1")
        .bind(id)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends all sessions of an account. Answers how many were live.
pub async fn end_all(db: impl SqliteExecutor<'_>, user_id: &str, now: Timestamp) -> Result<u64, StoreError> {
    let ended: Vec<i64> = sqlx::query_scalar("DELETE FROM sessions WHERE user_id = $1 RETURNING expires_at")
        .bind(user_id)
        .fetch_all(db)
        .await?;
    Ok(ended
        .into_iter()
        .filter(|expires_at| *expires_at > now.as_millis())
        .count() as u64)
}

/// Forgets sessions that have expired, and who took part in them.
pub async fn sweep(tx: &mut Transaction, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
        .bind(now.as_millis())
        .execute(&mut **tx)
        .await?;
    sqlx::query("DELETE FROM session_apps WHERE session_id NOT IN (SELECT id FROM sessions)")
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected())
}
