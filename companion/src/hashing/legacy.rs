//! Slow hashes of other systems: bcrypt and PBKDF2. New hashes are never of these kinds.
//!
//! They are checked as they are, and replaced by argon2id at the first sign-in (SR-51). Until then the time of a
//! check tells that such an account exists: the exception is written down in ARCHITECTURE.md.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA384, PBKDF2_HMAC_SHA512};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::kind::HashKind;
use super::work::HashError;

/// bcrypt reads no more of a password. What differs behind it must not pass (SR-39).
const BCRYPT_READS: usize = 72;
/// 2^15 rounds take seconds (SR-49).
const MOST_BCRYPT_COST: u32 = 15;
/// Fewer are a fast hash (RFC 8018 4.2 asks for a thousand).
const LEAST_ITERATIONS: u32 = 1_000;
/// More take seconds (SR-49).
const MOST_ITERATIONS: u32 = 2_000_000;
/// Bytes of a PBKDF2 salt, and of its output, at most.
const MOST_SALT: usize = 128;
const MOST_OUTPUT: usize = 128;
const LEAST_OUTPUT: usize = 16;

/// Base64 with or without its padding: PHC strings have none, Django's have.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A stored hash of another system.
pub(super) enum Legacy {
    Bcrypt { stored: String, cost: u32 },
    Pbkdf2(Pbkdf2),
}

/// A PBKDF2 hash (RFC 8018 5.2).
pub(super) struct Pbkdf2 {
    digest: Digest,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    output: Vec<u8>,
}

/// The hash function under HMAC.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    /// The digest of a name such as `sha256`.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// What a PBKDF2 hash with it begins with in the form that it rests in.
    fn hash_name(self) -> &'static str {
        match self {
            Self::Sha1 => "pbkdf2-sha1",
            Self::Sha256 => "pbkdf2-sha256",
            Self::Sha384 => "pbkdf2-sha384",
            Self::Sha512 => "pbkdf2-sha512",
        }
    }

    fn algorithm(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => PBKDF2_HMAC_SHA1,
            Self::Sha256 => PBKDF2_HMAC_SHA256,
            Self::Sha384 => PBKDF2_HMAC_SHA384,
            Self::Sha512 => PBKDF2_HMAC_SHA512,
        }
    }
}

impl Legacy {
    /// Reads a stored hash of these kinds, none if it is of another.
    pub(super) fn parse(stored: &str) -> Option<Result<Self, HashError>> {
        if ["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|kind| stored.starts_with(kind))
        {
            Some(parse_bcrypt(stored))
        } else {
            let rest = stored.strip_prefix("$pbkdf2-")?;
            Some(Pbkdf2::parse(rest).map(Self::Pbkdf2))
        }
    }

    /// Whether it is the hash of a password. The work is done in any case.
    pub(super) fn verify(&self, password: &[u8]) -> Result<bool, HashError> {
        match self {
            Self::Bcrypt { stored, .. } => {
                let is_right = bcrypt::verify(password, stored).map_err(super::work::unusable)?;
                Ok(is_right && password.len() <= BCRYPT_READS)
            }
            Self::Pbkdf2(hash) => Ok(pbkdf2::verify(
                hash.digest.algorithm(),
                hash.iterations,
                &hash.salt,
                password,
                &hash.output,
            )
            .is_ok()),
        }
    }

    pub(super) fn kind(&self) -> HashKind {
        match self {
            Self::Bcrypt { cost, .. } => HashKind {
                algorithm: "bcrypt",
                parameters: vec![("cost", *cost)],
            },
            Self::Pbkdf2(hash) => HashKind {
                algorithm: hash.digest.hash_name(),
                parameters: vec![("i", hash.iterations.get())],
            },
        }
    }
}

fn parse_bcrypt(stored: &str) -> Result<Legacy, HashError> {
    let parts: bcrypt::HashParts = stored
        .parse()
        .map_err(|_| HashError::new("this is no whole bcrypt hash"))?;
    let cost = parts.get_cost();
    if cost > MOST_BCRYPT_COST {
        return Err(HashError::new("a bcrypt hash may cost 15 at most"));
    }
    Ok(Legacy::Bcrypt {
        stored: stored.to_owned(),
        cost,
    })
}

impl Pbkdf2 {
    /// Takes the parts of a hash, if they are within bounds.
    pub(super) fn new(
        digest: Digest,
        iterations: u32,
        salt: Vec<u8>,
        output: Vec<u8>,
    ) -> Result<Self, HashError> {
        let fits = (LEAST_ITERATIONS..=MOST_ITERATIONS).contains(&iterations)
            && salt.len() <= MOST_SALT
            && (LEAST_OUTPUT..=MOST_OUTPUT).contains(&output.len());
        match NonZeroU32::new(iterations).filter(|_| fits) {
            Some(iterations) => Ok(Self {
                digest,
                iterations,
                salt,
                output,
            }),
            None => Err(HashError::new(
                "a PBKDF2 hash has 1000 to 2000000 iterations, a salt of 128 bytes at most, and 16 to 128 bytes",
            )),
        }
    }

    /// Reads what follows `$pbkdf2-`: `sha256$i=600000,l=32$salt$hash`.
    fn parse(text: &str) -> Result<Self, HashError> {
        let broken = || HashError::new("this is no whole PBKDF2 hash");
        let parts: Vec<&str> = text.split('$').collect();
        let [digest, parameters, salt, output] = parts.as_slice() else {
            return Err(broken());
        };
        let iterations = parameters
            .split(',')
            .find_map(|parameter| parameter.strip_prefix("i="))
            // passlib writes the number alone.
            .unwrap_or(parameters);
        Self::new(
            Digest::of_name(digest).ok_or_else(broken)?,
            iterations.parse().map_err(|_| broken())?,
            decode(salt).ok_or_else(broken)?,
            decode(output).ok_or_else(broken)?,
        )
    }

    /// The form it rests in.
    pub(super) fn to_stored(&self) -> String {
        format!(
            "${}$i={},l={}${}${}",
            self.digest.hash_name(),
            self.iterations,
            self.output.len(),
            BASE64.encode(&self.salt),
            BASE64.encode(&self.output)
        )
    }
}

/// Reads base64 in the alphabets that hashes are written in: passlib has `.` for `+`.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.replace('.', "+")).ok()
}
