//! An app's own keys, and what it signs with them.

use aws_lc_rs::rand::SystemRandom as Rng;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::*;
use crate::oidc::jws;
use crate::store::apps::{self, StoredApp};

pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
pub(super) const ISSUER: &str = "http://localhost:3001/oidc";

/// A key of an app's own.
pub(super) enum Key {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Key {
    pub(super) fn p256() -> Self {
        Self::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// The public half.
    pub(super) fn jwk(&self, kid: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Ec(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let crv = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "kid": kid, "crv": crv, "x": text(x), "y": text(y) })
            }
            Self::Rsa(pair) => {
                let (n, e) = jws::rsa_integers(pair.public_key().as_ref()).unwrap();
                json!({ "kty": "RSA", "kid": kid, "n": text(n), "e": text(e) })
            }
            Self::Ed(pair) => {
                json!({ "kty": "OKP", "kid": kid, "crv": "Ed25519", "x": text(pair.public_key().as_ref()) })
            }
        }
    }

    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", text(header), text(claims));
        let signature = match self {
            Self::Ec(pair) => pair
                .sign(&Rng::new(), message.as_bytes())
                .unwrap()
                .as_ref()
                .to_vec(),
            Self::Ed(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let how: &dyn aws_lc_rs::signature::RsaEncoding = if header["alg"] == "PS256" {
                    &RSA_PSS_SHA256
                } else {
                    &RSA_PKCS1_SHA256
                };
                pair.sign(how, &Rng::new(), message.as_bytes(), &mut signature)
                    .unwrap();
                signature
            }
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl Bench {
    pub(super) async fn add_app(&self, config: Value) {
        let app = StoredApp {
            config: serde_json::from_value(config).unwrap(),
            secret_digest: None,
        };
        apps::add(self.store.writer(), &app, self.now()).await.unwrap();
    }

    /// A machine app with these keys: what it gets with an assertion needs nobody to sign in.
    pub(super) async fn add_signer(&self, keys: &[Value]) {
        self.add_app(
            json!({ "client_id": "signer", "type": "machine", "scopes": ["reports"],
            "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": keys } }),
        )
        .await;
    }

    /// What an assertion of the app says, with changes; null leaves a claim out.
    pub(super) fn claims(&self, jti: &str, changes: &Value) -> Value {
        let now = self.now().as_secs();
        let mut claims = json!({ "iss": "signer", "sub": "signer", "aud": ISSUER, "exp": now + 60, "iat": now,
            "jti": jti });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        claims
    }

    pub(super) async fn with_assertion(&self, assertion: &str) -> Answer {
        let form = [
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion),
            ("token", "unheard"),
        ];
        self.post("/oidc/token/revocation", &form, &[]).await
    }
}

pub(super) fn es256(kid: &str) -> Value {
    json!({ "alg": "ES256", "kid": kid })
}
