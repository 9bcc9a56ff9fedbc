//! In which boot of the machine the store was served last. Between two of them lies, perhaps, a power cut, which may have taken
//! back what was committed quickly ([`Store::begin_quick`]): that an authorization code was used, for one.

use super::{Store, StoreError, codes};

/// A boot of the machine, by the name that its kernel gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot(String);

impl Boot {
    /// This one. None where the machine doesn't tell.
    pub fn current() -> Option<Self> {
        #[cfg(target_os = "linux")]
        return std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .ok()
            .map(Self::from);
        #[cfg(not(target_os = "linux"))]
        None
    }
}

impl From<String> for Boot {
    fn from(id: String) -> Self {
        Self(id.trim().to_owned())
    }
}

/// Notes in which boot the store is served from now on. If it isn't the one of before, or nobody can tell, the authorization codes
/// that nobody has come for are ended: one of them may have been used, and is to be used once (SR-78). Answers how many.
pub async fn begin(store: &Store, boot: Option<&Boot>) -> Result<u64, StoreError> {
    let mut tx = store.begin().await?;
    let before: Option<String> = sqlx::query_scalar("SELECT id FROM boots")
        .fetch_optional(&mut *tx)
        .await?;
    if before.is_some() && before.map(Boot) == boot.cloned() {
        return Ok(0);
    }
    let ended = codes::end_unused(&mut *tx).await?;
    sqlx::query("DELETE FROM boots").execute(&mut *tx).await?;
    if let Some(Boot(id)) = boot {
        sqlx::query("INSERT INTO boots (id) VALUES ($1)")
            .bind(id)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(ended)
}
