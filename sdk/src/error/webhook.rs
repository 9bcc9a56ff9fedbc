use std::time::Duration;

use super::{Fault, Remedy, Verdict, verdict};

/// Why a webhook's delivery was not accepted. Each text says what to look at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The receiver was built without a key, or with an empty one.
    #[error("a signing key is missing: take it from the sender's configuration of the webhook")]
    NoKey,
    /// The header with the signature is not there.
    #[error(
        "the delivery has no {header} header: somebody else called, a proxy dropped it, or the receiver was built for another sender"
    )]
    Missing {
        /// The header.
        header: &'static str,
    },
    /// A header came twice: one of them is somebody else's.
    #[error("the delivery has the header {header} more than once")]
    Repeated {
        /// The header.
        header: &'static str,
    },
    /// A header does not have its form.
    #[error("the header {header} of the delivery is malformed")]
    Malformed {
        /// The header.
        header: &'static str,
    },
    /// No key made the signature.
    #[error(
        "the signature of the delivery is not right: compare the signing keys of both sides, and verify the body's bytes as they arrived"
    )]
    BadSignature,
    /// The delivery was signed too long ago: a repeat by somebody else, or a clock that is wrong.
    #[error("the delivery was signed {} s ago, which is too long: a replay, or one of the clocks is wrong", .age.as_secs())]
    TooOld {
        /// How long ago it was signed.
        age: Duration,
    },
    /// The delivery is signed with a time to come.
    #[error("the delivery was signed {} s from now: one of the clocks is wrong", .ahead.as_secs())]
    FromTheFuture {
        /// How far from now.
        ahead: Duration,
    },
    /// The body is signed, but no JSON object.
    #[error("the body of the delivery is not a JSON object")]
    NotJson,
    /// The body is signed, but names no event.
    #[error("the body of the delivery has no event")]
    NoEvent,
    /// The body is signed, but does not tell when it happened: a repeat could not be told from news.
    #[error("the body of the delivery has no createdAt")]
    NoTime,
    /// The same delivery is being handled now. The sender tries again; if it was handled by then, it is told so.
    #[error("the same delivery is being handled at this moment")]
    UnderWay,
    /// What the application does with deliveries has failed.
    #[error("the delivery is right, and could not be handled: {0}")]
    NotHandled(String),
    /// The body is signed, but its event does not have the shape this version knows.
    #[error("the event {event} does not have the shape that this version of keyback knows: update it")]
    UnknownShape {
        /// The event's name.
        event: String,
    },
}

impl WebhookError {
    /// The HTTP status to answer the sender with: 401 where the delivery may be somebody else's, 400 where it is the
    /// sender's and can't be read, 500 where the receiver is not set up or has failed. The companion tries again after each.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::NoKey | Self::NotHandled(_) => 500,
            Self::UnderWay => 503,
            Self::Missing { .. }
            | Self::Repeated { .. }
            | Self::Malformed { .. }
            | Self::BadSignature
            | Self::TooOld { .. }
            | Self::FromTheFuture { .. } => 401,
            Self::NotJson | Self::NoEvent | Self::NoTime | Self::UnknownShape { .. } => 400,
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::NoKey => verdict("webhook.no_key", Fault::Application, Remedy::FixApplication),
            Self::Missing { .. } => verdict("webhook.missing", Fault::Visitor, Remedy::FixApplication),
            Self::Repeated { .. } => verdict("webhook.repeated", Fault::Visitor, Remedy::FixApplication),
            Self::Malformed { .. } => verdict("webhook.malformed", Fault::Visitor, Remedy::FixApplication),
            Self::BadSignature => verdict("webhook.bad_signature", Fault::Visitor, Remedy::FixApplication),
            Self::TooOld { .. } => verdict("webhook.too_old", Fault::Visitor, Remedy::CheckClock),
            Self::FromTheFuture { .. } => {
                verdict("webhook.from_the_future", Fault::Provider, Remedy::CheckClock)
            }
            Self::NotJson => verdict("webhook.not_json", Fault::Provider, Remedy::AskProvider),
            Self::NoEvent => verdict("webhook.no_event", Fault::Provider, Remedy::AskProvider),
            Self::NoTime => verdict("webhook.no_time", Fault::Provider, Remedy::AskProvider),
            Self::UnderWay => verdict("webhook.under_way", Fault::Visitor, Remedy::RetryLater),
            Self::NotHandled(_) => verdict("webhook.not_handled", Fault::Application, Remedy::FixApplication),
            Self::UnknownShape { .. } => verdict(
                "webhook.unknown_shape",
                Fault::Application,
                Remedy::FixApplication,
            ),
        }
    }
}
