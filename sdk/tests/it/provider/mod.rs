//! An OpenID provider in memory, behind the SDK's HTTP port. It follows the rules unless a test tells it to lie.

mod rotation;
mod signer;
mod world;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::StatusCode;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, DATE};
use keyback::{Algorithm, HttpTransport, TransportCause, TransportError, TransportFuture};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use url::{Url, form_urlencoded};

pub(crate) use self::rotation::Rotation;
pub(crate) use self::signer::{Signer, signing_input};
pub(crate) use self::world::{TestClock, World, checked};

pub(crate) const ISSUER: &str = "https://id.example/oidc";
pub(crate) const CLIENT_ID: &str = "my-app";
pub(crate) const REDIRECT_URI: &str = "https://app.example/callback";
pub(crate) const CODE: &str = "code-which-must-not-leak";
pub(crate) const ACCESS_TOKEN: &str = "access-token-which-must-not-leak";
pub(crate) const SUBJECT: &str = "uqb7pqajcjwy";

/// The noon of the tests, in seconds.
pub(crate) const NOW: u64 = 1_790_000_000;

type Tamper<T> = Box<dyn Fn(&mut T) + Send>;
/// Takes the claims and gives the whole token.
type Forge = Box<dyn Fn(&Signer, Value) -> String + Send>;
/// An endpoint that a test adds, or puts in the place of another.
type Endpoint = Box<dyn FnMut(&http::Request<Bytes>) -> http::Response<Bytes> + Send>;

pub(crate) struct Provider {
    clock: Arc<TestClock>,
    state: Mutex<State>,
}

/// What a test may change.
pub(crate) struct State {
    /// No connection is made while it is down.
    pub(crate) down: bool,
    pub(crate) metadata: Value,
    pub(crate) signer: Signer,
    /// The published keys.
    pub(crate) keys: Vec<Value>,
    pub(crate) keys_status: StatusCode,
    pub(crate) cache_control: Option<&'static str>,
    /// A body in place of the key set.
    pub(crate) keys_body: Option<Bytes>,
    pub(crate) metadata_body: Option<Bytes>,
    pub(crate) claims: Option<Tamper<Value>>,
    pub(crate) forge: Option<Forge>,
    /// Changes the token response.
    pub(crate) tokens: Option<Tamper<Value>>,
    /// An error in place of the token response.
    pub(crate) token_error: Option<(StatusCode, Value)>,
    pub(crate) user_info: (StatusCode, Value),
    /// The callback's query, before it is sent.
    pub(crate) callback: Option<Tamper<Vec<(String, String)>>>,
    pub(crate) requests: HashMap<String, usize>,
    pub(crate) token_request: Option<TokenRequest>,
    /// By path.
    pub(crate) endpoints: HashMap<&'static str, Endpoint>,
    /// Refresh tokens are good for one use.
    pub(crate) rotation: Option<Rotation>,
    /// The token endpoint answers for each permit.
    pub(crate) gate: Option<Arc<Semaphore>>,
    /// The forms that came to the revocation endpoint.
    pub(crate) revocations: Vec<TokenRequest>,
    /// A `Date` header on every answer.
    pub(crate) date: Option<&'static str>,
    /// By code; the last one answers a refresh.
    authorizations: Vec<(String, Authorization)>,
}

struct Authorization {
    nonce: String,
    resources: Vec<String>,
    challenge: String,
    redirect_uri: String,
}

/// What the token endpoint last saw.
#[derive(Clone, Debug)]
pub(crate) struct TokenRequest {
    pub(crate) authorization: Option<String>,
    pub(crate) form: Vec<(String, String)>,
}

impl TokenRequest {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.form
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let named = self.form.iter().filter(|(key, _)| key == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn basic(&self) -> Option<String> {
        let encoded = self.authorization.as_deref()?.strip_prefix("Basic ")?;
        String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
    }
}

impl Provider {
    fn new(clock: Arc<TestClock>) -> Self {
        let signer = Signer::new(Algorithm::Es384, "key-1");
        let state = State {
            down: false,
            metadata: metadata(ISSUER),
            keys: vec![signer.jwk()],
            signer,
            keys_status: StatusCode::OK,
            cache_control: None,
            keys_body: None,
            metadata_body: None,
            claims: None,
            forge: None,
            tokens: None,
            token_error: None,
            user_info: (StatusCode::OK, json!({ "sub": SUBJECT, "name": "Ada" })),
            callback: None,
            requests: HashMap::new(),
            token_request: None,
            endpoints: HashMap::new(),
            rotation: None,
            gate: None,
            revocations: Vec::new(),
            date: None,
            authorizations: Vec::new(),
        };
        Self {
            clock,
            state: Mutex::new(state),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn requests(&self, path: &str) -> usize {
        self.lock().requests.get(path).copied().unwrap_or_default()
    }

    /// The person signs in; the browser is sent to this callback.
    pub(crate) fn answer(&self, authorization_request: &Url) -> Url {
        let query: HashMap<String, String> = authorization_request.query_pairs().into_owned().collect();
        let mut state = self.lock();
        let code = format!("{CODE}-{}", state.authorizations.len());
        let authorization = Authorization {
            nonce: query["nonce"].clone(),
            resources: authorization_request
                .query_pairs()
                .filter(|(name, _)| name == "resource")
                .map(|(_, resource)| resource.into_owned())
                .collect(),
            challenge: query["code_challenge"].clone(),
            redirect_uri: query["redirect_uri"].clone(),
        };
        state.authorizations.push((code.clone(), authorization));
        let issuer = state.metadata["issuer"].as_str().unwrap().to_owned();
        let mut answer: Vec<(String, String)> = [
            ("code", code.as_str()),
            ("state", query["state"].as_str()),
            ("iss", issuer.as_str()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        if let Some(tamper) = &state.callback {
            tamper(&mut answer);
        }
        let mut callback = Url::parse(&query["redirect_uri"]).unwrap();
        callback.query_pairs_mut().extend_pairs(answer);
        callback
    }

    fn respond(&self, request: &http::Request<Bytes>) -> http::Response<Bytes> {
        let path = request.uri().path().to_owned();
        let mut state = self.lock();
        *state.requests.entry(path.clone()).or_default() += 1;
        if let Some(endpoint) = state.endpoints.get_mut(path.as_str()) {
            return endpoint(request);
        }
        match path.as_str() {
            "/oidc/.well-known/openid-configuration" => match &state.metadata_body {
                Some(body) => raw(StatusCode::OK, body.clone(), None),
                None => reply(StatusCode::OK, &state.metadata, state.cache_control),
            },
            "/oidc/jwks" => match &state.keys_body {
                Some(body) => raw(StatusCode::OK, body.clone(), None),
                None => reply(
                    state.keys_status,
                    &json!({ "keys": state.keys }),
                    state.cache_control,
                ),
            },
            "/oidc/token" => {
                let (status, body) = self.tokens(&mut state, request);
                reply(status, &body, None)
            }
            "/oidc/token/revocation" => {
                let seen = seen(request);
                state.revocations.push(seen);
                reply(StatusCode::OK, &json!({}), None)
            }
            "/oidc/me" => match bearer(request) {
                Some(ACCESS_TOKEN) => reply(state.user_info.0, &state.user_info.1, None),
                _ => reply(
                    StatusCode::UNAUTHORIZED,
                    &json!({ "error": "invalid_token" }),
                    None,
                ),
            },
            _ => reply(StatusCode::NOT_FOUND, &json!({}), None),
        }
    }

    fn tokens(&self, state: &mut State, request: &http::Request<Bytes>) -> (StatusCode, Value) {
        let seen = seen(request);
        state.token_request = Some(seen.clone());
        if let Some(error) = &state.token_error {
            return error.clone();
        }
        let refused = (StatusCode::BAD_REQUEST, json!({ "error": "invalid_grant" }));
        let code = seen.field("code");
        let (nonce, granted) = match seen.field("grant_type") {
            Some("authorization_code") => {
                let Some((_, authorization)) = state
                    .authorizations
                    .iter()
                    .find(|(known, _)| Some(known.as_str()) == code)
                else {
                    return refused;
                };
                let challenge = pkce::code_challenge(seen.field("code_verifier").unwrap().as_bytes());
                let granted = challenge == authorization.challenge
                    && seen.field("redirect_uri") == Some(authorization.redirect_uri.as_str());
                if !granted {
                    return refused;
                }
                (authorization.nonce.clone(), &authorization.resources)
            }
            _ => {
                if let Some(rotation) = &mut state.rotation
                    && !rotation.take(seen.field("refresh_token"))
                {
                    return refused;
                }
                let (_, authorization) = state.authorizations.last().unwrap();
                (authorization.nonce.clone(), &authorization.resources)
            }
        };
        // As the companion does: one resource at most, and one that was asked for.
        let access_token = match seen.all("resource").as_slice() {
            [] => match seen.field("organization_id") {
                Some(organization) => access_token_for(organization),
                None => ACCESS_TOKEN.to_owned(),
            },
            [one] if granted.iter().any(|known| known == one) => access_token_for(one),
            _ => return (StatusCode::BAD_REQUEST, json!({ "error": "invalid_target" })),
        };
        let mut claims = json!({
            "iss": state.metadata["issuer"],
            "aud": CLIENT_ID,
            "sub": SUBJECT,
            "nonce": nonce,
            "iat": self.clock.seconds(),
            "exp": self.clock.seconds() + 3600,
            "email": "ada@example.com",
            "email_verified": true,
            "picture": null,
            "updated_at": NOW * 1000,
        });
        if let Some(tamper) = &state.claims {
            tamper(&mut claims);
        }
        let id_token = match &state.forge {
            Some(forge) => forge(&state.signer, claims),
            None => state.signer.sign(&claims),
        };
        let mut tokens = json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": "refresh-1",
            "scope": "openid",
            "id_token": id_token,
        });
        if let Some(rotation) = &state.rotation {
            tokens["refresh_token"] = json!(rotation.current());
        }
        if let Some(tamper) = &state.tokens {
            tamper(&mut tokens);
        }
        (StatusCode::OK, tokens)
    }
}

impl HttpTransport for Provider {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(async move {
            // Others run meanwhile, as they would during a request over the network.
            tokio::task::yield_now().await;
            if self.lock().down {
                *self.lock().requests.entry("down".to_owned()).or_default() += 1;
                let cause = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
                return Err(TransportError::Connect(TransportCause::new(cause)));
            }
            let gate = self.lock().gate.clone();
            if let Some(gate) = gate.filter(|_| request.uri().path() == "/oidc/token") {
                gate.acquire().await.unwrap().forget();
            }
            let mut answer = self.respond(&request);
            if let Some(date) = self.lock().date {
                answer.headers_mut().insert(DATE, date.parse().unwrap());
            }
            Ok(answer)
        })
    }
}

pub(crate) fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "userinfo_endpoint": format!("{issuer}/me"),
        "end_session_endpoint": format!("{issuer}/session/end"),
        "revocation_endpoint": format!("{issuer}/token/revocation"),
        "authorization_response_iss_parameter_supported": true,
        "code_challenge_methods_supported": ["S256"],
        "first_screen_values_supported": ["reset-password", "reset_password", "sign_in", "register"],
    })
}

fn seen(request: &http::Request<Bytes>) -> TokenRequest {
    let header = request.headers().get(AUTHORIZATION);
    TokenRequest {
        authorization: header.map(|value| value.to_str().unwrap().to_owned()),
        form: form_urlencoded::parse(request.body()).into_owned().collect(),
    }
}

/// The access token of an API, which is none for userinfo.
pub(crate) fn access_token_for(resource: &str) -> String {
    format!("must-not-leak for {resource}")
}

fn bearer(request: &http::Request<Bytes>) -> Option<&str> {
    request
        .headers()
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

/// The left half of the access token's hash, as `at_hash` has it.
pub(crate) fn half_hash(algorithm: &'static aws_lc_rs::digest::Algorithm, token: &str) -> String {
    let hash = aws_lc_rs::digest::digest(algorithm, token.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2])
}

pub(crate) fn reply(status: StatusCode, body: &Value, cache_control: Option<&str>) -> http::Response<Bytes> {
    raw(status, Bytes::from(body.to_string()), cache_control)
}

fn raw(status: StatusCode, body: Bytes, cache_control: Option<&str>) -> http::Response<Bytes> {
    let mut response = http::Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json");
    if let Some(value) = cache_control {
        response = response.header(CACHE_CONTROL, value);
    }
    response.body(body).unwrap()
}
