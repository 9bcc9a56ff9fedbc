//! The limits of codes that are tried. Each try is one of a run of wrong ones until it turns out to be right.

use super::client_prefix::ClientPrefix;
use super::gcra::TheoreticalArrival;
use super::guesses::GuessRows;
use super::key::{ClientAction, IdentifierHash, LimitKey};
use super::limiter::{Limited, Limiter};
use super::reserve::{Limit, Standing, take_shared};
use crate::ports::{Failure, LimitStore};
use crate::time::Timestamp;

impl<L: LimitStore> Limiter<L> {
    /// A code is tried. It is counted as a wrong one until [`guessed`](Self::guessed) is told otherwise. The run of wrong ones is
    /// asked before what all clients share, and counts only what that allows; so does the mark by which a client is seen.
    pub async fn verify(
        &self,
        identifier: &IdentifierHash,
        client: ClientPrefix,
        now: Timestamp,
    ) -> Result<Limited, Failure> {
        let limits = self.limits;
        let (by_client, of_client) = self.of_client(ClientAction::Verify, client);
        let keys = [
            by_client,
            LimitKey::IdentifierVerificationSeen(identifier.clone(), client),
            LimitKey::IdentifierVerifications(identifier.clone()),
            LimitKey::IdentifierVerificationReserve(identifier.clone()),
            LimitKey::IdentifierGuesses(identifier.clone()),
            LimitKey::IdentifierGuessReserve(identifier.clone()),
        ];
        let decide = move |rows: &mut [Option<TheoreticalArrival>]| {
            let [client, seen, common, reserve, run, of_reserve] = rows else {
                return Ok(());
            };
            let limit = |row, rule| Limit { row, rule };
            limit(client, of_client).take(now)?;
            let mut mark = *seen;
            let standing = limit(&mut mark, limits.identifier_verification_unseen).mark(now);
            let mut guesses = GuessRows {
                run: *run,
                reserve: *of_reserve,
            };
            limits.identifier_guesses.take(&mut guesses, standing, now)?;
            take_shared(
                || standing,
                limit(common, limits.identifier_verifications),
                limit(reserve, limits.identifier_verification_reserve),
                now,
            )?;
            (*seen, *run, *of_reserve) = (mark, guesses.run, guesses.reserve);
            Ok(())
        };
        self.store.update(&keys, decide).await
    }

    /// A code that an app has asked for is tried. It is one of the run of wrong codes too; what is kept for clients not yet seen
    /// is not for apps.
    pub async fn verify_by_app(
        &self,
        identifier: &IdentifierHash,
        now: Timestamp,
    ) -> Result<Limited, Failure> {
        let limits = self.limits;
        let keys = [
            LimitKey::IdentifierVerifications(identifier.clone()),
            LimitKey::IdentifierGuesses(identifier.clone()),
            LimitKey::IdentifierGuessReserve(identifier.clone()),
        ];
        let decide = move |rows: &mut [Option<TheoreticalArrival>]| {
            let [row, run, reserve] = rows else {
                return Ok(());
            };
            let mut guesses = GuessRows {
                run: *run,
                reserve: *reserve,
            };
            limits
                .identifier_guesses
                .take(&mut guesses, Standing::Seen, now)?;
            let rule = limits.identifier_verifications;
            Limit { row, rule }.take(now)?;
            (*run, *reserve) = (guesses.run, guesses.reserve);
            Ok(())
        };
        self.store.update(&keys, decide).await
    }

    /// A code was right: the run of wrong ones is over.
    pub async fn guessed(&self, identifier: &IdentifierHash, now: Timestamp) -> Result<(), Failure> {
        let over = TheoreticalArrival::from_micros(now.as_millis().saturating_mul(1_000));
        let key = LimitKey::IdentifierGuesses(identifier.clone());
        let end = move |rows: &mut [Option<TheoreticalArrival>]| {
            for row in rows.iter_mut().flatten() {
                *row = over;
            }
        };
        self.store.update(&[key], end).await
    }
}
