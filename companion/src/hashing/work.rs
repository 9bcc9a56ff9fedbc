//! One hash or one check, in memory that is kept.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use keyback_core::random::{Random, bytes};
use zeroize::{Zeroize as _, Zeroizing};

use super::kind::HashKind;
use super::legacy::Legacy;
use super::memory::Memory;

const OUTPUT_BYTES: usize = 32;
pub(super) const SALT_BYTES: usize = 16;

/// What is accepted from a stored hash before any work is done for it: an imported string must not be able to
/// ask for all the memory or an hour of a core (SR-49).
const MAX_MEMORY_KIB: u32 = 256 * 1024;
/// Memory times passes over it, in KiB: a few seconds of a core.
const MAX_WORK_KIB: u64 = 4 * 1024 * 1024;
const MAX_LANES: u32 = 16;

/// The cost of new hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashParams {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
}

/// What a check of a password found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Right,
    /// Right, and the stored hash is of another cost than new ones: write a new one.
    RightButOutdated,
    Wrong,
}

/// A stored hash can't be used, or argon2 refused its parameters.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct HashError(String);

impl HashError {
    pub(super) fn new(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

impl HashParams {
    /// Memory times passes over it, in KiB: what a hash takes of a processor.
    pub(super) fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.iterations)
    }

    fn to_argon2(self) -> Result<Params, HashError> {
        Params::new(
            self.memory_kib,
            self.iterations,
            self.parallelism,
            Some(OUTPUT_BYTES),
        )
        .map_err(unusable)
    }
}

/// Hashes a password into a PHC string.
pub(super) fn hash(
    password: &[u8],
    salt: &[u8; SALT_BYTES],
    params: HashParams,
    memory: &mut Memory,
) -> Result<String, HashError> {
    let params = params.to_argon2()?;
    let mut output = Zeroizing::new([0; OUTPUT_BYTES]);
    run(
        Algorithm::Argon2id,
        Version::V0x13,
        params.clone(),
        password,
        salt,
        output.as_mut(),
        memory,
    )?;
    phc(&params, salt, output.as_ref())
}

/// A PHC string of today's cost that no password fits: its output is drawn, as its salt is. To check a password
/// against it is the work of any check, and to make it is none.
pub(super) fn decoy(params: HashParams, random: &dyn Random) -> Result<String, HashError> {
    let salt = bytes::<SALT_BYTES>(random);
    let output = bytes::<OUTPUT_BYTES>(random);
    phc(&params.to_argon2()?, &salt, &output)
}

/// Whether checking a stored hash takes clearly longer than one of this cost: it is of another system, or asks for more work.
pub(super) fn is_dearer(stored: &str, params: HashParams) -> bool {
    match Stored::parse(stored) {
        Ok(stored) => stored.params().work() > params.work(),
        Err(_) => Legacy::parse(stored).is_some(),
    }
}

fn phc(params: &Params, salt: &[u8; SALT_BYTES], output: &[u8]) -> Result<String, HashError> {
    let phc = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(unusable)?,
        salt: Some(Salt::new(salt).map_err(unusable)?),
        hash: Some(Output::new(output).map_err(unusable)?),
    };
    Ok(phc.to_string())
}

/// An argon2 hash whose cost is within bounds.
pub(super) struct Stored {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    output: Output,
}

impl Stored {
    pub(super) fn parse(phc: &str) -> Result<Self, HashError> {
        let stored = PasswordHash::new(phc).map_err(unusable)?;
        let algorithm = Algorithm::try_from(stored.algorithm.as_str()).map_err(unusable)?;
        let version = match stored.version {
            Some(version) => Version::try_from(version).map_err(unusable)?,
            None => Version::V0x10,
        };
        let params = Params::try_from(&stored).map_err(unusable)?;
        let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
        if params.m_cost() > MAX_MEMORY_KIB || work > MAX_WORK_KIB || params.p_cost() > MAX_LANES {
            return Err(HashError::new("a stored hash asks for more work than is allowed"));
        }
        let (Some(salt), Some(output)) = (stored.salt, stored.hash) else {
            return Err(HashError::new("a stored hash has no salt or no output"));
        };
        Ok(Self {
            algorithm,
            version,
            params,
            salt,
            output,
        })
    }

    pub(super) fn kind(&self) -> HashKind {
        HashKind::argon2(self.algorithm.as_str(), self.version, self.params())
    }

    fn params(&self) -> HashParams {
        HashParams {
            memory_kib: self.params.m_cost(),
            iterations: self.params.t_cost(),
            parallelism: self.params.p_cost(),
        }
    }
}

/// Whether a PHC string of argon2 can be checked against, within bounds.
pub(super) fn check(phc: &str) -> Result<(), HashError> {
    Stored::parse(phc).map(drop)
}

/// Checks a password against a stored hash: a PHC string of argon2, or one of the legacy kinds.
pub(super) fn verify(
    password: &[u8],
    phc: &str,
    current: HashParams,
    memory: &mut Memory,
) -> Result<Verdict, HashError> {
    if let Some(legacy) = Legacy::parse(phc) {
        let is_right = legacy?.verify(password)?;
        return Ok(if is_right {
            Verdict::RightButOutdated
        } else {
            Verdict::Wrong
        });
    }
    let stored = Stored::parse(phc)?;
    let up_to_date = stored.kind() == HashKind::of_new(current);
    let Stored {
        algorithm,
        version,
        params,
        salt,
        output: expected,
    } = stored;
    let mut output = Zeroizing::new(vec![0; expected.len()]);
    run(
        algorithm,
        version,
        params,
        password,
        salt.as_ref(),
        &mut output,
        memory,
    )?;
    if verify_slices_are_equal(&output, expected.as_bytes()).is_err() {
        return Ok(Verdict::Wrong);
    }
    Ok(if up_to_date {
        Verdict::Right
    } else {
        Verdict::RightButOutdated
    })
}

fn run(
    algorithm: Algorithm,
    version: Version,
    params: Params,
    password: &[u8],
    salt: &[u8],
    output: &mut [u8],
    memory: &mut Memory,
) -> Result<(), HashError> {
    let blocks = memory.blocks(params.block_count());
    let result = Argon2::new(algorithm, version, params)
        .hash_password_into_with_memory(password, salt, output, &mut *blocks)
        .map_err(unusable);
    // Of the memory the first blocks alone are a direct function of the password's own digest.
    blocks.iter_mut().take(2).for_each(Block::zeroize);
    result
}

pub(super) fn unusable(error: impl std::fmt::Display) -> HashError {
    HashError(error.to_string())
}

#[cfg(test)]
mod tests {
    use keyback_core::random::SystemRandom;

    use super::*;

    const SMALL: HashParams = HashParams {
        memory_kib: 64,
        iterations: 1,
        parallelism: 1,
    };

    #[test]
    fn sr47_hashes_are_phc_strings_of_argon2id_with_a_salt_of_128_bits() {
        let params = HashParams {
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
        };
        let phc = hash(b"violet otter paddles", &[7; 16], params, &mut Memory::default()).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(is_dearer(&phc, SMALL) && !is_dearer(&phc, params));
        let bcrypt = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
        assert!(is_dearer(bcrypt, params) && !is_dearer("no hash", params));
        let cheaper = decoy(SMALL, &SystemRandom).unwrap();
        assert!(!is_dearer(&cheaper, params));
        assert_eq!(PasswordHash::new(&phc).unwrap().salt.unwrap().as_ref(), [7; 16]);
    }

    #[test]
    fn sr51_a_decoy_has_the_form_and_the_cost_of_a_hash_and_fits_no_password() {
        let drawn = decoy(SMALL, &SystemRandom).unwrap();
        let real = hash(b"violet otter paddles", &[7; 16], SMALL, &mut Memory::default()).unwrap();
        let form = |phc: &str| (phc.len(), phc.split('$').take(4).collect::<String>());
        assert_eq!(form(&drawn), form(&real));
        let mut memory = Memory::default();
        let verdict = verify(b"violet otter paddles", &drawn, SMALL, &mut memory).unwrap();
        assert_eq!(verdict, Verdict::Wrong);
        assert!(!memory.is_empty(), "the work was done");
        assert_ne!(drawn, decoy(SMALL, &SystemRandom).unwrap());
    }

    #[test]
    fn kept_memory_gives_the_hashes_that_fresh_memory_gives() {
        let mut kept = Memory::default();
        for salt in [[1; 16], [2; 16], [1; 16]] {
            let again = hash(b"violet otter paddles", &salt, SMALL, &mut kept).unwrap();
            assert_eq!(
                again,
                hash(b"violet otter paddles", &salt, SMALL, &mut Memory::default()).unwrap()
            );
        }
    }

    #[test]
    fn sr39_passwords_are_compared_exactly() {
        let mut memory = Memory::default();
        let long = format!("{}a", "x".repeat(72));
        for right in [
            "violet otter paddles",
            " leading and trailing ",
            &long,
            "Пароль с пробелами",
        ] {
            let phc = hash(right.as_bytes(), &[3; 16], SMALL, &mut memory).unwrap();
            assert_eq!(
                verify(right.as_bytes(), &phc, SMALL, &mut memory).unwrap(),
                Verdict::Right
            );
            let mut truncated = right.to_owned();
            truncated.pop();
            for wrong in [
                &truncated,
                right.trim(),
                &right.to_uppercase(),
                &format!("{}b", "x".repeat(72)),
            ] {
                if wrong != right {
                    let verdict = verify(wrong.as_bytes(), &phc, SMALL, &mut memory).unwrap();
                    assert_eq!(verdict, Verdict::Wrong, "{wrong}");
                }
            }
        }
    }

    #[test]
    fn sr47_a_hash_of_another_cost_is_right_but_outdated() {
        let phc = hash(b"pass", &[3; 16], SMALL, &mut Memory::default()).unwrap();
        let dearer = HashParams {
            iterations: 2,
            ..SMALL
        };
        assert_eq!(
            verify(b"pass", &phc, dearer, &mut Memory::default()).unwrap(),
            Verdict::RightButOutdated
        );
    }

    #[test]
    fn sr49_a_stored_hash_cannot_ask_for_unbounded_work() {
        let salt_and_hash = "AwMDAwMDAwMDAwMDAwMDAw$AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM";
        for cost in ["m=4194304,t=1,p=1", "m=64,t=100000,p=1"] {
            let phc = format!("$argon2id$v=19${cost}${salt_and_hash}");
            assert!(
                verify(b"pass", &phc, SMALL, &mut Memory::default()).is_err(),
                "{cost}"
            );
        }
        assert!(verify(b"pass", "not a hash", SMALL, &mut Memory::default()).is_err());
    }
}
