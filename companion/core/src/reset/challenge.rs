//! Challenges: a code that was asked for, and the count of its tries. A row of its own, for it is written by others than
//! the flow: attempts by whoever tries, the subject by the worker that finds the account.

use super::settings::Issuing;
use crate::identifier::Identifier;
use crate::ids::{ChallengeId, FlowId, JobId, Subject};
use crate::one_time_code::{CodeContext, CodeDigest, CodeKeyring, OneTimeCode};
use crate::ports::CodeJob;
use crate::time::Timestamp;

/// One code, as it rests.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// Its name.
    pub id: ChallengeId,
    /// The flow that asked for it.
    pub flow_id: FlowId,
    /// The keyed digest of the code.
    pub code_digest: CodeDigest,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it is worth nothing any more.
    pub expires_at: Timestamp,
    /// How often a code was tried.
    pub attempts: u32,
    /// Whose reset it is, bound by the worker before it sends. Without one it is a decoy: its tries are counted alike, and
    /// no code is ever right (SR-26).
    pub subject: Option<Subject>,
}

/// A challenge after one more attempt was counted: the only kind that a code is compared with.
#[derive(Clone, Debug)]
pub struct CountedChallenge {
    /// How often a code was tried, this time included.
    pub attempts: u32,
    /// The keyed digest of the code.
    pub code_digest: CodeDigest,
    /// Whose reset it is; none for a decoy.
    pub subject: Option<Subject>,
}

/// A challenge whose code was right, and whose it is. It comes from [`CountedChallenge::check`] and from nowhere else.
#[derive(Debug)]
pub struct CheckedChallenge {
    pub(super) challenge_id: ChallengeId,
    pub(super) subject: Subject,
}

impl Challenge {
    /// Draws a code: the challenge that rests, and the job that sends it.
    pub(super) fn issue(
        flow_id: &FlowId,
        identifier: &Identifier,
        client_id: Option<&str>,
        with: Issuing<'_>,
    ) -> (Self, CodeJob) {
        let id = ChallengeId::draw(with.random);
        let code = OneTimeCode::draw(with.random);
        let context = CodeContext {
            flow_id,
            challenge_id: &id,
            identifier,
            client_id,
        };
        let code_digest = with.keyring.digest(&code, &context);
        let expires_at = with.now + with.settings.code_life;
        let job = CodeJob {
            id: JobId::draw(with.random),
            flow_id: flow_id.clone(),
            challenge_id: id.clone(),
            identifier: identifier.clone(),
            code,
            client_id: client_id.map(str::to_owned),
            created_at: with.now,
            run_at: with.now + with.send_after,
            expires_at,
        };
        let challenge = Self {
            id,
            flow_id: flow_id.clone(),
            code_digest,
            created_at: with.now,
            expires_at,
            attempts: 0,
            subject: None,
        };
        (challenge, job)
    }

    /// Whether its time is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }
}

impl CheckedChallenge {
    /// Whose code it was.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }
}

impl CountedChallenge {
    /// Whether the code is right, for somebody. `None` is the one answer to a wrong code and to any code of a decoy.
    pub fn check(
        self,
        keyring: &CodeKeyring,
        code: &OneTimeCode,
        context: &CodeContext<'_>,
    ) -> Option<CheckedChallenge> {
        // Compared for a decoy too: it costs the same.
        let right = keyring.matches(&self.code_digest, code, context);
        match self.subject {
            Some(subject) if right => Some(CheckedChallenge {
                challenge_id: context.challenge_id.clone(),
                subject,
            }),
            Some(_) | None => None,
        }
    }
}
