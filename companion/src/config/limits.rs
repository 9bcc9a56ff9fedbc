//! `[limits]`: how often things may be asked. Each is a burst that refills evenly over its period.

use keyback_core::rate_limit::{ADDRESSES_OF_ACCOUNT, GuessRule, LimitRule, Limits, LiveCodeRule};
use serde::{Deserialize, Serialize};

use super::Problems;

/// `[limits]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Codes sent to one e-mail address or phone number in ten minutes; one is kept for new visitors.
    pub sends_per_identifier: u32,
    /// Codes of one e-mail address or phone number that may be right at one time, over all resets that were begun; one is kept
    /// for new visitors.
    pub live_codes_per_identifier: u32,
    /// Codes asked for from one client address (IPv6: /64) in ten minutes.
    pub sends_per_address: u32,
    /// Codes tried from one client address in ten minutes.
    pub codes_per_address: u32,
    /// Codes tried for one e-mail address or phone number in an hour, over all its codes, right ones too; some are
    /// kept for visitors not yet seen.
    pub codes_per_identifier: u32,
    /// Codes in a row that may be wrong for one account, over all its codes: half of them for its e-mail address, half for
    /// its phone number. Of each half a fifth, at most ten, is kept for visitors not yet seen: one for each, in a day.
    pub wrong_codes_in_a_row: u32,
    /// Sign-ins tried from one client address in ten minutes.
    pub sign_ins_per_address: u32,
    /// Sign-ins tried for one account in an hour, right ones too; half of them, at most fifty, are kept for visitors
    /// not yet seen.
    pub sign_ins_per_identifier: u32,
    /// Devices that ask to be signed in from one client address in ten minutes.
    pub devices_per_address: u32,
    /// Codes of devices typed from one client address in ten minutes.
    pub device_codes_per_address: u32,
    /// Authorization requests from one client address in ten minutes that must be written down: those pushed by apps
    /// without a secret, and those too large for a cookie.
    pub written_requests_per_address: u32,
    /// Codes of devices typed by everybody in ten minutes; half of them, at most 1,500, are kept for visitors not yet
    /// seen.
    pub device_codes_in_all: u32,
    /// Codes asked for at one app in ten minutes; half of them, at most 1,000, are kept for visitors not yet seen there. Two
    /// thirds of `sends_in_all` unless set.
    pub sends_per_app: Option<u32>,
    /// Codes asked for by everybody in ten minutes; half of them, at most 1,500, are kept for visitors not yet seen.
    pub sends_in_all: u32,
    /// Captchas answered from one client address in ten minutes.
    pub captchas_per_address: u32,
    /// And by everybody; half of them, at most 15,000, are kept for visitors not yet seen. What is over it is refused, so that
    /// it bounds what a provider can be made to cost, and stands far above what people need.
    pub captchas_in_all: u32,
    /// Codes asked for without an answer to the captcha from one client address in ten minutes.
    pub slow_sends_per_address: u32,
    /// And by everybody.
    pub slow_sends_in_all: u32,
    /// Multiplies all of them; `keyback demo` sets 100.
    pub factor: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            sends_per_identifier: 10,
            live_codes_per_identifier: 5,
            sends_per_address: 20,
            codes_per_address: 60,
            codes_per_identifier: 100,
            wrong_codes_in_a_row: 100,
            sign_ins_per_address: 60,
            sign_ins_per_identifier: 100,
            devices_per_address: 60,
            device_codes_per_address: 30,
            written_requests_per_address: 200,
            device_codes_in_all: 3000,
            sends_per_app: None,
            sends_in_all: 3000,
            captchas_per_address: 40,
            captchas_in_all: 30_000,
            slow_sends_per_address: 3,
            slow_sends_in_all: 60,
            factor: 1,
        }
    }
}

impl LimitsConfig {
    /// The domain's rules with these numbers. A reserve is part of its number, not on top of it.
    pub fn limits(&self) -> Limits {
        let of = |rule: LimitRule, capacity: u32| LimitRule { capacity, ..rule };
        let base = Limits::default();
        // At least one is for everybody, and at least half of the sign-ins.
        let codes_reserve = base
            .identifier_verification_reserve
            .capacity
            .min(self.codes_per_identifier.saturating_sub(1));
        let sign_ins_reserve = base
            .identifier_sign_in_reserve
            .capacity
            .min(self.sign_ins_per_identifier / 2);
        let user_codes_reserve = base
            .global_user_code_reserve
            .capacity
            .min(self.device_codes_in_all / 2);
        let wrong_codes = self.wrong_codes_in_a_row / ADDRESSES_OF_ACCOUNT;
        let app_sends = self.sends_per_app();
        let app_sends_reserve = base.app_send_reserve.capacity.min(app_sends / 2);
        let sends_reserve = base.global_send_reserve.capacity.min(self.sends_in_all / 2);
        let captchas_reserve = base.global_captcha_reserve.capacity.min(self.captchas_in_all / 2);
        Limits {
            client_sends: of(base.client_sends, self.sends_per_address),
            client_verifications: of(base.client_verifications, self.codes_per_address),
            client_sign_ins: of(base.client_sign_ins, self.sign_ins_per_address),
            identifier_sends: of(base.identifier_sends, self.sends_per_identifier.saturating_sub(1)),
            identifier_live_codes: LiveCodeRule {
                most: self.live_codes_per_identifier,
            },
            identifier_verifications: of(
                base.identifier_verifications,
                self.codes_per_identifier - codes_reserve,
            ),
            identifier_verification_reserve: of(base.identifier_verification_reserve, codes_reserve),
            identifier_guesses: GuessRule {
                free: base.identifier_guesses.free.min(wrong_codes),
                most: wrong_codes,
                reserve: base.identifier_guesses.reserve.min(wrong_codes / 5),
                ..base.identifier_guesses
            },
            identifier_sign_ins: of(
                base.identifier_sign_ins,
                self.sign_ins_per_identifier - sign_ins_reserve,
            ),
            identifier_sign_in_reserve: of(base.identifier_sign_in_reserve, sign_ins_reserve),
            client_devices: of(base.client_devices, self.devices_per_address),
            client_user_codes: of(base.client_user_codes, self.device_codes_per_address),
            global_user_codes: of(
                base.global_user_codes,
                self.device_codes_in_all - user_codes_reserve,
            ),
            global_user_code_reserve: of(base.global_user_code_reserve, user_codes_reserve),
            client_written_requests: of(base.client_written_requests, self.written_requests_per_address),
            app_sends: of(base.app_sends, app_sends - app_sends_reserve),
            app_send_reserve: of(base.app_send_reserve, app_sends_reserve),
            global_sends: of(base.global_sends, self.sends_in_all - sends_reserve),
            global_send_reserve: of(base.global_send_reserve, sends_reserve),
            client_captchas: of(base.client_captchas, self.captchas_per_address),
            global_captchas: of(base.global_captchas, self.captchas_in_all - captchas_reserve),
            global_captcha_reserve: of(base.global_captcha_reserve, captchas_reserve),
            client_slow_sends: of(base.client_slow_sends, self.slow_sends_per_address),
            global_slow_sends: of(base.global_slow_sends, self.slow_sends_in_all),
            ..base
        }
        .times(self.factor)
    }

    /// Whatever all may have, a rush at one app leaves the others a third of it, unless the operator says otherwise.
    fn sends_per_app(&self) -> u32 {
        let others = self.sends_in_all / 3;
        self.sends_per_app.unwrap_or(self.sends_in_all - others)
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        let all = [
            ("sends_per_identifier", self.sends_per_identifier, 2),
            ("live_codes_per_identifier", self.live_codes_per_identifier, 2),
            ("sends_per_address", self.sends_per_address, 1),
            ("codes_per_address", self.codes_per_address, 1),
            ("codes_per_identifier", self.codes_per_identifier, 2),
            ("wrong_codes_in_a_row", self.wrong_codes_in_a_row, 20),
            ("sign_ins_per_address", self.sign_ins_per_address, 1),
            ("sign_ins_per_identifier", self.sign_ins_per_identifier, 2),
            ("devices_per_address", self.devices_per_address, 1),
            ("device_codes_per_address", self.device_codes_per_address, 1),
            (
                "written_requests_per_address",
                self.written_requests_per_address,
                1,
            ),
            ("device_codes_in_all", self.device_codes_in_all, 2),
            ("sends_per_app", self.sends_per_app(), 2),
            ("sends_in_all", self.sends_in_all, 2),
            ("captchas_per_address", self.captchas_per_address, 1),
            ("captchas_in_all", self.captchas_in_all, 2),
            ("slow_sends_per_address", self.slow_sends_per_address, 1),
            ("slow_sends_in_all", self.slow_sends_in_all, 1),
            ("factor", self.factor, 1),
        ];
        for (key, value, least) in all {
            if value < least || value > 1_000_000 {
                problems.add(format!("[limits] {key}"), format!("must be {least} to 1000000"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_domains() {
        assert_eq!(LimitsConfig::default().limits(), Limits::default());
    }

    /// SR-5: who raises or lowers what all may have means what one app may have, too.
    #[test]
    fn sr05_the_sends_of_an_app_follow_those_of_all_unless_they_are_set() {
        let of_app = |sends_in_all, sends_per_app| {
            let limits = LimitsConfig {
                sends_in_all,
                sends_per_app,
                ..LimitsConfig::default()
            }
            .limits();
            limits.app_sends.capacity + limits.app_send_reserve.capacity
        };
        for (sends_in_all, followed) in [(2, 2), (3, 2), (300, 200), (30_000, 20_000)] {
            assert_eq!(of_app(sends_in_all, None), followed);
            assert_eq!(of_app(sends_in_all, Some(50)), 50);
        }
    }

    /// SR-20: a number of the configuration is the whole that is allowed, the reserve for new visitors included.
    #[test]
    fn sr20_a_reserve_is_part_of_its_number() {
        for number in [20, 60, 100, 1_000] {
            let guesses = LimitsConfig {
                wrong_codes_in_a_row: number,
                ..LimitsConfig::default()
            }
            .limits()
            .identifier_guesses;
            assert_eq!(
                guesses.most * ADDRESSES_OF_ACCOUNT,
                number,
                "an account's, over both addresses"
            );
            assert!(guesses.reserve > 0 && guesses.reserve < guesses.most && guesses.free <= guesses.most);
        }
        for number in [2, 3, 5, 60, 100, 1_000] {
            let limits = LimitsConfig {
                sends_per_identifier: number,
                codes_per_identifier: number,
                sign_ins_per_identifier: number,
                device_codes_in_all: number,
                sends_per_app: Some(number),
                sends_in_all: number,
                captchas_in_all: number,
                ..LimitsConfig::default()
            }
            .limits();
            for (common, reserve) in [
                (limits.identifier_sends, limits.identifier_send_reserve),
                (
                    limits.identifier_verifications,
                    limits.identifier_verification_reserve,
                ),
                (limits.identifier_sign_ins, limits.identifier_sign_in_reserve),
                (limits.global_user_codes, limits.global_user_code_reserve),
                (limits.app_sends, limits.app_send_reserve),
                (limits.global_sends, limits.global_send_reserve),
                (limits.global_captchas, limits.global_captcha_reserve),
            ] {
                assert!(common.capacity > 0 && reserve.capacity > 0, "{number}");
                assert_eq!(common.capacity + reserve.capacity, number);
            }
        }
    }
}
