//! The rules, with their numbers.

use std::time::Duration;

use super::gcra::LimitRule;
use super::guesses::GuessRule;
use super::live_codes::LiveCodeRule;

const TEN_MINUTES: Duration = Duration::from_secs(600);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// Every limit of the companion. The defaults bound what a stranger can do to an address, to the operator's bill and to
/// the search for a code, and stay out of the way of a household behind one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Codes that one client may ask for, whoever they are for.
    pub client_sends: LimitRule,
    /// Codes that one client may try.
    pub client_verifications: LimitRule,
    /// New passwords that one client may submit.
    pub client_set_passwords: LimitRule,
    /// Passwords that one client may try at sign-in.
    pub client_sign_ins: LimitRule,
    /// Sends to one identifier: nine in ten minutes, and with the reserve ten.
    pub identifier_sends: LimitRule,
    /// Sends to one identifier beyond those, for clients not yet seen for it: whoever used the others up from
    /// elsewhere has not locked the owner out (SR-22).
    pub identifier_send_reserve: LimitRule,
    /// For how many sends a client counts as not yet seen: of a day, or two clients in turns could use the reserve up
    /// for ever.
    pub identifier_send_unseen: LimitRule,
    /// Codes of one identifier that may be right at one time, over all its flows (SR-22).
    pub identifier_live_codes: LiveCodeRule,
    /// Codes tried for one identifier over all its flows, right ones too: with the reserve 100 an hour, growing back one
    /// every 38 s.
    pub identifier_verifications: LimitRule,
    /// Tries beyond those, for clients not yet seen for it.
    pub identifier_verification_reserve: LimitRule,
    /// For how many tries a client counts as not yet seen: for one of a day, of these and of the reserve of wrong codes in a row.
    pub identifier_verification_unseen: LimitRule,
    /// Codes in a row that may be wrong for one identifier, over all its flows: for both addresses of an account 100, the
    /// ceiling of NIST SP 800-63B-4 section 3.2.2, of which twenty are the reserve for clients not yet seen (SR-20).
    pub identifier_guesses: GuessRule,
    /// Passwords tried at sign-in for one identifier, right ones too: with the reserve 100 an hour.
    pub identifier_sign_ins: LimitRule,
    /// Tries beyond those, for clients not yet seen for it: a stranger who uses the others up locks nobody out.
    pub identifier_sign_in_reserve: LimitRule,
    /// For how many tries a client counts as not yet seen.
    pub identifier_sign_in_unseen: LimitRule,
    /// Current passwords that a signed-in user may try when changing it.
    pub password_changes: LimitRule,
    /// Devices that ask to be signed in from one client (RFC 8628).
    pub client_devices: LimitRule,
    /// Codes of devices that one client may type (RFC 8628 5.1).
    pub client_user_codes: LimitRule,
    /// Codes of devices typed by everybody: with the reserve 3,000 in ten minutes. With many clients the search for one
    /// gets no faster than this.
    pub global_user_codes: LimitRule,
    /// Tries beyond those, for clients not yet seen: a stranger who uses the others up locks nobody out.
    pub global_user_code_reserve: LimitRule,
    /// For how many tries a client counts as not yet seen.
    pub user_code_unseen: LimitRule,
    /// Authorization requests of one client that are written down though nobody has proved anything: those that apps
    /// without a secret push (RFC 9126), and those too large for a cookie.
    pub client_written_requests: LimitRule,
    /// Sends for one app: with the reserve 2,000 in ten minutes, so that a rush at one leaves the others a third of all.
    pub app_sends: LimitRule,
    /// Sends beyond those, for clients not yet seen at the app.
    pub app_send_reserve: LimitRule,
    /// Sends of this whole installation: with the reserve 3,000 in ten minutes.
    pub global_sends: LimitRule,
    /// Sends beyond those, for clients not yet seen: a hundred strangers who use the others up keep nobody else out.
    pub global_send_reserve: LimitRule,
    /// For how many sends a client counts as not yet seen, at an app and here at all.
    pub send_unseen: LimitRule,
    /// Captchas that one client may answer.
    pub client_captchas: LimitRule,
    /// Captchas that all clients may answer: each has us call the provider, right or wrong.
    pub global_captchas: LimitRule,
    /// Captchas beyond those, for clients not yet seen: a stranger with few addresses who uses the others up locks nobody out.
    pub global_captcha_reserve: LimitRule,
    /// For how many captchas a client counts as not yet seen.
    pub captcha_unseen: LimitRule,
    /// Sends that one client may ask for without an answer to the captcha (SR-13).
    pub client_slow_sends: LimitRule,
    /// Such sends of this whole installation: what robots get, however many addresses they have.
    pub global_slow_sends: LimitRule,
}

/// The addresses that codes of one account go to: an e-mail address and a phone number. Each has its part of the wrong codes
/// that the account may have in a row (SR-20). One count for both would be used up at one address and seen at the other,
/// and so tell that the two belong together.
pub const ADDRESSES_OF_ACCOUNT: u32 = 2;

impl Default for Limits {
    fn default() -> Self {
        Self {
            client_sends: LimitRule::new(20, TEN_MINUTES),
            client_verifications: LimitRule::new(60, TEN_MINUTES),
            client_set_passwords: LimitRule::new(60, TEN_MINUTES),
            client_sign_ins: LimitRule::new(60, TEN_MINUTES),
            identifier_sends: LimitRule::new(9, TEN_MINUTES),
            identifier_send_reserve: LimitRule::new(1, TEN_MINUTES),
            identifier_send_unseen: LimitRule::new(3, DAY),
            identifier_live_codes: LiveCodeRule { most: 5 },
            identifier_verifications: LimitRule::new(95, HOUR),
            identifier_verification_reserve: LimitRule::new(5, HOUR),
            identifier_verification_unseen: LimitRule::new(1, DAY),
            identifier_guesses: GuessRule {
                free: 10,
                most: 100 / ADDRESSES_OF_ACCOUNT,
                reserve: 20 / ADDRESSES_OF_ACCOUNT,
                first_pause: Duration::from_secs(30),
                longest_pause: HOUR,
                forgotten_after: DAY,
            },
            identifier_sign_ins: LimitRule::new(50, HOUR),
            identifier_sign_in_reserve: LimitRule::new(50, HOUR),
            identifier_sign_in_unseen: LimitRule::new(5, HOUR),
            password_changes: LimitRule::new(20, HOUR),
            client_devices: LimitRule::new(60, TEN_MINUTES),
            client_user_codes: LimitRule::new(30, TEN_MINUTES),
            global_user_codes: LimitRule::new(1_500, TEN_MINUTES),
            global_user_code_reserve: LimitRule::new(1_500, TEN_MINUTES),
            user_code_unseen: LimitRule::new(5, TEN_MINUTES),
            client_written_requests: LimitRule::new(200, TEN_MINUTES),
            app_sends: LimitRule::new(1_000, TEN_MINUTES),
            app_send_reserve: LimitRule::new(1_000, TEN_MINUTES),
            global_sends: LimitRule::new(1_500, TEN_MINUTES),
            global_send_reserve: LimitRule::new(1_500, TEN_MINUTES),
            send_unseen: LimitRule::new(2, TEN_MINUTES),
            client_captchas: LimitRule::new(40, TEN_MINUTES),
            global_captchas: LimitRule::new(15_000, TEN_MINUTES),
            global_captcha_reserve: LimitRule::new(15_000, TEN_MINUTES),
            captcha_unseen: LimitRule::new(5, TEN_MINUTES),
            client_slow_sends: LimitRule::new(3, TEN_MINUTES),
            global_slow_sends: LimitRule::new(60, TEN_MINUTES),
        }
    }
}

impl Limits {
    /// Every limit `factor` times as generous; for how long a client counts as not yet seen stays.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        Self {
            client_sends: self.client_sends.times(factor),
            client_verifications: self.client_verifications.times(factor),
            client_set_passwords: self.client_set_passwords.times(factor),
            client_sign_ins: self.client_sign_ins.times(factor),
            identifier_sends: self.identifier_sends.times(factor),
            identifier_send_reserve: self.identifier_send_reserve.times(factor),
            identifier_send_unseen: self.identifier_send_unseen,
            identifier_live_codes: self.identifier_live_codes.times(factor),
            identifier_verifications: self.identifier_verifications.times(factor),
            identifier_verification_reserve: self.identifier_verification_reserve.times(factor),
            identifier_verification_unseen: self.identifier_verification_unseen,
            identifier_guesses: self.identifier_guesses.times(factor),
            identifier_sign_ins: self.identifier_sign_ins.times(factor),
            identifier_sign_in_reserve: self.identifier_sign_in_reserve.times(factor),
            identifier_sign_in_unseen: self.identifier_sign_in_unseen,
            password_changes: self.password_changes.times(factor),
            client_devices: self.client_devices.times(factor),
            client_user_codes: self.client_user_codes.times(factor),
            global_user_codes: self.global_user_codes.times(factor),
            global_user_code_reserve: self.global_user_code_reserve.times(factor),
            user_code_unseen: self.user_code_unseen,
            client_written_requests: self.client_written_requests.times(factor),
            app_sends: self.app_sends.times(factor),
            app_send_reserve: self.app_send_reserve.times(factor),
            global_sends: self.global_sends.times(factor),
            global_send_reserve: self.global_send_reserve.times(factor),
            send_unseen: self.send_unseen,
            client_captchas: self.client_captchas.times(factor),
            global_captchas: self.global_captchas.times(factor),
            global_captcha_reserve: self.global_captcha_reserve.times(factor),
            captcha_unseen: self.captcha_unseen,
            client_slow_sends: self.client_slow_sends.times(factor),
            global_slow_sends: self.global_slow_sends.times(factor),
        }
    }
}
