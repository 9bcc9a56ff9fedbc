//! Asking whether the person has confirmed (RFC 8628 sections 3.4 and 3.5).

use std::borrow::Cow;
use std::time::Duration;

use super::{DevicePoll, DeviceSignIn};
use crate::callback::exchange::{self, Exchanged};
use crate::callback::id_token::{self, Expected, NonceRule};
use crate::client::{Client, Metadata};
use crate::error::{DeviceError, Error, ExchangeError};
use crate::session::Session;
use crate::sign_in::{Purpose, ReturnPath};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What `slow_down` adds to the interval (section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// Where the provider can't be reached the interval doubles up to this.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);

impl Client {
    /// Asks once whether the person has confirmed the code, if the provider's interval since the last time is over; else it asks
    /// nobody and says how much of it is left. The time is that of the client's [`Clock`](crate::Clock).
    ///
    /// The ID token passes every check of [`finish`](Self::finish), except that there was no request with a nonce.
    ///
    /// # Errors
    ///
    /// [`DeviceError`] when it is over. An error that [is retryable](crate::Error::is_retryable) ends nothing: the next call
    /// may ask after [`interval`](DeviceSignIn::interval), which has doubled.
    pub async fn poll_device(&self, device: &mut DeviceSignIn) -> Result<DevicePoll, Error> {
        let now = self.now();
        if now >= device.expires_at {
            return Err(DeviceError::Expired.into());
        }
        if let Ok(left) = device.next_poll_at.duration_since(now)
            && !left.is_zero()
        {
            return Ok(DevicePoll::Wait(left));
        }
        let metadata = self.metadata().await?;
        let form = vec![
            ("grant_type", Cow::Borrowed(GRANT_TYPE)),
            ("device_code", Cow::Borrowed(device.device_code.expose())),
        ];
        let outcome = exchange::ask(self, &metadata, &form, device.dpop_key.as_ref()).await;
        match outcome {
            Ok(exchanged) => {
                let session = self.confirmed(&metadata, exchanged, device).await?;
                Ok(DevicePoll::SignedIn(Box::new(session)))
            }
            Err(error) => match device.told(&error) {
                Verdict::Wait => {
                    // From the answer on: a slow one must not shorten the pause.
                    device.next_poll_at = self.now() + device.interval;
                    Ok(DevicePoll::Wait(device.interval))
                }
                Verdict::Over(over) => Err(over.into()),
                Verdict::Failed => {
                    device.next_poll_at = self.now() + device.interval;
                    Err(error.into())
                }
            },
        }
    }

    /// Asks until the person has confirmed or declined, or the code has expired. `sleep` is the run time's, such as
    /// `tokio::time::sleep`; what fails on the way and may pass is tried again.
    ///
    /// # Errors
    ///
    /// [`DeviceError`] when it is over, and whatever [is not retryable](crate::Error::is_retryable).
    pub async fn finish_on_device<F>(
        &self,
        mut device: DeviceSignIn,
        sleep: impl Fn(Duration) -> F,
    ) -> Result<Session, Error>
    where
        F: Future<Output = ()>,
    {
        loop {
            match self.poll_device(&mut device).await {
                Ok(DevicePoll::SignedIn(session)) => return Ok(*session),
                Ok(DevicePoll::Wait(pause)) => sleep(pause).await,
                Err(error) if error.is_retryable() => sleep(device.interval).await,
                Err(error) => return Err(error),
            }
        }
    }

    async fn confirmed(
        &self,
        metadata: &Metadata,
        Exchanged { tokens, id_token }: Exchanged,
        device: &DeviceSignIn,
    ) -> Result<Session, Error> {
        let id_token = id_token.ok_or(ExchangeError::MissingIdToken)?;
        let expected = Expected {
            issuer: self.issuer(),
            client_id: self.client_id(),
            algorithms: self.algorithms(),
            nonce: NonceRule::IfPresent(None),
            access_token: tokens.access_token(),
            max_age: None,
            subject: None,
            now: self.now(),
            leeway: self.leeway(),
        };
        let claims = id_token::verify(self, metadata, id_token.expose(), &expected).await?;
        Ok(Session {
            claims,
            id_token,
            tokens,
            purpose: Purpose::SignIn,
            return_path: ReturnPath::default(),
            dpop_key: device.dpop_key.clone(),
        })
    }
}

/// What an error means for the polling.
enum Verdict {
    Wait,
    Over(DeviceError),
    Failed,
}

impl DeviceSignIn {
    fn told(&mut self, error: &ExchangeError) -> Verdict {
        match error {
            ExchangeError::Refused(refusal) => match refusal.code() {
                "authorization_pending" => Verdict::Wait,
                "slow_down" => {
                    self.interval += SLOWER;
                    Verdict::Wait
                }
                "access_denied" => Verdict::Over(DeviceError::Denied),
                "expired_token" => Verdict::Over(DeviceError::Expired),
                _ => Verdict::Failed,
            },
            error if error.is_retryable() => {
                // Section 3.5: the provider is to be relieved, not pressed.
                self.interval = self.interval.max((self.interval * 2).min(LONGEST_BACK_OFF));
                Verdict::Failed
            }
            _ => Verdict::Failed,
        }
    }
}
