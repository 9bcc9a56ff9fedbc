//! Companion
