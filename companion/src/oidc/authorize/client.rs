//! `client_id`: an app we know, that has people who sign in.

use std::sync::Arc;

use keyback_core::time::Timestamp;

use super::super::Inner;
use super::super::pages::ErrorKind;
use super::super::params::Params;
use super::super::registry::App;
use super::Refusal;

/// The app of a request, where it is at hand and people sign in to it.
pub(super) fn at_hand(inner: &Inner, params: &Params, now: Timestamp) -> Option<Arc<App>> {
    inner
        .registry
        .at_hand(named(params)?, now)
        .filter(|app| app.has_people())
}

fn named(params: &Params) -> Option<&str> {
    params
        .one("client_id")
        .filter(|_| !params.is_repeated("client_id"))
}

pub(super) async fn check(inner: &Inner, params: &Params, now: Timestamp) -> Result<Arc<App>, Refusal> {
    let unknown = || {
        Refusal::new(
            ErrorKind::UnknownApp,
            "The sign-in request names no app that is registered here. The app’s operator must check its client_id.",
        )
    };
    let client_id = named(params).ok_or_else(unknown)?;
    match inner.registry.find_to_begin(client_id, now).await {
        Ok(Some(app)) if app.has_people() => Ok(app),
        Ok(Some(_)) => Err(Refusal::new(
            ErrorKind::UnknownApp,
            "The app that sent you here is registered as a machine, and people don't sign in to machines. Its \
             operator must register it with another type.",
        )),
        Ok(None) => Err(unknown()),
        Err(error) => {
            tracing::error!(%error, "the app of an authorization request could not be looked up");
            Err(Refusal::failure())
        }
    }
}
