//! The pool: a few threads, two bounded queues, an answer for every request.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use keyback_core::random::Random;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::job::Job;
use super::memory;
use super::work::{self, HashError, HashParams, SALT_BYTES, Verdict};
use super::workers::Shared;

/// Whom a hash serves. Each lane has half the queue, and the threads serve them in turn, so that a flood of
/// sign-ins starves no reset and a flood of resets no sign-in (SR-50).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    SignIn,
    Reset,
}

/// How the pool is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    pub params: HashParams,
    pub threads: usize,
    /// Requests that may wait, over both lanes.
    pub queue: usize,
}

/// Who waits for a thread, by lane, and the places that each lane has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub sign_in: usize,
    pub reset: usize,
    pub places: usize,
}

/// Why there was no hash.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The queue is full: answer 503 and `Retry-After`.
    #[error("too many passwords are being hashed; the queue of {queue} is full")]
    Busy {
        /// Places in the lane's queue.
        queue: usize,
        /// When a place is likely free.
        retry_after: Duration,
    },
    /// A stored hash can't be used, or the pool has stopped.
    #[error("a password could not be hashed: {0}")]
    Failed(String),
}

/// Hashes and checks passwords. Cheap to clone; the threads end with the last clone.
#[derive(Clone)]
pub struct HashPool {
    shared: Arc<Shared>,
    _stop: Arc<StopOnDrop>,
    random: Arc<dyn Random>,
    /// What a password is checked against where there is no account: the same work, always wrong (SR-51).
    decoy: Arc<OnceLock<Arc<str>>>,
}

impl HashPool {
    /// Starts the threads. They take their memory with their first hash.
    pub fn start(settings: PoolSettings, random: Arc<dyn Random>) -> Result<Self, Unavailable> {
        memory::allow_huge_pages();
        let shared = Arc::new(Shared::new(settings));
        for number in 0..settings.threads.max(1) {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || shared.run())
                .map_err(|error| Unavailable::Failed(error.to_string()))?;
        }
        let stop = Arc::new(StopOnDrop(Arc::clone(&shared)));
        Ok(Self {
            shared,
            _stop: stop,
            random,
            decoy: Arc::default(),
        })
    }

    /// Hashes a new password into a PHC string.
    pub async fn hash(&self, lane: Lane, password: &str) -> Result<String, Unavailable> {
        let mut salt = [0; SALT_BYTES];
        self.random.fill(&mut salt);
        let (reply, answer) = oneshot::channel();
        let password = Zeroizing::new(password.as_bytes().to_vec());
        self.shared.push(
            lane,
            Job::Hash {
                password,
                salt,
                reply,
            },
        )?;
        finish(answer).await
    }

    /// Checks a password against a stored PHC string; without one, does the same work for nothing.
    pub async fn verify(
        &self,
        lane: Lane,
        password: &str,
        stored: Option<&str>,
    ) -> Result<Verdict, Unavailable> {
        let (reply, answer) = oneshot::channel();
        let phc = match stored {
            Some(stored) => Arc::from(stored),
            None => self.decoy()?,
        };
        let password = Zeroizing::new(password.as_bytes().to_vec());
        self.shared.push(lane, Job::Verify { password, phc, reply })?;
        let verdict = finish(answer).await?;
        Ok(if stored.is_some() { verdict } else { Verdict::Wrong })
    }

    /// Who waits at this moment.
    pub fn waiting(&self) -> Waiting {
        self.shared.waiting()
    }

    /// Drawn when it is first needed, which costs nothing that could be seen.
    fn decoy(&self) -> Result<Arc<str>, Unavailable> {
        if let Some(decoy) = self.decoy.get() {
            return Ok(Arc::clone(decoy));
        }
        let drawn = work::decoy(self.shared.settings().params, &*self.random)
            .map_err(|error| Unavailable::Failed(error.to_string()))?;
        Ok(Arc::clone(self.decoy.get_or_init(|| drawn.into())))
    }
}

impl std::fmt::Debug for HashPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HashPool")
            .field("settings", self.shared.settings())
            .finish_non_exhaustive()
    }
}

async fn finish<T>(answer: oneshot::Receiver<Result<T, HashError>>) -> Result<T, Unavailable> {
    answer
        .await
        .map_err(|_| Unavailable::Failed("the hashing thread has stopped".to_owned()))?
        .map_err(|error| Unavailable::Failed(error.to_string()))
}

/// Wakes the threads to their end when the last handle is gone.
struct StopOnDrop(Arc<Shared>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests {
    use keyback_core::random::SystemRandom;

    use super::*;

    fn pool(threads: usize, queue: usize, memory_kib: u32) -> HashPool {
        let params = HashParams {
            memory_kib,
            iterations: 1,
            parallelism: 1,
        };
        HashPool::start(
            PoolSettings {
                params,
                threads,
                queue,
            },
            Arc::new(SystemRandom),
        )
        .unwrap()
    }

    #[tokio::test]
    async fn a_hash_is_checked_and_nobody_has_a_right_password() {
        let pool = pool(2, 8, 64);
        let phc = pool.hash(Lane::Reset, "violet otter paddles").await.unwrap();
        let check = |password: &'static str, stored: Option<String>| {
            let pool = pool.clone();
            async move {
                pool.verify(Lane::SignIn, password, stored.as_deref())
                    .await
                    .unwrap()
            }
        };
        assert_eq!(
            check("violet otter paddles", Some(phc.clone())).await,
            Verdict::Right
        );
        assert_eq!(check("violet otter", Some(phc)).await, Verdict::Wrong);
        assert_eq!(check("violet otter paddles", None).await, Verdict::Wrong);
    }

    /// One is hashed, one waits, and a third finds no place: whoever costs no hash would find one always.
    #[tokio::test]
    async fn sr51_a_password_that_nobody_has_takes_a_place_and_a_hash_like_any_other() {
        let pool = pool(1, 2, 64 * 1_024);
        let phc = pool.hash(Lane::Reset, "violet otter paddles").await.unwrap();
        for stored in [Some(phc.as_str()), None] {
            let check = || pool.verify(Lane::SignIn, "violet otter", stored);
            let (first, second, third) = tokio::join!(check(), check(), check());
            let answers = [first, second, third];
            let busy =
                |answer: &&Result<Verdict, Unavailable>| matches!(answer, Err(Unavailable::Busy { .. }));
            assert!(
                answers.iter().filter(busy).count() >= 1,
                "{stored:?}: {answers:?}"
            );
            let wrong = |answer: &&Result<Verdict, Unavailable>| matches!(answer, Ok(Verdict::Wrong));
            assert!(
                answers.iter().filter(wrong).count() >= 1,
                "{stored:?}: {answers:?}"
            );
        }
    }

    #[tokio::test]
    async fn sr50_a_full_queue_is_told_and_one_lane_leaves_the_other_its_places() {
        let pool = pool(1, 4, 32 * 1024);
        let flood: Vec<_> = (0..20)
            .map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move { pool.hash(Lane::SignIn, "x").await })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(pool.hash(Lane::Reset, "x").await.is_ok());
        let mut busy = 0;
        for request in flood {
            if let Err(Unavailable::Busy { queue, .. }) = request.await.unwrap() {
                assert_eq!(queue, 2);
                busy += 1;
            }
        }
        // Two wait and at most a few were served meanwhile; the rest is told at once.
        assert!(busy >= 10, "{busy}");
    }
}
