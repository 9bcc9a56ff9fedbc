//! Grants: what an authorization request was given. Codes and tokens hang on them and end with them. Beside them stands
//! which apps took part in a session, until it ends: an app whose tokens are gone is told of the end all the same.

use keyback_core::time::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{FromRow, Sqlite, SqliteExecutor};

use super::{StoreError, Transaction};

/// A grant as it begins, together with its code.
#[derive(Clone, Debug)]
pub struct NewGrant<'a> {
    pub id: &'a str,
    pub user_id: &'a str,
    pub client_id: &'a str,
    /// The public id of the browser session (`sid`).
    pub session_id: &'a str,
    /// Whether `offline_access` was granted: then the grant outlives its session.
    pub offline: bool,
    pub scope: &'a str,
    pub resources: &'a [String],
    /// The claims asked for by name, as JSON.
    pub claims: Option<&'a str>,
    pub auth_time: Timestamp,
    pub amr: &'a str,
    pub expires_at: Timestamp,
}

/// Whom a revocation concerned: each app that held something, once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevokedApps {
    /// Client ids with the sessions (`sid`) that they took part in.
    pub apps: Vec<RevokedApp>,
}

/// One app of [`RevokedApps`].
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RevokedApp {
    pub client_id: String,
    pub session_id: String,
    pub user_id: String,
}

/// What becomes of the offline grants of a session that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfflineGrants {
    /// They live on: the person merely leaves a browser.
    Keep,
    /// They end too: the person throws a device out.
    End,
}

impl RevokedApps {
    /// The apps that took part, and those of deleted grants that had not expired.
    fn new(user_id: &str, took_part: Vec<(String, String)>, rows: Vec<GrantEnd>, now: Timestamp) -> Self {
        let live = rows
            .into_iter()
            .filter(|(_, _, expires_at)| *expires_at > now.as_millis())
            .map(|(client_id, session_id, _)| (client_id, session_id));
        let mut apps: Vec<_> = live
            .chain(took_part)
            .map(|(client_id, session_id)| RevokedApp {
                client_id,
                session_id,
                user_id: user_id.to_owned(),
            })
            .collect();
        apps.sort_by(|a, b| (&a.client_id, &a.session_id).cmp(&(&b.client_id, &b.session_id)));
        apps.dedup();
        Self { apps }
    }
}

/// Client id, session and expiry of a deleted grant.
type GrantEnd = (String, String, i64);

/// Writes a [`NewGrant`], and that its app takes part in the session. Parameters $1 to $12, of which $10 is now.
macro_rules! insert_grant {
    () => {
        "INSERT INTO grants (id, user_id, client_id, session_id, offline, scope, resources, auth_time, amr, \
         created_at, expires_at, claims) SELECT $1, $2, $3, s.id, $5, $6, $7, $8, $9, $10, $11, $12 FROM sessions s \
         WHERE s.id = $4 AND s.user_id = $2 AND s.expires_at > $10; \
         INSERT INTO session_apps (session_id, client_id, user_id) \
         SELECT session_id, client_id, user_id FROM grants WHERE id = $1 \
         ON CONFLICT (session_id, client_id) DO NOTHING"
    };
}
pub(super) use insert_grant;

/// The parameters of a statement that begins with [`insert_grant`].
pub(super) fn insert<'q>(
    sql: &'static str,
    grant: &NewGrant<'q>,
    now: Timestamp,
) -> Query<'q, Sqlite, SqliteArguments> {
    sqlx::query(sql)
        .bind(grant.id)
        .bind(grant.user_id)
        .bind(grant.client_id)
        .bind(grant.session_id)
        .bind(grant.offline)
        .bind(grant.scope)
        .bind(serde_json::to_string(grant.resources).unwrap_or_default())
        .bind(grant.auth_time.as_millis())
        .bind(grant.amr)
        .bind(now.as_millis())
        .bind(grant.expires_at.as_millis())
        .bind(grant.claims)
}

/// Begins a grant in a live session, in which its app takes part from now on. Answers false where the session has ended
/// meanwhile, as by a reset.
pub async fn add(tx: &mut Transaction, grant: &NewGrant<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let done = insert(insert_grant!(), grant, now).execute(&mut **tx).await?;
    // The app may have taken part before: then the grant is the one new row.
    Ok(done.rows_affected() > 0)
}

/// Whether an app was given something in a session after a moment.
pub async fn was_given_after(
    db: impl SqliteExecutor<'_>,
    client_id: &str,
    session_id: &str,
    moment: Timestamp,
) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM grants WHERE session_id = $1 AND client_id = $2 AND created_at > $3 LIMIT 1",
    )
    .bind(session_id)
    .bind(client_id)
    .bind(moment.as_millis())
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

/// An app that holds offline grants of a person.
#[derive(Clone, Debug, FromRow)]
pub struct OfflineApp {
    pub client_id: String,
    since: i64,
}

impl OfflineApp {
    /// When the oldest of them was given.
    pub fn since(&self) -> Timestamp {
        Timestamp::from_millis(self.since)
    }
}

/// The apps that hold live offline grants of a person, in the order of their client ids.
pub async fn list_offline(
    db: impl SqliteExecutor<'_>,
    user_id: &str,
    now: Timestamp,
) -> Result<Vec<OfflineApp>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT client_id, MIN(created_at) AS since FROM grants WHERE user_id = $1 AND offline \
         AND expires_at > $2 GROUP BY client_id ORDER BY client_id",
    )
    .bind(user_id)
    .bind(now.as_millis())
    .fetch_all(db)
    .await?)
}

/// A live grant of a person.
#[derive(Clone, Debug, FromRow)]
pub struct HeldGrant {
    pub id: String,
    pub client_id: String,
    pub session_id: String,
    pub scope: String,
    created_at: i64,
    expires_at: i64,
}

impl HeldGrant {
    pub fn created_at(&self) -> Timestamp {
        Timestamp::from_millis(self.created_at)
    }

    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.expires_at)
    }
}

/// The live grants of a person, the oldest first.
pub async fn list(
    db: impl SqliteExecutor<'_>,
    user_id: &str,
    now: Timestamp,
) -> Result<Vec<HeldGrant>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT id, client_id, session_id, scope, created_at, expires_at FROM grants \
         WHERE user_id = $1 AND expires_at > $2 ORDER BY created_at, id",
    )
    .bind(user_id)
    .bind(now.as_millis())
    .fetch_all(db)
    .await?)
}

/// Which apps take part in which sessions of a person: pairs of session and client id, in their order.
pub async fn list_taking_part(
    db: impl SqliteExecutor<'_>,
    user_id: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT session_id, client_id FROM session_apps WHERE user_id = $1 ORDER BY session_id, client_id",
    )
    .bind(user_id)
    .fetch_all(db)
    .await?)
}

/// Revokes one grant with its code and tokens. Answers whose it was, if it was there.
pub async fn revoke(db: impl SqliteExecutor<'_>, id: &str) -> Result<Option<String>, StoreError> {
    Ok(
        sqlx::query_scalar("DELETE FROM grants WHERE id = $1 RETURNING user_id")
            .bind(id)
            .fetch_optional(db)
            .await?,
    )
}

/// Revokes all that an account granted: grants, codes, access and refresh tokens, offline ones too.
///
/// For the transaction of a reset. Browser sessions are [`super::sessions::end_all`]'s.
pub async fn revoke_user(
    tx: &mut Transaction,
    user_id: &str,
    now: Timestamp,
) -> Result<RevokedApps, StoreError> {
    let rows =
        sqlx::query_as("DELETE FROM grants WHERE user_id = $1 RETURNING client_id, session_id, expires_at")
            .bind(user_id)
            .fetch_all(&mut **tx)
            .await?;
    let took_part =
        sqlx::query_as("DELETE FROM session_apps WHERE user_id = $1 RETURNING client_id, session_id")
            .bind(user_id)
            .fetch_all(&mut **tx)
            .await?;
    Ok(RevokedApps::new(user_id, took_part, rows, now))
}

/// Revokes all that an account granted to one app, offline grants too. The app takes part in none of its sessions any
/// more.
pub async fn revoke_app(
    tx: &mut Transaction,
    user_id: &str,
    client_id: &str,
    now: Timestamp,
) -> Result<RevokedApps, StoreError> {
    let rows = sqlx::query_as(
        "DELETE FROM grants WHERE user_id = $1 AND client_id = $2 RETURNING client_id, session_id, expires_at",
    )
    .bind(user_id)
    .bind(client_id)
    .fetch_all(&mut **tx)
    .await?;
    let took_part = sqlx::query_as(
        "DELETE FROM session_apps WHERE user_id = $1 AND client_id = $2 RETURNING client_id, session_id",
    )
    .bind(user_id)
    .bind(client_id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(RevokedApps::new(user_id, took_part, rows, now))
}

/// Ends what a browser session gave. Answers all apps that took part in it, those with offline grants too.
pub async fn revoke_session(
    tx: &mut Transaction,
    session_id: &str,
    offline: OfflineGrants,
) -> Result<RevokedApps, StoreError> {
    let mut apps: Vec<RevokedApp> = sqlx::query_as(
        "DELETE FROM session_apps WHERE session_id = $1 RETURNING client_id, session_id, user_id",
    )
    .bind(session_id)
    .fetch_all(&mut **tx)
    .await?;
    apps.sort_by(|a, b| a.client_id.cmp(&b.client_id));
    sqlx::query("DELETE FROM grants WHERE session_id = $1 AND (NOT offline OR $2)")
        .bind(session_id)
        .bind(offline == OfflineGrants::End)
        .execute(&mut **tx)
        .await?;
    Ok(RevokedApps { apps })
}

/// Forgets all that was granted an app, with the app, which is told of no end any more.
pub async fn forget_app(tx: &mut Transaction, client_id: &str) -> Result<(), StoreError> {
    for table in [
        "DELETE FROM grants WHERE client_id = $1",
        "DELETE FROM session_apps WHERE client_id = $1",
    ] {
        sqlx::query(table).bind(client_id).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Forgets grants that have expired, with their codes and tokens.
pub async fn sweep(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM grants WHERE expires_at <= $1")
        .bind(now.as_millis())
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
