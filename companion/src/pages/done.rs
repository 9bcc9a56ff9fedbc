//! The end of a reset: a receipt of what was closed, and the way to sign in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use keyback_core::outcome::StepView;
use keyback_core::reset::Receipt;

use super::code::start_again;
use super::destination::Destination;
use super::flow_cookie::FlowCookie;
use super::request::Asked;
use super::respond::{PageResult, see_other};
use crate::app::Companion;
use crate::views::{Done, Wait};

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(show(&companion, &asked).await)
}

/// How long apps may still use what they were given before everything ended; none where none held anything. Tokens that are
/// asked about here died at once; those that an API reads by itself live on (RFC 9068), and so does what was read of an ID
/// token.
pub(super) fn apps_hold(companion: &Companion, receipt: &Receipt) -> Option<Wait> {
    let tokens = &companion.config.tokens;
    let longest = tokens.access_token.0.max(tokens.id_token.0);
    Wait::new(longest).filter(|_| receipt.grants_revoked > 0 || receipt.apps_told > 0)
}

async fn show(companion: &Companion, asked: &Asked) -> PageResult {
    let Some(flow) = FlowCookie::find(&asked.query, &asked.headers, companion.cookies) else {
        return start_again(&Destination::from_query(&asked.query));
    };
    let now = companion.clock.now();
    let Ok(view) = companion.resets.view(&flow.id, &flow.binding, now).await? else {
        return start_again(flow.destination());
    };
    let destination = Destination::from_text(view.interaction.as_deref());
    let receipt = match view.step {
        StepView::Done { receipt } => receipt,
        StepView::Code { .. } => return see_other(&format!("/forgot-password/code?{}", flow.query())),
        StepView::Password { .. } => {
            return see_other(&format!("/forgot-password/password?{}", flow.query()));
        }
        StepView::Expired => return start_again(&destination),
    };
    let sign_in_url = format!("/sign-in?{}&n=changed", flow.query());
    let app_name = companion.app_name(view.client_id.as_deref()).await?;
    let view = Done {
        shell: companion.shell(),
        app_name: &app_name,
        sign_in_url: &sign_in_url,
        sessions_ended: receipt.sessions_ended,
        apps_told: receipt.apps_told,
        apps_hold: apps_hold(companion, &receipt),
    };
    Ok(companion.page(StatusCode::OK, &view, &[]))
}
