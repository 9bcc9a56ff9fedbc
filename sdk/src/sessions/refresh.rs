//! One refresh, and what becomes of its outcome.

use std::sync::Arc;

use super::flight::Outcome;
use super::id::SessionKey;
use super::record::{Audience, Freshness, Record};
use super::store::{Saved, StoreError};
use super::{Loaded, Sessions};
use crate::error::{Error, ExchangeError, SessionError};
use crate::secret::Secret;
use crate::session::{NotRenewed, Renewed};

/// How often a save is tried again after others were faster.
const TRIES: usize = 4;

impl Sessions {
    /// Asks the provider for an access token, and saves what comes. It owns all it needs, because it may have to outlive
    /// the call that began it.
    pub(super) async fn refresh(self, key: SessionKey, audience: Audience) -> Outcome {
        let mut tried: Option<u64> = None;
        loop {
            let loaded = self.load(&key).await?.ok_or(SessionError::Ended)?;
            if tried == Some(loaded.version) {
                self.forget(&key).await?;
                return Err(SessionError::EndedByProvider);
            }
            if tried.is_some()
                && let Freshness::Fresh(token) = loaded.record.token(&audience, self.client().now())
            {
                return Ok(token);
            }
            if loaded.record.refresh_token().is_none() {
                return Err(SessionError::NoRefreshToken);
            }
            let session = loaded.record.to_session(loaded.claims.clone());
            let renewed = self
                .client()
                .renew(
                    &session,
                    audience.resource.as_deref(),
                    audience.organization.as_deref(),
                )
                .await;
            let NotRenewed { error, successor } = match renewed {
                Ok(renewed) => return self.keep(&key, audience, loaded, renewed).await,
                Err(failed) => failed,
            };
            match (error, successor) {
                // Either the session is over, or another process has used the refresh token before: then a store that both
                // share has its successor. A cookie store has what this request brought, and the session ends.
                (Error::Exchange(ExchangeError::InvalidGrant), _) => tried = Some(loaded.version),
                (error, Some(successor)) => {
                    self.keep_successor(&key, &audience, loaded, successor).await?;
                    return Err(SessionError::Refresh(Arc::new(error)));
                }
                (error, None) => return Err(SessionError::Refresh(Arc::new(error))),
            }
        }
    }

    /// Saves the new refresh token of a refresh whose other tokens could not be judged, because the old one is used up. It
    /// lets nobody in: the next refresh is judged as this one.
    async fn keep_successor(
        &self,
        key: &SessionKey,
        audience: &Audience,
        loaded: Loaded,
        successor: Secret,
    ) -> Result<(), SessionError> {
        let mut loaded = loaded;
        for _ in 0..TRIES {
            let Loaded { record, version, .. } = &mut loaded;
            record.succeed_refresh_token(successor.clone());
            let saved = self.save_what_fits(key, record, *version, audience).await?;
            match (saved, self.load(key).await?) {
                (_, None) => {
                    self.give_back(Some(successor)).await;
                    return Err(SessionError::Ended);
                }
                (Saved::Done, Some(_)) => return Ok(()),
                (Saved::Conflict, Some(theirs)) => loaded = theirs,
            }
        }
        Err(SessionError::Busy)
    }

    async fn keep(&self, key: &SessionKey, audience: Audience, loaded: Loaded, renewed: Renewed) -> Outcome {
        let client = self.client();
        let mut loaded = loaded;
        for _ in 0..TRIES {
            let Loaded { record, version, .. } = &mut loaded;
            record.renew(renewed.id_token.clone(), renewed.refresh_token.clone());
            record.keep(
                audience.clone(),
                &renewed.tokens,
                client.now(),
                self.shared.early,
                client.random(),
            );
            let token = record.token(&audience, client.now());
            let saved = self.save_what_fits(key, record, *version, &audience).await?;
            let now = self.load(key).await?;
            match (saved, now) {
                // Signed out meanwhile, here or elsewhere.
                (_, None) => {
                    self.give_back(renewed.refresh_token).await;
                    return Err(SessionError::Ended);
                }
                (Saved::Done, Some(_)) => {
                    return match token {
                        Freshness::Fresh(token) | Freshness::Due(token) => Ok(token),
                        Freshness::Missing => Err(SessionError::Busy),
                    };
                }
                // Another process was faster: its session, and our tokens, which are newer.
                (Saved::Conflict, Some(theirs)) => loaded = theirs,
            }
        }
        Err(SessionError::Busy)
    }

    /// Some stores are small. The refresh token is what must not be lost.
    async fn save_what_fits(
        &self,
        key: &SessionKey,
        record: &mut Record,
        version: u64,
        audience: &Audience,
    ) -> Result<Saved, SessionError> {
        for spare in [Some(audience), None] {
            match self.save(key, record, version + 1, Some(version)).await {
                Err(SessionError::Store(StoreError::TooLarge { .. })) => {
                    record.slim(spare);
                }
                saved => return saved,
            }
        }
        self.save(key, record, version + 1, Some(version)).await
    }

    /// A refresh token that nobody will use is better revoked.
    async fn give_back(&self, refresh_token: Option<Secret>) {
        let Some(refresh_token) = refresh_token else {
            return;
        };
        if let Err(error) = self.client().revoke_refresh_token(&refresh_token).await {
            tracing::info!(code = error.code(), "a refresh token could not be revoked");
        }
    }
}
