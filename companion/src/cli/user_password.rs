//! The first password of an account, from standard input: it keeps the policy as any other.

use std::io::Read as _;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use keyback_core::password::{NewPassword, NoPassword, PasswordRejection, UserFacts};
use keyback_core::random::SystemRandom;
use keyback_core::time::{Clock as _, SystemClock};
use zeroize::Zeroizing;

use crate::app::password_gate;
use crate::breakers::Breakers;
use crate::config::Config;
use crate::hashing::{HashPool, Lane, PoolSettings};
use crate::metrics::Metrics;
use crate::pages::password_rules::words_of;
use crate::store::users::NewUser;

/// Reads the password of a new account up to the first line end, and hashes it.
pub(super) async fn hash_from_stdin(config: &Config, new: &NewUser) -> Result<String> {
    let mut typed = Zeroizing::new(String::new());
    std::io::stdin()
        .take(8 * 1024)
        .read_to_string(&mut typed)
        .context("the password can't be read")?;
    let typed = typed.lines().next().unwrap_or_default();
    let password = NewPassword::parse(typed)?;
    let facts = UserFacts {
        name: new.name.clone(),
        username: new.username.clone(),
        email: new.email.clone(),
        phone: new.phone.clone(),
    };
    let metrics = Metrics::new(SystemClock.now());
    let breakers = Breakers::new(Arc::new(SystemClock), Arc::new(SystemRandom), metrics);
    let password = match password_gate(config, &breakers)?
        .accept(password, &facts, &NoPassword)
        .await?
    {
        Ok(password) => password,
        Err(PasswordRejection::Weak(violations)) => {
            bail!(
                "the password breaks the policy:\n  {}",
                words_of(&violations).join("\n  ")
            );
        }
        Err(PasswordRejection::CheckUnavailable) => {
            bail!("breached passwords can't be looked up; try again, or set [password.breached] when_down")
        }
    };
    let settings = PoolSettings {
        params: config.hashing.params(),
        threads: 1,
        queue: 2,
    };
    let pool = HashPool::start(settings, Arc::new(SystemRandom))?;
    Ok(pool.hash(Lane::SignIn, password.expose()).await?)
}
