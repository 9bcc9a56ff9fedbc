//! The corpus of breached passwords over HTTP, by the range protocol of Have I Been Pwned.

use std::time::Duration;

use http_body_util::BodyExt as _;
use keyback_core::ports::{BreachedPasswords, Failure};
use reqwest::header::{ACCEPT, HeaderName, HeaderValue};
use url::Url;

use crate::breakers::{Breakers, Circuit, Paused, TellsOfPeer};
use crate::config::password::BreachedConfig;

/// A padded range has some 40 KB; more is no range.
const MOST_BYTES: usize = 512 * 1024;

/// Asks for ranges.
#[derive(Clone, Debug)]
pub struct BreachedRanges {
    client: reqwest::Client,
    base: Url,
    breakers: Breakers,
}

/// Why a range was not had.
#[derive(Debug, thiserror::Error)]
enum RangeError {
    #[error("the corpus of breached passwords answered {0}")]
    Status(u16),
    #[error("the corpus of breached passwords answered with no range")]
    NotARange,
    #[error("the corpus of breached passwords can't be reached")]
    Http(#[source] reqwest::Error),
    #[error("the corpus of breached passwords: {0}")]
    Paused(#[from] Paused),
}

impl TellsOfPeer for RangeError {
    fn peer_is_down(&self) -> bool {
        match self {
            Self::Http(_) => true,
            Self::Status(status) => *status >= 500,
            Self::NotARange | Self::Paused(_) => false,
        }
    }

    /// Once it is connected to, what goes wrong may lie in the range, which whoever chooses a password has chosen.
    fn may_be_about_the_call(&self) -> bool {
        !matches!(self, Self::Http(error) if error.is_connect())
    }
}

impl BreachedRanges {
    /// The corpus of the configuration, if one is set.
    pub fn from_config(config: &BreachedConfig, breakers: &Breakers) -> Result<Option<Self>, reqwest::Error> {
        let Some(url) = &config.range_url else {
            return Ok(None);
        };
        let mut base = url.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", url.path()));
        }
        let timeout: Duration = config.timeout.into();
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("keyback")
            .build()?;
        Ok(Some(Self {
            client,
            base,
            breakers: breakers.clone(),
        }))
    }

    async fn ask(&self, prefix: &str) -> Result<String, RangeError> {
        let url = self.base.join(prefix).map_err(|_| RangeError::NotARange)?;
        let response = self
            .client
            .get(url)
            // With padding, the length of the answer doesn't tell the prefix.
            .header(
                HeaderName::from_static("add-padding"),
                HeaderValue::from_static("true"),
            )
            .header(ACCEPT, HeaderValue::from_static("text/plain"))
            .send()
            .await
            .map_err(|error| RangeError::Http(error.without_url()))?;
        if !response.status().is_success() {
            return Err(RangeError::Status(response.status().as_u16()));
        }
        let body = http_body_util::Limited::new(reqwest::Body::from(response), MOST_BYTES);
        let bytes = body
            .collect()
            .await
            .map_err(|_| RangeError::NotARange)?
            .to_bytes();
        String::from_utf8(bytes.to_vec()).map_err(|_| RangeError::NotARange)
    }
}

impl BreachedPasswords for BreachedRanges {
    async fn range(&self, prefix: &str) -> Result<String, Failure> {
        self.breakers
            .call_about(Circuit::Breached, prefix, self.ask(prefix))
            .await
            .map_err(|error| Failure::broken("look a password up", error))
    }
}
