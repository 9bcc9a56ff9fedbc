//! "It wasn't me": where the link of a notice leads. Looking at it does nothing, its button freezes the account (SR-59).
//!
//! The link holds the one secret that stands in an address: it comes by mail, works anywhere, and all it can do is
//! freeze. The form carries it in its body, and the pages after it have it no more.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use keyback_core::secret::FreezeToken;

use super::request::{Asked, Posted};
use super::respond::{PageResult, see_other};
use crate::app::Companion;
use crate::backends::freeze::Contest;
use crate::http::forms::Fields;
use crate::store::{former_addresses, freeze_links};
use crate::time_text;
use crate::views::NotMe;
use crate::views::not_me::State as Shown;

pub(super) const PATH: &str = "/not-me";
pub(super) const FROZEN_PATH: &str = "/not-me/frozen";
const RESET_URL: &str = "/reset-password";

/// The path and query of a link.
pub(crate) fn path(token: &str) -> String {
    format!("{PATH}?t={token}")
}

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(show(&companion, &asked).await)
}

pub(super) async fn post(State(companion): State<Arc<Companion>>, posted: Posted) -> Response {
    companion.answer(submit(&companion, &posted).await)
}

/// Where the button leads. It says what to do next and shows nothing of an account, so that it needs no proof.
pub(super) async fn frozen(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    let shown = if asked.query.one("n") == Some("ask") {
        Shown::FrozenForTheOperator
    } else {
        Shown::Frozen { reset_url: RESET_URL }
    };
    page(&companion, StatusCode::OK, shown)
}

async fn show(companion: &Companion, asked: &Asked) -> PageResult {
    let Some(token) = token_of(&asked.query) else {
        return Ok(stale(companion));
    };
    let now = companion.clock.now();
    let Some(link) = freeze_links::find(companion.store.reader(), &token, now).await? else {
        return Ok(stale(companion));
    };
    let changed_at = time_text::exact(link.changed_at());
    let text = token.reveal();
    let shown = Shown::Asked {
        action: PATH,
        token: &text,
        changed_at: &changed_at,
    };
    Ok(page(companion, StatusCode::OK, shown))
}

async fn submit(companion: &Companion, posted: &Posted) -> PageResult {
    let asked = &posted.asked;
    let Some(token) = token_of(&posted.form) else {
        return Ok(stale(companion));
    };
    let address = asked.address.to_string();
    let contest = Contest {
        client_ip: &address,
        user_agent: asked.user_agent(),
        now: companion.clock.now(),
    };
    let Some(user) = companion.backend.freeze(&token, contest).await? else {
        return Ok(stale(companion));
    };
    let addresses = former_addresses::resettable_over(companion.store.reader(), &user, contest.now).await?;
    let reaches_owner = addresses
        .iter()
        .any(|address| companion.connectors.reaches(address));
    if reaches_owner {
        see_other(FROZEN_PATH)
    } else {
        see_other(&format!("{FROZEN_PATH}?n=ask"))
    }
}

fn token_of(fields: &Fields) -> Option<FreezeToken> {
    FreezeToken::parse(fields.one("t")?).ok()
}

fn stale(companion: &Companion) -> Response {
    let shown = Shown::Stale {
        reset_url: companion.connectors.any().then_some(RESET_URL),
    };
    page(companion, StatusCode::GONE, shown)
}

fn page(companion: &Companion, status: StatusCode, state: Shown<'_>) -> Response {
    let view = NotMe {
        shell: companion.shell(),
        state,
    };
    companion.page(status, &view, &[])
}
