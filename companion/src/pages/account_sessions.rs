//! Signing out other browsers, or everything. Each button posts what it ends; the page is asked for again after it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::account::{ask_to_sign_in, back, signed_in};
use super::bad_request;
use super::destination::AccountPage;
use super::request::Posted;
use super::respond::{PageError, PageResult, see_other, with_cookie};
use crate::app::Companion;
use crate::store::sessions::{self, Session};
use crate::store::users::User;
use crate::store::{StoreError, Transaction, audit};
use crate::views::account::Done;

pub(super) const PATH: &str = "/account/sessions";

pub(super) async fn post(State(companion): State<Arc<Companion>>, posted: Posted) -> Response {
    companion.answer(submit(&companion, &posted).await)
}

async fn submit(companion: &Companion, posted: &Posted) -> PageResult {
    let Some((here, user)) = signed_in(companion, &posted.asked).await? else {
        return ask_to_sign_in(AccountPage::Account);
    };
    match posted.form.one("end") {
        None => Ok(bad_request(companion, "the form doesn't say what to sign out")),
        Some("everywhere") => everywhere(companion, posted, &user).await,
        Some("others") => {
            end(companion, posted, &user, |session| session.id != here.id).await?;
            back(Done::Others)
        }
        // A session that is not theirs, or has ended meanwhile, is not there to be ended; nor is this one, which has
        // a page of its own that also takes the cookie.
        Some(id) => {
            end(companion, posted, &user, |session| {
                session.id == id && id != here.id
            })
            .await?;
            back(Done::One)
        }
    }
}

/// Ends those of the person's sessions that are meant, and all that they gave, offline access too: the device may be in
/// other hands. Their apps are told.
async fn end(
    companion: &Companion,
    posted: &Posted,
    user: &User,
    is_meant: impl Fn(&Session) -> bool,
) -> Result<(), PageError> {
    let now = companion.clock.now();
    let mut tx = companion.store.begin().await?;
    let all = sessions::list(&mut *tx, &user.id, now).await?;
    let meant: Vec<_> = all.into_iter().filter(is_meant).collect();
    for session in &meant {
        companion.endings.evict_session(&mut tx, &session.id, now).await?;
        write_audit(companion, posted, &mut tx, user, "session_ended_by_user").await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    companion.endings.wake();
    Ok(())
}

/// Every session with this one, every token, every app's offline access, and whatever else could reset the account.
async fn everywhere(companion: &Companion, posted: &Posted, user: &User) -> PageResult {
    let mut tx = companion.store.begin().await?;
    let now = companion.clock.now();
    companion.endings.cut_off(&mut tx, &user.id, None, now).await?;
    write_audit(companion, posted, &mut tx, user, "signed_out_everywhere").await?;
    tx.commit().await.map_err(StoreError::from)?;
    companion.endings.wake();
    let cookie = companion.provider.sessions().clear_cookie();
    Ok(with_cookie(see_other("/signed-out")?, cookie))
}

pub(super) async fn write_audit(
    companion: &Companion,
    posted: &Posted,
    tx: &mut Transaction,
    user: &User,
    event: &str,
) -> Result<(), StoreError> {
    let address = posted.asked.address.to_string();
    let line = audit::Line {
        at: companion.clock.now(),
        event,
        actor: audit::Actor::User,
        subject: Some(&user.id),
        identifier: None,
        client_id: None,
        client_ip: Some(&address),
    };
    audit::write(&mut **tx, companion.random.as_ref(), &line).await
}
