//! The first step: the visitor says where a code may reach them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use keyback_core::outcome::IdentifyRejection;
use keyback_core::reset::ResetRequest;
use keyback_core::time::Timestamp;

use super::account::signed_in;
use super::destination::Destination;
use super::flow_cookie::FlowCookie;
use super::request::{Asked, Posted};
use super::respond::{PageError, PageResult, busy, see_other, too_many, with_cookie};
use super::sign_in::Way;
use crate::app::Companion;
use crate::captcha::Passage;
use crate::config::captcha::CaptchaRoute;
use crate::metrics::{Place, Reason, Step};
use crate::views::error::{Kind, WayOn};
use crate::views::forgot_password::{Channels, Notice, Problem};
use crate::views::{ForgotPassword, Wait};

/// When to come back where the captcha's provider can't be asked.
pub(super) const CHECK_AGAIN: Duration = Duration::from_secs(60);

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(show(&companion, &asked).await)
}

pub(super) async fn post(State(companion): State<Arc<Companion>>, posted: Posted) -> Response {
    companion.answer(submit(&companion, &posted).await)
}

async fn show(companion: &Companion, asked: &Asked) -> PageResult {
    let Some(way) = Way::find(companion, asked).await? else {
        return Ok(unknown_session(companion));
    };
    let notice = (asked.query.one("n") == Some("again")).then_some(Notice::StartAgain);
    let own = own_identifier(companion, asked, &way).await?;
    draw(
        companion,
        &way,
        own.as_deref().unwrap_or(way.login_hint()),
        notice,
        None,
    )
}

/// Where whoever comes from their account can be reached. Not beside a captcha: its provider's script could read what nobody has typed.
async fn own_identifier(
    companion: &Companion,
    asked: &Asked,
    way: &Way,
) -> Result<Option<String>, PageError> {
    if !matches!(way.destination, Destination::Account(_)) || companion.captcha.is_some() {
        return Ok(None);
    }
    let Some((_, user)) = signed_in(companion, asked).await? else {
        return Ok(None);
    };
    let email = user.email.filter(|_| companion.connectors.email.is_some());
    Ok(email.or_else(|| user.phone.filter(|_| companion.connectors.sms.is_some())))
}

/// The app that began this isn't known any more, or the browser's cookies are gone. A new password can be had without either.
fn unknown_session(companion: &Companion) -> Response {
    let way_on = WayOn {
        url: "/forgot-password",
        text: "Choose a new password",
    };
    companion.error_page(Kind::UnknownSession, companion.connectors.any().then_some(way_on))
}

async fn submit(companion: &Companion, posted: &Posted) -> PageResult {
    let asked = &posted.asked;
    let Some(way) = Way::find(companion, asked).await? else {
        return Ok(unknown_session(companion));
    };
    let typed = posted.form.one("identifier").unwrap_or_default();
    let Ok(identifier) = companion.identifier(typed) else {
        return page(companion, &way, typed, Some(Problem::Malformed));
    };
    let now = companion.clock.now();
    let send_after = match passage(companion, posted, CaptchaRoute::Send, now).await? {
        Passage::Open { send_after } => send_after,
        Passage::Wrong => {
            companion.note_refusal(Place::ForgotPassword, Reason::Captcha, asked.address);
            return page(companion, &way, typed, Some(Problem::NotVerified));
        }
        Passage::Limited { retry_after } => {
            companion.note_refusal(Place::ForgotPassword, Reason::Limit, asked.address);
            return limited(companion, &way, typed, retry_after);
        }
        Passage::Down => {
            companion.note_refusal(Place::ForgotPassword, Reason::CaptchaDown, asked.address);
            let page = page(companion, &way, typed, Some(Problem::CheckDown))?;
            return Ok(busy(page, Wait::at_least_a_second(CHECK_AGAIN)));
        }
    };
    let request = ResetRequest {
        identifier,
        client_id: way.client_id().map(str::to_owned),
        interaction: Some(way.destination.to_text()),
        send_after,
    };
    let begun = match companion.resets.identify(request, asked.visitor(), now).await? {
        Ok(begun) => begun,
        Err(IdentifyRejection::ChannelUnavailable) => {
            return page(companion, &way, typed, Some(Problem::Malformed));
        }
        Err(IdentifyRejection::Limited { retry_after }) => {
            companion.note_refusal(Place::ForgotPassword, Reason::Limit, asked.address);
            return limited(companion, &way, typed, retry_after);
        }
    };
    companion.metrics.step(Step::Started);
    let flow = FlowCookie::new(begun.flow_id, begun.binding, way.destination.clone(), now);
    let later = if send_after.is_zero() { "" } else { "&n=later" };
    let to = format!("/forgot-password/code?{}{later}", flow.query());
    let cookies = flow.set(&asked.headers, companion.cookies);
    Ok(cookies.into_iter().fold(see_other(&to)?, with_cookie))
}

/// What the captcha of a form that asks for a code lets through: everything, where none is asked.
pub(super) async fn passage(
    companion: &Companion,
    posted: &Posted,
    route: CaptchaRoute,
    now: Timestamp,
) -> Result<Passage, PageError> {
    let Some(captcha) = &companion.captcha else {
        return Ok(Passage::FREE);
    };
    let answer = posted.form.one(captcha.token_field()).unwrap_or_default();
    let client = posted.asked.visitor().prefix();
    Ok(captcha.check(route, answer, client, now).await?)
}

/// Asks to wait, alike whatever there is too much of.
fn limited(companion: &Companion, way: &Way, typed: &str, retry_after: Duration) -> PageResult {
    let problem = Problem::TooManyRequests {
        wait: Wait::at_least_a_second(retry_after),
    };
    Ok(too_many(page(companion, way, typed, Some(problem))?, retry_after))
}

/// What was submitted, with what is wrong about it.
fn page(companion: &Companion, way: &Way, identifier: &str, problem: Option<Problem>) -> PageResult {
    draw(companion, way, identifier, None, problem)
}

fn draw(
    companion: &Companion,
    way: &Way,
    identifier: &str,
    notice: Option<Notice>,
    problem: Option<Problem>,
) -> PageResult {
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
    let captcha = companion.captcha.as_ref();
    let query = way.destination.to_query();
    let (action, sign_in) = (format!("/forgot-password?{query}"), format!("/sign-in?{query}"));
    // What was submitted and refused is a client error.
    let status = match problem {
        None => StatusCode::OK,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let view = ForgotPassword {
        shell: companion.shell(),
        action: &action,
        channels,
        identifier,
        sign_in_url: Some(&sign_in),
        captcha: captcha.and_then(|captcha| captcha.widget(CaptchaRoute::Send)),
        notice,
        problem,
    };
    let embedding = captcha.filter(|_| view.captcha.is_some());
    Ok(companion.page_with_captcha(status, &view, &way.redirects, embedding))
}
