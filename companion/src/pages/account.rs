//! The account page, and what its pages share: who is signed in.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use keyback_core::time::Timestamp;

use super::destination::{AccountPage, Destination};
use super::request::Asked;
use super::respond::{PageError, PageResult, see_other};
use super::{account_apps, account_sessions};
use crate::app::Companion;
use crate::device::Device;
use crate::home::Home;
use crate::store::sessions::{self, Session};
use crate::store::users::User;
use crate::store::{StoreError, consents, grants};
use crate::time_text;
use crate::views::Account;
use crate::views::account::{Address, AppAccess, Done, Moment, Person, SignedIn};

/// What was just done, in the query of the page.
const DONE: &str = "done";

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(show(&companion, &asked).await)
}

async fn show(companion: &Companion, asked: &Asked) -> PageResult {
    let Some((here, user)) = signed_in(companion, asked).await? else {
        return ask_to_sign_in(AccountPage::Account);
    };
    let now = companion.clock.now();
    let all = sessions::list(companion.store.reader(), &user.id, now).await?;
    let mut signed_in: Vec<_> = all.iter().map(|session| row(session, &here, now)).collect();
    signed_in.sort_by_key(|session| !session.is_here);
    let view = Account {
        shell: companion.shell(),
        person: person(&user),
        change_password_url: "/account/password",
        sign_out_url: "/sign-out",
        sessions_action: account_sessions::PATH,
        sessions: signed_in,
        apps_action: account_apps::PATH,
        apps: apps(companion, &user, now).await?,
        done: asked.query.one(DONE).and_then(done),
    };
    Ok(companion.page(StatusCode::OK, &view, &[]))
}

/// The session of this browser and its person.
pub(super) async fn signed_in(
    companion: &Companion,
    asked: &Asked,
) -> Result<Option<(Session, User)>, PageError> {
    Ok(companion
        .provider
        .sessions()
        .current(&asked.headers, companion.clock.now())
        .await?)
}

/// To the sign-in page, and back here.
pub(super) fn ask_to_sign_in(page: AccountPage) -> PageResult {
    see_other(&format!("/sign-in?{}", Destination::Account(page).to_query()))
}

/// Back to the account page, which says what was done.
pub(super) fn back(done: Done) -> PageResult {
    see_other(&format!("/account?{DONE}={}", name(done)))
}

fn name(done: Done) -> &'static str {
    match done {
        Done::One => "one",
        Done::Others => "others",
        Done::Removed => "removed",
    }
}

fn done(text: &str) -> Option<Done> {
    [Done::One, Done::Others, Done::Removed]
        .into_iter()
        .find(|done| name(*done) == text)
}

fn person(user: &User) -> Person<'_> {
    Person {
        name: user.name.as_deref(),
        username: user.username.as_deref(),
        email: user.email.as_deref().map(|text| Address {
            text,
            verified: user.email_verified,
        }),
        phone: user.phone.as_deref().map(|text| Address {
            text,
            verified: user.phone_verified,
        }),
    }
}

fn row<'a>(session: &'a Session, here: &Session, now: Timestamp) -> SignedIn<'a> {
    SignedIn {
        id: &session.id,
        device: Device::parse(session.user_agent.as_deref()),
        is_here: session.id == here.id,
        signed_in: moment(session.created_at(), now),
        last_seen: moment(session.last_seen_at(), now),
        address: session.client_ip.as_deref(),
    }
}

fn moment(at: Timestamp, now: Timestamp) -> Moment {
    Moment {
        words: time_text::ago(at, now),
        exact: time_text::exact(at),
        machine: time_text::rfc3339(at),
    }
}

/// The apps that were allowed something, and those that hold tokens which outlive every session.
async fn apps(companion: &Companion, user: &User, now: Timestamp) -> Result<Vec<AppAccess>, StoreError> {
    let db = companion.store.reader();
    let mut held: BTreeMap<String, (Timestamp, bool)> = BTreeMap::new();
    for consent in consents::list(db, &user.id).await? {
        held.insert(consent.client_id.clone(), (consent.given_at(), false));
    }
    for offline in grants::list_offline(db, &user.id, now).await? {
        let since = offline.since();
        let entry = held.entry(offline.client_id).or_insert((since, true));
        *entry = (entry.0.min(since), true);
    }
    let mut apps = Vec::new();
    for (client_id, (since, while_away)) in held {
        let Some(app) = companion.provider.app(&client_id).await? else {
            continue;
        };
        apps.push(AppAccess {
            client_id,
            name: app.display_name().to_owned(),
            host: Home::site_among(&app.redirect_uris).map(str::to_owned),
            since: moment(since, now),
            while_away,
        });
    }
    Ok(apps)
}
