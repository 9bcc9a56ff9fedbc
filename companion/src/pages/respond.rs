//! Answers: pages with their content security policy, redirects with 303, errors without internals.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use keyback_core::ports::Failure;
use url::Url;

use super::destination::AccountPage;
use crate::app::Companion;
use crate::backends::checked_password::CheckError;
use crate::captcha::Captcha;
use crate::hashing::Unavailable;
use crate::http::headers::{embedding_csp, page_csp};
use crate::secrets::random_id;
use crate::store::StoreError;
use crate::views::assets::{Asset, SCRIPT};
use crate::views::error::{ErrorPage, Kind, WayOn};
use crate::views::{Shell, Template, Theme, Wait};

/// What stopped a handler: ours, never the visitor's. It becomes a page with an event id; the cause is logged.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Domain(#[from] Failure),
    #[error(transparent)]
    Hashing(#[from] Unavailable),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error("the provider failed")]
    Provider(#[from] crate::oidc::error::Failure),
    #[error("the SDK failed")]
    Sdk(#[from] keyback::Error),
    #[error("the header could not be written")]
    Header(#[from] axum::http::header::InvalidHeaderValue),
}

/// A handler's answer; failures carry the companion that draws their page.
pub(super) type PageResult = Result<Response, PageError>;

impl Companion {
    /// The frame of a page.
    pub(crate) fn shell(&self) -> Shell<'_> {
        Shell::english(&self.theme)
    }

    /// Renders a page. `redirects` are where the answer to its form may lead, for `form-action`.
    pub(crate) fn page(&self, status: StatusCode, view: &impl Template, redirects: &[Url]) -> Response {
        match view.render() {
            Ok(html) => html_page(&self.theme, status, html, &SCRIPT, redirects),
            Err(error) => self.failure(&error),
        }
    }

    /// [`page`](Self::page), where it may hold a captcha.
    pub(super) fn page_with_captcha(
        &self,
        status: StatusCode,
        view: &impl Template,
        redirects: &[Url],
        captcha: Option<&Captcha>,
    ) -> Response {
        let mut response = self.page(status, view, redirects);
        if let Some(captcha) = captcha {
            let (style, script) = (self.theme.style().csp(), SCRIPT.csp());
            let policy = embedding_csp(style, script, redirects, captcha.embedded());
            response
                .headers_mut()
                .insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }

    /// What people are told an app is called ([`App::display_name`](crate::oidc::registry::App::display_name)); where no app
    /// is meant, the house itself.
    pub(crate) async fn app_name(&self, client_id: Option<&str>) -> Result<String, StoreError> {
        let app = match client_id {
            Some(client_id) => self.provider.app(client_id).await?,
            None => None,
        };
        Ok(match app {
            Some(app) => app.display_name().to_owned(),
            None => self.config.branding.name.clone(),
        })
    }

    /// An error page of its own status.
    pub(crate) fn error_page(&self, kind: Kind<'_>, way_on: Option<WayOn<'_>>) -> Response {
        let view = ErrorPage {
            shell: self.shell(),
            kind,
            way_on,
        };
        let status = StatusCode::from_u16(view.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = self.page(status, &view, &[]);
        if let Kind::TooManyRequests { wait } | Kind::Unavailable { wait, .. } = kind {
            retry_after(&mut response, wait);
        }
        response
    }

    /// A failure of ours: logged with its cause under an id, which alone is shown.
    pub(crate) fn failure(&self, error: &dyn std::fmt::Display) -> Response {
        let event_id = random_id(self.random.as_ref());
        tracing::error!(event_id, %error, "a request failed");
        // Rendering may be what failed: this page must not call itself.
        let view = ErrorPage {
            shell: self.shell(),
            kind: Kind::Failure { event_id: &event_id },
            way_on: None,
        };
        match view.render() {
            Ok(html) => html_page(&self.theme, StatusCode::INTERNAL_SERVER_ERROR, html, &SCRIPT, &[]),
            Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, event_id).into_response(),
        }
    }

    /// The answer to a handler's failure: 503 where waiting helps, else 500.
    pub(super) fn answer(&self, result: PageResult) -> Response {
        let error = match result {
            Ok(response) => return response,
            Err(error) => error,
        };
        let busy = match &error {
            PageError::Hashing(Unavailable::Busy { retry_after, .. })
            | PageError::Check(CheckError::Hashing(Unavailable::Busy { retry_after, .. }))
            | PageError::Domain(Failure::Busy { retry_after, .. }) => Some(*retry_after),
            _ => None,
        };
        let Some(wait) = busy else {
            return self.failure(&with_sources(&error));
        };
        let event_id = random_id(self.random.as_ref());
        tracing::warn!(event_id, %error, "too busy");
        let wait = Wait::at_least_a_second(wait);
        self.error_page(
            Kind::Unavailable {
                event_id: &event_id,
                wait,
            },
            None,
        )
    }
}

/// A drawn page with its content security policy. `script` is the one it holds; `redirects` are where the answer to its form may
/// lead.
pub(super) fn html_page(
    theme: &Theme,
    status: StatusCode,
    html: String,
    script: &Asset,
    redirects: &[Url],
) -> Response {
    let csp = page_csp(theme.style().csp(), script.csp(), redirects);
    let content_type = HeaderValue::from_static("text/html; charset=utf-8");
    (
        status,
        [
            (header::CONTENT_TYPE, content_type),
            (header::CONTENT_SECURITY_POLICY, csp),
        ],
        html,
    )
        .into_response()
}

/// Runs a handler on a thread for blocking work. Estimating a new password takes a good part of a second at its
/// worst, and must not hold up the threads that serve everybody.
pub(crate) async fn off_the_serving_threads(
    handler: impl Future<Output = Response> + Send + 'static,
) -> Response {
    let runtime = tokio::runtime::Handle::current();
    match tokio::task::spawn_blocking(move || runtime.block_on(handler)).await {
        Ok(response) => response,
        // A panic goes on to where all panics become an error page.
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
    }
}

/// 303: what follows a POST is a GET (SR-80).
pub(super) fn see_other(location: &str) -> Result<Response, PageError> {
    let location = HeaderValue::from_str(location)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

/// Adds a `Set-Cookie`.
pub(super) fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// Adds `Retry-After`.
fn retry_after(response: &mut Response, wait: Wait) {
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(wait.seconds()));
}

/// A page that asks to wait: 429 with `Retry-After`.
pub(super) fn too_many(mut response: Response, wait: Duration) -> Response {
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    retry_after(&mut response, Wait::at_least_a_second(wait));
    response
}

/// A page that asks to come back: 503 with `Retry-After`.
pub(super) fn busy(mut response: Response, wait: Wait) -> Response {
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    retry_after(&mut response, wait);
    response
}

pub(super) async fn not_found(State(companion): State<Arc<Companion>>) -> Response {
    let way_on = WayOn {
        url: AccountPage::Account.path(),
        text: "Your account",
    };
    companion.error_page(Kind::NotFound, Some(way_on))
}

pub(super) async fn method_not_allowed(State(companion): State<Arc<Companion>>) -> Response {
    companion.error_page(Kind::MethodNotAllowed, None)
}

/// What a panic said, for the log.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a handler panicked: {}", text.unwrap_or("without a word"))
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
