//! What the domain asks of the world. The companion's adapters answer it; the domain's tests answer it in memory.
//!
//! An adapter's error is a [`Failure`]: it is logged with its source and never shown. What a visitor may be told is never
//! an error but a value of the `Ok` side.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use crate::event::{Event, Visitor};
use crate::identifier::Identifier;
use crate::ids::{ChallengeId, FlowId, JobId, Subject};
use crate::one_time_code::OneTimeCode;
use crate::outcome::Answer;
use crate::password::{AcceptedPassword, NewPassword, UserFacts};
use crate::rate_limit::{CodeRoom, Crowded, IdentifierHash, LimitKey, LiveCode, TheoreticalArrival};
use crate::reset::{
    Challenge, ConsumedToken, CountedChallenge, OpenedByToken, ProvenReset, Receipt, ResetFlow,
};
use crate::secret::SecretDigest;
use crate::time::Timestamp;

/// Flows, challenges and the jobs that carry codes.
///
/// A flow is saved by compare-and-swap: a transition raises its version by one, and the write happens only while the
/// store still holds [`ResetFlow::replaces_version`].
pub trait ResetStore: Send + Sync + 'static {
    /// Writes a new flow with its first challenge, the job that sends its code, and the event: all or nothing, and nothing
    /// where [`SentCode::room`] admits no further code beside those that are live for the identifier then (SR-22).
    ///
    /// It looks no account up, and does the same for every identifier (SR-1, SR-2, SR-26).
    fn begin(&self, sent: &SentCode<'_>) -> impl Future<Output = Answer<(), Crowded>> + Send;

    /// The codes that are live for an identifier: neither expired nor superseded, and of no flow that is over. It looks no
    /// account up, and a code that was right counts on until it would have expired.
    fn live_codes(
        &self,
        identifier: &IdentifierHash,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<LiveCode>, Failure>> + Send;

    /// Uses a one-time token up and writes the flow and the event that `open` makes of it: all or nothing, and once in the
    /// world. `None`: no such token proves this address now, or nobody may reset over it; nothing was written.
    fn open_by_token(
        &self,
        token: &SecretDigest,
        identifier: &Identifier,
        now: Timestamp,
        open: impl FnOnce(ConsumedToken) -> (OpenedByToken, Event) + Send,
    ) -> impl Future<Output = Result<Option<OpenedByToken>, Failure>> + Send;

    /// Finds a flow, and the challenge that its state names.
    fn load(
        &self,
        id: &FlowId,
    ) -> impl Future<Output = Result<Option<(ResetFlow, Option<Challenge>)>, Failure>> + Send;

    /// Writes the flow and the event, unless somebody else was first.
    fn save(&self, flow: &ResetFlow, event: &Event) -> impl Future<Output = Result<Saved, Failure>> + Send;

    /// Writes the flow as [`save`](Self::save) does, and with it the challenge and the job that replace those of the
    /// same flow: the old challenge takes no attempt any more, its job is not delivered any more (SR-22). There must be room,
    /// as in [`begin`](Self::begin).
    fn supersede(&self, sent: &SentCode<'_>) -> impl Future<Output = Answer<Saved, Crowded>> + Send;

    /// Counts an attempt while fewer than `max` have been, in one atomic statement, and returns the challenge as it is
    /// then (SR-19). `None`: the attempts are used up, or the challenge is gone.
    fn count_attempt(
        &self,
        id: &ChallengeId,
        now: Timestamp,
        max: u32,
    ) -> impl Future<Output = Result<Option<CountedChallenge>, Failure>> + Send;

    /// Writes an event that comes with no other write.
    fn record(&self, event: &Event) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The rows behind the limits: for each key what [`LimitRule::take`](crate::rate_limit::LimitRule::take) has left.
pub trait LimitStore: Send + Sync + 'static {
    /// Runs `decide` over the rows of `keys`, in their order, so that nothing else runs over any of them in between, and
    /// keeps what it changes: one transaction for all the limits that a step asks.
    fn update<D: Send>(
        &self,
        keys: &[LimitKey],
        decide: impl FnOnce(&mut [Option<TheoreticalArrival>]) -> D + Send,
    ) -> impl Future<Output = Result<D, Failure>> + Send;
}

/// Who owns the accounts.
pub trait IdentityBackend: Send + Sync + 'static {
    /// What the policy must know of a user. `None`: there is no such user, or it may not sign in (any more).
    fn policy_facts(
        &self,
        subject: &Subject,
    ) -> impl Future<Output = Result<Option<UserFacts>, Failure>> + Send;

    /// Whether that is the user's password now. It costs one hash, bounded as all hashing is, and the same one where the
    /// user has no password; a hash that can't be read is nobody's password, or its owner could never replace it.
    ///
    /// Only for whoever has proved that the account is theirs: the answer tells about it (SR-45).
    fn has_password(
        &self,
        subject: &Subject,
        password: &NewPassword,
    ) -> impl Future<Output = Result<bool, Failure>> + Send;

    /// Sets the password and does all that follows from it: the flow is completed by [`ProvenReset::complete`] and
    /// compare-and-swap, sessions and tokens end, notices are queued, the audit trail is written. Where the backend has a
    /// store of its own, in one transaction (SR-53).
    fn complete(
        &self,
        completion: Completion,
    ) -> impl Future<Output = Result<CompleteOutcome, Failure>> + Send;
}

/// The password that a new one replaces, to be compared with it (SR-45).
pub trait ReplacedPassword: Send + Sync {
    /// Whether they are the same.
    fn is(&self, new: &NewPassword) -> impl Future<Output = Result<bool, Failure>> + Send;
}

/// A corpus of breached passwords, asked by the range protocol of Have I Been Pwned: five hex digits leave the house, no
/// more (SR-41).
pub trait BreachedPasswords: Send + Sync + 'static {
    /// The body of `GET {range URL}/{prefix}`: lines of `SUFFIX:COUNT`. The adapter asks for padding and has a time limit.
    fn range(&self, prefix: &str) -> impl Future<Output = Result<String, Failure>> + Send;
}

/// A flow that waits for a code, the challenge that the code answers, the job that sends it, and the event of it.
#[derive(Clone, Copy, Debug)]
pub struct SentCode<'a> {
    /// The flow, in state `AwaitingCode`.
    pub flow: &'a ResetFlow,
    /// Its challenge.
    pub challenge: &'a Challenge,
    /// The job that sends the code, if there is somebody to send it to.
    pub job: &'a CodeJob,
    /// What happened. It names the identifier and the client.
    pub event: &'a Event,
    /// How many codes of the identifier may be live.
    pub room: CodeRoom,
}

/// The order to send a code. The store keeps the code sealed, bound to the challenge, and erases it on delivery or expiry.
///
/// The worker that takes it looks the account up. If there is one that may reset, the worker binds its subject to the
/// challenge and only then sends; if not, the challenge stays a decoy and the job is done.
#[derive(Debug)]
pub struct CodeJob {
    /// The job; a retry sends the same message under the same id (SR-34).
    pub id: JobId,
    /// The flow that asked for the code.
    pub flow_id: FlowId,
    /// The challenge to bind the subject to.
    pub challenge_id: ChallengeId,
    /// Where the visitor says they are reached. The message goes to the address that the account holds (SR-11).
    pub identifier: Identifier,
    /// The code.
    pub code: OneTimeCode,
    /// The app that the message names.
    pub client_id: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// From when it may be sent.
    pub run_at: Timestamp,
    /// When the code is worth nothing any more, and so is the job.
    pub expires_at: Timestamp,
}

/// Whether a compare-and-swap took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// The flow was written.
    Saved,
    /// Somebody else had written it since it was loaded; nothing was written.
    Conflict,
}

/// All that completing a reset needs. To have one is to have proved control of the address and to hold a password that
/// keeps the policy.
#[derive(Debug)]
pub struct Completion {
    /// The flow, with its proof spent.
    pub reset: ProvenReset,
    /// The new password.
    pub password: AcceptedPassword,
    /// Who sent it, for the audit trail and the notices.
    pub visitor: Visitor,
    /// When.
    pub now: Timestamp,
}

/// How completing a reset went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompleteOutcome {
    /// The password is set.
    Completed(Receipt),
    /// The flow had moved on; nothing was changed.
    Conflict,
    /// The account is gone or may not sign in any more; nothing was changed.
    AccountUnavailable,
}

/// An adapter could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something of ours or below us broke.
    #[error("could not {action}")]
    Broken {
        /// What was asked, as a phrase: "load the flow".
        action: &'static str,
        /// What came from below. For the log alone.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// There is too much to do just now: the answer is 503 with Retry-After.
    #[error("too busy to {action}")]
    Busy {
        /// What was asked, as a phrase.
        action: &'static str,
        /// When to come back.
        retry_after: Duration,
    },
}

impl Failure {
    /// Something broke while it was asked to `action`.
    pub fn broken(action: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Broken {
            action,
            source: source.into(),
        }
    }

    /// There is too much to do to `action` now.
    pub const fn busy(action: &'static str, retry_after: Duration) -> Self {
        Self::Busy { action, retry_after }
    }
}
