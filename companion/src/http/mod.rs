//! The hyper serving loop and the guards every request passes, a file each.

pub mod client_ip;
pub mod content_type;
pub mod cookies;
pub mod csrf;
pub mod encoding;
pub mod forms;
pub mod headers;
pub mod host;
mod in_one_piece;
pub mod page_encoding;
pub mod server;
