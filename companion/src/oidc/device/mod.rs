//! Signing in on a device without a browser (RFC 8628): the device asks here, the person answers on the pages, and the
//! device fetches its tokens at the token endpoint (`token/device_code.rs`).

mod answer;
mod authorization;
mod user_code;

pub use answer::{Answered, DeviceRequest};
pub(super) use authorization::post;
pub use user_code::UserCode;
pub(super) use user_code::UserCodeKeys;
