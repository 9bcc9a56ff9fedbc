//! Life times and counts of the flow, and what its transitions draw and digest with.

use std::time::Duration;

use crate::identifier::IdentifierKind;
use crate::one_time_code::CodeKeyring;
use crate::random::Random;
use crate::time::Timestamp;

/// Life times and counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResetSettings {
    /// Which connectors there are.
    pub channels: Channels,
    /// How long a flow lives in all.
    pub flow_life: Duration,
    /// How long a code lives: ten minutes at most (SR-17).
    pub code_life: Duration,
    /// How often a code may be tried (SR-19).
    pub code_attempts: u32,
    /// How long a flow waits between two codes.
    pub resend_cooldown: Duration,
    /// How long a proof lives (SR-27).
    pub proof_life: Duration,
    /// How many passwords may be refused before the proof is void (SR-46).
    pub password_tries: u32,
}

/// Over which channels a code can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// There is a valid e-mail connector.
    pub email: bool,
    /// There is a valid SMS connector.
    pub phone: bool,
}

/// What a new challenge or proof is made with.
#[derive(Clone, Copy)]
pub struct Issuing<'a> {
    /// The keys of the code's digest.
    pub keyring: &'a CodeKeyring,
    /// Where codes, ids and secrets are drawn from.
    pub random: &'a dyn Random,
    /// Life times and counts.
    pub settings: &'a ResetSettings,
    /// How much later than now a code is sent.
    pub send_after: Duration,
    /// The present moment.
    pub now: Timestamp,
}

impl Default for ResetSettings {
    fn default() -> Self {
        Self {
            channels: Channels {
                email: true,
                phone: true,
            },
            flow_life: Duration::from_secs(3_600),
            code_life: Duration::from_secs(600),
            code_attempts: 5,
            resend_cooldown: Duration::from_secs(60),
            proof_life: Duration::from_secs(600),
            password_tries: 20,
        }
    }
}

impl Channels {
    /// Whether this kind of identifier can be reached.
    pub const fn serve(self, kind: IdentifierKind) -> bool {
        match kind {
            IdentifierKind::Email => self.email,
            IdentifierKind::Phone => self.phone,
        }
    }

    /// Whether anybody can be reached: only then is "Forgot password" shown.
    pub const fn any(self) -> bool {
        self.email || self.phone
    }
}
