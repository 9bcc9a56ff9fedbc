//! `keyback user show`: an account, and who its person is to relying parties.

use anyhow::Result;

use super::open;
use super::user::{Named, find};
use crate::profile::Profile;
use crate::store::credentials;
use crate::time_text;

pub(super) async fn run(named: &Named) -> Result<()> {
    let (config, store) = open::store(&named.config).await?;
    let user = find(&config, &store, &named.account).await?;
    let has_password = credentials::find_password_hash(store.reader(), &user.id)
        .await?
        .is_some();
    let addresses = [
        ("email", &user.email, user.email_verified),
        ("phone", &user.phone, user.phone_verified),
    ];
    line("id", &user.id);
    line("status", user.status.as_str());
    for (label, value) in [("name", &user.name), ("username", &user.username)] {
        if let Some(value) = value {
            line(label, value);
        }
    }
    for (label, address, is_verified) in addresses {
        if let Some(address) = address {
            let verified = if is_verified { "verified" } else { "not verified" };
            line(label, &format!("{address} ({verified})"));
        }
    }
    line("password", if has_password { "set" } else { "none yet" });
    line("created", &time_text::rfc3339(user.created_at()));
    line("updated", &time_text::rfc3339(user.updated_at()));
    for (field, value) in Profile::from_stored(&user.profile).iter() {
        line(field.name(), value);
    }
    store.close().await;
    Ok(())
}

/// A label and its value; the further lines of a value stand under its first.
fn line(label: &str, value: &str) {
    let value = value.replace('\n', &format!("\n{:23}", ""));
    println!("{label:<22} {value}");
}
