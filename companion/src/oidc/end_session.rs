//! The end of a session (RP-Initiated Logout 1.0): at once where the app proves whose session it means by an ID
//! token, else after the person has said yes.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::authorize::append_to_uri;
use super::error::Failure;
use super::hint::{self, HintClaims};
use super::pages::{ErrorKind, SignOutConfirmation, SignedOut, Visitor};
use super::params::{MOST_QUERY_BYTES, Params};
use super::registry::App;
use super::session::SignedOutBy;
use super::{Inner, Provider, no_store, see_other};
use crate::http::client_ip::address_of;
use crate::http::csrf::is_same_origin;
use crate::store::sessions::Session;

const PATH: &str = "/oidc/session/end";
/// The hidden field that says yes. It counts in a POST from our own page alone.
const CONFIRMED: (&str, &str) = ("confirm", "yes");
/// What the confirmation page sends on.
const CARRIED: [&str; 5] = [
    "id_token_hint",
    "client_id",
    "post_logout_redirect_uri",
    "state",
    "ui_locales",
];

/// A sign-out request that passed every check.
struct SignOut {
    app: Option<std::sync::Arc<App>>,
    hint: Option<HintClaims>,
    return_to: Option<String>,
}

/// What is wrong with a sign-out request, for the visitor.
enum Refusal {
    Wrong(&'static str),
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

pub(super) async fn get(State(provider): State<Provider>, request: Request) -> Response {
    let inner = &*provider.0;
    let query = request.uri().query().unwrap_or_default().to_owned();
    let (parts, _) = request.into_parts();
    let params = Params::parse(query.as_bytes())
        .ok()
        .filter(|_| query.len() <= MOST_QUERY_BYTES);
    let outcome = match &params {
        Some(params) => handle(inner, &parts, params, false).await,
        None => Err(Refusal::Wrong(
            "The sign-out request is too long or can't be read.",
        )),
    };
    answer(inner, &parts.headers, outcome)
}

pub(super) async fn post(State(provider): State<Provider>, request: Request) -> Response {
    let inner = &*provider.0;
    let (parts, body) = request.into_parts();
    let Ok(params) = Params::of_body(&parts.headers, body).await else {
        let wrong = Refusal::Wrong("The sign-out request is not a form, or too large.");
        return answer(inner, &parts.headers, Err(wrong));
    };
    if !is_same_origin(&parts.headers, &inner.public_url) {
        // Browsers hold back `Lax` cookies from a foreign POST; the GET has them. It never counts as a yes.
        let query = params.to_query();
        if query.len() <= MOST_QUERY_BYTES {
            return see_other(&format!("{}/session/end?{query}", inner.issuer));
        }
        let wrong = Refusal::Wrong("The sign-out request is too long.");
        return answer(inner, &parts.headers, Err(wrong));
    }
    let confirmed = params.one(CONFIRMED.0) == Some(CONFIRMED.1);
    let outcome = handle(inner, &parts, &params, confirmed).await;
    answer(inner, &parts.headers, outcome)
}

async fn handle(inner: &Inner, parts: &Parts, params: &Params, confirmed: bool) -> Result<Response, Refusal> {
    let (headers, address) = (&parts.headers, address_of(&parts.extensions));
    let sign_out = check(inner, params).await?;
    let visitor = Visitor {
        headers,
        ui_locales: params.one("ui_locales"),
    };
    let now = inner.clock.now();
    let Some((session, user)) = inner.sessions().current(headers, now).await? else {
        return Ok(done(inner, visitor, &sign_out));
    };
    if !confirmed && !sign_out.hints_at(&session) {
        let fields = CARRIED
            .into_iter()
            .filter_map(|name| Some((name, params.one(name)?.to_owned())));
        let page = SignOutConfirmation {
            app_name: sign_out.app.as_deref().map(App::display_name),
            account: user.display_name(),
            action: PATH,
            fields: fields.chain([(CONFIRMED.0, CONFIRMED.1.to_owned())]).collect(),
            redirects_to: sign_out.return_to.as_deref(),
        };
        return Ok(inner.pages.sign_out_confirmation(visitor, page));
    }
    let client_ip = address.map(|address| address.to_string());
    let by = SignedOutBy {
        client_id: sign_out.app.as_deref().map(|app| app.client_id.as_str()),
        client_ip: client_ip.as_deref(),
    };
    inner.sessions().sign_out(&session, by, now).await?;
    let mut response = done(inner, visitor, &sign_out);
    response
        .headers_mut()
        .append(header::SET_COOKIE, inner.sessions().clear_cookie());
    Ok(response)
}

/// RP-Initiated Logout 2 and 3: whose hint it is, which app asks, and whether it may have the visitor back.
async fn check(inner: &Inner, params: &Params) -> Result<SignOut, Refusal> {
    let wrong = |detail| Err(Refusal::Wrong(detail));
    if params.repeated().is_some() || params.with_control_character().is_some() {
        return wrong("The sign-out request holds a parameter twice, or a control character.");
    }
    let hint = match params.one("id_token_hint") {
        None => None,
        Some(token) => {
            let ring = inner.keys.ring(inner.clock.now()).await;
            match hint::read(&ring, &inner.issuer, token) {
                Some(claims) => Some(claims),
                None => {
                    return wrong(
                        "The id_token_hint of the sign-out request was not given by this provider.",
                    );
                }
            }
        }
    };
    let client_id = match (&hint, params.one("client_id")) {
        (Some(hint), Some(asked)) if hint.aud != asked => {
            return wrong("The id_token_hint of the sign-out request was given to another app.");
        }
        (Some(hint), _) => Some(hint.aud.as_str()),
        (None, asked) => asked,
    };
    let app = match client_id {
        None => None,
        Some(client_id) => match inner.registry.find(client_id).await? {
            Some(app) => Some(app),
            None => return wrong("The app that asks for the sign-out is not registered."),
        },
    };
    let return_to = match params.one("post_logout_redirect_uri") {
        None => None,
        Some(uri)
            if app
                .as_ref()
                .is_some_and(|app| app.allows_post_logout_redirect(uri)) =>
        {
            Some(append_to_uri_if_any(uri, params.one("state")))
        }
        Some(_) => {
            return wrong(
                "The address to return to after the sign-out is not registered for the app. Its operator must \
                 register the post_logout_redirect_uri exactly as the app sends it, and the app must send its \
                 client_id or an id_token_hint.",
            );
        }
    };
    Ok(SignOut { app, hint, return_to })
}

impl SignOut {
    /// Whether the hint means this session: its own, or an earlier one of the same person.
    fn hints_at(&self, session: &Session) -> bool {
        self.hint
            .as_ref()
            .is_some_and(|hint| hint.sid.as_deref() == Some(&session.id) || hint.sub == session.user_id)
    }
}

fn append_to_uri_if_any(uri: &str, state: Option<&str>) -> String {
    match state {
        None => uri.to_owned(),
        Some(state) => append_to_uri(uri, [("state", state)]),
    }
}

fn done(inner: &Inner, visitor: Visitor<'_>, sign_out: &SignOut) -> Response {
    if let Some(location) = &sign_out.return_to {
        return see_other(location);
    }
    let app = sign_out.app.as_deref();
    let page = SignedOut {
        app_name: app.map(App::display_name),
        way_back: app.and_then(App::way_back),
    };
    inner.pages.signed_out(visitor, page)
}

fn answer(inner: &Inner, headers: &HeaderMap, outcome: Result<Response, Refusal>) -> Response {
    let mut response = match outcome {
        Ok(response) => response,
        Err(Refusal::Wrong(detail)) => {
            return inner.refuse(headers, None, StatusCode::BAD_REQUEST, ErrorKind::SignOut, detail);
        }
        Err(Refusal::Failed(failure)) => {
            tracing::error!(error = %failure, "a sign-out failed");
            let detail = "The sign-out failed: you are still signed in. Try again in a moment.";
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return inner.refuse(headers, None, status, ErrorKind::Failure, detail);
        }
    };
    response.headers_mut().extend(no_store());
    response.into_response()
}
