//! Apps added by `keyback app add`.

use keyback_core::time::Timestamp;
use sqlx::SqliteExecutor;

use super::users::Added;
use super::{StoreError, Transaction, consents, device_codes, grants, machine_tokens};
use crate::config::app::AppConfig;

/// An app of the store. Its secret is known as a digest alone.
#[derive(Clone, Debug)]
pub struct StoredApp {
    pub config: AppConfig,
    /// [`crate::secrets::digest_of`] the client secret; none for public apps.
    pub secret_digest: Option<String>,
}

type Row = (String, Option<String>);

/// Finds an app by its client id.
pub async fn find(db: impl SqliteExecutor<'_>, client_id: &str) -> Result<Option<StoredApp>, StoreError> {
    let row: Option<Row> = sqlx::query_as("SELECT app, secret_digest FROM apps WHERE client_id = $1")
        .bind(client_id)
        .fetch_optional(db)
        .await?;
    row.map(parse).transpose()
}

/// All apps of the store, in the order of their client ids.
pub async fn list(db: impl SqliteExecutor<'_>) -> Result<Vec<StoredApp>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as("SELECT app, secret_digest FROM apps ORDER BY client_id")
        .fetch_all(db)
        .await?;
    rows.into_iter().map(parse).collect()
}

/// Adds an app. A secret in `app.config` is not written: its digest is.
pub async fn add(db: impl SqliteExecutor<'_>, app: &StoredApp, now: Timestamp) -> Result<Added, StoreError> {
    let json = serde_json::to_string(&app.config).map_err(|error| corrupt(&error))?;
    let result =
        sqlx::query("INSERT INTO apps (client_id, app, secret_digest, created_at) VALUES ($1, $2, $3, $4)")
            .bind(&app.config.client_id)
            .bind(json)
            .bind(&app.secret_digest)
            .bind(now.as_millis())
            .execute(db)
            .await;
    match result {
        Ok(_) => Ok(Added::Added),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(Added::Taken),
        Err(error) => Err(error.into()),
    }
}

/// Removes an app, and with it all that people granted it. Answers whether it was there.
pub async fn remove(tx: &mut Transaction, client_id: &str) -> Result<bool, StoreError> {
    let done = sqlx::query("DELETE FROM apps WHERE client_id = $1")
        .bind(client_id)
        .execute(&mut **tx)
        .await?;
    let was_there = done.rows_affected() == 1;
    if was_there {
        forget_holdings(tx, client_id).await?;
    }
    Ok(was_there)
}

/// The client ids that hold anything, in their order, whether or not there is such an app.
pub async fn with_holdings(db: impl SqliteExecutor<'_>) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT client_id FROM grants UNION SELECT client_id FROM consents UNION SELECT client_id FROM device_codes \
         UNION SELECT client_id FROM machine_tokens UNION SELECT client_id FROM session_apps ORDER BY client_id",
    )
    .fetch_all(db)
    .await?)
}

/// Forgets all that an app holds: grants with their tokens, consents, sign-ins of devices, tokens of its own, and its
/// part in sessions.
pub async fn forget_holdings(tx: &mut Transaction, client_id: &str) -> Result<(), StoreError> {
    grants::forget_app(tx, client_id).await?;
    consents::forget_app(&mut **tx, client_id).await?;
    device_codes::remove_app(&mut **tx, client_id).await?;
    machine_tokens::revoke_app(&mut **tx, client_id).await
}

fn parse((json, secret_digest): Row) -> Result<StoredApp, StoreError> {
    Ok(StoredApp {
        config: serde_json::from_str(&json).map_err(|error| corrupt(&error))?,
        secret_digest,
    })
}

fn corrupt(error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt {
        table: "apps",
        reason: error.to_string(),
    }
}
