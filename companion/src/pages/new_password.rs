//! The third step: whoever holds the proof chooses a new password.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use keyback_core::outcome::{FlowView, ProofStanding, SetPasswordRejection, StepView};
use keyback_core::password::NewPassword as Typed;
use keyback_core::reset::SetPasswordRequest;
use std::time::Duration;

use super::account::signed_in;
use super::code::start_again;
use super::destination::Destination;
use super::flow_cookie::FlowCookie;
use super::password_rules::{Broken, rules_of, stated};
use super::request::{Asked, Posted};
use super::respond::{
    PageError, PageResult, busy, off_the_serving_threads, see_other, too_many, with_cookie,
};
use crate::app::Companion;
use crate::metrics::{Place, Reason, Step};
use crate::oidc::SignedOutBy;
use crate::views::new_password::Problem;
use crate::views::{NewPassword, Wait};

/// How long to wait for a corpus of breached passwords that doesn't answer.
const CHECK_AGAIN_AFTER: Duration = Duration::from_secs(60);

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(show(&companion, &asked).await)
}

pub(super) async fn post(State(companion): State<Arc<Companion>>, posted: Posted) -> Response {
    off_the_serving_threads(async move { companion.answer(submit(&companion, &posted).await) }).await
}

async fn show(companion: &Companion, asked: &Asked) -> PageResult {
    let Some(flow) = FlowCookie::find(&asked.query, &asked.headers, companion.cookies) else {
        return start_again(&Destination::from_query(&asked.query));
    };
    step(companion, &flow, Broken::none(), None).await
}

async fn submit(companion: &Companion, posted: &Posted) -> PageResult {
    let asked = &posted.asked;
    let Some(flow) = FlowCookie::find(&asked.query, &asked.headers, companion.cookies) else {
        return start_again(&Destination::from_query(&asked.query));
    };
    let Some(proof) = &flow.proof else {
        return step(companion, &flow, Broken::none(), None).await;
    };
    let Ok(password) = Typed::parse(posted.form.one("password").unwrap_or_default()) else {
        return step(companion, &flow, Broken::too_large(companion), None).await;
    };
    let request = SetPasswordRequest {
        flow_id: &flow.id,
        binding: &flow.binding,
        proof,
        password,
    };
    let now = companion.clock.now();
    match companion
        .resets
        .set_password(request, asked.visitor(), now)
        .await?
    {
        Ok(_) => {
            companion.metrics.step(Step::Changed);
            let to = format!("/forgot-password/done?{}", flow.query());
            // The proof is spent; the binding stays, so that the receipt can be shown.
            let cookies = flow.with_proof(None).set(&asked.headers, companion.cookies);
            let response = cookies.into_iter().fold(see_other(&to)?, with_cookie);
            if let Err(error) = leave_nobody_signed_in(companion, asked).await {
                // The reset took place; its answer must not say otherwise. The cookie goes all the same.
                tracing::error!(%error, "the session of this browser could not be ended");
            }
            Ok(with_cookie(
                response,
                companion.provider.sessions().clear_cookie(),
            ))
        }
        Err(SetPasswordRejection::Weak { violations, .. }) => {
            companion.metrics.refused(Place::NewPassword, Reason::Policy);
            step(companion, &flow, Broken::violations(&violations), None).await
        }
        Err(SetPasswordRejection::CheckUnavailable) => {
            companion.note_refusal(Place::NewPassword, Reason::Busy, asked.address);
            let wait = Wait::at_least_a_second(CHECK_AGAIN_AFTER);
            Ok(busy(
                step(companion, &flow, Broken::none(), Some(Problem::Busy { wait })).await?,
                wait,
            ))
        }
        Err(SetPasswordRejection::Limited { retry_after }) => {
            companion.note_refusal(Place::NewPassword, Reason::Limit, asked.address);
            let problem = Problem::Busy {
                wait: Wait::at_least_a_second(retry_after),
            };
            Ok(too_many(
                step(companion, &flow, Broken::none(), Some(problem)).await?,
                retry_after,
            ))
        }
        Err(SetPasswordRejection::AlreadyUsed) => {
            see_other(&format!("/forgot-password/done?{}", flow.query()))
        }
        // A proof of something else is no proof: the flow goes on from where it stands without one.
        Err(SetPasswordRejection::NotProven) => {
            step(companion, &flow.with_proof(None), Broken::none(), None).await
        }
        Err(SetPasswordRejection::Overtaken) => {
            // Another answer of this browser came first and set nothing: the same one again will do.
            let wait = Wait::at_least_a_second(Duration::ZERO);
            Ok(busy(
                step(companion, &flow, Broken::none(), Some(Problem::Busy { wait })).await?,
                wait,
            ))
        }
        Err(
            SetPasswordRejection::UnknownFlow
            | SetPasswordRejection::OtherBrowser
            | SetPasswordRejection::Expired
            | SetPasswordRejection::Exhausted
            | SetPasswordRejection::AccountUnavailable,
        ) => {
            companion.note_refusal(Place::NewPassword, Reason::Over, asked.address);
            start_again(flow.destination())
        }
    }
}

/// The account's own sessions have ended. If somebody else was signed in in this browser, they are not any more:
/// the sign-in that follows asks for the new password (SR-54, SR-57).
async fn leave_nobody_signed_in(companion: &Companion, asked: &Asked) -> Result<(), PageError> {
    let Some((session, _)) = signed_in(companion, asked).await? else {
        return Ok(());
    };
    let address = asked.address.to_string();
    let by = SignedOutBy {
        client_id: None,
        client_ip: Some(&address),
    };
    let sessions = companion.provider.sessions();
    Ok(sessions.sign_out(&session, by, companion.clock.now()).await?)
}

/// The page, while the proof holds; otherwise the way to where the flow stands.
async fn step(
    companion: &Companion,
    flow: &FlowCookie,
    broken: Broken,
    problem: Option<Problem>,
) -> PageResult {
    let now = companion.clock.now();
    let Ok(view) = companion.resets.view(&flow.id, &flow.binding, now).await? else {
        return start_again(flow.destination());
    };
    let destination = Destination::from_text(view.interaction.as_deref());
    match view.step {
        StepView::Password {
            standing: ProofStanding::Live,
            expires_at,
            ..
        } if flow.proof.is_some() => {
            let open_for = Wait::new(expires_at.since(now));
            render(companion, flow, &view, &broken, open_for, problem)
        }
        StepView::Code { .. } => see_other(&format!("/forgot-password/code?{}", flow.query())),
        StepView::Done { .. } => see_other(&format!("/forgot-password/done?{}", flow.query())),
        StepView::Password { .. } | StepView::Expired => start_again(&destination),
    }
}

fn render(
    companion: &Companion,
    flow: &FlowCookie,
    view: &FlowView,
    broken: &Broken,
    open_for: Option<Wait>,
    problem: Option<Problem>,
) -> PageResult {
    let action = format!("/forgot-password/password?{}", flow.query());
    let stated = stated(companion.resets.passwords());
    let refused = problem.is_some() || !broken.is_empty();
    let status = if refused {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let view = NewPassword {
        shell: companion.shell(),
        action: &action,
        username: view.identifier.as_str(),
        rules: rules_of(&stated, broken),
        sign_in_url: &format!("/sign-in?{}", flow.query()),
        open_for,
        problem,
    };
    Ok(companion.page(status, &view, &[]))
}
