//! The provider's pages, drawn with the same templates as all others.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use keyback_core::random::Random;
use url::Url;

use super::respond::html_page;
use crate::oidc::pages::{
    ErrorKind, ErrorPage as ProviderError, FormPost, ProviderPages, SignOutConfirmation,
    SignedOut as ProviderSignedOut, Visitor,
};
use crate::oidc::registry::WayBack;
use crate::secrets::random_id;
use crate::views::assets::{Asset, SCRIPT, SEND_BACK_SCRIPT};
use crate::views::error::{ErrorPage, Kind, WayOn};
use crate::views::{SendBack, Shell, SignOut, SignedOut, Template, Theme};

/// Draws the provider's pages in the companion's design.
pub struct DesignedPages {
    theme: Arc<Theme>,
    random: Arc<dyn Random>,
}

impl DesignedPages {
    pub fn new(theme: Arc<Theme>, random: Arc<dyn Random>) -> Self {
        Self { theme, random }
    }

    fn shell(&self) -> Shell<'_> {
        Shell::english(&self.theme)
    }

    fn render(&self, status: StatusCode, view: &impl Template, redirects: &[Url]) -> Response {
        self.render_with(&SCRIPT, status, view, redirects)
    }

    fn render_with(
        &self,
        script: &Asset,
        status: StatusCode,
        view: &impl Template,
        redirects: &[Url],
    ) -> Response {
        match view.render() {
            Ok(html) => html_page(&self.theme, status, html, script, redirects),
            Err(error) => {
                tracing::error!(%error, "a page can't be drawn");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

impl ProviderPages for DesignedPages {
    fn error(&self, _: Visitor<'_>, page: ProviderError<'_>) -> Response {
        let event_id = random_id(self.random.as_ref());
        let kind = match page.kind {
            ErrorKind::UnknownApp => Kind::UnknownClient { detail: page.detail },
            ErrorKind::Expired => Kind::UnknownSession,
            ErrorKind::ForeignRedirect | ErrorKind::BadRequest | ErrorKind::SignOut => Kind::BadRequest {
                detail: Some(page.detail),
            },
            ErrorKind::Failure => {
                tracing::error!(event_id, detail = page.detail, "the provider failed");
                Kind::Failure { event_id: &event_id }
            }
        };
        self.render(
            page.status,
            &ErrorPage {
                shell: self.shell(),
                kind,
                way_on: None,
            },
            &[],
        )
    }

    fn sign_out_confirmation(&self, _: Visitor<'_>, page: SignOutConfirmation<'_>) -> Response {
        let redirects: Vec<Url> = page
            .redirects_to
            .and_then(|url| Url::parse(url).ok())
            .into_iter()
            .collect();
        let view = SignOut {
            shell: self.shell(),
            action: page.action,
            person: page.account,
            fields: &page.fields,
            app_name: page.app_name,
            stay_url: "/account",
        };
        self.render(StatusCode::OK, &view, &redirects)
    }

    fn form_post(&self, _: Visitor<'_>, page: FormPost<'_>) -> Response {
        let redirects: Vec<Url> = Url::parse(page.action).into_iter().collect();
        let view = SendBack {
            shell: self.shell(),
            action: page.action,
            host: redirects.first().and_then(Url::host_str).unwrap_or_default(),
            fields: page.fields,
        };
        self.render_with(&SEND_BACK_SCRIPT, StatusCode::OK, &view, &redirects)
    }

    fn signed_out(&self, _: Visitor<'_>, page: ProviderSignedOut<'_>) -> Response {
        let from = page.app_name.unwrap_or(self.theme.name());
        let back = format!("Back to {from}");
        let way_on = page.way_back.map(|way| match way {
            WayBack::AfterSignOut(url) => WayOn {
                url: url.as_str(),
                text: &back,
            },
            WayBack::SignIn(url) => WayOn {
                url: url.as_str(),
                text: "Sign in again",
            },
        });
        let view = SignedOut {
            shell: self.shell(),
            from,
            way_on,
        };
        self.render(StatusCode::OK, &view, &[])
    }
}
