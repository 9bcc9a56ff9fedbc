//! Companion

pub mod messages;
pub mod views;
