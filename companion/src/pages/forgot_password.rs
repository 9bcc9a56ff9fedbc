//! The first step: the visitor says where a code may reach them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use keyback_core::outcome::IdentifyRejection;
use keyback_core::reset::ResetRequest;

use super::flow_cookie::FlowCookie;
use super::request::{Asked, Posted};
use super::respond::{PageResult, see_other, too_many, with_cookie};
use super::sign_in::{Way, unknown_session};
use crate::app::Companion;
use crate::metrics::{Place, Reason, Step};
use crate::views::error::Kind;
use crate::views::forgot_password::{Channels, Problem};
use crate::views::{ForgotPassword, Wait};

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(show(&companion, &asked).await)
}

pub(super) async fn post(State(companion): State<Arc<Companion>>, posted: Posted) -> Response {
    companion.answer(submit(&companion, &posted).await)
}

async fn show(companion: &Companion, asked: &Asked) -> PageResult {
    let Some(way) = Way::find(companion, asked).await? else {
        return unknown_session(companion, asked).await;
    };
    let problem = (asked.query.one("n") == Some("again")).then_some(Problem::StartAgain);
    page(companion, &way, way.login_hint(), problem)
}

async fn submit(companion: &Companion, posted: &Posted) -> PageResult {
    let asked = &posted.asked;
    let Some(way) = Way::find(companion, asked).await? else {
        return unknown_session(companion, asked).await;
    };
    let typed = posted.form.one("identifier").unwrap_or_default();
    let Ok(identifier) = companion.identifier(typed) else {
        return page(companion, &way, typed, Some(Problem::Malformed));
    };
    let request = ResetRequest {
        identifier,
        client_id: way.client_id().map(str::to_owned),
        interaction: Some(way.destination.to_text()),
    };
    let now = companion.clock.now();
    let begun = match companion.resets.identify(request, asked.visitor(), now).await? {
        Ok(begun) => begun,
        Err(IdentifyRejection::ChannelUnavailable) => {
            return page(companion, &way, typed, Some(Problem::Malformed));
        }
        Err(IdentifyRejection::Limited { retry_after }) => {
            companion.note_refusal(Place::ForgotPassword, Reason::Limit, asked.address);
            let problem = Problem::TooManyRequests {
                wait: Wait::at_least_a_second(retry_after),
            };
            return Ok(too_many(
                page(companion, &way, typed, Some(problem))?,
                retry_after,
            ));
        }
    };
    companion.metrics.step(Step::Started);
    let flow = FlowCookie::new(begun.flow_id, begun.binding, way.destination.clone(), now);
    let to = format!("/forgot-password/code?{}", flow.query());
    let cookies = flow.set(&asked.headers, companion.cookies);
    Ok(cookies.into_iter().fold(see_other(&to)?, with_cookie))
}

fn page(companion: &Companion, way: &Way, identifier: &str, problem: Option<Problem>) -> PageResult {
    let channels = match (
        companion.connectors.email.is_some(),
        companion.connectors.sms.is_some(),
    ) {
        (true, true) => Channels::EmailOrPhone,
        (true, false) => Channels::Email,
        (false, true) => Channels::Phone,
        // Nothing links here then; who comes all the same is told that there is no such page.
        (false, false) => return Ok(companion.error_page(Kind::NotFound, None)),
    };
    let query = way.destination.to_query();
    let (action, sign_in) = (format!("/forgot-password?{query}"), format!("/sign-in?{query}"));
    // Starting again is said calmly; what was submitted and refused is a client error.
    let status = match problem {
        None | Some(Problem::StartAgain) => StatusCode::OK,
        Some(Problem::Malformed | Problem::TooManyRequests { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let view = ForgotPassword {
        shell: companion.shell(),
        action: &action,
        channels,
        identifier,
        sign_in_url: Some(&sign_in),
        problem,
    };
    Ok(companion.page(status, &view, &way.redirects))
}
