//! The limits of codes that are sent: of the client, the app, the whole installation and the identifier, in this order. Who is
//! refused has used nothing but of the client's own: a rush at one app leaves the installation's sends to the others, and while
//! the installation is refused, nobody's own sends are used up.

use super::client_prefix::ClientPrefix;
use super::gcra::TheoreticalArrival;
use super::key::{ClientAction, IdentifierHash, LimitKey};
use super::limiter::{Ask, Limited, Limiter, Reserved, RetryAfter};
use super::live_codes::CodeRoom;
use super::reserve::{Limit, Marks, Standing, take_shared};
use crate::ports::{Failure, LimitStore};
use crate::time::Timestamp;

impl<L: LimitStore> Limiter<L> {
    /// The first code of a flow is asked for, which began at `app`. Answers how many codes of the identifier may be live then.
    pub async fn send(
        &self,
        identifier: &IdentifierHash,
        app: Option<&str>,
        client: ClientPrefix,
        now: Timestamp,
    ) -> Result<Result<CodeRoom, RetryAfter>, Failure> {
        self.ask_to_send(identifier, app, client, Marks::Always, now)
            .await
    }

    /// Another code of a flow is asked for. It makes nobody seen, unless it takes of what is kept for those who are not.
    pub async fn send_again(
        &self,
        identifier: &IdentifierHash,
        app: Option<&str>,
        client: ClientPrefix,
        now: Timestamp,
    ) -> Result<Result<CodeRoom, RetryAfter>, Failure> {
        self.ask_to_send(identifier, app, client, Marks::ForTheReserve, now)
            .await
    }

    async fn ask_to_send(
        &self,
        identifier: &IdentifierHash,
        app: Option<&str>,
        client: ClientPrefix,
        marks: Marks,
        now: Timestamp,
    ) -> Result<Result<CodeRoom, RetryAfter>, Failure> {
        let limits = &self.limits;
        let [of_app, of_app_reserve] = self.of_app(app);
        let [of_all, of_all_reserve] = self.of_all();
        let of_app = Reserved {
            common: of_app,
            reserve: of_app_reserve,
            seen: (
                LimitKey::AppSendSeen(app.map(str::to_owned), client),
                limits.send_unseen,
            ),
        };
        let of_all = Reserved {
            common: of_all,
            reserve: of_all_reserve,
            seen: (LimitKey::SendSeen(client), limits.send_unseen),
        };
        let of_identifier = Reserved {
            common: self.of_identifier(identifier),
            reserve: (
                LimitKey::IdentifierSendReserve(identifier.clone()),
                limits.identifier_send_reserve,
            ),
            seen: (
                LimitKey::IdentifierSendSeen(identifier.clone(), client),
                limits.identifier_send_unseen,
            ),
        };
        let by_client = self.of_client(ClientAction::Send, client);
        let asked = self
            .ask_standing([by_client], [of_app, of_all, of_identifier], marks, now)
            .await?;
        Ok(asked.map(|standing| limits.identifier_live_codes.room(standing == Standing::Unseen)))
    }

    /// A code is asked for by an app: the address that calls is a server's, and says nothing of who sits before it. It is no
    /// stranger: where visitors have used up what all share, it may take from the reserve.
    pub async fn send_by_app(
        &self,
        identifier: &IdentifierHash,
        app: &str,
        now: Timestamp,
    ) -> Result<Limited, Failure> {
        let shared = [self.of_app(Some(app)), self.of_all()];
        let asks = shared
            .into_iter()
            .flatten()
            .chain([self.of_identifier(identifier)]);
        let (keys, rules): (Vec<_>, Vec<_>) = asks.unzip();
        let decide = move |rows: &mut [Option<TheoreticalArrival>]| {
            let mut taken = rows.to_vec();
            let mut limits = taken.iter_mut().zip(rules).map(|(row, rule)| Limit { row, rule });
            while let Some(mut common) = limits.next() {
                match limits.next() {
                    Some(reserve) => take_shared(|| Standing::Unseen, common, reserve, now)?,
                    // The identifier's, which keeps nothing for apps.
                    None => common.take(now)?,
                }
            }
            rows.copy_from_slice(&taken);
            Ok(())
        };
        self.store.update(&keys, decide).await
    }

    fn of_identifier(&self, identifier: &IdentifierHash) -> Ask {
        (
            LimitKey::IdentifierSends(identifier.clone()),
            self.limits.identifier_sends,
        )
    }

    /// What all visitors of an app share, and its reserve.
    fn of_app(&self, app: Option<&str>) -> [Ask; 2] {
        let app = app.map(str::to_owned);
        [
            (LimitKey::AppSends(app.clone()), self.limits.app_sends),
            (LimitKey::AppSendReserve(app), self.limits.app_send_reserve),
        ]
    }

    /// What everybody shares, and its reserve.
    fn of_all(&self) -> [Ask; 2] {
        [
            (LimitKey::GlobalSends, self.limits.global_sends),
            (LimitKey::GlobalSendReserve, self.limits.global_send_reserve),
        ]
    }
}
