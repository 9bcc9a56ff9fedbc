//! The names of things: opaque texts, one type for each kind, so that they can't be mixed up.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::random::{self, Random};

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes a text that came from the store or from the visitor: an id proves nothing by itself.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

opaque_id! {
    /// A reset flow. Not a secret: the browser's binding is.
    FlowId
}
opaque_id! {
    /// A challenge: one code sent, or pretended to be sent.
    ChallengeId
}
opaque_id! {
    /// A job of the outbox.
    JobId
}
opaque_id! {
    /// A user: the `sub` of OIDC Core section 2, twelve characters, never reused.
    Subject
}

impl FlowId {
    /// A new flow's id (128 bits).
    pub fn draw(random: &dyn Random) -> Self {
        Self(random::token::<16>(random))
    }
}

impl ChallengeId {
    /// A new challenge's id (128 bits).
    pub fn draw(random: &dyn Random) -> Self {
        Self(random::token::<16>(random))
    }
}

impl JobId {
    /// A new job's id (128 bits).
    pub fn draw(random: &dyn Random) -> Self {
        Self(random::token::<16>(random))
    }
}

impl Subject {
    /// A new user's id.
    pub fn draw(random: &dyn Random) -> Self {
        Self(random::short_id(random))
    }
}
