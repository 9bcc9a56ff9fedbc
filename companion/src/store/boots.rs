//! In which boot of the machine the store was served last. Between two of them lies, perhaps, a power cut, which may have taken
//! back what was committed last without waiting for the disk ([`Store::begin_quick`]): that an authorization code was used, for one.

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
            .and_then(|id| Self::new(&id));
        #[cfg(not(target_os = "linux"))]
        None
    }

    /// None of an empty name, as a container may show one: it would stay the same for ever.
    pub fn new(id: &str) -> Option<Self> {
        let id = id.trim();
        (!id.is_empty()).then(|| Self(id.to_owned()))
    }
}

/// Notes in which boot the store is served from now on. If it isn't the one of before, or nobody can tell, the authorization codes
/// that nobody has come for are ended: one of them may have been used, and is to be used once (SR-78).
pub async fn begin(store: &Store, boot: Option<&Boot>) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    let before: Option<String> = sqlx::query_scalar("SELECT id FROM boots")
        .fetch_optional(&mut *tx)
        .await?;
    match (before, boot) {
        (Some(before), Some(Boot(now))) if before == *now => return Ok(()),
        _ => {}
    }
    codes::end_unused(&mut *tx).await?;
    sqlx::query("DELETE FROM boots").execute(&mut *tx).await?;
    if let Some(Boot(id)) = boot {
        sqlx::query("INSERT INTO boots (id) VALUES ($1)")
            .bind(id)
            .execute(&mut *tx)
            .await?;
    }
    Ok(tx.commit().await?)
}
