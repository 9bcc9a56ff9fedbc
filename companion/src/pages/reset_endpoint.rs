//! The self-hosted reset endpoint: what "Forgot password?" links to on any site.
//!
//! `GET /reset-password` begins a sign-in whose first screen is the reset page, as a relying party of the own
//! provider. Its callback sends the visitor to the app they came from, whose ordinary sign-in the session then
//! answers without a prompt.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use keyback::Fault;
use url::form_urlencoded::Serializer;

use super::destination::AccountPage;
use super::request::Asked;
use super::respond::{PageError, PageResult, see_other, with_cookie};
use crate::app::Companion;
use crate::http::forms::Fields;
use crate::oidc::registry::App;
use crate::oidc::{FOR_APP, RESET_CLIENT_ID};
use crate::views::error::{Kind, WayOn};

/// Bytes of a prefill at most: the longest e-mail address.
const MOST_HINT_BYTES: usize = 254;
const MOST_LOCALES_BYTES: usize = 100;

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(begin(&companion, &asked).await)
}

pub(super) async fn callback(
    State(companion): State<Arc<Companion>>,
    OriginalUri(uri): OriginalUri,
    asked: Asked,
) -> Response {
    let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    companion.answer(end(&companion, &asked, &path_and_query).await)
}

async fn begin(companion: &Companion, asked: &Asked) -> PageResult {
    let app = match asked.query.one("client_id") {
        Some(id) => match companion.provider.app(id).await? {
            Some(app) if id != RESET_CLIENT_ID => Some(app),
            _ => {
                let detail = "its client_id is not that of an app here";
                return Ok(companion.error_page(Kind::UnknownClient { detail }, None));
            }
        },
        None => only_app(companion).await?,
    };
    let relying_party = &companion.relying_party;
    let mut request = relying_party.client.forgot_password();
    if let Some(hint) = short(asked.query.one("login_hint"), MOST_HINT_BYTES) {
        request = request.login_hint(hint);
    }
    if let Some(locales) = short(asked.query.one("ui_locales"), MOST_LOCALES_BYTES) {
        request = request.ui_locales(locales.split(' '));
    }
    if let Some(app) = &app {
        // The way back stands sealed in the pending sign-in; the provider is told for the pages' name and policy.
        let client_id = app.client_id.as_str();
        let to = Serializer::new(String::new())
            .append_pair("to", client_id)
            .finish();
        request = request
            .return_path(format!("/reset-password/done?{to}"))
            .extra(FOR_APP, client_id);
    }
    let sign_in = request.start().await?;
    let sent = asked
        .headers
        .get(header::COOKIE)
        .and_then(|cookies| cookies.to_str().ok())
        .unwrap_or_default();
    let cookies = relying_party
        .sealer
        .set_cookies(&sign_in.pending, sent)
        .map_err(keyback::Error::from)?;
    cookies
        .iter()
        .try_fold(see_other(sign_in.url.as_str())?, |response, cookie| {
            Ok(with_cookie(response, HeaderValue::from_str(cookie)?))
        })
}

async fn end(companion: &Companion, asked: &Asked, path_and_query: &str) -> PageResult {
    let relying_party = &companion.relying_party;
    let client = &relying_party.client;
    let start_again = || {
        companion.error_page(
            Kind::UnknownSession,
            Some(WayOn {
                url: "/reset-password",
                text: "Start again",
            }),
        )
    };
    let Ok(callback_url) = client.callback_url(path_and_query) else {
        return Ok(start_again());
    };
    let sent = asked
        .headers
        .get(header::COOKIE)
        .and_then(|cookies| cookies.to_str().ok())
        .unwrap_or_default();
    let pending = match relying_party.sealer.open(sent, &callback_url, client) {
        Ok(pending) => pending,
        Err(error) => {
            tracing::info!(
                code = error.code(),
                "a callback belongs to no sign-in of this browser"
            );
            return Ok(start_again());
        }
    };
    let cleared = HeaderValue::from_str(&relying_party.sealer.clear_cookie(&pending))?;
    let session = match client.finish(pending, &callback_url).await {
        Ok(session) => session,
        Err(error) if error.fault() == Fault::Visitor => {
            tracing::info!(code = error.code(), %error, "a callback was refused");
            return Ok(with_cookie(start_again(), cleared));
        }
        // Ours: the same callback may do once it is mended, so what belongs to it is kept.
        Err(error) => return Err(error.into()),
    };
    let to = session.return_path().split_once('?').map(|(_, query)| query);
    let app = match Fields::from_query(to)
        .ok()
        .as_ref()
        .and_then(|query| query.one("to"))
    {
        Some(id) => companion.provider.app(id).await?,
        None => None,
    };
    let location = app
        .as_ref()
        .and_then(|app| app.sign_in_url.as_ref())
        .map_or(AccountPage::Account.path(), |url| url.as_str());
    Ok(with_cookie(see_other(location)?, cleared))
}

/// The app that is meant where none is named: the only one that people sign in to.
async fn only_app(companion: &Companion) -> Result<Option<Arc<App>>, PageError> {
    let apps = companion.provider.apps().await?;
    let mut with_people = apps
        .into_iter()
        .filter(|app| app.has_people() && app.client_id != RESET_CLIENT_ID);
    let first = with_people.next();
    Ok(if with_people.next().is_none() { first } else { None })
}

fn short(value: Option<&str>, most: usize) -> Option<&str> {
    value.filter(|value| value.len() <= most && !value.chars().any(char::is_control))
}
