//! The code of a device is typed here (`verification_uri`, RFC 8628 3.3). A right one is kept by this browser, which then
//! confirms; opening the page, with a code in its address too, changes nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use keyback_core::rate_limit::RetryAfter;
use keyback_core::time::Timestamp;

use super::destination::Destination;
use super::request::{Asked, Posted};
use super::respond::{PageError, PageResult, see_other, too_many, with_cookie};
use crate::app::Companion;
use crate::metrics::{Place, Reason};
use crate::oidc::device::{DeviceRequest, UserCode};
use crate::views::device::Problem;
use crate::views::{Device, Wait};

const PREFIX: &str = "kb_device_";
/// Devices that one browser confirms at the same time, at most.
const MOST_PER_BROWSER: usize = 4;
/// What is typed is shown again up to this length.
const MOST_SHOWN: usize = 20;

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    let came = asked.query.one("user_code").filter(|code| !code.is_empty());
    // Whether a device waits under it is looked up where it is submitted, within the limits.
    let is_code = came.is_none_or(|code| UserCode::parse(code).is_some());
    let view = Device {
        came_along: came.is_some() && is_code,
        user_code: &shown(came),
        problem: (!is_code).then_some(Problem::Malformed),
        ..blank(&companion)
    };
    let status = if is_code {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    companion.page(status, &view, &[])
}

pub(super) async fn post(State(companion): State<Arc<Companion>>, posted: Posted) -> Response {
    companion.answer(submit(&companion, &posted).await)
}

async fn submit(companion: &Companion, posted: &Posted) -> PageResult {
    let asked = &posted.asked;
    let typed = posted.form.one("user_code");
    let again = |problem| {
        let view = Device {
            user_code: &shown(typed),
            problem: Some(problem),
            ..blank(companion)
        };
        companion.page(StatusCode::UNPROCESSABLE_ENTITY, &view, &[])
    };
    let Some(code) = UserCode::parse(typed.unwrap_or_default()) else {
        return Ok(again(Problem::Malformed));
    };
    let now = companion.clock.now();
    let limited = companion.limiter.user_code(asked.visitor().prefix(), now).await?;
    if let Err(RetryAfter(wait)) = limited {
        companion.note_refusal(Place::Device, Reason::Limit, asked.address);
        let problem = Problem::TooManyTries {
            wait: Wait::at_least_a_second(wait),
        };
        return Ok(too_many(again(problem), wait));
    }
    let Some(request) = companion.provider.device_request(&code, now).await? else {
        return Ok(again(Problem::Unknown));
    };
    let id = &request.device.id;
    let mut response = see_other(&confirm_url(id))?;
    for cookie in remember(companion, &asked.headers, &request, &code, now) {
        response = with_cookie(response, cookie);
    }
    Ok(response)
}

/// Where the device of an id is confirmed.
pub(super) fn confirm_url(id: &str) -> String {
    format!(
        "/device/confirm?{}",
        Destination::Device(id.to_owned()).to_query()
    )
}

/// The waiting device that the address names, if its code was typed in this browser.
pub(super) async fn typed_here(
    companion: &Companion,
    asked: &Asked,
) -> Result<Option<(UserCode, DeviceRequest)>, PageError> {
    let cookie = |id: &str| companion.cookies.read(&asked.headers, &format!("{PREFIX}{id}"));
    let Some((id, code)) = asked
        .query
        .one("d")
        .and_then(|id| Some((id, UserCode::parse(cookie(id)?)?)))
    else {
        return Ok(None);
    };
    let request = companion
        .provider
        .device_request(&code, companion.clock.now())
        .await?;
    Ok(request
        .filter(|request| request.device.id == id)
        .map(|request| (code, request)))
}

/// The page for a code that leads nowhere any more.
pub(super) fn gone(companion: &Companion) -> Response {
    let view = Device {
        problem: Some(Problem::Gone),
        ..blank(companion)
    };
    companion.page(StatusCode::GONE, &view, &[])
}

/// Takes an answered device from the browser.
pub(super) fn forget(companion: &Companion, id: &str) -> HeaderValue {
    companion.cookies.clear(&format!("{PREFIX}{id}"))
}

fn remember(
    companion: &Companion,
    headers: &HeaderMap,
    request: &DeviceRequest,
    code: &UserCode,
    now: Timestamp,
) -> Vec<HeaderValue> {
    let name = format!("{PREFIX}{}", request.device.id);
    let others = companion.cookies.names(headers, PREFIX);
    let others = others.into_iter().filter(|other| *other != name);
    // They don't say which is the oldest. Nobody confirms that many at once, and a code can be typed again.
    let crowded = others.clone().count() >= MOST_PER_BROWSER;
    let mut cookies: Vec<_> = others
        .filter(|_| crowded)
        .map(|other| companion.cookies.clear(other))
        .collect();
    let life = request.device.expires_at().since(now).max(Duration::from_secs(1));
    cookies.push(companion.cookies.set(&name, &code.to_string(), Some(life)));
    cookies
}

fn blank(companion: &Companion) -> Device<'_> {
    Device {
        shell: companion.shell(),
        action: "/device",
        user_code: "",
        came_along: false,
        problem: None,
    }
}

/// A code in its one form, or what was typed in place of one.
fn shown(typed: Option<&str>) -> String {
    let typed = typed.unwrap_or_default();
    UserCode::parse(typed).map_or_else(
        || typed.chars().take(MOST_SHOWN).collect(),
        |code| code.to_string(),
    )
}
