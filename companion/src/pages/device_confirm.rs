//! The signed-in person lets a device in, or doesn't (RFC 8628 3.3). For apps of others this page is the consent, too.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::account::signed_in;
use super::asks::asks;
use super::destination::Destination;
use super::device::{confirm_url, forget, gone, typed_here};
use super::request::{Asked, Posted};
use super::respond::{PageResult, see_other, with_cookie};
use crate::app::Companion;
use crate::oidc::device::{Answered, DeviceRequest, UserCode};
use crate::store::sessions::Session;
use crate::store::users::User;
use crate::views::device_done::Outcome;
use crate::views::{DeviceConfirm, DeviceDone};

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(show(&companion, &asked).await)
}

pub(super) async fn post(State(companion): State<Arc<Companion>>, posted: Posted) -> Response {
    companion.answer(submit(&companion, &posted).await)
}

/// The end: what was answered stands in the address, and means nothing to anybody but the reader.
pub(super) async fn done(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    let outcome = match asked.query.one("answer") {
        Some("allowed") => Outcome::Allowed,
        _ => Outcome::Denied,
    };
    let view = DeviceDone {
        shell: companion.shell(),
        outcome,
    };
    companion.page(StatusCode::OK, &view, &[])
}

async fn show(companion: &Companion, asked: &Asked) -> PageResult {
    let Some((code, request)) = typed_here(companion, asked).await? else {
        return Ok(gone(companion));
    };
    let Some((session, user)) = signed_in(companion, asked).await? else {
        return ask_to_sign_in(&request);
    };
    Ok(page(companion, &code, &request, (&session, &user)))
}

async fn submit(companion: &Companion, posted: &Posted) -> PageResult {
    let asked = &posted.asked;
    let Some((_, request)) = typed_here(companion, asked).await? else {
        return Ok(gone(companion));
    };
    let Some((session, _)) = signed_in(companion, asked).await? else {
        return ask_to_sign_in(&request);
    };
    // Another person has signed in since the page was drawn: they have said nothing yet.
    let again = || see_other(&confirm_url(&request.device.id));
    if posted.form.one("session") != Some(session.id.as_str()) {
        return again();
    }
    let (provider, now) = (&companion.provider, companion.clock.now());
    let client_ip = asked.address.to_string();
    let (answered, done) = match posted.form.one("answer") {
        Some("allow") => (
            provider
                .approve_device(&request, &session, Some(&client_ip), now)
                .await?,
            "/device/done?answer=allowed",
        ),
        Some("deny") => (
            provider
                .deny_device(&request, &session, Some(&client_ip), now)
                .await?,
            "/device/done?answer=denied",
        ),
        _ => return again(),
    };
    match answered {
        Answered::Done => Ok(with_cookie(
            see_other(done)?,
            forget(companion, &request.device.id),
        )),
        Answered::NobodySignedIn => ask_to_sign_in(&request),
        Answered::Gone => Ok(gone(companion)),
    }
}

fn to(page: &str, request: &DeviceRequest) -> String {
    format!(
        "{page}?{}",
        Destination::Device(request.device.id.clone()).to_query()
    )
}

fn ask_to_sign_in(request: &DeviceRequest) -> PageResult {
    see_other(&to("/sign-in", request))
}

fn page(
    companion: &Companion,
    code: &UserCode,
    request: &DeviceRequest,
    (session, user): (&Session, &User),
) -> Response {
    let asks = if request.app.first_party {
        Vec::new()
    } else {
        asks(companion, &request.permissions, user)
    };
    let waited = companion.clock.now().since(request.device.created_at());
    let view = DeviceConfirm {
        shell: companion.shell(),
        action: &confirm_url(&request.device.id),
        app_name: request.app.display_name(),
        user_code: &code.to_string(),
        client_ip: request.device.client_ip.as_deref(),
        minutes_ago: waited.as_secs() / 60,
        asks,
        person: user.display_name(),
        sign_in_name: user.sign_in_name(),
        session: &session.id,
        as_another_url: &format!("{}&as=another", to("/sign-in", request)),
    };
    companion.page(StatusCode::OK, &view, &[])
}
