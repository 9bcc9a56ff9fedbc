//! A job of the pool, and its answer.

use std::sync::Arc;

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::memory::Memory;
use super::work::{self, HashError, HashParams, SALT_BYTES, Verdict};

pub(super) enum Job {
    Hash {
        password: Zeroizing<Vec<u8>>,
        salt: [u8; SALT_BYTES],
        reply: oneshot::Sender<Result<String, HashError>>,
    },
    Verify {
        password: Zeroizing<Vec<u8>>,
        phc: Arc<str>,
        reply: oneshot::Sender<Result<Verdict, HashError>>,
    },
}

/// What a job has found, for whoever waits for it.
pub(super) enum Answer {
    Hash(
        oneshot::Sender<Result<String, HashError>>,
        Result<String, HashError>,
    ),
    Verify(
        oneshot::Sender<Result<Verdict, HashError>>,
        Result<Verdict, HashError>,
    ),
}

impl Job {
    /// Whether nobody waits for it any more.
    pub(super) fn is_abandoned(&self) -> bool {
        match self {
            Self::Hash { reply, .. } => reply.is_closed(),
            Self::Verify { reply, .. } => reply.is_closed(),
        }
    }

    /// Whether it takes clearly longer than a hash of today's cost.
    pub(super) fn is_dearer(&self, params: HashParams) -> bool {
        match self {
            Self::Hash { .. } => false,
            Self::Verify { phc, .. } => work::is_dearer(phc, params),
        }
    }

    /// Does the work. None where nobody waits for it any more.
    pub(super) fn run(self, params: HashParams, memory: &mut Memory) -> Option<Answer> {
        if self.is_abandoned() {
            return None;
        }
        Some(match self {
            Self::Hash {
                password,
                salt,
                reply,
            } => Answer::Hash(reply, work::hash(&password, &salt, params, memory)),
            Self::Verify { password, phc, reply } => {
                Answer::Verify(reply, work::verify(&password, &phc, params, memory))
            }
        })
    }
}

impl Answer {
    /// An answer that nobody waits for any more is not worth a message.
    pub(super) fn tell(self) {
        match self {
            Self::Hash(reply, hash) => drop(reply.send(hash)),
            Self::Verify(reply, verdict) => drop(reply.send(verdict)),
        }
    }
}
