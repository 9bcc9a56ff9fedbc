//! What text messages have cost today, counted in the store, so that several processes count together.

use keyback_core::rate_limit::{Decision, LimitKey, LimitRule};
use keyback_core::time::Timestamp;
use sqlx::SqliteExecutor;

use super::{Store, StoreError, Transaction, limits};
use crate::fail_point::{FailPoint, Write};

const DAY_MS: i64 = 86_400_000;
/// How long days are kept, so that the operator can look at them.
const DAYS_KEPT: i64 = 100;

/// A message that is about to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// A job is counted once, however often it is tried.
    pub job_id: &'a str,
    /// Millionths of the operator's currency.
    pub price: i64,
    pub now: Timestamp,
}

/// What a code must keep to.
#[derive(Clone, Debug)]
pub struct Allowance {
    /// Codes to numbers with the same beginning.
    pub prefix: (LimitKey, LimitRule),
    pub messages_per_day: i64,
    /// Millionths of the operator's currency.
    pub spend_per_day: Option<i64>,
}

/// Whether a code may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Admitted,
    /// Too many to numbers with the same beginning.
    Prefix,
    /// Too many today.
    MessagesOfDay,
    /// They cost too much today.
    SpendOfDay,
}

/// A day as it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Day {
    pub messages: i64,
    /// Millionths of the operator's currency.
    pub cost: i64,
}

/// Counts a code that may be sent. One that may not has used nothing of the day.
pub async fn admit(
    store: &Store,
    charge: Charge<'_>,
    allowance: &Allowance,
) -> Result<Admission, StoreError> {
    let mut tx = store.begin_quick().await?;
    if !is_new(&mut tx, charge).await? {
        return Ok(Admission::Admitted);
    }
    let day = today(&mut tx, charge.now).await?;
    if day.messages >= allowance.messages_per_day {
        return Ok(Admission::MessagesOfDay);
    }
    if allowance
        .spend_per_day
        .is_some_and(|most| day.cost.saturating_add(charge.price) > most)
    {
        return Ok(Admission::SpendOfDay);
    }
    let (key, rule) = &allowance.prefix;
    if limits::take(&mut tx, key, *rule, charge.now).await? != Decision::Allowed {
        return Ok(Admission::Prefix);
    }
    add(&mut tx, charge).await?;
    FailPoint::BeforeCommit(Write::Admit).reach();
    tx.commit().await?;
    FailPoint::AfterCommit(Write::Admit).reach();
    Ok(Admission::Admitted)
}

/// Counts a message that nothing holds back.
pub async fn count(store: &Store, charge: Charge<'_>) -> Result<(), StoreError> {
    let mut tx = store.begin_quick().await?;
    if is_new(&mut tx, charge).await? {
        add(&mut tx, charge).await?;
        FailPoint::BeforeCommit(Write::Count).reach();
        tx.commit().await?;
        FailPoint::AfterCommit(Write::Count).reach();
    }
    Ok(())
}

/// Forgets jobs of days that are over, and days that are long over.
pub async fn sweep(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let today = day_of(now);
    // A job lives for three days at most.
    for (statement, before) in [
        ("DELETE FROM counted_text_messages WHERE day < $1", today - 4),
        ("DELETE FROM text_message_days WHERE day < $1", today - DAYS_KEPT),
    ] {
        sqlx::query(statement)
            .bind(before)
            .execute(store.writer())
            .await?;
    }
    Ok(())
}

/// What the day has had so far.
async fn today(tx: &mut Transaction, now: Timestamp) -> Result<Day, StoreError> {
    find(&mut **tx, now).await
}

async fn find(db: impl SqliteExecutor<'_>, now: Timestamp) -> Result<Day, StoreError> {
    let day = sqlx::query_as("SELECT messages, cost FROM text_message_days WHERE day = $1")
        .bind(day_of(now))
        .fetch_optional(db)
        .await?;
    Ok(day.unwrap_or_default())
}

async fn is_new(tx: &mut Transaction, charge: Charge<'_>) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO counted_text_messages (job_id, day) VALUES ($1, $2) ON CONFLICT (job_id) DO NOTHING",
    )
    .bind(charge.job_id)
    .bind(day_of(charge.now))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn add(tx: &mut Transaction, charge: Charge<'_>) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO text_message_days (day, messages, cost) VALUES ($1, 1, $2) \
         ON CONFLICT (day) DO UPDATE SET messages = messages + 1, cost = cost + excluded.cost",
    )
    .bind(day_of(charge.now))
    .bind(charge.price)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Days since the epoch, UTC.
fn day_of(now: Timestamp) -> i64 {
    now.as_millis().div_euclid(DAY_MS)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use keyback_core::identifier::Identifier;
    use keyback_core::rate_limit::IdentifierHasher;
    use tempfile::TempDir;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
    const HOUR: Duration = Duration::from_secs(3_600);
    const DAY: Duration = Duration::from_secs(86_400);

    async fn store() -> (TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("keyback.db")).await.unwrap();
        (folder, store)
    }

    fn allowance(number: &str) -> Allowance {
        let Identifier::Phone(number) = Identifier::parse(number).unwrap() else {
            panic!("{number} is no number")
        };
        let hash = IdentifierHasher::new(&[1; 32]).hash_prefix(&number);
        Allowance {
            prefix: (LimitKey::SmsPrefix(hash), LimitRule::new(3, HOUR)),
            messages_per_day: 5,
            spend_per_day: Some(1_000),
        }
    }

    async fn send(store: &Store, job_id: &str, number: &str, price: i64, now: Timestamp) -> Admission {
        let charge = Charge { job_id, price, now };
        admit(store, charge, &allowance(number)).await.unwrap()
    }

    #[tokio::test]
    async fn sr14_numbers_with_one_beginning_get_so_many_an_hour() {
        let (_folder, store) = store().await;
        for (job, number) in ["+14155550100", "+14155550177", "+14155559999"]
            .iter()
            .enumerate()
        {
            assert_eq!(
                send(&store, &job.to_string(), number, 1, NOW).await,
                Admission::Admitted
            );
        }
        let one_more = "+14155550123";
        assert_eq!(send(&store, "a", one_more, 1, NOW).await, Admission::Prefix);
        assert_eq!(
            send(&store, "b", "+14155560123", 1, NOW).await,
            Admission::Admitted
        );
        assert_eq!(
            send(&store, "c", one_more, 1, NOW + HOUR).await,
            Admission::Admitted
        );
        let rows: Vec<String> = sqlx::query_scalar("SELECT key FROM limits")
            .fetch_all(store.reader())
            .await
            .unwrap();
        assert!(
            rows.len() == 2 && !rows.iter().any(|key| key.contains("415")),
            "{rows:?}"
        );
    }

    #[tokio::test]
    async fn sr14_a_day_has_so_many_messages_and_so_much_money() {
        let (folder, store) = store().await;
        // Another process counts with it.
        let other = Store::open(&folder.path().join("keyback.db")).await.unwrap();
        let number = |index: u32| format!("+1415{:03}0100", 555 + index);
        for index in 0..4 {
            let at = if index % 2 == 0 { &store } else { &other };
            let sent = send(at, &index.to_string(), &number(index), 200, NOW).await;
            assert_eq!(sent, Admission::Admitted);
        }
        assert_eq!(
            send(&store, "dear", &number(5), 201, NOW).await,
            Admission::SpendOfDay
        );
        assert_eq!(
            send(&other, "exact", &number(5), 200, NOW).await,
            Admission::Admitted
        );
        assert_eq!(
            send(&store, "sixth", &number(6), 0, NOW).await,
            Admission::MessagesOfDay
        );
        let full = Day {
            messages: 5,
            cost: 1_000,
        };
        assert_eq!(find(store.reader(), NOW).await.unwrap(), full);
        let tomorrow = NOW + DAY;
        assert_eq!(
            send(&store, "sixth", &number(6), 0, tomorrow).await,
            Admission::Admitted
        );
        sweep(&store, tomorrow + DAY * 200).await.unwrap();
        assert_eq!(find(store.reader(), NOW).await.unwrap(), Day::default());
    }

    #[tokio::test]
    async fn sr14_a_message_that_is_tried_again_counts_once_and_a_notice_always_does() {
        let (_folder, store) = store().await;
        for _ in 0..10 {
            assert_eq!(
                send(&store, "job", "+14155550100", 1, NOW).await,
                Admission::Admitted
            );
        }
        for _ in 0..2 {
            let notice = Charge {
                job_id: "notice",
                price: 5_000,
                now: NOW,
            };
            count(&store, notice).await.unwrap();
        }
        assert_eq!(
            find(store.reader(), NOW).await.unwrap(),
            Day {
                messages: 2,
                cost: 5_001
            }
        );
        assert_eq!(
            send(&store, "next", "+14155560100", 1, NOW).await,
            Admission::SpendOfDay
        );
    }
}
