//! Who owns the accounts. The embedded backend keeps them in Keyback's own store.

pub mod checked_password;
pub mod embedded;
pub mod freeze;
pub mod reset_rows;
