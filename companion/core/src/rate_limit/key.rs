//! What a limit is counted under.

use std::fmt;

use aws_lc_rs::hmac;

use super::client_prefix::ClientPrefix;
use crate::identifier::Identifier;
use crate::ids::Subject;
use crate::phone::PhoneNumber;

/// First of what the hash covers.
const LABEL: &[u8] = b"keyback identifier hash v1\0";

/// What is counted. Its text is the key of the store's row, and holds no address and no number (SR-31).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LimitKey {
    /// What one client does, whoever it is about.
    Client(ClientAction, ClientPrefix),
    /// Sends to one identifier.
    IdentifierSends(IdentifierHash),
    /// The sends to one identifier that are kept for clients not yet seen for it.
    IdentifierSendReserve(IdentifierHash),
    /// Whether a client has lately asked for a code for an identifier.
    IdentifierSendSeen(IdentifierHash, ClientPrefix),
    /// Codes tried for one identifier, over all its flows.
    IdentifierVerifications(IdentifierHash),
    /// The tries for one identifier that are kept for clients not yet seen for it.
    IdentifierVerificationReserve(IdentifierHash),
    /// Whether a client has lately tried codes for an identifier.
    IdentifierVerificationSeen(IdentifierHash, ClientPrefix),
    /// Codes tried in a row for one identifier, none of them right.
    IdentifierGuesses(IdentifierHash),
    /// Those of them that were tried of what is kept for clients not yet seen for it.
    IdentifierGuessReserve(IdentifierHash),
    /// Passwords tried at sign-in for one identifier (or a user name's hash).
    IdentifierSignIns(IdentifierHash),
    /// The sign-ins for one identifier that are kept for clients not yet seen for it.
    IdentifierSignInReserve(IdentifierHash),
    /// Whether a client has lately tried passwords for an identifier.
    IdentifierSignInSeen(IdentifierHash, ClientPrefix),
    /// Current passwords tried by a signed-in user who changes the password.
    PasswordChanges(Subject),
    /// Passwords of an account that apps have checked.
    PasswordVerifications(Subject),
    /// Codes of devices typed by everybody.
    GlobalUserCodes,
    /// The codes of devices that are kept for clients not yet seen.
    GlobalUserCodeReserve,
    /// Whether a client has lately typed codes of devices.
    UserCodeSeen(ClientPrefix),
    /// Captchas answered by everybody.
    GlobalCaptchas,
    /// The captchas that are kept for clients not yet seen.
    GlobalCaptchaReserve,
    /// Whether a client has lately answered captchas.
    CaptchaSeen(ClientPrefix),
    /// Codes by SMS to numbers with one beginning.
    SmsPrefix(IdentifierHash),
    /// Sends for one app, by its client id; what began at none is counted together.
    AppSends(Option<String>),
    /// The sends for one app that are kept for clients not yet seen there.
    AppSendReserve(Option<String>),
    /// Whether a client has lately asked for codes at an app.
    AppSendSeen(Option<String>, ClientPrefix),
    /// Sends of this whole installation.
    GlobalSends,
    /// The sends that are kept for clients not yet seen.
    GlobalSendReserve,
    /// Whether a client has lately asked for codes.
    SendSeen(ClientPrefix),
    /// Sends of this whole installation that nobody has answered a captcha for.
    GlobalSlowSends,
}

/// What a client does that is counted by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAction {
    /// Asks for a code, first or again.
    Send,
    /// Tries a code.
    Verify,
    /// Submits a new password with a proof.
    SetPassword,
    /// Signs in with a password.
    SignIn,
    /// Asks, as a device, to be signed in.
    BeginDevice,
    /// Types the code of a device.
    UserCode,
    /// Has an authorization request written down.
    WriteRequest,
    /// Answers a captcha.
    Captcha,
    /// Asks for a code without an answer to the captcha.
    SlowSend,
}

/// The keyed hash of an identifier: tells that two are the same, and not which one it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentifierHash(String);

/// Makes [`IdentifierHash`]es. A bare hash of an address or a number is guessed in seconds, hence the key.
#[derive(Clone)]
pub struct IdentifierHasher(hmac::Key);

impl fmt::Display for LimitKey {
    /// The stable text that rows are stored under.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No client id is empty, and none has a colon.
        let of = |app: &'_ Option<String>| app.clone().unwrap_or_default();
        match self {
            Self::Client(action, prefix) => write!(f, "client:{}:{prefix}", action.name()),
            Self::IdentifierSends(hash) => write!(f, "identifier:send:{hash}"),
            Self::IdentifierSendReserve(hash) => write!(f, "identifier:send-reserve:{hash}"),
            Self::IdentifierSendSeen(hash, prefix) => write!(f, "identifier:send-seen:{hash}:{prefix}"),
            Self::IdentifierVerifications(hash) => write!(f, "identifier:verify:{hash}"),
            Self::IdentifierVerificationReserve(hash) => write!(f, "identifier:verify-reserve:{hash}"),
            Self::IdentifierVerificationSeen(hash, prefix) => {
                write!(f, "identifier:verify-seen:{hash}:{prefix}")
            }
            Self::IdentifierGuesses(hash) => write!(f, "identifier:guesses:{hash}"),
            Self::IdentifierGuessReserve(hash) => write!(f, "identifier:guess-reserve:{hash}"),
            Self::IdentifierSignIns(hash) => write!(f, "identifier:sign-in:{hash}"),
            Self::IdentifierSignInReserve(hash) => write!(f, "identifier:sign-in-reserve:{hash}"),
            Self::IdentifierSignInSeen(hash, prefix) => {
                write!(f, "identifier:sign-in-seen:{hash}:{prefix}")
            }
            Self::PasswordChanges(subject) => write!(f, "subject:password:{subject}"),
            Self::PasswordVerifications(subject) => write!(f, "subject:password-verify:{subject}"),
            Self::GlobalUserCodes => f.write_str("global:user-code"),
            Self::GlobalUserCodeReserve => f.write_str("global:user-code-reserve"),
            Self::UserCodeSeen(prefix) => write!(f, "global:user-code-seen:{prefix}"),
            Self::GlobalCaptchas => f.write_str("global:captcha"),
            Self::GlobalCaptchaReserve => f.write_str("global:captcha-reserve"),
            Self::CaptchaSeen(prefix) => write!(f, "global:captcha-seen:{prefix}"),
            Self::SmsPrefix(hash) => write!(f, "sms:prefix:{hash}"),
            Self::AppSends(app) => write!(f, "app:send:{}", of(app)),
            Self::AppSendReserve(app) => write!(f, "app:send-reserve:{}", of(app)),
            Self::AppSendSeen(app, prefix) => write!(f, "app:send-seen:{}:{prefix}", of(app)),
            Self::GlobalSends => f.write_str("global:send"),
            Self::GlobalSendReserve => f.write_str("global:send-reserve"),
            Self::SendSeen(prefix) => write!(f, "global:send-seen:{prefix}"),
            Self::GlobalSlowSends => f.write_str("global:slow-send"),
        }
    }
}

impl ClientAction {
    /// Its stable name, also for metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Verify => "verify",
            Self::SetPassword => "set-password",
            Self::SignIn => "sign-in",
            Self::BeginDevice => "begin-device",
            Self::UserCode => "user-code",
            Self::WriteRequest => "write-request",
            Self::Captcha => "captcha",
            Self::SlowSend => "slow-send",
        }
    }
}

impl IdentifierHash {
    /// Sixteen bytes in hex.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdentifierHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for IdentifierHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentifierHash({})", self.0)
    }
}

impl IdentifierHasher {
    /// A hasher with a key of 32 bytes, already derived for this one use.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The hash of an identifier.
    pub fn hash(&self, identifier: &Identifier) -> IdentifierHash {
        self.hash_text(identifier.as_str())
    }

    /// The hash of the beginning that a phone number shares with others.
    pub fn hash_prefix(&self, number: &PhoneNumber) -> IdentifierHash {
        // No identifier has a space in it.
        self.hash_text(&format!("prefix {}", number.prefix()))
    }

    /// The hash of what an address has in common with all others that one owner can have: of an e-mail address the last two
    /// labels of its domain, since whoever has a domain has any number of addresses and subdomains. A phone number stands for
    /// itself.
    pub fn hash_owner(&self, identifier: &Identifier) -> IdentifierHash {
        match identifier {
            // No identifier has a space in it.
            Identifier::Email(address) => self.hash_text(&format!("domain {}", address.registered_domain())),
            Identifier::Phone(_) => self.hash(identifier),
        }
    }

    /// The hash of a text that is no [`Identifier`], such as a user name at sign-in.
    pub fn hash_text(&self, text: &str) -> IdentifierHash {
        let mut hmac = hmac::Context::with_key(&self.0);
        hmac.update(LABEL);
        hmac.update(text.as_bytes());
        IdentifierHash(hex::encode(&hmac.sign().as_ref()[..16]))
    }
}

impl fmt::Debug for IdentifierHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentifierHasher(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn keys_are_distinct_and_name_nobody() {
        let hasher = IdentifierHasher::new(&[7; 32]);
        let hash = hasher.hash(&Identifier::parse("Ada@example.com").unwrap());
        let prefix = ClientPrefix::from("192.0.2.7".parse::<IpAddr>().unwrap());
        let keys = [
            LimitKey::Client(ClientAction::Send, prefix),
            LimitKey::Client(ClientAction::Verify, prefix),
            LimitKey::Client(ClientAction::SetPassword, prefix),
            LimitKey::Client(ClientAction::SignIn, prefix),
            LimitKey::Client(ClientAction::BeginDevice, prefix),
            LimitKey::Client(ClientAction::UserCode, prefix),
            LimitKey::Client(ClientAction::WriteRequest, prefix),
            LimitKey::Client(ClientAction::Captcha, prefix),
            LimitKey::Client(ClientAction::SlowSend, prefix),
            LimitKey::GlobalUserCodes,
            LimitKey::GlobalUserCodeReserve,
            LimitKey::UserCodeSeen(prefix),
            LimitKey::GlobalCaptchas,
            LimitKey::GlobalCaptchaReserve,
            LimitKey::CaptchaSeen(prefix),
            LimitKey::IdentifierSends(hash.clone()),
            LimitKey::IdentifierSendReserve(hash.clone()),
            LimitKey::IdentifierSendSeen(hash.clone(), prefix),
            LimitKey::IdentifierVerifications(hash.clone()),
            LimitKey::IdentifierVerificationReserve(hash.clone()),
            LimitKey::IdentifierVerificationSeen(hash.clone(), prefix),
            LimitKey::IdentifierGuesses(hash.clone()),
            LimitKey::IdentifierGuessReserve(hash.clone()),
            LimitKey::IdentifierSignIns(hash.clone()),
            LimitKey::IdentifierSignInReserve(hash.clone()),
            LimitKey::IdentifierSignInSeen(hash.clone(), prefix),
            LimitKey::SmsPrefix(hash),
            LimitKey::PasswordChanges(Subject::new("abc123abc123")),
            LimitKey::AppSends(None),
            LimitKey::AppSends(Some("shop".to_owned())),
            LimitKey::AppSends(Some("cafe".to_owned())),
            LimitKey::AppSendReserve(Some("shop".to_owned())),
            LimitKey::AppSendSeen(Some("shop".to_owned()), prefix),
            LimitKey::GlobalSends,
            LimitKey::GlobalSlowSends,
        ]
        .map(|key| key.to_string());
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
        assert!(keys.iter().all(|key| !key.contains("ada")), "{keys:?}");
    }

    #[test]
    fn addresses_of_one_domain_and_of_its_subdomains_have_one_owner() {
        let hasher = IdentifierHasher::new(&[7; 32]);
        let owner = |typed: &str| hasher.hash_owner(&Identifier::parse(typed).unwrap());
        let ada = owner("ada@example.com");
        assert_eq!(ada, owner("Bob@Example.com"));
        assert_eq!(ada, owner("eve@a.b.example.com"));
        assert_ne!(ada, owner("ada@example.org"));
        assert_ne!(ada, owner("ada@notexample.com"));
        assert_ne!(owner("+14155550123"), owner("+14155550124"));
    }

    #[test]
    fn the_hash_follows_the_normal_form_and_the_key() {
        let hasher = IdentifierHasher::new(&[7; 32]);
        let (typed, normal) = ("ADA@example.com ", "ada@example.com");
        let (typed, normal) = (
            Identifier::parse(typed).unwrap(),
            Identifier::parse(normal).unwrap(),
        );
        assert_eq!(hasher.hash(&typed), hasher.hash(&normal));
        assert_ne!(hasher.hash(&typed), IdentifierHasher::new(&[8; 32]).hash(&typed));
    }
}
