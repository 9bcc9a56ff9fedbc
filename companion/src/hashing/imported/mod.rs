//! Password hashes of other systems, as they are imported (SR-49, SR-51): what is bounded and slow is taken as it is,
//! what is fast or unknown is refused before it gets into the store.

use super::legacy::{Digest, Legacy, Pbkdf2, decode};
use super::work;

/// A password hash that can be checked here, in the form that it rests in.
#[derive(Clone, PartialEq, Eq)]
pub struct ImportedHash(String);

/// Why a hash is not taken. Tells nothing of the hash itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashRefused {
    /// MD5, SHA-1, SHA-2 and their like: whoever steals the store reads the passwords from them in no time.
    #[error(
        "this is a fast hash, which protects no password; import the account without it, and its owner sets a new one by a reset"
    )]
    Fast,
    /// Of no kind that is known here.
    #[error("the kind of this hash is not known; argon2, bcrypt and PBKDF2 are")]
    Unknown,
    /// Of a known kind, but broken, or out of bounds.
    #[error("{0}")]
    Unusable(String),
}

impl ImportedHash {
    /// Reads a hash: a PHC string of argon2 or PBKDF2, bcrypt's form, Django's `pbkdf2_sha256$…`, or a value of
    /// Logto's `passwordDigest`, whose kind its `passwordAlgorithm` names.
    pub fn read(algorithm: Option<&str>, text: &str) -> Result<Self, HashRefused> {
        let named = algorithm.map(str::to_ascii_lowercase);
        match named.as_deref() {
            None => Self::of_any(text),
            Some("argon2i" | "argon2id" | "argon2d") if text.starts_with("$argon2") => Self::of_any(text),
            Some("bcrypt") if text.starts_with("$2") => Self::of_any(text),
            Some("pbkdf2") => Self::of_any(text),
            Some("legacy") => of_logto(text),
            Some("md5" | "sha1" | "sha256" | "sha384" | "sha512") => Err(HashRefused::Fast),
            Some("argon2i" | "argon2id" | "argon2d" | "bcrypt") => Err(HashRefused::Unusable(
                "the hash is not of the kind that it is said to be".to_owned(),
            )),
            Some(_) => Err(HashRefused::Unknown),
        }
    }

    /// The form it rests in.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of_any(text: &str) -> Result<Self, HashRefused> {
        let unusable = |error: work::HashError| HashRefused::Unusable(error.to_string());
        if text.starts_with("$argon2") {
            work::check(text).map_err(unusable)?;
            return Ok(Self(text.to_owned()));
        }
        if let Some(legacy) = Legacy::parse(text) {
            return Ok(match legacy.map_err(unusable)? {
                Legacy::Bcrypt { stored, .. } => Self(stored),
                Legacy::Pbkdf2(hash) => Self(hash.to_stored()),
            });
        }
        if let Some(django) = text.strip_prefix("pbkdf2_") {
            return of_django(django);
        }
        if text.starts_with('[') {
            return of_logto(text);
        }
        let is_hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        Err(if is_hex && matches!(text.len(), 32 | 40 | 56 | 64 | 96 | 128) {
            HashRefused::Fast
        } else {
            HashRefused::Unknown
        })
    }
}

/// Django's `pbkdf2_sha256$iterations$salt$hash`, whose salt is the text itself.
fn of_django(text: &str) -> Result<ImportedHash, HashRefused> {
    let parts: Vec<&str> = text.split('$').collect();
    let [digest, iterations, salt, output] = parts.as_slice() else {
        return Err(broken());
    };
    of_pbkdf2(digest, iterations, salt.as_bytes().to_vec(), decode(output))
}

/// Logto's `Legacy`: a JSON list of the algorithm, its arguments, where `@` is the password, and the result.
fn of_logto(text: &str) -> Result<ImportedHash, HashRefused> {
    let (algorithm, arguments, result): (String, Vec<serde_json::Value>, String) =
        serde_json::from_str(text).map_err(|_| broken())?;
    match algorithm.as_str() {
        "pbkdf2" | "pbkdf2Sync" => {}
        name if name.contains("scrypt") || name.starts_with("argon2") || name == "bcrypt" => {
            return Err(HashRefused::Unknown);
        }
        // Any other is one round of a digest of Node's.
        _ => return Err(HashRefused::Fast),
    }
    let arguments: Vec<String> = arguments
        .iter()
        .map(|argument| {
            argument
                .as_str()
                .map_or_else(|| argument.to_string(), str::to_owned)
        })
        .collect();
    let [salt, iterations, _length, digest, password] = arguments.as_slice() else {
        return Err(broken());
    };
    if password != "@" {
        return Err(broken());
    }
    let salt = match salt.strip_prefix("hex:") {
        Some(salt) => hex::decode(salt).map_err(|_| broken())?,
        None => salt.as_bytes().to_vec(),
    };
    of_pbkdf2(digest, iterations, salt, hex::decode(&result).ok())
}

fn of_pbkdf2(
    digest: &str,
    iterations: &str,
    salt: Vec<u8>,
    output: Option<Vec<u8>>,
) -> Result<ImportedHash, HashRefused> {
    let digest = Digest::of_name(digest).ok_or(HashRefused::Unknown)?;
    let iterations = iterations.parse().map_err(|_| broken())?;
    let hash = Pbkdf2::new(digest, iterations, salt, output.ok_or_else(broken)?)
        .map_err(|error| HashRefused::Unusable(error.to_string()))?;
    Ok(ImportedHash(hash.to_stored()))
}

fn broken() -> HashRefused {
    HashRefused::Unusable("the hash is not whole".to_owned())
}

/// Hashes rest and travel; they are not shown (SR-31).
impl std::fmt::Debug for ImportedHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ImportedHash(redacted)")
    }
}

#[cfg(test)]
mod tests;
