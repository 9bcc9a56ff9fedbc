use std::fmt;

use super::printable_word;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+) => {
        /// The `code` of an error of Logto's APIs, as Logto 1.42 documents them. Others are kept as
        /// [`Other`](Self::Other).
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ApiCode {
            $($(#[doc = $doc])+ $variant,)+
            /// A code that this version does not know, or none: then it is empty.
            Other(String),
        }

        impl ApiCode {
            /// Every code that has a name here.
            #[cfg(test)]
            const KNOWN: &[Self] = &[$(Self::$variant,)+];

            /// Reads the code of an answer. Of one that is not known, what may be printed is kept.
            pub(crate) fn parse(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Other(printable_word(other)),
                }
            }

            /// The code as Logto writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(code) => code,
                }
            }
        }
    };
}

codes! {
    /// The request has no Authorization header.
    NoAuthorization = "auth.authorization_header_missing",
    /// The access token is wrong, expired or for something else.
    Unauthorized = "auth.unauthorized",
    /// The access token does not have the scope or the role.
    Forbidden = "auth.forbidden",
    /// An app of others may not change the account.
    ThirdPartyForbidden = "auth.third_party_application_forbidden",
    /// The request is not of the form that the API asks for.
    InvalidInput = "guard.invalid_input",
    /// A value of the request is not acceptable.
    InvalidRequest = "request.invalid_input",
    /// Ten messages went to one recipient within ten minutes.
    MessageRateLimited = "request.message_rate_limited",
    /// There is no such account, or other thing.
    NotFound = "entity.not_found",
    /// There is no such user.
    UserNotFound = "user.user_not_exist",
    /// The user is suspended.
    UserSuspended = "user.suspended",
    /// The new password is the old one.
    SamePassword = "user.same_password",
    /// The new password breaks the policy.
    PasswordRejected = "password.rejected",
    /// The password is wrong.
    InvalidCredentials = "session.invalid_credentials",
    /// Too many failures within an hour: the identifier is locked for a while.
    TooManyAttempts = "session.verification_blocked_too_many_attempts",
    /// The code was used, was never sent, or went to somebody else.
    CodeNotFound = "verification_code.not_found",
    /// The code went to another e-mail address.
    CodeEmailMismatch = "verification_code.email_mismatch",
    /// The code went to another phone number.
    CodePhoneMismatch = "verification_code.phone_mismatch",
    /// The code has expired.
    CodeExpired = "verification_code.expired",
    /// Too many wrong codes: a new one must be sent.
    CodeTriesUsedUp = "verification_code.exceed_max_try",
    /// The code is wrong.
    CodeMismatch = "verification_code.code_mismatch",
    /// The change needs a fresh verification, and the one that was given is none, expired, or somebody else's.
    VerificationRequired = "verification_record.permission_denied",
    /// There is no such verification.
    VerificationNotFound = "verification_record.not_found",
    /// The Account API is switched off.
    AccountCenterOff = "account_center.not_enabled",
    /// The Account API may not read this field.
    FieldNotEnabled = "account_center.field_not_enabled",
    /// The Account API may not change this field.
    FieldNotEditable = "account_center.field_not_editable",
    /// There is no connector for this kind of message.
    ConnectorNotFound = "connector.not_found",
    /// The connector is not configured as it should be.
    ConnectorInvalid = "connector.invalid_config",
    /// The session has ended, or was never there.
    SessionNotFound = "oidc.session_not_found",
    /// The session is somebody else's.
    SessionOfAnother = "oidc.invalid_session_account_id",
    /// Passwords don't expire by this Logto's settings.
    PasswordExpirationOff = "sign_in_experiences.password_expiration_not_enabled",
    /// There is no such one-time token.
    TokenNotFound = "one_time_token.token_not_found",
    /// The one-time token is for another e-mail address.
    TokenEmailMismatch = "one_time_token.email_mismatch",
    /// The one-time token has expired.
    TokenExpired = "one_time_token.token_expired",
    /// The one-time token was used.
    TokenConsumed = "one_time_token.token_consumed",
    /// The one-time token was revoked.
    TokenRevoked = "one_time_token.token_revoked",
    /// The one-time token is for another purpose.
    TokenPurposeMismatch = "one_time_token.interaction_event_mismatch",
}

impl fmt::Display for ApiCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_str() {
            "" => f.write_str("no code"),
            code => f.write_str(code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_as_it_is_written_and_others_are_kept() {
        for code in ApiCode::KNOWN {
            assert_eq!(&ApiCode::parse(code.as_str()), code);
        }
        let unknown = ApiCode::parse("user.invented_<script>\n");
        assert_eq!(unknown, ApiCode::Other("user.invented_script".to_owned()));
        assert_eq!(ApiCode::parse("").to_string(), "no code");
    }
}
