//! A write transaction: whole or not at all.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::SqliteConnection;

use super::connections::{Connections, Lent};
use super::settling::Settling;

/// A write transaction: holds the one writing connection until it is committed or dropped, which takes back what it wrote.
pub struct Transaction {
    lent: Lent,
    is_open: bool,
    /// Brings it to the disk, where its commit doesn't.
    settling: Option<Arc<Settling>>,
}

impl Transaction {
    /// Begins one. Where something else brings it to the disk, its commit doesn't wait for that.
    pub(super) async fn begin(
        writer: &Connections,
        settling: Option<&Arc<Settling>>,
    ) -> Result<Self, sqlx::Error> {
        let mut lent = writer.lend().await?;
        lent.begin(settling.is_some()).await?;
        Ok(Self {
            lent,
            is_open: true,
            settling: settling.cloned(),
        })
    }

    /// Commits it.
    ///
    /// # Errors
    ///
    /// Where SQLite can't, nothing of it is kept.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.lent.commit().await?;
        self.is_open = false;
        if let Some(settling) = &self.settling {
            settling.begin();
        }
        Ok(())
    }

    /// Takes back what it wrote, as dropping it does, and waits until that is done.
    ///
    /// # Errors
    ///
    /// Where SQLite can't, as it has taken it back by itself.
    pub async fn rollback(mut self) -> Result<(), sqlx::Error> {
        self.lent.rollback().await?;
        self.is_open = false;
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.is_open {
            // Whoever is lent the connection next stands behind this in its queue.
            self.lent.start_rollback();
        }
    }
}

impl Deref for Transaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.lent.as_connection()
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.lent.connection()
    }
}
