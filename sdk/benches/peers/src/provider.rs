//! A provider without a network and without work: its documents and its token response are written once.

use std::sync::Arc;

use keyback::bytes::Bytes;
use keyback::http::{Request, Response};
use keyback::{Algorithm, Client, HttpTransport, TransportFuture};
use serde_json::json;

use crate::token::{CLIENT_ID, ISSUER, Noon, Signer, Zeros, claims};

pub struct Provider {
    metadata: Bytes,
    keys: Bytes,
    tokens: Bytes,
}

impl Provider {
    pub fn new(algorithm: Algorithm) -> Self {
        let signer = Signer::new(algorithm, "bench");
        let metadata = json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{ISSUER}/auth"),
            "token_endpoint": format!("{ISSUER}/token"),
            "jwks_uri": format!("{ISSUER}/jwks"),
            "authorization_response_iss_parameter_supported": true,
        });
        let tokens = json!({
            "access_token": "an-access-token", "token_type": "Bearer", "expires_in": 3600,
            "refresh_token": "a-refresh-token", "id_token": signer.sign(&claims()),
        });
        let bytes = |value: serde_json::Value| Bytes::from(value.to_string());
        Self {
            metadata: bytes(metadata),
            keys: bytes(json!({ "keys": [signer.jwk()] })),
            tokens: bytes(tokens),
        }
    }

    pub fn client(self, algorithm: Algorithm) -> Client {
        Client::builder(ISSUER, CLIENT_ID)
            .client_secret("a-secret")
            .redirect_uri("https://app.example/callback")
            .algorithms([algorithm])
            .http(Arc::new(self))
            .clock(Arc::new(Noon))
            .random(Arc::new(Zeros))
            .build()
            .unwrap()
    }
}

impl HttpTransport for Provider {
    fn send(&self, request: Request<Bytes>) -> TransportFuture<'_> {
        let body = match request.uri().path() {
            "/oidc/token" => &self.tokens,
            "/oidc/jwks" => &self.keys,
            _ => &self.metadata,
        };
        Box::pin(async move { Ok(Response::new(body.clone())) })
    }
}
