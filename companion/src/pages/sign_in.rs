//! The sign-in page: answers the app's authorization request with a fresh session.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use keyback_core::identifier::Identifier;
use keyback_core::rate_limit::RetryAfter;
use url::Url;

use super::account::signed_in;
use super::consent;
use super::destination::{AccountPage, Destination};
use super::device;
use super::flow_cookie::FlowCookie;
use super::request::{Asked, Posted};
use super::respond::{PageError, PageResult, busy, see_other, too_many, with_cookie};
use crate::app::Companion;
use crate::backends::checked_password::{CheckError, CheckedPassword};
use crate::hashing::Unavailable;
use crate::metrics::{Place, Reason};
use crate::oidc::{Completion, Interaction, RESET_CLIENT_ID, SignIn as NewSession};
use crate::store::sessions::Session;
use crate::store::users::{self, UserWithPassword};
use crate::store::{audit, awaited_sign_ins};
use crate::views::error::{Kind, WayOn};
use crate::views::sign_in::{Notice, Problem};
use crate::views::{SignIn, Wait};

/// A user name is no longer than what the longest identifier may be.
const MOST_IDENTIFIER_BYTES: usize = 254;

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(show(&companion, &asked).await)
}

pub(super) async fn post(State(companion): State<Arc<Companion>>, posted: Posted) -> Response {
    companion.answer(submit(&companion, &posted).await)
}

/// What the page belongs to.
pub(super) struct Way {
    pub destination: Destination,
    /// The waiting authorization request, where the destination is one.
    pub interaction: Option<Interaction>,
    /// The app the visitor came from and goes back to.
    client_id: Option<String>,
    /// Where the answer to a form may lead in the end.
    pub redirects: Vec<Url>,
}

impl Way {
    /// Finds what the address names. `None`: its authorization request is not in this browser (any more).
    pub(super) async fn find(companion: &Companion, asked: &Asked) -> Result<Option<Self>, PageError> {
        let destination = Destination::from_query(&asked.query);
        let Some(id) = destination.interaction() else {
            return Ok(Some(Self {
                destination,
                interaction: None,
                client_id: None,
                redirects: Vec::new(),
            }));
        };
        let now = companion.clock.now();
        let Some(interaction) = companion.provider.interaction(&asked.headers, id, now).await? else {
            return Ok(None);
        };
        let request = &interaction.request;
        let mut redirects: Vec<Url> = Url::parse(&request.redirect_uri).into_iter().collect();
        let client_id = if request.client_id == RESET_CLIENT_ID {
            let app = match &request.for_app {
                Some(id) => companion.provider.app(id).await?,
                None => None,
            };
            // From the callback of `/reset-password` on: to the app's own sign-in, and from there to its callback.
            redirects.extend(
                app.iter()
                    .flat_map(|app| app.sign_in_url.iter().chain(&app.redirect_uris))
                    .cloned(),
            );
            app.map(|app| app.client_id.clone())
        } else {
            Some(request.client_id.clone())
        };
        Ok(Some(Self {
            destination,
            interaction: Some(interaction),
            client_id,
            redirects,
        }))
    }

    pub(super) fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    pub(super) fn login_hint(&self) -> &str {
        self.interaction
            .as_ref()
            .and_then(|waiting| waiting.request.login_hint.as_deref())
            .unwrap_or_default()
    }
}

/// The authorization request is not in this browser any more. What is here without an app is the account.
pub(super) async fn unknown_session(companion: &Companion, asked: &Asked) -> PageResult {
    let (url, text) = match signed_in(companion, asked).await? {
        Some(_) => (AccountPage::Account.path(), "Your account"),
        None => ("/sign-in", "Sign in to your account"),
    };
    Ok(companion.error_page(Kind::UnknownSession, Some(WayOn { url, text })))
}

async fn show(companion: &Companion, asked: &Asked) -> PageResult {
    let Some(way) = Way::find(companion, asked).await? else {
        return unknown_session(companion, asked).await;
    };
    let now = companion.clock.now();
    let as_another = asked.query.one("as") == Some("another");
    if !as_another
        && let Some((session, _)) = companion.provider.sessions().current(&asked.headers, now).await?
        && let Some(response) = go_on(companion, asked, &way, &session).await?
    {
        return Ok(response);
    }
    let notice = match asked.query.one("n") {
        Some("changed") => Some(Notice::PasswordChanged),
        _ => None,
    };
    let identifier = reset_identifier(companion, asked).await?;
    let identifier = match identifier.as_deref() {
        _ if as_another => "",
        Some(typed) => typed,
        None => way.login_hint(),
    };
    page(companion, &way, identifier, notice, None).await
}

/// What was typed in the reset that leads here, if it is this browser's: nobody types their address twice.
async fn reset_identifier(companion: &Companion, asked: &Asked) -> Result<Option<String>, PageError> {
    let Some(flow) = FlowCookie::find(&asked.query, &asked.headers, companion.cookies) else {
        return Ok(None);
    };
    let view = companion
        .resets
        .view(&flow.id, &flow.binding, companion.clock.now())
        .await?;
    Ok(view.ok().map(|view| view.identifier.as_str().to_owned()))
}

/// Answers with the session that is there already, where the request lets it.
async fn go_on(
    companion: &Companion,
    asked: &Asked,
    way: &Way,
    session: &Session,
) -> Result<Option<Response>, PageError> {
    let completion = match &way.interaction {
        Some(interaction) => {
            let now = companion.clock.now();
            let provider = &companion.provider;
            Some(provider.complete(interaction, session, None, now).await?)
        }
        None => None,
    };
    lead_on(companion, asked, way, completion).await
}

/// Leads where the way goes, by what became of its authorization request. `None`: that asks for a fresher sign-in than
/// the session's.
async fn lead_on(
    companion: &Companion,
    asked: &Asked,
    way: &Way,
    completion: Option<Completion>,
) -> Result<Option<Response>, PageError> {
    let (interaction, completion) = match (&way.destination, way.interaction.as_ref().zip(completion)) {
        (Destination::Account(page), _) => return Ok(Some(see_other(page.path())?)),
        (Destination::Device(id), _) => return Ok(Some(see_other(&device::confirm_url(id))?)),
        (Destination::Interaction(_), None) => return Ok(None),
        (Destination::Interaction(_), Some(completed)) => completed,
    };
    match completion {
        Completion::Done(completed) => Ok(Some(companion.provider.deliver(&asked.headers, completed))),
        Completion::SignIn(_) => Ok(None),
        Completion::Consent(..) => consent::ask(interaction).map(Some),
        Completion::AppGone => unknown_session(companion, asked).await.map(Some),
    }
}

async fn submit(companion: &Companion, posted: &Posted) -> PageResult {
    let asked = &posted.asked;
    let Some(way) = Way::find(companion, asked).await? else {
        return unknown_session(companion, asked).await;
    };
    let typed = posted.form.one("identifier").unwrap_or_default().trim();
    let password = posted.form.one("password").unwrap_or_default();
    let wrong = || page(companion, &way, typed, None, Some(Problem::WrongCredentials));
    if typed.is_empty() || typed.len() > MOST_IDENTIFIER_BYTES || password.is_empty() {
        return wrong().await;
    }
    let now = companion.clock.now();
    let hash = match companion.identifier(typed) {
        Ok(identifier) => companion.identifiers.hash(&identifier),
        Err(_) => companion.identifiers.hash_text(typed),
    };
    let limited = companion
        .limiter
        .sign_in(&hash, asked.visitor().prefix(), now)
        .await?;
    if let Err(RetryAfter(wait)) = limited {
        companion.note_refusal(Place::SignIn, Reason::Limit, asked.address);
        let problem = Problem::TooManyTries {
            wait: Wait::at_least_a_second(wait),
        };
        return Ok(too_many(
            page(companion, &way, typed, None, Some(problem)).await?,
            wait,
        ));
    }
    // Once more where the hash was replaced meanwhile: by a new password, or by another sign-in that wrote the same one anew.
    for _ in 0..2 {
        let found = find_user(companion, typed).await?;
        let checked = match companion.backend.check_found_password(found, password).await {
            Ok(checked) => checked,
            Err(CheckError::Hashing(Unavailable::Busy { retry_after, .. })) => {
                companion.note_refusal(Place::SignIn, Reason::Busy, asked.address);
                let wait = Wait::at_least_a_second(retry_after);
                let page = page(companion, &way, typed, None, Some(Problem::Busy { wait })).await?;
                return Ok(busy(page, wait));
            }
            Err(error) => return Err(error.into()),
        };
        let Some(checked) = checked else {
            break;
        };
        if let Some(response) = sign_in(companion, asked, &way, &checked).await? {
            checked.renew(&companion.hashing, &companion.store).await;
            return Ok(response);
        }
    }
    companion.metrics.refused(Place::SignIn, Reason::WrongPassword);
    let address = asked.address.to_string();
    let line = audit::Line {
        at: now,
        event: "sign_in_failed",
        actor: audit::Actor::Visitor,
        subject: None,
        identifier: Some(hash.as_str()),
        client_id: way.client_id(),
        client_ip: Some(&address),
    };
    audit::write(companion.store.writer(), companion.random.as_ref(), &line).await?;
    wrong().await
}

async fn find_user(companion: &Companion, typed: &str) -> Result<Option<UserWithPassword>, PageError> {
    let db = &mut *companion.store.lookup().await?;
    Ok(match companion.identifier(typed) {
        // Digits may be a user name as well as a number of the country. Both are looked for, whichever is found, so
        // that the work tells nothing.
        Ok(number @ Identifier::Phone(_)) if !typed.contains('+') => {
            let by_number = users::find_with_password(&mut *db, &number).await?;
            let by_name = users::find_with_password_by_username(db, typed).await?;
            by_number.or(by_name)
        }
        Ok(identifier) => users::find_with_password(db, &identifier).await?,
        Err(_) => users::find_with_password_by_username(db, typed).await?,
    })
}

/// Begins the session, and answers the request with it, in one transaction. `None`: the password was replaced while it
/// was checked, or the account may not sign in any more.
async fn sign_in(
    companion: &Companion,
    asked: &Asked,
    way: &Way,
    checked: &CheckedPassword,
) -> Result<Option<Response>, PageError> {
    let now = companion.clock.now();
    let address = asked.address.to_string();
    let user = checked.user();
    let provider = &companion.provider;
    let waiting = match &way.interaction {
        Some(interaction) => Some((interaction, provider.prepare(interaction, &user.id).await?)),
        None => None,
    };
    let mut tx = provider.sessions().begin_transaction(&asked.headers).await?;
    let new = NewSession {
        user_id: &user.id,
        password_hash: checked.hash(),
        amr: "pwd",
        user_agent: asked.user_agent(),
        client_ip: Some(&address),
    };
    let begun = provider
        .sessions()
        .begin(&mut tx, &asked.headers, new, now)
        .await?;
    let Some((session, cookie)) = begun else {
        return Ok(None);
    };
    let completion = match waiting {
        Some((interaction, prepared)) => Some(
            provider
                .complete_within(&mut tx, interaction, prepared, &session, now)
                .await?,
        ),
        None => None,
    };
    let line = audit::Line {
        at: now,
        event: "signed_in",
        actor: audit::Actor::User,
        subject: Some(&user.id),
        identifier: None,
        client_id: way.client_id(),
        client_ip: Some(&address),
    };
    let identifiers = [user.email.as_deref(), user.phone.as_deref()]
        .map(|text| text.map(|text| companion.identifiers.hash_text(text)));
    let is_first_after_reset =
        awaited_sign_ins::end(tx, companion.random.as_ref(), &line, identifiers).await?;
    companion.metrics.signed_in(is_first_after_reset);
    let response = match lead_on(companion, asked, way, completion).await? {
        Some(response) => response,
        // The request names another person, or none that can be answered: it is asked again.
        None => page(companion, way, way.login_hint(), Some(Notice::SignInAgain), None).await?,
    };
    Ok(Some(with_cookie(response, cookie)))
}

async fn page(
    companion: &Companion,
    way: &Way,
    identifier: &str,
    notice: Option<Notice>,
    problem: Option<Problem>,
) -> PageResult {
    let query = way.destination.to_query();
    let (action, forgot) = (format!("/sign-in?{query}"), format!("/forgot-password?{query}"));
    let app_name = companion.app_name(way.client_id()).await?;
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let view = SignIn {
        shell: companion.shell(),
        action: &action,
        app_name: &app_name,
        identifier,
        forgot_password_url: companion.connectors.any().then_some(forgot.as_str()),
        notice,
        problem,
    };
    Ok(companion.page(status, &view, &way.redirects))
}
