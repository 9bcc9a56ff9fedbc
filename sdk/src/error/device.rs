use super::{Fault, Remedy, Verdict, verdict};

/// Why a sign-in on a device ended without a session (RFC 8628 section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// Nobody confirmed the code in time.
    #[error("nobody confirmed the code in time: show a new one")]
    Expired,
    /// The person declined.
    #[error("the person declined the sign-in (access_denied)")]
    Denied,
}

impl DeviceError {
    pub(super) fn verdict(self) -> Verdict {
        match self {
            Self::Expired => verdict("device.expired", Fault::Visitor, Remedy::SignInAgain),
            Self::Denied => verdict("device.denied", Fault::Visitor, Remedy::SignInAgain),
        }
    }
}
