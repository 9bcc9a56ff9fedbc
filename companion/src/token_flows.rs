//! The flow that a one-time token opens: its name and secrets, which are nowhere drawn but follow from the token and the
//! authorization request that brought it.
//!
//! A button is pressed twice more often than one thinks, and a browser throws the first answer away when the second request
//! leaves. What came with that answer must then come with the second one. The request waits in a cookie of the browser's own
//! (`kb_ix_`), so only this browser gets here with it; its id stands in addresses and opens nothing without the cookie, nor
//! does it tell anything without the key.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyback_core::ids::FlowId;
use keyback_core::reset::TokenFlow;
use keyback_core::secret::{BindingSecret, Proof, SecretDigest};

use crate::secrets::{KEY_BYTES, Purpose, RootKeys};

/// Bytes of a flow's id.
const ID_BYTES: usize = 16;

/// Derives flows. Cheap to clone.
#[derive(Clone)]
pub struct TokenFlows {
    /// Of the first root key alone: a press on either side of a rotation is two browsers'.
    key: hmac::Key,
}

impl TokenFlows {
    pub fn new(root_keys: &RootKeys) -> Self {
        let derived = root_keys.derive(Purpose::TokenFlows).first;
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, derived.key.as_ref()),
        }
    }

    /// What a token opens for the authorization request of this id, which the browser must have shown the cookie of.
    pub fn of(&self, token: &SecretDigest, interaction: &str) -> TokenFlow {
        let token = String::from(token.clone());
        let derive = |what: &str| self.derive(&[what, &token, interaction]);
        TokenFlow {
            id: FlowId::new(URL_SAFE_NO_PAD.encode(&derive("flow")[..ID_BYTES])),
            binding: BindingSecret::derived(derive("binding")),
            proof: Proof::derived(derive("proof")),
        }
    }

    /// HMAC-SHA256 over the parts, each with its length before it: no two lists of parts are one text.
    fn derive(&self, parts: &[&str]) -> [u8; KEY_BYTES] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&part.len().to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut derived = [0; KEY_BYTES];
        derived.copy_from_slice(context.sign().as_ref());
        derived
    }
}

impl fmt::Debug for TokenFlows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenFlows(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use keyback_core::testing::SeededRandom;

    use super::*;
    use crate::secrets::RootKey;

    /// SR-21, SR-27: one token in one browser, and under one key, has one flow; in everything else they differ.
    #[test]
    fn sr27_the_flow_of_a_token_is_that_of_one_browser_and_one_key() {
        let random = SeededRandom::new(27);
        let flows = || {
            let root_keys = RootKeys::new(vec![RootKey::generate(&random)]).unwrap();
            TokenFlows::new(&root_keys)
        };
        let (ours, others) = (flows(), flows());
        let [one, two] = ["token one", "token two"].map(SecretDigest::of_text);
        let texts = |flow: &TokenFlow| {
            [
                flow.id.to_string(),
                flow.binding.reveal().to_string(),
                flow.proof.reveal().to_string(),
            ]
        };
        let flow = ours.of(&one, "interaction");
        assert_eq!(texts(&flow), texts(&ours.of(&one, "interaction")));
        assert_eq!(flow.id.as_str().len(), 22);
        let mut seen = BTreeSet::from(texts(&flow));
        for other in [
            ours.of(&two, "interaction"),
            ours.of(&one, "interactioN"),
            ours.of(&one, ""),
            others.of(&one, "interaction"),
        ] {
            for text in texts(&other) {
                assert!(seen.insert(text), "{other:?}");
            }
        }
        let shown = format!("{flow:?} {ours:?}");
        assert!(!shown.contains(flow.proof.reveal().as_str()), "{shown}");
    }
}
