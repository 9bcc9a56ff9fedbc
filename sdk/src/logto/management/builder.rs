//! Describing the API; `build` judges it without any I/O.

use std::sync::Arc;

use super::token::Tokens;
use super::{Inner, Management};
use crate::client::default_transport;
use crate::clock::{Clock, SystemClock};
use crate::error::{ConfigError, Error};
use crate::logto::call::Endpoint;
use crate::secret::Secret;
use crate::transport::HttpTransport;

/// The API's name in every Logto that one runs oneself, whatever its address.
const SELF_HOSTED: &str = "https://default.logto.app/api";

/// Describes a [`Management`].
#[must_use = "nothing happens before `build`"]
pub struct ManagementBuilder {
    endpoint: String,
    app_id: String,
    app_secret: Secret,
    resource: Option<String>,
    http: Option<Arc<dyn HttpTransport>>,
    clock: Arc<dyn Clock>,
}

impl ManagementBuilder {
    pub(super) fn new(endpoint: String, app_id: String, app_secret: Secret) -> Self {
        Self {
            endpoint,
            app_id,
            app_secret,
            resource: None,
            http: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// The API's resource indicator (RFC 8707). By default that of Logto's cloud for an endpoint below `logto.app`, such as
    /// `https://tenant.logto.app/api`, and `https://default.logto.app/api` for any other. A cloud tenant with a domain of
    /// its own has to say it.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// How the API is reached. reqwest with limits by default.
    pub fn http(mut self, transport: Arc<dyn HttpTransport>) -> Self {
        self.http = Some(transport);
        self
    }

    /// The clock. The system's by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Builds the API's client. Nothing is fetched yet.
    ///
    /// # Errors
    ///
    /// [`ApiError::Endpoint`](crate::ApiError::Endpoint) and [`ConfigError`] for settings that cannot work or would not be
    /// safe.
    pub fn build(self) -> Result<Management, Error> {
        let endpoint = Endpoint::parse(&self.endpoint)?;
        if self.app_id.is_empty() {
            return Err(ConfigError::EmptyClientId.into());
        }
        if self.app_secret.expose().is_empty() {
            return Err(ConfigError::EmptyClientSecret.into());
        }
        let host = endpoint.url().host_str().unwrap_or_default();
        let resource = self
            .resource
            .unwrap_or_else(|| match host.strip_suffix(".logto.app") {
                Some(tenant) => format!("https://{tenant}.logto.app/api"),
                None => SELF_HOSTED.to_owned(),
            });
        let http = match self.http {
            Some(transport) => transport,
            None => default_transport()?,
        };
        Ok(Management {
            inner: Arc::new(Inner {
                endpoint,
                app_id: self.app_id,
                app_secret: self.app_secret,
                resource,
                http,
                clock: self.clock,
                tokens: Tokens::default(),
            }),
        })
    }
}
