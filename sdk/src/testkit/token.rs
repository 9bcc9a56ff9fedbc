//! The token endpoint (RFC 6749 sections 4.1.3 and 6), with refresh tokens that rotate.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA384, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::authorize::Authorization;
use super::{Misbehaviour, Person, Reply, TestProvider};

/// A code serves for a minute.
const CODE_LASTS: u64 = 60;
const TOKEN_LASTS: u64 = 3600;

/// What a sign-in has become.
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) person: Person,
    pub(super) session_id: String,
    /// With the second at which each expires.
    pub(super) access_tokens: Vec<(String, u64)>,
    pub(super) ended: bool,
    nonce: Option<String>,
    scope: String,
    resources: Vec<String>,
    signed_in_at: u64,
    code: String,
    /// The one that serves, and those that did.
    refresh_token: Option<String>,
    used: Vec<String>,
}

type Form = HashMap<String, String>;

impl TestProvider {
    pub(super) fn token(&self, authorization: Option<&str>, body: &[u8]) -> Reply {
        let form: Form = form_urlencoded::parse(body).into_owned().collect();
        let Some(client_id) = self.authenticated(authorization, &form) else {
            return Reply::error(401, "invalid_client");
        };
        let grant = match form.get("grant_type").map(String::as_str) {
            Some("authorization_code") => self.by_code(&client_id, &form),
            Some("refresh_token") => self.by_refresh_token(&client_id, &form),
            _ => return Reply::error(400, "unsupported_grant_type"),
        };
        match grant {
            Some(index) => self.issue(index, form.get("resource").map(String::as_str)),
            None => Reply::error(400, "invalid_grant"),
        }
    }

    /// The revocation endpoint (RFC 7009): a refresh token ends its grant, an access token itself. A token that is nobody's is as
    /// good as revoked.
    pub(super) fn revoke(&self, authorization: Option<&str>, body: &[u8]) -> Reply {
        let form: Form = form_urlencoded::parse(body).into_owned().collect();
        let Some(client_id) = self.authenticated(authorization, &form) else {
            return Reply::error(401, "invalid_client");
        };
        let Some(token) = form.get("token") else {
            return Reply::error(400, "invalid_request");
        };
        let mut state = self.lock();
        for grant in state
            .grants
            .iter_mut()
            .filter(|grant| grant.client_id == client_id)
        {
            grant.ended |= grant.refresh_token.as_ref() == Some(token);
            grant.access_tokens.retain(|(own, _)| own != token);
        }
        Reply::json(200, json!({}))
    }

    /// The client, if it is known and has shown the secret that it has.
    fn authenticated(&self, authorization: Option<&str>, form: &Form) -> Option<String> {
        let basic = authorization.and_then(|value| {
            let pair = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
            let pair = String::from_utf8(pair).ok()?;
            let (id, secret) = pair.split_once(':')?;
            // Section 2.3.1: each is form-encoded.
            let decoded = |text: &str| {
                let (text, _) = form_urlencoded::parse(text.as_bytes()).next()?;
                Some(text.into_owned())
            };
            Some((decoded(id)?, decoded(secret)))
        });
        let (client_id, secret) = match basic {
            Some(pair) => pair,
            None => (form.get("client_id")?.clone(), form.get("client_secret").cloned()),
        };
        let state = self.lock();
        let is_it =
            state.clients.contains_key(&client_id) && state.secrets.get(&client_id) == secret.as_ref();
        is_it.then_some(client_id)
    }

    /// The grant that a code becomes. A code that comes twice ends what it had become (section 4.1.2).
    fn by_code(&self, client_id: &str, form: &Form) -> Option<usize> {
        let now = self.seconds();
        let code = form.get("code")?;
        let mut state = self.lock();
        let Some(authorization) = state.codes.remove(code) else {
            for grant in state.grants.iter_mut().filter(|grant| grant.code == *code) {
                grant.ended = true;
            }
            return None;
        };
        let Authorization {
            client_id: own,
            redirect_uri,
            challenge,
            nonce,
            scope,
            resources,
            person,
            session_id,
            issued_at,
        } = authorization;
        let verifier = form.get("code_verifier")?;
        let fits = own == client_id
            && form.get("redirect_uri") == Some(&redirect_uri)
            && pkce::code_challenge(verifier.as_bytes()) == challenge
            && now < issued_at + CODE_LASTS;
        if !fits {
            return None;
        }
        state.grants.push(Grant {
            client_id: own,
            person,
            session_id,
            access_tokens: Vec::new(),
            ended: false,
            nonce,
            scope,
            resources,
            signed_in_at: issued_at,
            code: code.clone(),
            refresh_token: None,
            used: Vec::new(),
        });
        Some(state.grants.len() - 1)
    }

    /// The grant of a refresh token. One that was used before ends the whole (RFC 9700 section 4.14.2).
    fn by_refresh_token(&self, client_id: &str, form: &Form) -> Option<usize> {
        let token = form.get("refresh_token")?;
        let mut state = self.lock();
        if let Some(stolen) = state.grants.iter_mut().find(|grant| grant.used.contains(token)) {
            stolen.ended = true;
            return None;
        }
        let is_it = |grant: &Grant| {
            !grant.ended && grant.client_id == client_id && grant.refresh_token.as_ref() == Some(token)
        };
        state.grants.iter().position(is_it)
    }

    fn issue(&self, index: usize, resource: Option<&str>) -> Reply {
        let now = self.seconds();
        let (opaque, successor) = (self.draw(), self.draw());
        let mut state = self.lock();
        let Some(grant) = state.grants.get_mut(index) else {
            return Reply::error(400, "invalid_grant");
        };
        if resource.is_some_and(|resource| !grant.resources.iter().any(|own| own == resource)) {
            return Reply::error(400, "invalid_target");
        }
        let offline = grant.scope.split(' ').any(|scope| scope == "offline_access");
        if offline {
            let before = grant.refresh_token.replace(successor.clone());
            grant.used.extend(before);
        }
        grant.access_tokens.push((opaque.clone(), now + TOKEN_LASTS));
        let (person, client_id, scope) = (grant.person.clone(), grant.client_id.clone(), grant.scope.clone());
        let claims = json!({
            "iss": self.inner.issuer, "aud": client_id, "sid": grant.session_id, "nonce": grant.nonce,
            "iat": now, "exp": now + TOKEN_LASTS, "auth_time": grant.signed_in_at,
        });
        drop(state);
        let access_token = match resource {
            Some(resource) => self.access_token(resource, &client_id, &scope, &person),
            None => opaque,
        };
        let mut claims = person.claims(claims);
        claims["at_hash"] = json!(half_hash(&access_token));
        let mut tokens = json!({
            "access_token": access_token, "token_type": "Bearer", "expires_in": TOKEN_LASTS,
            "scope": scope, "id_token": self.id_token(claims, now),
        });
        if offline {
            tokens["refresh_token"] = json!(successor);
        }
        Reply::json(200, tokens)
    }

    fn id_token(&self, mut claims: Value, now: u64) -> String {
        let is = |how| self.misbehaves(&how);
        if claims["nonce"].is_null() || is(Misbehaviour::NoNonce) {
            remove(&mut claims, "nonce");
        }
        let changes = [
            (
                Misbehaviour::ForeignIssuer,
                "iss",
                json!("https://another-provider.test/oidc"),
            ),
            (Misbehaviour::ForeignAudience, "aud", json!("another-app")),
            (Misbehaviour::ForeignNonce, "nonce", json!("of-another-request")),
            (Misbehaviour::Expired, "exp", json!(now.saturating_sub(3600))),
            (Misbehaviour::FromTheFuture, "iat", json!(now + 3600)),
            (
                Misbehaviour::ForeignAccessToken,
                "at_hash",
                json!(half_hash("another")),
            ),
        ];
        for (how, claim, value) in changes {
            if is(how) {
                claims[claim] = value;
            }
        }
        let state = self.lock();
        let signer = &state.signer;
        let told = |how| state.misbehaviour.contains(&how);
        if told(Misbehaviour::Unsigned) {
            signer.unsigned("JWT", &claims)
        } else if told(Misbehaviour::HmacWithPublicKey) {
            signer.hmac("JWT", &claims)
        } else if told(Misbehaviour::SwappedAlgorithm) {
            signer.sign_as("ES256", "JWT", &claims)
        } else if told(Misbehaviour::BrokenSignature) {
            let signed = signer.sign("JWT", &claims);
            let other = signer.sign("JWT", &json!({}));
            let input = signed
                .rsplit_once('.')
                .map_or(signed.as_str(), |(input, _)| input);
            format!("{input}.{}", other.rsplit('.').next().unwrap_or_default())
        } else if told(Misbehaviour::UnpublishedKey) {
            let key = super::Signer::new("unpublished");
            key.map_or_else(String::new, |key| key.sign("JWT", &claims))
        } else {
            signer.sign("JWT", &claims)
        }
    }
}

fn remove(claims: &mut Value, name: &str) {
    if let Some(members) = claims.as_object_mut() {
        members.remove(name);
    }
}

/// `at_hash` for ES384 (OpenID Connect Core section 3.1.3.6).
fn half_hash(token: &str) -> String {
    let hash = digest(&SHA384, token.as_bytes());
    let half = hash.as_ref().get(..24).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(half)
}
