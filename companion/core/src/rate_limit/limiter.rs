//! Which limits each step asks, in which order. Every one is asked before anything is known about an account, so that
//! known and unknown identifiers are refused alike (SR-3).

use std::time::Duration;

use super::client_prefix::ClientPrefix;
use super::gcra::{LimitRule, TheoreticalArrival};
use super::key::{ClientAction, IdentifierHash, LimitKey};
use super::limits::Limits;
use super::live_codes::CodeRoom;
use super::reserve::{Limit, Marks, Standing, take_shared};
use crate::ids::Subject;
use crate::ports::{Failure, LimitStore};
use crate::time::Timestamp;

/// Asks the limits of a step, the client's own first: a client that is refused, by whichever, has used nothing of anybody else's
/// and is not marked as seen.
#[derive(Clone, Debug)]
pub struct Limiter<L> {
    pub(super) store: L,
    pub(super) limits: Limits,
}

/// The answer of a step's limits.
pub type Limited = Result<(), RetryAfter>;

/// Too often: it may be tried again after this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter(pub Duration);

/// A limit to be asked.
pub(super) type Ask = (LimitKey, LimitRule);

/// The limits of something that many clients share and that keeps a reserve.
pub(super) struct Reserved {
    pub(super) seen: Ask,
    pub(super) common: Ask,
    pub(super) reserve: Ask,
}

impl<L: LimitStore> Limiter<L> {
    /// A limiter with these rules.
    pub fn new(store: L, limits: Limits) -> Self {
        Self { store, limits }
    }

    /// How many codes of an identifier may be live for anybody at all. Who finds no room here is told so before anything is
    /// taken: a try that can't do makes nobody seen.
    pub fn room_for_anybody(&self) -> CodeRoom {
        self.limits.identifier_live_codes.room(true)
    }

    /// A new password is submitted with a proof.
    pub async fn set_password(&self, client: ClientPrefix, now: Timestamp) -> Result<Limited, Failure> {
        self.client(ClientAction::SetPassword, client, now).await
    }

    /// A password is tried at sign-in. `identifier` is the hash of what was typed, account or not.
    pub async fn sign_in(
        &self,
        identifier: &IdentifierHash,
        client: ClientPrefix,
        now: Timestamp,
    ) -> Result<Limited, Failure> {
        let limits = &self.limits;
        let of_identifier = Reserved {
            common: (
                LimitKey::IdentifierSignIns(identifier.clone()),
                limits.identifier_sign_ins,
            ),
            reserve: (
                LimitKey::IdentifierSignInReserve(identifier.clone()),
                limits.identifier_sign_in_reserve,
            ),
            seen: (
                LimitKey::IdentifierSignInSeen(identifier.clone(), client),
                limits.identifier_sign_in_unseen,
            ),
        };
        let by_client = self.of_client(ClientAction::SignIn, client);
        self.ask([by_client], Some(of_identifier), now).await
    }

    /// A signed-in user tries a current password in order to change it.
    pub async fn change_password(&self, subject: &Subject, now: Timestamp) -> Result<Limited, Failure> {
        let by_subject = (
            LimitKey::PasswordChanges(subject.clone()),
            self.limits.password_changes,
        );
        self.ask([by_subject], None, now).await
    }

    /// An app has a password of an account checked. Counted apart from what the person types on our own page: no app may
    /// use up the tries of the person.
    pub async fn verify_password(&self, subject: &Subject, now: Timestamp) -> Result<Limited, Failure> {
        let by_subject = (
            LimitKey::PasswordVerifications(subject.clone()),
            self.limits.password_changes,
        );
        self.ask([by_subject], None, now).await
    }

    /// A device asks to be signed in (RFC 8628).
    pub async fn begin_device(&self, client: ClientPrefix, now: Timestamp) -> Result<Limited, Failure> {
        self.client(ClientAction::BeginDevice, client, now).await
    }

    /// The code of a device is typed (RFC 8628 5.1).
    pub async fn user_code(&self, client: ClientPrefix, now: Timestamp) -> Result<Limited, Failure> {
        let limits = &self.limits;
        let of_all = Reserved {
            common: (LimitKey::GlobalUserCodes, limits.global_user_codes),
            reserve: (LimitKey::GlobalUserCodeReserve, limits.global_user_code_reserve),
            seen: (LimitKey::UserCodeSeen(client), limits.user_code_unseen),
        };
        let by_client = self.of_client(ClientAction::UserCode, client);
        self.ask([by_client], Some(of_all), now).await
    }

    /// An authorization request is to be written down before anybody has proved anything.
    pub async fn write_request(&self, client: ClientPrefix, now: Timestamp) -> Result<Limited, Failure> {
        self.client(ClientAction::WriteRequest, client, now).await
    }

    /// A captcha is answered.
    pub async fn captcha(&self, client: ClientPrefix, now: Timestamp) -> Result<Limited, Failure> {
        let limits = &self.limits;
        let of_all = Reserved {
            common: (LimitKey::GlobalCaptchas, limits.global_captchas),
            reserve: (LimitKey::GlobalCaptchaReserve, limits.global_captcha_reserve),
            seen: (LimitKey::CaptchaSeen(client), limits.captcha_unseen),
        };
        let by_client = self.of_client(ClientAction::Captcha, client);
        self.ask([by_client], Some(of_all), now).await
    }

    /// A code is asked for without an answer to the captcha. The limits of every [`send`](Self::send) come on top.
    pub async fn slow_send(&self, client: ClientPrefix, now: Timestamp) -> Result<Limited, Failure> {
        let by_client = self.of_client(ClientAction::SlowSend, client);
        let by_all = (LimitKey::GlobalSlowSends, self.limits.global_slow_sends);
        self.ask([by_client, by_all], None, now).await
    }

    async fn client(
        &self,
        action: ClientAction,
        client: ClientPrefix,
        now: Timestamp,
    ) -> Result<Limited, Failure> {
        self.ask([self.of_client(action, client)], None, now).await
    }

    pub(super) fn of_client(&self, action: ClientAction, client: ClientPrefix) -> Ask {
        let rule = match action {
            ClientAction::Send => self.limits.client_sends,
            ClientAction::Verify => self.limits.client_verifications,
            ClientAction::SetPassword => self.limits.client_set_passwords,
            ClientAction::SignIn => self.limits.client_sign_ins,
            ClientAction::BeginDevice => self.limits.client_devices,
            ClientAction::UserCode => self.limits.client_user_codes,
            ClientAction::WriteRequest => self.limits.client_written_requests,
            ClientAction::Captcha => self.limits.client_captchas,
            ClientAction::SlowSend => self.limits.client_slow_sends,
        };
        (LimitKey::Client(action, client), rule)
    }

    /// Takes one from each of `first`, until one refuses, and then from all that is `reserved`, or from none of it.
    async fn ask<const N: usize>(
        &self,
        first: [Ask; N],
        reserved: Option<Reserved>,
        now: Timestamp,
    ) -> Result<Limited, Failure> {
        let asked = self.ask_standing(first, reserved, Marks::Always, now).await?;
        Ok(asked.map(|_| ()))
    }

    /// [`ask`](Self::ask), and how the client stands to the last of what is reserved.
    pub(super) async fn ask_standing<const N: usize>(
        &self,
        first: [Ask; N],
        reserved: impl IntoIterator<Item = Reserved>,
        marks: Marks,
        now: Timestamp,
    ) -> Result<Result<Standing, RetryAfter>, Failure> {
        let reserved = reserved
            .into_iter()
            .flat_map(|limit| [limit.seen, limit.common, limit.reserve]);
        let (keys, rules): (Vec<_>, Vec<_>) = first.into_iter().chain(reserved).unzip();
        let decide = move |rows: &mut [Option<TheoreticalArrival>]| {
            let mut rules = rules.into_iter();
            for (row, rule) in rows.iter_mut().zip(rules.by_ref().take(N)) {
                Limit { row, rule }.take(now)?;
            }
            // Where one refuses, nothing has been taken of the others, and no mark made.
            let mut taken = rows.to_vec();
            let shared = taken.iter_mut().skip(N);
            let mut limits = shared.zip(rules).map(|(row, rule)| Limit { row, rule });
            let mut standing = Standing::Seen;
            while let (Some(mut seen), Some(common), Some(reserve)) =
                (limits.next(), limits.next(), limits.next())
            {
                standing = match marks {
                    Marks::Always => {
                        let standing = seen.mark(now);
                        take_shared(|| standing, common, reserve, now)?;
                        standing
                    }
                    Marks::ForTheReserve => {
                        take_shared(|| seen.mark(now), common, reserve, now)?;
                        Standing::Seen
                    }
                };
            }
            rows.copy_from_slice(&taken);
            Ok(standing)
        };
        self.store.update(&keys, decide).await
    }
}
