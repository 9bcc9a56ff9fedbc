//! The root keys and what is derived from them.
//!
//! Each use has its own key, derived by HKDF-SHA256 with a fixed label, so that no key serves two ends.
//! The first root key writes; all of them read, so that a key is rotated by putting a new one in front.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyback_core::random::{Random, bytes, token};
use keyback_core::rate_limit::IdentifierHasher;
use zeroize::Zeroizing;

/// Bytes of a root key and of every key derived from it.
pub const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const ID_BYTES: usize = 16;
const KEY_ID_BYTES: usize = 4;

/// What a derived key is for. The labels are fixed: changing one makes unreadable what it sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Digests of one-time codes.
    CodeDigest,
    /// Sealed cookies.
    Cookies,
    /// The cookies of `/reset-password` as a relying party.
    PendingSignIns,
    /// Payloads of jobs, which carry codes.
    Jobs,
    /// Private keys of the provider at rest.
    ProviderKeys,
    /// Answers to refreshes, kept for a repeat.
    RefreshAnswers,
    /// Digests of the user codes of devices.
    UserCodes,
    /// Keys of limits, which are digests of identifiers.
    Limits,
    /// What the Account API gives who has proved again who they are.
    Verifications,
    /// The links of reset mails.
    ResetLinks,
    /// The flows that one-time tokens open.
    TokenFlows,
    /// The secrets of the demo's apps and webhook.
    DemoSecrets,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::CodeDigest => b"keyback/code-digest/1",
            Self::Cookies => b"keyback/cookies/1",
            Self::PendingSignIns => b"keyback/pending-sign-ins/1",
            Self::Jobs => b"keyback/jobs/1",
            Self::ProviderKeys => b"keyback/provider-keys/1",
            Self::RefreshAnswers => b"keyback/refresh-answers/1",
            Self::UserCodes => b"keyback/user-codes/1",
            Self::Limits => b"keyback/limits/1",
            Self::Verifications => b"keyback/verifications/1",
            Self::ResetLinks => b"keyback/reset-links/1",
            Self::TokenFlows => b"keyback/token-flows/1",
            Self::DemoSecrets => b"keyback/demo-secrets/1",
        }
    }
}

/// One root key.
#[derive(Clone)]
pub struct RootKey(Zeroizing<[u8; KEY_BYTES]>);

/// Why a root key can't be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootKeyError {
    /// Not 32 bytes in base64url.
    #[error(
        "a root key is 32 bytes in base64url (43 characters); make one with `keyback keys new --out FILE`"
    )]
    Malformed,
    /// The list of root keys is empty.
    #[error(
        "no root key is set; make one with `keyback keys new --out root.key` and name it in [secrets] root_key_file"
    )]
    Missing,
}

impl RootKey {
    /// Draws a new root key.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        random.fill(bytes.as_mut());
        Self(bytes)
    }

    /// Reads a root key from its base64url text.
    pub fn parse(text: &str) -> Result<Self, RootKeyError> {
        let bytes = Zeroizing::new(
            URL_SAFE_NO_PAD
                .decode(text.trim())
                .map_err(|_| RootKeyError::Malformed)?,
        );
        let bytes = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).map_err(|_| RootKeyError::Malformed)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// The base64url text of the key, for its file.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0.as_ref()))
    }

    /// A short name of the key, derived from it one way: tells which key sealed something.
    pub fn id(&self) -> String {
        hex::encode(self.id_bytes())
    }

    fn id_bytes(&self) -> [u8; KEY_ID_BYTES] {
        let id = self.derive(b"keyback/key-id/1");
        [id[0], id[1], id[2], id[3]]
    }

    fn derive(&self, label: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut out = Zeroizing::new([0; KEY_BYTES]);
        Salt::new(HKDF_SHA256, b"keyback")
            .extract(self.0.as_ref())
            .expand(&[label], DerivedLength)
            .and_then(|okm| okm.fill(out.as_mut()))
            // Going on without would mean going on with a key of zeros.
            .expect("HKDF-SHA256 gives up to 8160 bytes, and 32 are asked for");
        out
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootKey({})", self.id())
    }
}

struct DerivedLength;

impl KeyType for DerivedLength {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

/// The root keys in use: the first writes, all read.
#[derive(Clone, Debug)]
pub struct RootKeys {
    first: RootKey,
    older: Vec<RootKey>,
}

/// The keys of one purpose, one from each root key.
pub struct DerivedKeys {
    /// Writes.
    pub first: DerivedKey,
    /// Only read.
    pub older: Vec<DerivedKey>,
}

/// A key of one purpose.
pub struct DerivedKey {
    /// The short name of its root key.
    pub id: String,
    pub key: Zeroizing<[u8; KEY_BYTES]>,
}

impl RootKeys {
    /// A ring of at least one key.
    pub fn new(keys: Vec<RootKey>) -> Result<Self, RootKeyError> {
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or(RootKeyError::Missing)?;
        Ok(Self {
            first,
            older: keys.collect(),
        })
    }

    /// The short names of the keys, in their order.
    pub fn ids(&self) -> Vec<String> {
        self.all().map(RootKey::id).collect()
    }

    /// The keys of one purpose.
    pub fn derive(&self, purpose: Purpose) -> DerivedKeys {
        let of = |root: &RootKey| DerivedKey {
            id: root.id(),
            key: root.derive(purpose.label()),
        };
        DerivedKeys {
            first: of(&self.first),
            older: self.older.iter().map(of).collect(),
        }
    }

    /// What seals and opens for one purpose.
    pub fn sealer(&self, purpose: Purpose) -> Sealer {
        let keys = self.all().map(|root| {
            let unbound = UnboundKey::new(&AES_256_GCM, root.derive(purpose.label()).as_ref())
                .expect("an AES-256 key has 32 bytes");
            (root.id_bytes(), LessSafeKey::new(unbound))
        });
        Sealer {
            keys: keys.collect::<Vec<_>>().into(),
        }
    }

    /// What makes keyed hashes of identifiers.
    pub fn identifier_hasher(&self) -> IdentifierHasher {
        IdentifierHasher::new(&self.derive(Purpose::Limits).first.key)
    }

    fn all(&self) -> impl Iterator<Item = &RootKey> {
        std::iter::once(&self.first).chain(&self.older)
    }
}

/// Seals bytes with AES-256-GCM, bound to a context: what is sealed for one place can't be opened in another.
#[derive(Clone)]
pub struct Sealer {
    /// The first seals, all open. Never empty.
    keys: std::sync::Arc<[([u8; KEY_ID_BYTES], LessSafeKey)]>,
}

/// Bytes to be sealed where they are, with room around them for what sealing adds.
pub struct ToSeal(Vec<u8>);

impl ToSeal {
    pub fn of(plain: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(KEY_ID_BYTES + NONCE_BYTES + plain.len() + TAG_BYTES);
        bytes.extend_from_slice(&[0; KEY_ID_BYTES + NONCE_BYTES]);
        bytes.extend_from_slice(plain);
        Self(bytes)
    }

    /// Characters of the text once they are sealed.
    pub fn text_length(&self) -> usize {
        base64_simd::URL_SAFE_NO_PAD.encoded_length(self.0.len() + TAG_BYTES)
    }
}

/// What was to be opened is not ours, is bound to another context, or was changed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value can't be opened: it was changed, or its key is no longer in [secrets]")]
pub struct NotSealedHere;

impl Sealer {
    /// Seals `plain` for `context`. The form is key id ‖ nonce ‖ ciphertext and tag.
    pub fn seal(&self, random: &dyn Random, context: &[u8], plain: &[u8]) -> Vec<u8> {
        self.seal_in_place(FreshNonce(bytes(random)), context, ToSeal::of(plain))
    }

    fn seal_in_place(
        &self,
        FreshNonce(nonce): FreshNonce,
        context: &[u8],
        ToSeal(mut sealed): ToSeal,
    ) -> Vec<u8> {
        let (id, key) = &self.keys[0];
        let (head, body) = sealed.split_at_mut(KEY_ID_BYTES + NONCE_BYTES);
        let (head_id, head_nonce) = head.split_at_mut(KEY_ID_BYTES);
        head_id.copy_from_slice(id);
        head_nonce.copy_from_slice(&nonce);
        let tag = key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), body)
            // Going on without would mean writing the plain text.
            .expect("AES-GCM seals up to 64 GiB");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Opens what [`Self::seal`] made for the same context.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotSealedHere> {
        let (id, rest) = sealed.split_at_checked(KEY_ID_BYTES).ok_or(NotSealedHere)?;
        let (nonce, body) = rest.split_at_checked(NONCE_BYTES).ok_or(NotSealedHere)?;
        let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).map_err(|_| NotSealedHere)?;
        let (_, key) = self
            .keys
            .iter()
            .find(|(key_id, _)| key_id == id)
            .ok_or(NotSealedHere)?;
        let mut body = Zeroizing::new(body.to_vec());
        let plain = key
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut body)
            .map_err(|_| NotSealedHere)?;
        Ok(Zeroizing::new(plain.to_vec()))
    }

    /// [`Self::seal`], as base64url text for a cookie.
    pub fn seal_text(&self, random: &dyn Random, context: &[u8], plain: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(self.seal(random, context, plain))
    }

    /// [`Self::seal_text`] with a nonce that was drawn before, written behind what `text` holds.
    pub fn seal_onto(&self, nonce: FreshNonce, context: &[u8], plain: ToSeal, text: &mut String) {
        let sealed = self.seal_in_place(nonce, context, plain);
        base64_simd::URL_SAFE_NO_PAD.encode_append(&sealed, text);
    }

    /// Opens the text of [`Self::seal_text`].
    pub fn open_text(&self, context: &[u8], text: &str) -> Result<Zeroizing<Vec<u8>>, NotSealedHere> {
        self.open(context, &URL_SAFE_NO_PAD.decode(text).map_err(|_| NotSealedHere)?)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

/// The digest under which a random secret of 128 bits or more rests: SHA-256, base64url.
/// Low-entropy secrets (codes, passwords) must not rest so.
pub fn digest_of(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, secret.as_bytes()))
}

/// A random token of 256 bits in base64url.
pub fn random_token(random: &dyn Random) -> String {
    token::<32>(random)
}

/// A nonce that nothing was sealed with: sealing takes it, so that it serves once.
#[derive(Debug)]
pub struct FreshNonce([u8; NONCE_BYTES]);

/// A name that is `prefix` and a [`random_id`], and a nonce to seal what it names: one draw, which costs as much as each of
/// two.
pub fn random_name_and_nonce(random: &dyn Random, prefix: &str) -> (String, FreshNonce) {
    let drawn: [u8; ID_BYTES + NONCE_BYTES] = bytes(random);
    let (id, rest) = drawn.split_at(ID_BYTES);
    let mut nonce = [0; NONCE_BYTES];
    nonce.copy_from_slice(rest);
    let mut name = String::with_capacity(prefix.len() + 2 * ID_BYTES);
    name.push_str(prefix);
    base64_simd::URL_SAFE_NO_PAD.encode_append(id, &mut name);
    (name, FreshNonce(nonce))
}

/// A random id of 128 bits in base64url: unique, not secret.
pub fn random_id(random: &dyn Random) -> String {
    token::<ID_BYTES>(random)
}

#[cfg(test)]
mod tests {
    use keyback_core::random::SystemRandom;

    use super::*;

    fn ring(count: usize) -> Vec<RootKey> {
        (0..count).map(|_| RootKey::generate(&SystemRandom)).collect()
    }

    #[test]
    fn what_is_sealed_opens_in_its_own_context_only() {
        let sealer = RootKeys::new(ring(1)).unwrap().sealer(Purpose::Jobs);
        let sealed = sealer.seal(&SystemRandom, b"job 1", b"123456");
        assert_eq!(sealer.open(b"job 1", &sealed).unwrap().as_slice(), b"123456");
        assert_eq!(sealer.open(b"job 2", &sealed), Err(NotSealedHere));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(sealer.open(b"job 1", &changed), Err(NotSealedHere), "byte {at}");
        }
        assert_eq!(sealer.open(b"job 1", &sealed[..10]), Err(NotSealedHere));
    }

    #[test]
    fn a_new_root_key_in_front_still_reads_what_the_old_one_sealed() {
        let mut keys = ring(1);
        let sealed = RootKeys::new(keys.clone())
            .unwrap()
            .sealer(Purpose::Cookies)
            .seal(&SystemRandom, b"", b"x");
        keys.insert(0, RootKey::generate(&SystemRandom));
        assert!(
            RootKeys::new(keys.clone())
                .unwrap()
                .sealer(Purpose::Cookies)
                .open(b"", &sealed)
                .is_ok()
        );
        keys.pop();
        assert!(
            RootKeys::new(keys)
                .unwrap()
                .sealer(Purpose::Cookies)
                .open(b"", &sealed)
                .is_err()
        );
    }

    #[test]
    fn purposes_do_not_share_keys() {
        let keys = RootKeys::new(ring(1)).unwrap();
        let sealed = keys.sealer(Purpose::Cookies).seal(&SystemRandom, b"", b"x");
        assert!(keys.sealer(Purpose::Jobs).open(b"", &sealed).is_err());
    }

    #[test]
    fn a_root_key_survives_its_text_and_debug_hides_it() {
        let key = RootKey::generate(&SystemRandom);
        let again = RootKey::parse(&key.to_text()).unwrap();
        assert_eq!(key.id(), again.id());
        assert!(!format!("{key:?}").contains(key.to_text().as_str()));
        assert_eq!(RootKey::parse("too short").unwrap_err(), RootKeyError::Malformed);
    }
}
