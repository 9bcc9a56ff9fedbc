//! The account page, and what its pages share: who is signed in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::destination::{AccountPage, Destination};
use super::request::Asked;
use super::respond::{PageError, PageResult, see_other};
use crate::app::Companion;
use crate::store::sessions::Session;
use crate::store::users::User;
use crate::views::Account;
use crate::views::account::Person;

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(show(&companion, &asked).await)
}

async fn show(companion: &Companion, asked: &Asked) -> PageResult {
    let Some((_, user)) = signed_in(companion, asked).await? else {
        return ask_to_sign_in(AccountPage::Account);
    };
    let view = Account {
        shell: companion.shell(),
        person: person(&user),
        change_password_url: "/account/password",
        sign_out_url: "/sign-out",
    };
    Ok(companion.page(StatusCode::OK, &view, &[]))
}

/// The session of this browser and its person.
pub(super) async fn signed_in(
    companion: &Companion,
    asked: &Asked,
) -> Result<Option<(Session, User)>, PageError> {
    Ok(companion.provider.sessions().current(&asked.headers, companion.clock.now()).await?)
}

/// To the sign-in page, and back here.
pub(super) fn ask_to_sign_in(page: AccountPage) -> PageResult {
    see_other(&format!("/sign-in?{}", Destination::Account(page).to_query()))
}

fn person(user: &User) -> Person<'_> {
    Person { name: user.name.as_deref(), email: user.email.as_deref(), phone: user.phone.as_deref() }
}
