//! One sealing for all that leaves the process: AES-256-GCM under keys derived for one use.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::{Zeroize, Zeroizing};

const KEY_LENGTH: usize = 32;

/// Keys of one use, derived from secrets (HKDF-SHA256, RFC 5869). The first seals, all open.
pub(crate) struct KeyRing {
    keys: Vec<RandomizedNonceKey>,
    label: &'static [u8],
}

/// Why something could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SealError {
    /// The secret has less than 32 bytes.
    ShortKey,
    /// The cryptography failed.
    Failed,
}

impl KeyRing {
    /// `label` names the use: keys of one use open nothing of another, although the secret is the same.
    pub(crate) fn new(secret: &[u8], label: &'static [u8]) -> Result<Self, SealError> {
        Ok(Self {
            keys: vec![derive(secret, label)?],
            label,
        })
    }

    /// Also opens what an earlier secret has sealed.
    pub(crate) fn and_opens(&mut self, earlier: &[u8]) -> Result<(), SealError> {
        self.keys.push(derive(earlier, self.label)?);
        Ok(())
    }

    /// Nonce, ciphertext and tag. What is sealed can only be opened again with the same `bound_to`.
    pub(crate) fn seal(&self, bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = self.keys.first().ok_or(SealError::Failed)?;
        let mut sealed = plain.to_vec();
        // The nonce is aws-lc-rs's own and no argument: a repeated one would give the key away.
        let nonce = key.seal_in_place_append_tag(Aad::from(bound_to), &mut sealed);
        let Ok(nonce) = nonce else {
            sealed.zeroize();
            return Err(SealError::Failed);
        };
        let mut bytes = nonce.as_ref().to_vec();
        bytes.append(&mut sealed);
        Ok(bytes)
    }

    /// `None` for what none of the keys has sealed for `bound_to`.
    pub(crate) fn open(&self, bound_to: &[u8], bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        self.keys.iter().find_map(|key| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut buffer = Zeroizing::new(sealed.to_vec());
            let length = key
                .open_in_place(nonce, Aad::from(bound_to), &mut buffer)
                .ok()?
                .len();
            buffer.truncate(length);
            Some(buffer)
        })
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("keys", &self.keys.len()).finish()
    }
}

struct KeyBytes;

impl KeyType for KeyBytes {
    fn len(&self) -> usize {
        KEY_LENGTH
    }
}

fn derive(secret: &[u8], label: &[u8]) -> Result<RandomizedNonceKey, SealError> {
    if secret.len() < KEY_LENGTH {
        return Err(SealError::ShortKey);
    }
    let mut key = [0; KEY_LENGTH];
    let derived = Salt::new(HKDF_SHA256, &[])
        .extract(secret)
        .expand(&[label], KeyBytes)
        .and_then(|okm| okm.fill(&mut key))
        .and_then(|()| RandomizedNonceKey::new(&AES_256_GCM, &key))
        .map_err(|_| SealError::Failed);
    key.zeroize();
    derived
}
