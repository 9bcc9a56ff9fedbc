//! Signing out of the companion itself. Apps sign people out over the provider's own endpoint.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::account::signed_in;
use super::request::Asked;
use super::respond::{PageResult, see_other, with_cookie};
use crate::app::Companion;
use crate::oidc::SignedOutBy;
use crate::views::error::WayOn;
use crate::views::{SignOut, SignedOut};

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(show(&companion, &asked).await)
}

pub(super) async fn post(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(submit(&companion, &asked).await)
}

pub(super) async fn signed_out(State(companion): State<Arc<Companion>>) -> Response {
    let view = SignedOut {
        shell: companion.shell(),
        from: companion.theme.name(),
        way_on: Some(WayOn {
            url: "/sign-in",
            text: "Sign in again",
        }),
    };
    companion.page(StatusCode::OK, &view, &[])
}

async fn show(companion: &Companion, asked: &Asked) -> PageResult {
    let Some((_, user)) = signed_in(companion, asked).await? else {
        return see_other("/signed-out");
    };
    let view = SignOut {
        shell: companion.shell(),
        action: "/sign-out",
        person: user.display_name(),
        fields: &[],
        app_name: None,
        stay_url: "/account",
    };
    Ok(companion.page(StatusCode::OK, &view, &[]))
}

async fn submit(companion: &Companion, asked: &Asked) -> PageResult {
    let sessions = companion.provider.sessions();
    if let Some((session, _)) = signed_in(companion, asked).await? {
        let address = asked.address.to_string();
        let by = SignedOutBy {
            client_id: None,
            client_ip: Some(&address),
        };
        sessions.sign_out(&session, by, companion.clock.now()).await?;
    }
    Ok(with_cookie(see_other("/signed-out")?, sessions.clear_cookie()))
}
