//! The consent page (OIDC Core 3.1.2.4): the signed-in person allows an app of others what it asks for, or doesn't.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use url::Url;

use super::account::signed_in;
use super::asks::asks;
use super::destination::Destination;
use super::request::{Asked, Posted};
use super::respond::{PageError, PageResult, see_other};
use super::sign_in::unknown_session;
use crate::app::Companion;
use crate::home::Home;
use crate::oidc::permissions::Permissions;
use crate::oidc::registry::App;
use crate::oidc::{Completion, Denial, Interaction, Yes};
use crate::store::sessions::Session;
use crate::store::users::User;
use crate::views::Consent;
use crate::views::consent::Asker;

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(show(&companion, &asked).await)
}

pub(super) async fn post(State(companion): State<Arc<Companion>>, posted: Posted) -> Response {
    companion.answer(submit(&companion, &posted).await)
}

/// To the page.
pub(super) fn ask(interaction: &Interaction) -> PageResult {
    see_other(&address("/consent", interaction))
}

fn address(page: &str, interaction: &Interaction) -> String {
    format!(
        "{page}?{}",
        Destination::Interaction(interaction.id.clone()).to_query()
    )
}

/// The authorization request that waits in this browser, if it still does.
async fn waiting(companion: &Companion, asked: &Asked) -> Result<Option<Interaction>, PageError> {
    let Some(id) = asked.query.one("i") else {
        return Ok(None);
    };
    let now = companion.clock.now();
    Ok(companion.provider.interaction(&asked.headers, id, now).await?)
}

async fn show(companion: &Companion, asked: &Asked) -> PageResult {
    match waiting(companion, asked).await? {
        None => unknown_session(companion, asked).await,
        Some(interaction) => go_on(companion, asked, &interaction, Said::Nothing).await,
    }
}

async fn submit(companion: &Companion, posted: &Posted) -> PageResult {
    let asked = &posted.asked;
    let Some(interaction) = waiting(companion, asked).await? else {
        return unknown_session(companion, asked).await;
    };
    match posted.form.one("answer") {
        Some("deny") => match companion.provider.deny(&interaction).await? {
            Denial::Done(completed) => Ok(companion.provider.deliver(&asked.headers, completed)),
            Denial::AppGone => unknown_session(companion, asked).await,
        },
        Some("allow") => {
            let said = Said::Yes {
                session: posted.form.one("session").unwrap_or_default(),
            };
            go_on(companion, asked, &interaction, said).await
        }
        _ => ask(&interaction),
    }
}

/// What the visitor has said on the page.
enum Said<'a> {
    Nothing,
    /// Yes, as the person of this session: the one that the page named.
    Yes {
        session: &'a str,
    },
}

async fn go_on(
    companion: &Companion,
    asked: &Asked,
    interaction: &Interaction,
    said: Said<'_>,
) -> PageResult {
    let Some((session, user)) = signed_in(companion, asked).await? else {
        return see_other(&address("/sign-in", interaction));
    };
    let client_ip = asked.address.to_string();
    let yes = match said {
        // Another person has signed in since the page was drawn: they have said nothing yet.
        Said::Yes { session: named } if named != session.id => return ask(interaction),
        Said::Yes { .. } => Some(Yes {
            client_ip: Some(&client_ip),
        }),
        Said::Nothing => None,
    };
    let now = companion.clock.now();
    match companion
        .provider
        .complete(interaction, &session, yes, now)
        .await?
    {
        Completion::Done(completed) => Ok(companion.provider.deliver(&asked.headers, completed)),
        Completion::SignIn(_) => see_other(&address("/sign-in", interaction)),
        Completion::Consent(app, permissions) => Ok(page(
            companion,
            interaction,
            &app,
            &permissions,
            (&session, &user),
        )),
        Completion::AppGone => unknown_session(companion, asked).await,
    }
}

fn page(
    companion: &Companion,
    interaction: &Interaction,
    app: &App,
    permissions: &Permissions,
    (session, user): (&Session, &User),
) -> Response {
    let redirects: Vec<Url> = Url::parse(&interaction.request.redirect_uri)
        .into_iter()
        .collect();
    let (action, as_another) = (
        address("/consent", interaction),
        format!("{}&as=another", address("/sign-in", interaction)),
    );
    let view = Consent {
        shell: companion.shell(),
        action: &action,
        asker: Asker {
            name: app.display_name(),
            home: redirects.first().map_or(Home::ThisDevice, Home::of),
        },
        person: user.display_name(),
        sign_in_name: user.sign_in_name(),
        session: &session.id,
        asks: asks(companion, permissions, user),
        as_another_url: &as_another,
    };
    companion.page(StatusCode::OK, &view, &redirects)
}
