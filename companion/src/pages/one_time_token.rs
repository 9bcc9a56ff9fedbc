//! The way into a reset by a one-time token of the app's. Looking at the page does nothing (SR-30); its button uses the
//! token up and opens the reset where the password is chosen, for this browser alone. Pressed twice, it leads there twice.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use keyback_core::identifier::Identifier;
use keyback_core::outcome::TokenRejection;
use keyback_core::reset::TokenRequest;

use super::flow_cookie::FlowCookie;
use super::request::{Asked, Posted};
use super::respond::{PageResult, see_other, too_many, with_cookie};
use super::sign_in::{Way, unknown_session};
use crate::app::Companion;
use crate::metrics::{Place, Reason, Step};
use crate::store::one_time_tokens;
use crate::views::one_time_token::State as Shown;
use crate::views::{OneTimeToken, Wait};

pub(super) const PATH: &str = "/forgot-password/token";

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(show(&companion, &asked).await)
}

pub(super) async fn post(State(companion): State<Arc<Companion>>, posted: Posted) -> Response {
    companion.answer(submit(&companion, &posted).await)
}

/// What the waiting authorization request brought, if it brought a token for an e-mail address.
fn brought(companion: &Companion, way: &Way) -> Option<TokenRequest> {
    let request = &way.interaction.as_ref()?.request;
    let identifier = companion.identifier(way.login_hint()).ok()?;
    matches!(identifier, Identifier::Email(_)).then_some(())?;
    let token = request.one_time_token.clone()?;
    let opens = companion.token_flows.of(&token, way.destination.interaction()?);
    Some(TokenRequest {
        token,
        identifier,
        client_id: way.client_id().map(str::to_owned),
        interaction: Some(way.destination.to_text()),
        opens,
    })
}

async fn show(companion: &Companion, asked: &Asked) -> PageResult {
    let Some(way) = Way::find(companion, asked).await? else {
        return unknown_session(companion, asked).await;
    };
    let Some(request) = brought(companion, &way) else {
        return Ok(stale(companion, &way));
    };
    // Whether the address has an account is not looked up: who looks on is told nothing of it.
    let found =
        one_time_tokens::find_brought(companion.store.reader(), &request.token, companion.clock.now())
            .await?;
    if !found.is_some_and(|token| token.resets(&request.identifier)) {
        return match pressed_before(companion, asked, &way, &request) {
            Some(flow) => see_other(&password_page(&flow)),
            None => Ok(stale(companion, &way)),
        };
    }
    Ok(page(companion, &way, &request, None))
}

/// The flow that the token has opened in this browser, which holds its proof.
fn pressed_before(
    companion: &Companion,
    asked: &Asked,
    way: &Way,
    request: &TokenRequest,
) -> Option<FlowCookie> {
    let id = request.opens.id.as_str();
    FlowCookie::of(id, way.destination.clone(), &asked.headers, companion.cookies)
        .filter(|flow| flow.proof.is_some())
}

/// That page knows the way to the step where the flow stands.
fn password_page(flow: &FlowCookie) -> String {
    format!("/forgot-password/password?{}", flow.query())
}

async fn submit(companion: &Companion, posted: &Posted) -> PageResult {
    let asked = &posted.asked;
    let Some(way) = Way::find(companion, asked).await? else {
        return unknown_session(companion, asked).await;
    };
    let Some(request) = brought(companion, &way) else {
        return Ok(stale(companion, &way));
    };
    let now = companion.clock.now();
    let opened = companion
        .resets
        .open_by_token(request.clone(), asked.visitor(), now)
        .await?;
    match opened {
        Ok(opened) => {
            if !opened.is_again {
                companion.metrics.step(Step::Started);
                companion.metrics.step(Step::Verified);
            }
            let flow = FlowCookie::new(
                opened.flow.id().clone(),
                opened.binding,
                way.destination.clone(),
                now,
            )
            .with_proof(Some(opened.proof));
            let to = see_other(&password_page(&flow))?;
            let cookies = flow.set(&asked.headers, companion.cookies);
            Ok(cookies.into_iter().fold(to, with_cookie))
        }
        Err(TokenRejection::Refused) => {
            companion.note_refusal(Place::ForgotPassword, Reason::Over, asked.address);
            Ok(stale(companion, &way))
        }
        Err(TokenRejection::Limited { retry_after }) => {
            companion.note_refusal(Place::ForgotPassword, Reason::Limit, asked.address);
            let wait = Wait::at_least_a_second(retry_after);
            Ok(too_many(page(companion, &way, &request, Some(wait)), retry_after))
        }
    }
}

/// The button, and after too many tries from here how long to wait.
fn page(companion: &Companion, way: &Way, request: &TokenRequest, wait: Option<Wait>) -> Response {
    let state = Shown::Asked {
        action: &format!("{PATH}?{}", way.destination.to_query()),
        identifier: &request.identifier.shown(),
        wait,
    };
    render(companion, way, StatusCode::OK, state)
}

/// One page for all tokens that don't serve, whatever is wrong with them.
fn stale(companion: &Companion, way: &Way) -> Response {
    let forgot_url = format!("/forgot-password?{}", way.destination.to_query());
    let state = Shown::Stale {
        forgot_url: companion.connectors.any().then_some(&*forgot_url),
    };
    render(companion, way, StatusCode::GONE, state)
}

fn render(companion: &Companion, way: &Way, status: StatusCode, state: Shown<'_>) -> Response {
    let view = OneTimeToken {
        shell: companion.shell(),
        state,
    };
    companion.page(status, &view, &way.redirects)
}
