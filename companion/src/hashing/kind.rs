//! What a stored hash costs, told without the hash: for whoever counts them (SR-51).

use std::fmt;

use super::HashParams;
use super::legacy::Legacy;
use super::work::Stored;

/// The algorithm and the parameters of a stored hash. Holds nothing of salt and hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HashKind {
    /// As in the stored form: `argon2id`, `bcrypt`, `pbkdf2-sha256`.
    pub algorithm: &'static str,
    /// By their names in the stored form; bcrypt's only one has none there, and is `cost`.
    pub parameters: Vec<(&'static str, u32)>,
}

impl HashKind {
    /// The kind of a stored hash. `None`: it is broken or out of bounds, and nobody signs in with it.
    pub fn of(stored: &str) -> Option<Self> {
        match Legacy::parse(stored) {
            Some(legacy) => Some(legacy.ok()?.kind()),
            None => Some(Stored::parse(stored).ok()?.kind()),
        }
    }

    /// The kind of new hashes.
    pub fn of_new(params: HashParams) -> Self {
        Self::argon2("argon2id", argon2::Version::V0x13, params)
    }

    pub(super) fn argon2(algorithm: &'static str, version: argon2::Version, params: HashParams) -> Self {
        Self {
            algorithm,
            parameters: vec![
                ("v", version.into()),
                ("m", params.memory_kib),
                ("t", params.iterations),
                ("p", params.parallelism),
            ],
        }
    }
}

impl fmt::Display for HashKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm)?;
        for (name, value) in &self.parameters {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sr51_what_nobody_can_sign_in_with_has_no_kind() {
        let salt_and_hash = "AwMDAwMDAwMDAwMDAwMDAw$AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM";
        let kind = |cost: &str| HashKind::of(&format!("$argon2id$v=19${cost}${salt_and_hash}"));
        assert_eq!(
            kind("m=64,t=1,p=1").map(|kind| kind.to_string()).as_deref(),
            Some("argon2id v=19 m=64 t=1 p=1")
        );
        assert_eq!(kind("m=4194304,t=1,p=1"), None, "out of bounds");
        assert_eq!(HashKind::of("$2b$05$broken"), None);
        assert_eq!(HashKind::of(""), None);
    }
}
