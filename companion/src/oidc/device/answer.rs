//! The person's answer to a device (RFC 8628 3.3): allowed with a grant, as an authorization request is, or refused.

use std::sync::Arc;

use keyback_core::time::Timestamp;

use super::super::authorize::{Consented, Yes};
use super::super::error::Failure;
use super::super::permissions::Permissions;
use super::super::registry::App;
use super::super::scope::{OFFLINE_ACCESS, Scopes};
use super::super::{Inner, Provider};
use super::UserCode;
use crate::secrets::random_id;
use crate::store::audit::{self, Actor, Line};
use crate::store::device_codes::{self, WaitingDevice};
use crate::store::grants::{self, NewGrant};
use crate::store::sessions::Session;

/// A device that waits for a person, and the app on it.
#[derive(Clone, Debug)]
pub struct DeviceRequest {
    pub app: Arc<App>,
    pub device: WaitingDevice,
    /// What the app asks for.
    pub permissions: Permissions,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    Done,
    /// The session has ended meanwhile, as by a reset: whoever answers must sign in.
    NobodySignedIn,
    /// The device doesn't wait any more: it was answered, or its code has expired.
    Gone,
}

impl Provider {
    /// The device that waits under a user code. Limiting how often this is asked is the caller's (RFC 8628 5.1).
    pub async fn device_request(
        &self,
        code: &UserCode,
        now: Timestamp,
    ) -> Result<Option<DeviceRequest>, Failure> {
        let inner = &*self.0;
        for digest in inner.user_codes.digests(code) {
            if let Some(device) = device_codes::find_waiting(inner.store.reader(), &digest, now).await? {
                return inner.device_request(device).await;
            }
        }
        Ok(None)
    }

    /// Allows a device what it asks for, as the person of a session.
    pub async fn approve_device(
        &self,
        request: &DeviceRequest,
        session: &Session,
        client_ip: Option<&str>,
        now: Timestamp,
    ) -> Result<Answered, Failure> {
        let inner = &*self.0;
        let (app, device) = (&request.app, &request.device);
        let scopes = Scopes::from(device.scope.clone());
        let offline = scopes.contains(OFFLINE_ACCESS);
        let grant_id = random_id(&*inner.random);
        let grant = NewGrant {
            id: &grant_id,
            user_id: &session.user_id,
            client_id: &app.client_id,
            session_id: &session.id,
            offline,
            scope: &device.scope,
            resources: &device.resources()?,
            claims: None,
            auth_time: session.auth_time(),
            amr: &session.amr,
            expires_at: inner.grant_ends_at(session, offline, device.expires_at(), now),
        };
        let mut tx = inner.store.begin().await?;
        if !grants::add(&mut tx, &grant, now).await? {
            return Ok(Answered::NobodySignedIn);
        }
        if !device_codes::approve(&mut tx, &device.id, &grant_id, now).await? {
            return Ok(Answered::Gone);
        }
        if !app.first_party {
            let yes = Consented::Now(request.permissions.clone(), Yes { client_ip });
            // A yes of this moment always holds.
            let _ = yes
                .hold(inner, &mut tx, &app.client_id, &session.user_id, now)
                .await?;
        }
        let line = line("device_allowed", request, session, client_ip, now);
        audit::write(&mut *tx, &*inner.random, &line).await?;
        tx.commit().await?;
        Ok(Answered::Done)
    }

    /// Refuses a device, as the person of a session.
    pub async fn deny_device(
        &self,
        request: &DeviceRequest,
        session: &Session,
        client_ip: Option<&str>,
        now: Timestamp,
    ) -> Result<Answered, Failure> {
        let inner = &*self.0;
        let mut tx = inner.store.begin().await?;
        if !device_codes::deny(&mut tx, &request.device.id, now).await? {
            return Ok(Answered::Gone);
        }
        let line = line("device_denied", request, session, client_ip, now);
        audit::write(&mut *tx, &*inner.random, &line).await?;
        tx.commit().await?;
        Ok(Answered::Done)
    }
}

impl Inner {
    /// None where the app is gone, or may no longer sign people in on devices.
    async fn device_request(&self, device: WaitingDevice) -> Result<Option<DeviceRequest>, Failure> {
        let app = self.registry.find(&device.client_id).await?;
        let Some(app) = app.filter(|app| app.has_device_flow()) else {
            return Ok(None);
        };
        let permissions = self.permissions(&app, &Scopes::from(device.scope.clone()), &device.resources()?);
        Ok(Some(DeviceRequest {
            app,
            device,
            permissions,
        }))
    }
}

fn line<'a>(
    event: &'a str,
    request: &'a DeviceRequest,
    session: &'a Session,
    client_ip: Option<&'a str>,
    now: Timestamp,
) -> Line<'a> {
    Line {
        at: now,
        event,
        actor: Actor::User,
        subject: Some(&session.user_id),
        identifier: None,
        client_id: Some(&request.app.client_id),
        client_ip,
    }
}
