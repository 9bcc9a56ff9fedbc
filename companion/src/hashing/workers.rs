//! The threads of the pool, and the queues that they serve.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::job::{Answer, Job};
use super::memory::Memory;
use super::pool::{Lane, PoolSettings, Unavailable, Waiting};

/// A thread that had nothing to do for so long gives its memory back; the next hash pays for fresh pages.
const MEMORY_KEPT: Duration = Duration::from_secs(10);

/// Answers that a thread gives together where there is more to hash. What a request does once its password is checked, it does with
/// caches that the hash has swept. Where several do it in a row, the first alone does (cohort scheduling).
const COHORT: u64 = 4;

/// The work of all hashes of a cohort, in KiB of memory passed over: what [`COHORT`] hashes of the usual cost take, some fifty
/// milliseconds. Where one takes as much, each answer is given at once: there is less to gain, and more to wait for.
const COHORT_WORK: u64 = COHORT * 2 * 19_456;

/// What the threads and those who ask them share.
pub(super) struct Shared {
    queues: Mutex<Queues>,
    wake: Condvar,
    settings: PoolSettings,
}

#[derive(Default)]
struct Queues {
    lanes: [VecDeque<Job>; 2],
    /// The lane that is served next.
    turn: usize,
    stopped: bool,
}

/// What a thread keeps from one job to the next.
#[derive(Default)]
struct Worker {
    memory: Memory,
    /// Whoever is answered together.
    cohort: Vec<Answer>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Where a hash panics, those before it have their answers.
        self.cohort.drain(..).for_each(Answer::tell);
    }
}

impl Shared {
    pub(super) fn new(settings: PoolSettings) -> Self {
        Self {
            queues: Mutex::default(),
            wake: Condvar::new(),
            settings,
        }
    }

    pub(super) fn settings(&self) -> &PoolSettings {
        &self.settings
    }

    /// A panic while the lock is held leaves the queues as they are: whole.
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who waits at this moment.
    pub(super) fn waiting(&self) -> Waiting {
        let queues = self.lock();
        let waiting = |lane: Lane| {
            let queue = &queues.lanes[lane as usize];
            queue.iter().filter(|job| !job.is_abandoned()).count()
        };
        Waiting {
            sign_in: waiting(Lane::SignIn),
            reset: waiting(Lane::Reset),
            places: self.places(),
        }
    }

    /// Places of each lane.
    fn places(&self) -> usize {
        self.settings.queue.div_ceil(2).max(1)
    }

    /// How many answers are given together.
    fn cohort(&self) -> u64 {
        (COHORT_WORK / self.settings.params.work().max(1)).clamp(1, COHORT)
    }

    /// Adds a job to those that wait.
    ///
    /// # Errors
    ///
    /// Where the lane's queue is full.
    pub(super) fn push(&self, lane: Lane, job: Job) -> Result<(), Unavailable> {
        let places = self.places();
        let mut queues = self.lock();
        let queue = &mut queues.lanes[lane as usize];
        // Who has gone away holds no place.
        queue.retain(|waiting| !waiting.is_abandoned());
        if queue.len() >= places {
            return Err(Unavailable::Busy {
                queue: places,
                retry_after: Duration::from_secs(2),
            });
        }
        queue.push_back(job);
        drop(queues);
        self.wake.notify_one();
        Ok(())
    }

    /// Lets the threads end once they have done what waits.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.wake.notify_all();
    }

    /// What a thread does, until the pool has stopped.
    pub(super) fn run(&self) {
        step_back();
        let mut worker = Worker::default();
        while self.serve_next(&mut worker) {}
    }

    /// Does the next job, once there is one. False where the pool has stopped.
    fn serve_next(&self, worker: &mut Worker) -> bool {
        let Worker { memory, cohort } = worker;
        let next = self.lock().next();
        // Who could be answered waits neither for a job that isn't there yet nor for one that may take seconds.
        let is_short = |job: &Job| !job.is_dearer(self.settings.params);
        if !next.as_ref().is_some_and(is_short) {
            cohort.drain(..).for_each(Answer::tell);
        }
        let Some(job) = next.or_else(|| self.wait(memory)) else {
            return false;
        };
        cohort.extend(job.run(self.settings.params, memory));
        if cohort.len() as u64 >= self.cohort() {
            cohort.drain(..).for_each(Answer::tell);
        }
        true
    }

    /// The next job. None once the pool has stopped.
    fn wait(&self, memory: &mut Memory) -> Option<Job> {
        let mut queues = self.lock();
        loop {
            if let Some(job) = queues.next() {
                return Some(job);
            }
            if queues.stopped {
                return None;
            }
            queues = if memory.is_empty() {
                self.wake.wait(queues).unwrap_or_else(PoisonError::into_inner)
            } else {
                let woken = self.wake.wait_timeout(queues, MEMORY_KEPT);
                let (queues, waited) = woken.unwrap_or_else(PoisonError::into_inner);
                if waited.timed_out() {
                    *memory = Memory::default();
                }
                queues
            };
        }
    }
}

impl Queues {
    /// Takes the job that is next, of the lanes in turn.
    fn next(&mut self) -> Option<Job> {
        (0..2).find_map(|turn| {
            let lane = (self.turn + turn) % 2;
            let job = self.lanes[lane].pop_front()?;
            self.turn = (lane + 1) % 2;
            Some(job)
        })
    }
}

/// Lets all else go first where processors are short: what a page needs takes microseconds, and would wait for a hash that takes
/// milliseconds. On Linux a thread has a priority of its own.
fn step_back() {
    #[cfg(target_os = "linux")]
    {
        const NICE: i32 = 5;
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            tracing::debug!(%error, "hashes are made with the priority of all else");
        }
    }
}

#[cfg(test)]
mod tests {
    use keyback_core::random::SystemRandom;
    use tokio::sync::oneshot;
    use zeroize::Zeroizing;

    use super::super::work::{self, HashError, HashParams, SALT_BYTES};
    use super::*;

    /// A pool without threads: its jobs are done by whoever calls `serve_next`.
    fn bench() -> Shared {
        let params = HashParams {
            memory_kib: 64,
            iterations: 1,
            parallelism: 1,
        };
        Shared::new(PoolSettings {
            params,
            threads: 1,
            queue: 64,
        })
    }

    fn ask(shared: &Shared) -> oneshot::Receiver<Result<String, HashError>> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Hash {
            password: Zeroizing::new(b"violet otter paddles".to_vec()),
            salt: [7; SALT_BYTES],
            reply,
        };
        shared.push(Lane::SignIn, job).unwrap();
        answer
    }

    #[test]
    fn answers_are_given_together_while_there_is_more_to_hash_and_at_once_where_there_is_not() {
        let (shared, mut worker) = (bench(), Worker::default());
        let cohort = usize::try_from(COHORT).unwrap();
        let mut asked: Vec<_> = (0..=cohort).map(|_| ask(&shared)).collect();
        let told = |asked: &mut [oneshot::Receiver<_>]| {
            let answered = asked.iter_mut().filter_map(|answer| answer.try_recv().ok());
            answered.filter(Result::is_ok).count()
        };
        for _ in 1..cohort {
            assert!(shared.serve_next(&mut worker));
            assert_eq!(told(&mut asked), 0);
        }
        assert!(shared.serve_next(&mut worker));
        assert_eq!(told(&mut asked), cohort);
        assert!(shared.serve_next(&mut worker));
        assert_eq!(told(&mut asked), 0, "there might be more to hash");
        shared.stop();
        assert!(!shared.serve_next(&mut worker));
        assert_eq!(told(&mut asked), 1);
    }

    #[test]
    fn sr50_nobody_who_could_be_answered_waits_for_a_dearer_hash() {
        let (shared, mut worker) = (bench(), Worker::default());
        let mut first = ask(&shared);
        let (reply, mut other) = oneshot::channel();
        let costly = HashParams {
            iterations: 2,
            ..shared.settings.params
        };
        let job = Job::Verify {
            password: Zeroizing::new(b"violet otter paddles".to_vec()),
            phc: work::decoy(costly, &SystemRandom).unwrap().into(),
            reply,
        };
        shared.push(Lane::SignIn, job).unwrap();
        assert!(shared.serve_next(&mut worker));
        assert!(first.try_recv().is_err());
        assert!(shared.serve_next(&mut worker));
        assert!(first.try_recv().is_ok_and(|hash| hash.is_ok()));
        assert!(other.try_recv().is_err(), "it comes with those after it");
    }

    #[test]
    fn a_cohort_is_as_large_as_its_hashes_are_cheap() {
        let cohort = |memory_kib, iterations| {
            let mut settings = *bench().settings();
            settings.params.memory_kib = memory_kib;
            settings.params.iterations = iterations;
            Shared::new(settings).cohort()
        };
        assert_eq!(cohort(64, 1), 4);
        assert_eq!(cohort(19_456, 2), 4);
        assert_eq!(cohort(47_104, 1), 3);
        assert_eq!(cohort(65_536, 3), 1);
        assert_eq!(cohort(256 * 1_024, 64), 1);
    }

    #[test]
    fn who_has_an_answer_gets_it_though_the_next_hash_panics() {
        let (shared, mut worker) = (bench(), Worker::default());
        let (mut first, _second) = (ask(&shared), ask(&shared));
        assert!(shared.serve_next(&mut worker));
        assert!(first.try_recv().is_err());
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            let _worker = worker;
            panic!("as of a hash");
        }));
        assert!(unwound.is_err());
        assert!(first.try_recv().is_ok_and(|hash| hash.is_ok()));
    }
}
