//! Taking an app's access away: its consent, its tokens, and its session, of which it is told.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::account::{ask_to_sign_in, back, signed_in};
use super::bad_request;
use super::destination::AccountPage;
use super::request::Posted;
use super::respond::PageResult;
use crate::app::Companion;
use crate::store::{StoreError, audit};
use crate::views::account::Done;

pub(super) const PATH: &str = "/account/apps";

pub(super) async fn post(State(companion): State<Arc<Companion>>, posted: Posted) -> Response {
    companion.answer(submit(&companion, &posted).await)
}

async fn submit(companion: &Companion, posted: &Posted) -> PageResult {
    let Some((_, user)) = signed_in(companion, &posted.asked).await? else {
        return ask_to_sign_in(AccountPage::Account);
    };
    let Some(client_id) = posted.form.one("remove") else {
        return Ok(bad_request(companion, "the form doesn't say which app is meant"));
    };
    let now = companion.clock.now();
    let address = posted.asked.address.to_string();
    let mut tx = companion.store.begin().await?;
    let had_something = companion
        .endings
        .withdraw(&mut tx, &user.id, client_id, now)
        .await?;
    if !had_something {
        // Removed meanwhile, or no app at all. What was posted is written nowhere.
        return back(Done::Removed);
    }
    let line = audit::Line {
        at: now,
        event: "app_access_removed",
        actor: audit::Actor::User,
        subject: Some(&user.id),
        identifier: None,
        client_id: Some(client_id),
        client_ip: Some(&address),
    };
    audit::write(&mut *tx, companion.random.as_ref(), &line).await?;
    tx.commit().await.map_err(StoreError::from)?;
    companion.endings.wake();
    back(Done::Removed)
}
