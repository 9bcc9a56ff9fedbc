//! The second step: the visitor types the code.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use keyback_core::identifier::IdentifierKind;
use keyback_core::ids::ChallengeId;
use keyback_core::one_time_code::OneTimeCode;
use keyback_core::outcome::{CodeStanding, FlowView, ResendRejection, StepView, VerifyRejection};
use keyback_core::reset::VerifyRequest;
use keyback_core::time::Timestamp;

use super::destination::Destination;
use super::flow_cookie::FlowCookie;
use super::forgot_password::{CHECK_AGAIN, passage};
use super::request::{Asked, Posted};
use super::respond::{PageResult, busy, see_other, too_many, with_cookie};
use crate::app::Companion;
use crate::captcha::Passage;
use crate::config::captcha::CaptchaRoute;
use crate::metrics::{Place, Reason, Step};
use crate::views::code::{Channel, Notice, Problem};
use crate::views::{Code, Wait};

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(show(&companion, &asked).await)
}

pub(super) async fn post(State(companion): State<Arc<Companion>>, posted: Posted) -> Response {
    companion.answer(submit(&companion, &posted).await)
}

pub(super) async fn resend(State(companion): State<Arc<Companion>>, posted: Posted) -> Response {
    companion.answer(send_again(&companion, &posted).await)
}

async fn show(companion: &Companion, asked: &Asked) -> PageResult {
    let Some(flow) = FlowCookie::find(&asked.query, &asked.headers, companion.cookies) else {
        return start_again(&Destination::from_query(&asked.query));
    };
    let notice = match asked.query.one("n") {
        Some("sent") => Some(Notice::NewCodeSent),
        Some("later") => Some(Notice::ComesLater),
        _ => None,
    };
    step(
        companion,
        &flow,
        Shown {
            notice,
            problem: None,
        },
    )
    .await
}

async fn submit(companion: &Companion, posted: &Posted) -> PageResult {
    let asked = &posted.asked;
    let Some(flow) = FlowCookie::find(&asked.query, &asked.headers, companion.cookies) else {
        return start_again(&Destination::from_query(&asked.query));
    };
    let Ok(code) = OneTimeCode::parse(posted.form.one("code").unwrap_or_default()) else {
        return step(companion, &flow, Shown::problem(Problem::Malformed)).await;
    };
    // The challenge the form was made for: an older form is told that a newer code was sent.
    let challenge = asked.query.one("c").map(ChallengeId::new);
    let request = VerifyRequest {
        flow_id: &flow.id,
        binding: &flow.binding,
        challenge_id: challenge.as_ref(),
        code: &code,
    };
    let now = companion.clock.now();
    let verified = companion.resets.verify(request, asked.visitor(), now).await?;
    if let Err(rejection) = &verified {
        count_refusal(companion, rejection, asked);
    }
    let problem = match verified {
        Ok(verified) => {
            companion.metrics.step(Step::Verified);
            let flow = flow.with_proof(Some(verified.proof));
            let to = format!("/forgot-password/password?{}", flow.query());
            let cookies = flow.set(&asked.headers, companion.cookies);
            return Ok(cookies.into_iter().fold(see_other(&to)?, with_cookie));
        }
        Err(VerifyRejection::UnknownFlow | VerifyRejection::OtherBrowser) => {
            return start_again(flow.destination());
        }
        Err(VerifyRejection::AlreadyUsed) if flow.proof.is_some() => {
            return see_other(&format!("/forgot-password/password?{}", flow.query()));
        }
        Err(VerifyRejection::AlreadyUsed) => Problem::Used,
        Err(VerifyRejection::Expired) => Problem::Expired,
        Err(VerifyRejection::Superseded) => Problem::Superseded,
        Err(VerifyRejection::Exhausted | VerifyRejection::WrongCode { attempts_left: 0 }) => {
            Problem::Exhausted
        }
        Err(VerifyRejection::WrongCode { attempts_left }) => Problem::Wrong {
            tries_left: attempts_left,
        },
        Err(VerifyRejection::Limited { retry_after }) => {
            let wait = Wait::at_least_a_second(retry_after);
            let page = step(companion, &flow, Shown::problem(Problem::TooManyTries { wait })).await?;
            return Ok(too_many(page, retry_after));
        }
    };
    step(companion, &flow, Shown::problem(problem)).await
}

/// A wrong code is told in the audit trail where it is counted.
fn count_refusal(companion: &Companion, rejection: &VerifyRejection, asked: &Asked) {
    let reason = match rejection {
        VerifyRejection::WrongCode { attempts_left: 1.. } => Reason::WrongCode,
        VerifyRejection::WrongCode { attempts_left: 0 } => Reason::Exhausted,
        VerifyRejection::Limited { .. } => {
            return companion.note_refusal(Place::Code, Reason::Limit, asked.address);
        }
        VerifyRejection::Exhausted => {
            return companion.note_refusal(Place::Code, Reason::Exhausted, asked.address);
        }
        VerifyRejection::UnknownFlow
        | VerifyRejection::OtherBrowser
        | VerifyRejection::AlreadyUsed
        | VerifyRejection::Expired
        | VerifyRejection::Superseded => {
            return companion.note_refusal(Place::Code, Reason::Over, asked.address);
        }
    };
    companion.metrics.refused(Place::Code, reason);
}

async fn send_again(companion: &Companion, posted: &Posted) -> PageResult {
    let asked = &posted.asked;
    let Some(flow) = FlowCookie::find(&asked.query, &asked.headers, companion.cookies) else {
        return start_again(&Destination::from_query(&asked.query));
    };
    let now = companion.clock.now();
    let send_after = match passage(companion, posted, CaptchaRoute::Resend, now).await? {
        Passage::Open { send_after } => send_after,
        Passage::Wrong => {
            companion.note_refusal(Place::Resend, Reason::Captcha, asked.address);
            return step(companion, &flow, Shown::problem(Problem::NotVerified)).await;
        }
        Passage::Limited { retry_after } => {
            companion.note_refusal(Place::Resend, Reason::Limit, asked.address);
            return limited(companion, &flow, retry_after).await;
        }
        Passage::Down => {
            companion.note_refusal(Place::Resend, Reason::CaptchaDown, asked.address);
            let page = step(companion, &flow, Shown::problem(Problem::CheckDown)).await?;
            return Ok(busy(page, Wait::at_least_a_second(CHECK_AGAIN)));
        }
    };
    match companion
        .resets
        .resend(&flow.id, &flow.binding, send_after, asked.visitor(), now)
        .await?
    {
        Ok(_) => {
            companion.metrics.step(Step::Resent);
            let notice = if send_after.is_zero() { "sent" } else { "later" };
            see_other(&format!("/forgot-password/code?{}&n={notice}", flow.query()))
        }
        Err(ResendRejection::TooSoon { retry_at }) => {
            companion.note_refusal(Place::Resend, Reason::Limit, asked.address);
            let page = step(companion, &flow, Shown::problem(Problem::TooSoon)).await?;
            Ok(too_many(page, retry_at.since(now)))
        }
        Err(ResendRejection::Limited { retry_after }) => {
            companion.note_refusal(Place::Resend, Reason::Limit, asked.address);
            limited(companion, &flow, retry_after).await
        }
        Err(ResendRejection::AlreadyUsed) => {
            see_other(&format!("/forgot-password/password?{}", flow.query()))
        }
        Err(ResendRejection::UnknownFlow | ResendRejection::OtherBrowser | ResendRejection::Expired) => {
            companion.note_refusal(Place::Resend, Reason::Over, asked.address);
            start_again(flow.destination())
        }
    }
}

/// Asks to wait with another code, alike whatever there is too much of.
async fn limited(companion: &Companion, flow: &FlowCookie, retry_after: Duration) -> PageResult {
    let problem = Problem::TooManyCodes {
        wait: Wait::at_least_a_second(retry_after),
    };
    let page = step(companion, flow, Shown::problem(problem)).await?;
    Ok(too_many(page, retry_after))
}

/// Back to the first step; what stood here is over.
pub(super) fn start_again(destination: &Destination) -> PageResult {
    see_other(&format!("/forgot-password?{}&n=again", destination.to_query()))
}

#[derive(Clone, Copy)]
struct Shown {
    notice: Option<Notice>,
    problem: Option<Problem>,
}

impl Shown {
    fn problem(problem: Problem) -> Self {
        Self {
            notice: None,
            problem: Some(problem),
        }
    }
}

/// The page of the step the flow is at, or the way to it.
async fn step(companion: &Companion, flow: &FlowCookie, shown: Shown) -> PageResult {
    let now = companion.clock.now();
    let Ok(view) = companion.resets.view(&flow.id, &flow.binding, now).await? else {
        return start_again(flow.destination());
    };
    let destination = Destination::from_text(view.interaction.as_deref());
    let query = flow.query();
    match &view.step {
        StepView::Code {
            challenge_id,
            standing,
            expires_at,
            resend_at,
            ..
        } => {
            let of_code = OfCode {
                challenge_id,
                standing: *standing,
                expires_at: *expires_at,
                resend_at: *resend_at,
            };
            render(companion, &view, &destination, &query, of_code, shown)
        }
        // A code that comes late says so here; a visit in passing goes on to where the flow stands.
        StepView::Password { .. } if flow.proof.is_some() => {
            see_other(&format!("/forgot-password/password?{query}"))
        }
        StepView::Done { .. } => see_other(&format!("/forgot-password/done?{query}")),
        StepView::Password { .. } | StepView::Expired => start_again(&destination),
    }
}

#[derive(Clone, Copy)]
struct OfCode<'a> {
    challenge_id: &'a ChallengeId,
    standing: CodeStanding,
    expires_at: Timestamp,
    resend_at: Timestamp,
}

fn render(
    companion: &Companion,
    view: &FlowView,
    destination: &Destination,
    flow_query: &str,
    of_code: OfCode<'_>,
    shown: Shown,
) -> PageResult {
    let now = companion.clock.now();
    let action = format!("/forgot-password/code?{flow_query}&c={}", of_code.challenge_id);
    let resend_action = format!("/forgot-password/code/resend?{flow_query}");
    let other_address_url = format!("/forgot-password?{}", destination.to_query());
    let problem = shown.problem.or(match of_code.standing {
        CodeStanding::Live => None,
        CodeStanding::Expired => Some(Problem::Expired),
        CodeStanding::Exhausted => Some(Problem::Exhausted),
    });
    let status = if shown.problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    // Of a code that is too old, what is told is how long codes work at all.
    let lasts = match problem {
        Some(Problem::Expired) => companion.resets.settings().code_life,
        _ => of_code.expires_at.since(now),
    };
    let minutes = lasts.as_secs().div_ceil(60);
    let captcha = companion.captcha.as_ref();
    let view = Code {
        shell: companion.shell(),
        action: &action,
        resend_action: &resend_action,
        other_address_url: &other_address_url,
        identifier: &view.identifier.shown(),
        channel: match view.identifier.kind() {
            IdentifierKind::Email => Channel::Email,
            IdentifierKind::Phone => Channel::Sms,
        },
        email_too: companion.connectors.email.is_some(),
        expires_in_minutes: u32::try_from(minutes).unwrap_or(u32::MAX),
        resend_wait: Wait::new(of_code.resend_at.since(now)),
        captcha: captcha.and_then(|captcha| captcha.widget(CaptchaRoute::Resend)),
        notice: shown.notice,
        problem,
    };
    let embedding = captcha.filter(|_| view.captcha.is_some());
    Ok(companion.page_with_captcha(status, &view, &[], embedding))
}
