//! The device authorization request and its answer (RFC 8628 sections 3.1 and 3.2).

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use url::Url;

use super::{DeviceSignIn, INTERVAL};
use crate::client::Client;
use crate::client::endpoint::{Failure, read};
use crate::dpop::DpopKey;
use crate::error::{Endpoint, EndpointError, Error, SignInError};
use crate::secret::Secret;
use crate::secure_url::{has_credentials, is_secure};
use crate::sign_in::{is_scope, requested_scopes};

/// A code that lives longer is one that somebody forgot.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// A provider that wants longer pauses wants none at all.
const LONGEST_INTERVAL: Duration = Duration::from_secs(10 * 60);
const LONGEST_CODE: usize = 2048;

#[derive(Deserialize)]
struct Begun {
    device_code: Secret,
    user_code: String,
    verification_uri: Url,
    #[serde(default)]
    verification_uri_complete: Option<Url>,
    expires_in: u64,
    #[serde(default)]
    interval: Option<u64>,
}

impl Client {
    /// Begins a sign-in on a device that has no browser, or none that can be trusted with one (RFC 8628). The scopes are added to
    /// those that every sign-in of this client has ([`ClientBuilder::scope`](crate::ClientBuilder::scope)).
    ///
    /// ```no_run
    /// # async fn sleep(_: std::time::Duration) {}
    /// # async fn sign_in(auth: keyback::Client) -> Result<keyback::Session, keyback::Error> {
    /// let device = auth.begin_on_device(["email"]).await?;
    /// println!("Open {} and type {}", device.verification_uri(), device.user_code());
    /// let session = auth.finish_on_device(device, sleep).await?; // for instance tokio::time::sleep
    /// # Ok(session)
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`EndpointError`] of [`Endpoint::DeviceAuthorization`], [`SignInError::Scope`] for a scope that can be none.
    pub async fn begin_on_device<I>(&self, scopes: I) -> Result<DeviceSignIn, Error>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let mut asked = self.default_scopes().to_vec();
        asked.extend(scopes.into_iter().map(Into::into));
        self.begin_device(&asked, self.has_reserved_scopes()).await
    }

    pub(crate) async fn begin_device(
        &self,
        asked: &[String],
        reserved_scopes: bool,
    ) -> Result<DeviceSignIn, Error> {
        if !asked.iter().all(|scope| is_scope(scope)) {
            return Err(SignInError::Scope.into());
        }
        let endpoint = Endpoint::DeviceAuthorization;
        let failed = |failure| EndpointError::new(endpoint, failure);
        let metadata = self.metadata().await?;
        let url = metadata
            .device_authorization_endpoint
            .as_ref()
            .ok_or(EndpointError::NotOffered { endpoint })?;
        let scopes = requested_scopes(asked, reserved_scopes, metadata.scopes_supported.as_deref());
        let form = vec![
            ("client_id", Cow::Borrowed(self.client_id())),
            ("scope", Cow::Owned(scopes.join(" "))),
        ];
        let answer = self.post(&metadata, url, &form, None).await.map_err(failed)?;
        let begun: Begun = read(&answer).map_err(failed)?;
        let dpop_key = self
            .new_binding(&metadata)
            .map_err(|error| failed(Failure::from(error)))?;
        begun
            .checked(self.now(), dpop_key)
            .ok_or_else(|| failed(Failure::Malformed).into())
    }
}

impl Begun {
    /// The person is sent to these addresses, and the code is typed there: https, or this machine.
    fn checked(self, now: SystemTime, dpop_key: Option<DpopKey>) -> Option<DeviceSignIn> {
        let leads_somewhere = |url: &Url| is_secure(url) && !has_credentials(url);
        let code = 1..=LONGEST_CODE;
        let good = code.contains(&self.device_code.expose().len())
            && code.contains(&self.user_code.len())
            && !self.user_code.chars().any(char::is_control)
            && self.expires_in > 0
            && leads_somewhere(&self.verification_uri)
            && self
                .verification_uri_complete
                .as_ref()
                .is_none_or(leads_somewhere);
        if !good {
            return None;
        }
        let interval = self.interval.map_or(INTERVAL, Duration::from_secs);
        let interval = interval.clamp(Duration::from_secs(1), LONGEST_INTERVAL);
        Some(DeviceSignIn {
            device_code: self.device_code,
            user_code: self.user_code,
            verification_uri: self.verification_uri,
            verification_uri_complete: self.verification_uri_complete,
            expires_at: now + Duration::from_secs(self.expires_in).min(LONGEST_LIFE),
            interval,
            next_poll_at: now + interval,
            dpop_key,
        })
    }
}
