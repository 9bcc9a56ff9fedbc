//! The page behind the link of a reset mail (SR-30). Looking at it does nothing and tells nothing: in the browser that asked,
//! its button sends the code where a typed one goes; in any other, only the answer to its button shows the code, to be typed
//! where it was asked for. So an image of the page that a scanner publishes holds no code. Its address still leads to one, for
//! whoever presses while it works; and whoever asked can use that.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use keyback_core::outcome::{LinkView, VerifyRejection};
use keyback_core::rate_limit::ClientPrefix;
use keyback_core::time::Timestamp;

use super::destination::Destination;
use super::flow_cookie::FlowCookie;
use super::request::{Asked, Posted};
use super::respond::{PageResult, see_other};
use crate::app::Companion;
use crate::http::forms::Fields;
use crate::reset_links::ResetLink;
use crate::secrets::digest_of;
use crate::store::StoreError;
use crate::store::audit::{self, Actor, Line};
use crate::views;
use crate::views::reset_link::State as Shown;

pub(super) const PATH: &str = "/forgot-password/link";
const RESET_URL: &str = "/reset-password";

/// The path and query of a link.
pub(crate) fn path(token: &str) -> String {
    format!("{PATH}?t={token}")
}

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(show(&companion, &asked, Seen::Link(&asked.query)).await)
}

pub(super) async fn post(State(companion): State<Arc<Companion>>, posted: Posted) -> Response {
    companion.answer(show(&companion, &posted.asked, Seen::Pressed(&posted.form)).await)
}

/// What stands behind a request: the link alone, or the button of the page that it opens.
#[derive(Clone, Copy)]
enum Seen<'a> {
    Link(&'a Fields),
    /// With the fields of the form: its address holds nothing.
    Pressed(&'a Fields),
}

async fn show(companion: &Companion, asked: &Asked, seen: Seen<'_>) -> PageResult {
    let (Seen::Link(fields) | Seen::Pressed(fields)) = seen;
    let brought = fields
        .one("t")
        .and_then(|text| Some((text, companion.reset_links.open(text)?)));
    let Some((token, link)) = brought else {
        return Ok(stale(companion, None));
    };
    // Where it leads the flow itself says, below.
    let nowhere = Destination::from_text(None);
    let cookie = FlowCookie::of(link.flow_id.as_str(), nowhere, &asked.headers, companion.cookies);
    let binding = cookie.as_ref().map(|flow| &flow.binding);
    let now = companion.clock.now();
    let found = companion
        .resets
        .view_link(&link.flow_id, &link.challenge_id, binding, now)
        .await?;
    let Some(view) = found else {
        return Ok(stale(companion, None));
    };
    match cookie.filter(|_| view.is_own) {
        Some(flow) => {
            let destination = Destination::from_text(view.interaction.as_deref());
            in_own_browser(companion, &flow.leading_to(destination), &link, &view)
        }
        None => {
            let Ok(expires_at) = view.code else {
                return Ok(stale(companion, None));
            };
            let expires_in_minutes = minutes_until(expires_at, now);
            let shown = match seen {
                Seen::Link(_) => Shown::Elsewhere {
                    action: PATH,
                    token,
                    expires_in_minutes,
                },
                Seen::Pressed(_) => {
                    tell_shown(companion, asked, &link, &view, now).await?;
                    Shown::Code {
                        code: link.code.reveal(),
                        expires_in_minutes,
                    }
                }
            };
            Ok(page(companion, StatusCode::OK, shown))
        }
    }
}

/// The owner of an account that was taken finds out from where the code was read (SR-62). Once for each code and client: the
/// button can be pressed over and over.
async fn tell_shown(
    companion: &Companion,
    asked: &Asked,
    link: &ResetLink,
    view: &LinkView,
    now: Timestamp,
) -> Result<(), StoreError> {
    let prefix = ClientPrefix::from(asked.address);
    let id = digest_of(&format!("code_shown {} {prefix}", link.challenge_id));
    let line = Line {
        at: now,
        event: "code_shown",
        actor: Actor::Visitor,
        subject: None,
        identifier: Some(&companion.identifiers.hash(&view.identifier).to_string()),
        client_id: view.client_id.as_deref(),
        client_ip: Some(&asked.address.to_string()),
    };
    audit::write_once(&companion.store, &id, &line, link.flow_id.as_str()).await
}

fn in_own_browser(companion: &Companion, flow: &FlowCookie, link: &ResetLink, view: &LinkView) -> PageResult {
    let code_url = format!("/forgot-password/code?{}", flow.query());
    match view.code {
        Ok(_) => {
            let action = format!("{code_url}&c={}", link.challenge_id);
            let shown = Shown::Own {
                action: &action,
                code: link.code.reveal(),
                identifier: &view.identifier.shown(),
            };
            Ok(page(companion, StatusCode::OK, shown))
        }
        // That page knows the way to the step where the flow stands.
        Err(VerifyRejection::AlreadyUsed) => see_other(&code_url),
        Err(_) => Ok(stale(companion, Some(&code_url))),
    }
}

fn minutes_until(expires_at: Timestamp, now: Timestamp) -> u32 {
    let minutes = expires_at.since(now).as_secs().div_ceil(60);
    u32::try_from(minutes).unwrap_or(u32::MAX)
}

/// `own` is the flow's own page, where this browser has it.
fn stale(companion: &Companion, own: Option<&str>) -> Response {
    let shown = match own {
        Some(code_url) => Shown::StaleHere { code_url },
        None => Shown::Stale {
            reset_url: companion.connectors.any().then_some(RESET_URL),
        },
    };
    page(companion, StatusCode::GONE, shown)
}

fn page(companion: &Companion, status: StatusCode, state: Shown<'_>) -> Response {
    let view = views::ResetLink {
        shell: companion.shell(),
        state,
    };
    companion.page(status, &view, &[])
}
