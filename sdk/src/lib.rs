//! Keyback SDK
