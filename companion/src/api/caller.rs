//! Who calls: judged before anything of the call is read.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use keyback_core::time::Timestamp;

use super::error::ApiError;
use crate::app::Companion;
use crate::config::app::{MANAGEMENT_API, MANAGEMENT_SCOPE};
use crate::http::client_ip::{address_of, user_agent};
use crate::oidc::bearer::{self, ActingPerson, SentTwice};
use crate::oidc::registry::App;
use crate::oidc::scope::OPENID;
use crate::store::audit::{Actor, Line};
use crate::store::users::User;
use crate::webhooks::{AccountChange, ApiCall, Cause};

/// A machine app that may use the Management API.
pub(super) struct Operator {
    pub(super) app: Arc<App>,
    pub(super) client_ip: String,
    pub(super) user_agent: Option<String>,
}

impl FromRequestParts<Arc<Companion>> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, companion: &Arc<Companion>) -> Result<Self, ApiError> {
        let token = token(parts)?;
        let acting = companion
            .provider
            .acting_app(token, MANAGEMENT_API, companion.clock.now())
            .await?
            .ok_or_else(ApiError::unauthorized)?;
        // The token says what the app was given, the configuration what it has still.
        if !acting.scopes.contains(MANAGEMENT_SCOPE) || !acting.app.may_use(MANAGEMENT_API) {
            return Err(ApiError::forbidden(
                "The app may not use the Management API: list the API in its resources.",
            ));
        }
        // Requests without a connection are our own, made in process.
        let address = address_of(&parts.extensions).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        Ok(Self {
            app: acting.app,
            client_ip: address.to_string(),
            user_agent: user_agent(&parts.headers).map(str::to_owned),
        })
    }
}

/// Somebody who is signed in to an app, which calls for them.
pub(super) struct Person {
    pub(super) acting: ActingPerson,
    pub(super) client_ip: String,
    pub(super) user_agent: Option<String>,
}

impl FromRequestParts<Arc<Companion>> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, companion: &Arc<Companion>) -> Result<Self, ApiError> {
        let acting = companion
            .provider
            .acting_person(token(parts)?, &parts.extensions, companion.clock.now())
            .await?
            .ok_or_else(ApiError::unauthorized)?;
        if !acting.scopes.contains(OPENID) {
            return Err(ApiError::forbidden(
                "The access token was given without the scope openid.",
            ));
        }
        let address = address_of(&parts.extensions).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        Ok(Self {
            acting,
            client_ip: address.to_string(),
            user_agent: user_agent(&parts.headers).map(str::to_owned),
        })
    }
}

impl Person {
    /// Apps of others may look, and change nothing.
    pub(super) fn check_first_party(&self) -> Result<(), ApiError> {
        if self.acting.app.first_party {
            return Ok(());
        }
        Err(ApiError::refused(
            StatusCode::FORBIDDEN,
            "auth.third_party_application_forbidden",
            "Only apps of the operator's own may do this.",
        ))
    }
}

impl Operator {
    /// The line of what this app did with an account.
    pub(super) fn line<'a>(&'a self, event: &'a str, subject: &'a str, at: Timestamp) -> Line<'a> {
        Line {
            at,
            event,
            actor: Actor::App,
            subject: Some(subject),
            identifier: None,
            client_id: Some(&self.app.client_id),
            client_ip: Some(&self.client_ip),
        }
    }
}

impl Operator {
    /// What webhooks are told of a call of this app.
    pub(super) fn change<'a>(&'a self, user: &'a User, call: ApiCall, now: Timestamp) -> AccountChange<'a> {
        AccountChange {
            user,
            client_ip: Some(&self.client_ip),
            user_agent: self.user_agent.as_deref(),
            by: Cause::Api(call),
            now,
        }
    }
}

fn token(parts: &Parts) -> Result<&str, ApiError> {
    match bearer::sent(&parts.headers) {
        Ok(Some(token)) => Ok(token),
        Ok(None) => Err(ApiError::no_token()),
        Err(SentTwice) => Err(ApiError::invalid_input("Send one header Authorization.")),
    }
}
