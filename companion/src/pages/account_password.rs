//! Changing the password while signed in: the current one is asked for.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use keyback_core::ids::Subject;
use keyback_core::password::{NewPassword, PasswordRejection};
use keyback_core::rate_limit::RetryAfter;
use std::time::Duration;

use super::account::{ask_to_sign_in, signed_in};
use super::destination::{AccountPage, Destination};
use super::done::apps_hold;
use super::password_rules::{Broken, rules_of, stated};
use super::request::{Asked, Posted};
use super::respond::{self, PageError, PageResult, off_the_serving_threads, too_many, with_cookie};
use crate::app::Companion;
use crate::backends::checked_password::{CheckError, CheckedPassword};
use crate::backends::embedded::{Change, Changer, facts};
use crate::hashing::{Lane, Unavailable};
use crate::metrics::{Place, Reason};
use crate::oidc::SignIn as NewSession;
use crate::store::sessions::{self, Session};
use crate::store::users::User;
use crate::store::{StoreError, audit};
use crate::views::account_password::State as Shown;
use crate::views::{AccountPassword, Wait};

const CHECK_AGAIN_AFTER: Duration = Duration::from_secs(60);

pub(super) async fn get(State(companion): State<Arc<Companion>>, asked: Asked) -> Response {
    companion.answer(show(&companion, &asked).await)
}

pub(super) async fn post(State(companion): State<Arc<Companion>>, posted: Posted) -> Response {
    off_the_serving_threads(async move { companion.answer(submit(&companion, &posted).await) }).await
}

async fn show(companion: &Companion, asked: &Asked) -> PageResult {
    let Some((_, user)) = signed_in(companion, asked).await? else {
        return ask_to_sign_in(AccountPage::Password);
    };
    Ok(page(companion, &user, &Broken::none(), Shown::Asked))
}

async fn submit(companion: &Companion, posted: &Posted) -> PageResult {
    let asked = &posted.asked;
    let Some((session, user)) = signed_in(companion, asked).await? else {
        return ask_to_sign_in(AccountPage::Password);
    };
    let now = companion.clock.now();
    if let Err(RetryAfter(wait)) = companion
        .limiter
        .change_password(&Subject::new(user.id.clone()), now)
        .await?
    {
        companion.note_refusal(Place::AccountPassword, Reason::Limit, asked.address);
        let shown = Shown::TooManyTries {
            wait: Wait::at_least_a_second(wait),
        };
        return Ok(too_many(page(companion, &user, &Broken::none(), shown), wait));
    }
    let typed = posted.form.one("current_password").unwrap_or_default();
    let checked = match companion.backend.check_password(user.clone(), typed).await {
        Ok(Some(checked)) => checked,
        Ok(None) => {
            companion
                .metrics
                .refused(Place::AccountPassword, Reason::WrongPassword);
            audit_wrong(companion, asked, &user).await?;
            return Ok(page(companion, &user, &Broken::none(), Shown::WrongCurrent));
        }
        Err(CheckError::Hashing(Unavailable::Busy { retry_after, .. })) => {
            return Ok(busy(companion, &user, retry_after));
        }
        Err(error) => return Err(error.into()),
    };
    let Ok(new) = NewPassword::parse(posted.form.one("password").unwrap_or_default()) else {
        return Ok(page(
            companion,
            &user,
            &Broken::too_large(companion),
            Shown::Asked,
        ));
    };
    let gate = companion.resets.passwords();
    let password = match gate.accept(new, &facts(&user), &checked).await? {
        Ok(password) => password,
        Err(PasswordRejection::Weak(violations)) => {
            companion.note_refusal(Place::AccountPassword, Reason::Policy, asked.address);
            return Ok(page(
                companion,
                &user,
                &Broken::violations(&violations),
                Shown::Asked,
            ));
        }
        Err(PasswordRejection::CheckUnavailable) => return Ok(busy(companion, &user, CHECK_AGAIN_AFTER)),
    };
    let phc = match companion.backend.hash(Lane::SignIn, &password).await {
        Ok(phc) => phc,
        Err(Unavailable::Busy { retry_after, .. }) => return Ok(busy(companion, &user, retry_after)),
        Err(error) => return Err(error.into()),
    };
    change(companion, asked, &session, &checked, &phc).await
}

async fn audit_wrong(companion: &Companion, asked: &Asked, user: &User) -> Result<(), PageError> {
    let address = asked.address.to_string();
    let line = audit::Line {
        at: companion.clock.now(),
        event: "current_password_wrong",
        actor: audit::Actor::User,
        subject: Some(&user.id),
        identifier: None,
        client_id: None,
        client_ip: Some(&address),
    };
    Ok(audit::write(companion.store.writer(), companion.random.as_ref(), &line).await?)
}

/// Sets it, ends every session, and begins a new one here (SR-64, SR-72). A reset that came first wins: it ended
/// this session and replaced the password that was checked.
async fn change(
    companion: &Companion,
    asked: &Asked,
    session: &Session,
    checked: &CheckedPassword,
    phc: &str,
) -> PageResult {
    let now = companion.clock.now();
    let address = asked.address.to_string();
    let user = checked.user();
    let mut tx = companion.store.begin().await?;
    if !checked.still_holds(&mut tx).await? || !sessions::is_live(&mut *tx, &session.id, now).await? {
        return ask_to_sign_in(AccountPage::Password);
    }
    let change = Change {
        user,
        client_ip: &address,
        user_agent: asked.user_agent(),
        by: Changer::Person,
        now,
    };
    let receipt = companion.backend.change_password(&mut tx, &change, phc).await?;
    let new = NewSession {
        user_id: &user.id,
        password_hash: phc,
        amr: "pwd",
        user_agent: asked.user_agent(),
        client_ip: Some(&address),
    };
    let sessions = companion.provider.sessions();
    let begun = sessions.begin(&mut tx, &asked.headers, new, now).await?;
    let (_, cookie) = begun.ok_or_else(|| StoreError::Corrupt {
        table: "sessions",
        reason: "none could begin with the password that was set in the same transaction".to_owned(),
    })?;
    tx.commit().await.map_err(StoreError::from)?;
    companion.outbox.wake();
    // One of those that ended was this browser's own.
    let others = receipt.sessions_ended.saturating_sub(1);
    let page = page(
        companion,
        user,
        &Broken::none(),
        Shown::Changed {
            other_sessions_ended: others,
            apps_hold: apps_hold(companion, &receipt),
        },
    );
    Ok(with_cookie(page, cookie))
}

fn busy(companion: &Companion, user: &User, wait: Duration) -> Response {
    let wait = Wait::at_least_a_second(wait);
    respond::busy(page(companion, user, &Broken::none(), Shown::Busy { wait }), wait)
}

fn page(companion: &Companion, user: &User, broken: &Broken, shown: Shown) -> Response {
    let refused = !broken.is_empty() || !matches!(shown, Shown::Asked | Shown::Changed { .. });
    let status = if refused {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let stated = stated(companion.resets.passwords());
    let forgot = format!(
        "/forgot-password?{}",
        Destination::Account(AccountPage::Password).to_query()
    );
    let view = AccountPassword {
        shell: companion.shell(),
        action: "/account/password",
        account_url: "/account",
        sign_out_url: "/sign-out",
        forgot_password_url: companion.connectors.any().then_some(forgot.as_str()),
        username: user.sign_in_name(),
        rules: rules_of(&stated, broken),
        state: shown,
    };
    companion.page(status, &view, &[])
}
