//! The links of reset mails: a code, and where it belongs, sealed.
//!
//! Nothing rests of a link but the job that sends it. It opens no step by itself: the code goes the way of a typed one.

use std::fmt;
use std::sync::Arc;

use keyback_core::ids::{ChallengeId, FlowId};
use keyback_core::one_time_code::OneTimeCode;
use keyback_core::ports::CodeJob;
use keyback_core::random::Random;
use zeroize::Zeroizing;

use crate::secrets::Sealer;

/// What is sealed is a link of a reset: nothing else that this key seals may pass for one.
const CONTEXT: &[u8] = b"reset-link";
/// Longer than any link of ours: what a stranger sends is not decoded at any size.
const LONGEST: usize = 256;
/// Stands in no id and in no code.
const BETWEEN: char = '.';

/// Writes and reads links. Cheap to clone.
#[derive(Clone)]
pub struct ResetLinks {
    sealer: Sealer,
    random: Arc<dyn Random>,
}

/// What a link says: which code, and where it may be tried.
#[derive(Debug)]
pub struct ResetLink {
    pub flow_id: FlowId,
    pub challenge_id: ChallengeId,
    pub code: OneTimeCode,
}

impl ResetLinks {
    pub fn new(sealer: Sealer, random: Arc<dyn Random>) -> Self {
        Self { sealer, random }
    }

    /// The text that the link of a code carries.
    pub fn seal(&self, job: &CodeJob) -> Zeroizing<String> {
        let (flow, challenge, code) = (&job.flow_id, &job.challenge_id, job.code.reveal());
        let plain = Zeroizing::new(format!("{flow}{BETWEEN}{challenge}{BETWEEN}{code}"));
        Zeroizing::new(
            self.sealer
                .seal_text(self.random.as_ref(), CONTEXT, plain.as_bytes()),
        )
    }

    /// Reads the text of a link. `None`: it is none of ours, was changed, or its key is gone.
    pub fn open(&self, text: &str) -> Option<ResetLink> {
        if text.len() > LONGEST {
            return None;
        }
        let plain = self.sealer.open_text(CONTEXT, text).ok()?;
        let mut parts = std::str::from_utf8(&plain).ok()?.splitn(3, BETWEEN);
        Some(ResetLink {
            flow_id: FlowId::new(parts.next()?),
            challenge_id: ChallengeId::new(parts.next()?),
            code: OneTimeCode::parse(parts.next()?).ok()?,
        })
    }
}

impl fmt::Debug for ResetLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResetLinks(..)")
    }
}

#[cfg(test)]
mod tests {
    use keyback_core::identifier::Identifier;
    use keyback_core::ids::JobId;
    use keyback_core::testing::SeededRandom;
    use keyback_core::time::Timestamp;

    use super::*;
    use crate::secrets::{Purpose, RootKey, RootKeys};

    /// SR-30, SR-31: a link gives back what went into it, says none of it, and can't be made or changed by others.
    #[test]
    fn sr30_a_link_is_sealed_and_no_other_text_is_one() {
        let random = Arc::new(SeededRandom::new(30));
        let root_keys = RootKeys::new(vec![RootKey::generate(random.as_ref())]).unwrap();
        let sealer = root_keys.sealer(Purpose::ResetLinks);
        let links = ResetLinks::new(sealer.clone(), Arc::clone(&random) as _);
        let at = Timestamp::from_millis(0);
        let job = CodeJob {
            id: JobId::draw(random.as_ref()),
            flow_id: FlowId::draw(random.as_ref()),
            challenge_id: ChallengeId::draw(random.as_ref()),
            identifier: Identifier::parse("ada@example.com").unwrap(),
            code: OneTimeCode::parse("004217").unwrap(),
            client_id: None,
            created_at: at,
            run_at: at,
            expires_at: at,
        };
        let text = links.seal(&job);
        assert!(text.len() < LONGEST && !text.contains("004217"));
        let link = links.open(&text).unwrap();
        assert_eq!(
            (&link.flow_id, &link.challenge_id),
            (&job.flow_id, &job.challenge_id)
        );
        assert_eq!(link.code.reveal(), "004217");
        assert!(!format!("{link:?} {links:?}").contains("004217"));

        let mut changed = text.as_bytes().to_vec();
        let last = changed.len() - 2;
        changed[last] = if changed[last] == b'A' { b'B' } else { b'A' };
        let longer = format!("{}{}", text.as_str(), "A".repeat(LONGEST));
        let other_place = sealer.seal_text(random.as_ref(), b"elsewhere", b"flow.challenge.004217");
        let no_code = sealer.seal_text(random.as_ref(), CONTEXT, b"flow.challenge.no code");
        for forged in [
            "",
            "004217",
            std::str::from_utf8(&changed).unwrap(),
            &longer,
            &other_place,
            &no_code,
        ] {
            assert!(links.open(forged).is_none(), "{forged}");
        }
    }
}
