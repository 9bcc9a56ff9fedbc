//! The reset flow: a struct per state, an enum over them, a file per step.
//!
//! | step | file | from | to |
//! |---|---|---|---|
//! | identify | `identify.rs` | nothing | `AwaitingCode` |
//! | bring a one-time token | `token.rs` | nothing | `AwaitingPassword`, and a proof goes out |
//! | resend | `resend.rs` | `AwaitingCode` | `AwaitingCode`, another challenge |
//! | verify | `verify.rs` | `AwaitingCode` | `AwaitingPassword`, and a proof goes out |
//! | set the password | `set_password.rs` | `AwaitingPassword` | a `ProvenReset`, or one refused password more |
//! | complete | `complete.rs` | `ProvenReset` | `Completed` |
//!
//! Every transition takes `self`, so that a state is left once; it raises the flow's version by one, and the store writes
//! it by compare-and-swap, so that it is left once in the world too. A flow that is given up has no state: it is taken away. `service/` runs the steps over the ports.

mod challenge;
mod complete;
mod flow;
mod identify;
mod resend;
mod service;
mod set_password;
mod settings;
mod token;
mod verify;
mod view;

pub use challenge::{Challenge, CheckedChallenge, CountedChallenge};
pub use complete::{Completed, Receipt};
pub use flow::{FlowState, ResetFlow};
pub use identify::{Opened, ResetRequest};
pub use resend::Reissued;
pub use service::{ResetParts, ResetService};
pub use set_password::{AwaitingPassword, ProvenReset, SetPasswordRequest};
pub use settings::{Channels, Issuing, ResetSettings};
pub use token::{ConsumedToken, OpenedByToken, TokenFlow, TokenRequest};
pub use verify::{Accepted, AwaitingCode, VerifyRequest};
