//! The moments of a reset at which tests end the process, as a power cut does: the boundaries of its transactions and
//! of its jobs. With the feature `fail-points`, which only the crate of the tests asks for, `KEYBACK_FAIL_AT` names
//! one, and the process ends by `SIGKILL` when it gets there, or where a `#` and a number stand behind the name, when it
//! gets there for so many a time; without it nothing is left of them.

use crate::outbox::JobKind;

#[cfg(all(feature = "fail-points", not(debug_assertions)))]
compile_error!("fail points are for tests: an optimised build must not have them");

/// What a transaction of a reset writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// The limits are counted.
    Limits,
    /// The flow begins, with its challenge and the job that sends the code.
    Begin,
    /// Another code takes the place of the last.
    Resend,
    /// The worker binds a challenge to its account.
    Bind,
    /// The worker counts a code that goes out as a text message.
    Admit,
    /// A try is counted.
    Attempt,
    /// A wrong code is told in the audit trail.
    Record,
    /// The right code gives the proof.
    Proof,
    /// A one-time token gives the proof, and begins its flow.
    Token,
    /// The password is set, with all that follows from it.
    Complete,
    /// The worker counts a notice that goes out as a text message.
    Count,
    /// The worker ends a job that is done.
    Settle,
    /// The worker sets a job that failed to be tried again.
    Retry,
    /// The worker ends a job that can't be done.
    GiveUp,
    /// The worker puts a job back as it was, since its peer is left alone.
    Leave,
    /// The sweep ends a job whose time is over.
    Expire,
    /// The account is frozen, since its owner contests the change.
    Freeze,
}

/// One of the moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailPoint {
    /// Everything of a transaction is written and nothing committed; of the limits, whose last statement takes the commit along,
    /// all but that statement.
    BeforeCommit(Write),
    /// A transaction is committed, and nobody knows it yet.
    AfterCommit(Write),
    /// A job is taken, and nothing of it done.
    Taken(JobKind),
    /// What a job delivers has arrived, and the job is still there.
    Delivered(JobKind),
    /// A job is gone.
    Done(JobKind),
}

impl FailPoint {
    /// All of a reset, which changes no address, and of its contest.
    pub fn all() -> impl Iterator<Item = Self> {
        let writes = [
            Write::Limits,
            Write::Begin,
            Write::Resend,
            Write::Bind,
            Write::Admit,
            Write::Attempt,
            Write::Record,
            Write::Proof,
            Write::Token,
            Write::Complete,
            Write::Count,
            Write::Settle,
            Write::Retry,
            Write::GiveUp,
            Write::Leave,
            Write::Expire,
            Write::Freeze,
        ];
        let of_writes = writes
            .into_iter()
            .flat_map(|write| [Self::BeforeCommit(write), Self::AfterCommit(write)]);
        let of_jobs = JobKind::ALL
            .into_iter()
            .filter(|kind| *kind != JobKind::AddressChanged)
            .flat_map(|kind| [Self::Taken(kind), Self::Delivered(kind), Self::Done(kind)]);
        of_writes.chain(of_jobs)
    }

    /// What `KEYBACK_FAIL_AT` calls it.
    pub fn name(self) -> String {
        match self {
            Self::BeforeCommit(write) => format!("before-commit:{write:?}"),
            Self::AfterCommit(write) => format!("after-commit:{write:?}"),
            Self::Taken(kind) => format!("taken:{}", kind.as_str()),
            Self::Delivered(kind) => format!("delivered:{}", kind.as_str()),
            Self::Done(kind) => format!("done:{}", kind.as_str()),
        }
    }

    /// Ends the process, where it is to end here.
    #[cfg(feature = "fail-points")]
    pub(crate) fn reach(self) {
        use std::sync::atomic::{AtomicU32, Ordering};

        use rustix::process::{Signal, getpid, kill_process};

        static TIMES: AtomicU32 = AtomicU32::new(0);
        let Ok(at) = std::env::var("KEYBACK_FAIL_AT") else {
            return;
        };
        let (name, wanted) = at.split_once('#').unwrap_or((&at, "1"));
        if name != self.name() {
            return;
        }
        let times = TIMES.fetch_add(1, Ordering::Relaxed) + 1;
        if wanted == times.to_string() {
            // Nothing can be done about a failure but to go on, and the test says that the process did.
            kill_process(getpid(), Signal::KILL).ok();
        }
    }

    /// Nothing.
    #[cfg(not(feature = "fail-points"))]
    #[expect(clippy::unused_self, reason = "what it is called on says where it stands")]
    pub(crate) const fn reach(self) {}
}
