//! A write transaction: whole or not at all.

use std::ops::{Deref, DerefMut};

use sqlx::SqliteConnection;

use super::connections::{Connections, Lent};

/// A write transaction: holds the one writing connection until it is committed or dropped, which takes back what it wrote.
pub struct Transaction {
    lent: Lent,
    is_open: bool,
}

impl Transaction {
    /// Begins one. Of a quick one nobody waits until it is on the disk.
    pub(super) async fn begin(writer: &Connections, is_quick: bool) -> Result<Self, sqlx::Error> {
        let mut lent = writer.lend().await?;
        lent.begin(is_quick).await?;
        Ok(Self { lent, is_open: true })
    }

    /// Commits it.
    ///
    /// # Errors
    ///
    /// Where SQLite can't, nothing of it is kept.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.lent.commit().await?;
        self.is_open = false;
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
