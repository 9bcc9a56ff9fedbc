//! `private_key_jwt` (OIDC Core 9, RFC 7521 4.2, RFC 7523 2.2 and 3): an app proves itself by a short-lived JWT that
//! it signed, good for this provider and for one request.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyback_core::time::Timestamp;
use serde::Deserialize;

use super::Inner;
use super::client_keys::{KeySource, SigningAlgorithm};
use super::error::{ErrorCode, ProtocolError};
use super::registry::App;
use crate::secrets::digest_of;
use crate::store::client_assertions;

/// The value of `client_assertion_type` (RFC 7523 2.2).
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// From now to `exp` at most: how long a stolen, unused assertion is worth something, and a used one is remembered.
const LONGEST_LIFE: Duration = Duration::from_secs(10 * 60);
/// How far the clocks of app and provider may be apart.
const LEEWAY: Duration = Duration::from_secs(30);
/// Bytes of an assertion at most.
const MOST_BYTES: usize = 16 * 1024;

/// An assertion as it was sent: read, and believed in nothing yet.
pub(super) struct Assertion<'p> {
    message: &'p [u8],
    signature: Vec<u8>,
    algorithm: SigningAlgorithm,
    kid: Option<String>,
    claims: Claims,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// Extensions that must be understood (RFC 7515 4.1.11): we understand none.
    crit: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    jti: Option<String>,
    nbf: Option<f64>,
    iat: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// What is wrong with an assertion whose signature is the app's: told to it, since only the app can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("The iss of the client assertion must be the client_id.")]
    Issuer,
    #[error("The aud of the client assertion must be this provider: its issuer, or its token endpoint.")]
    Audience,
    #[error("The client assertion has expired.")]
    Expired,
    #[error("The exp of the client assertion is more than 10 minutes ahead.")]
    TooLong,
    #[error(
        "The client assertion isn't valid yet: its nbf or iat is in the future, or its iat after its exp."
    )]
    NotYet,
    #[error("The client assertion needs a jti.")]
    NoId,
    #[error("The client assertion was used already. Sign a new one for each request.")]
    Used,
}

impl<'p> Assertion<'p> {
    /// Reads an assertion. None where it is no signed JWT of a kind that is taken.
    pub(super) fn read(text: &'p str) -> Option<Self> {
        if text.len() > MOST_BYTES {
            return None;
        }
        let (message, signature) = text.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        // A JWT that the app has signed for another use must not pass for this one (RFC 8725 3.11).
        let is_of_kind = header.typ.is_none_or(|typ| {
            typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("client-authentication+jwt")
        });
        if !is_of_kind || header.crit.is_some() {
            return None;
        }
        Some(Self {
            message: message.as_bytes(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
            algorithm: SigningAlgorithm::parse(&header.alg)?,
            kid: header.kid,
            claims: serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?,
        })
    }

    /// The app that it says it is (RFC 7523 3, number 2.B): where its keys are looked up.
    pub(super) fn client_id(&self) -> &str {
        &self.claims.sub
    }

    /// Checks the assertion against the app's keys, and uses it up.
    pub(super) async fn check(
        &self,
        inner: &Inner,
        app: &App,
        source: &KeySource,
        now: Timestamp,
    ) -> Result<(), ProtocolError> {
        if !self.is_signed_by(inner, app, source, now).await {
            return Err(
                ProtocolError::invalid_client(false).because("no key of the app has signed the assertion")
            );
        }
        let (id, expires_at) = self
            .check_claims(inner, app, now)
            .map_err(|fault| refused(app, fault))?;
        let first = client_assertions::use_once(
            inner.store.writer(),
            &app.client_id,
            &digest_of(id),
            // Within the leeway it would still be taken.
            expires_at + LEEWAY,
        )
        .await?;
        if first {
            Ok(())
        } else {
            Err(refused(app, Fault::Used))
        }
    }

    async fn is_signed_by(&self, inner: &Inner, app: &App, source: &KeySource, now: Timestamp) -> bool {
        let kid = self.kid.as_deref();
        let keys = match source {
            KeySource::Fixed(keys) => keys.clone(),
            KeySource::Published(url) => {
                let found = inner
                    .client_keys
                    .of(url, now, |keys| keys.has_key_for(self.algorithm, kid));
                match found.await {
                    Ok(keys) => keys,
                    Err(error) => {
                        tracing::warn!(
                            client_id = app.client_id,
                            %error,
                            "the keys of an app could not be fetched: it can't authenticate"
                        );
                        return false;
                    }
                }
            }
        };
        keys.verify(self.algorithm, kid, self.message, &self.signature)
    }

    /// The rules of RFC 7523 3 by their numbers; the signature (9) and the subject (2) are behind us.
    fn check_claims(&self, inner: &Inner, app: &App, now: Timestamp) -> Result<(&str, Timestamp), Fault> {
        let claims = &self.claims;
        // 1
        if claims.iss != app.client_id {
            return Err(Fault::Issuer);
        }
        // 3: all of them, since who else is named could use the assertion here.
        let is_for_us = match &claims.aud {
            Audience::One(one) => is_own(inner, one),
            Audience::Many(all) => !all.is_empty() && all.iter().all(|one| is_own(inner, one)),
        };
        if !is_for_us {
            return Err(Fault::Audience);
        }
        // 4
        let expires_at = moment(claims.exp);
        if expires_at + LEEWAY <= now {
            return Err(Fault::Expired);
        }
        if expires_at > now + LONGEST_LIFE + LEEWAY {
            return Err(Fault::TooLong);
        }
        // 5 and 6
        let begins = [claims.nbf, claims.iat].into_iter().flatten().map(moment);
        if begins.into_iter().any(|at| at > now + LEEWAY || at > expires_at) {
            return Err(Fault::NotYet);
        }
        // 7: OIDC Core 9 requires it.
        match claims.jti.as_deref() {
            Some(id) if !id.is_empty() => Ok((id, expires_at)),
            _ => Err(Fault::NoId),
        }
    }
}

/// The issuer, or an endpoint at which apps authenticate (RFC 7523 3, RFC 9126 2).
fn is_own(inner: &Inner, audience: &str) -> bool {
    const ENDPOINTS: [&str; 6] = [
        "",
        "/token",
        "/token/revocation",
        "/token/introspection",
        "/request",
        "/device/auth",
    ];
    audience
        .strip_prefix(inner.issuer.as_str())
        .is_some_and(|path| ENDPOINTS.contains(&path))
}

/// A `NumericDate` (RFC 7519 2). Casting saturates: what is out of range is in the far past or future.
#[expect(clippy::cast_possible_truncation, reason = "float to integer casts saturate")]
fn moment(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1000.0) as i64)
}

fn refused(app: &App, fault: Fault) -> ProtocolError {
    ProtocolError::new(ErrorCode::InvalidClient, fault.to_string())
        .because(format_args!("assertion of {}: {fault:?}", app.client_id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// What stands in a JWT where a text, a number or a list should.
    fn odd() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "(?s).{0,12}".prop_map(Value::from),
            prop::collection::vec("[a-z]{0,3}", 0..3).prop_map(Value::from),
            Just(json!({ "a": [] })),
        ]
    }

    fn jwt(header: &Value, claims: &Value) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        format!("{}.{}.c2lnbmVk", part(header), part(claims))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn rfc7523_3_what_is_no_jwt_is_not_read(text in prop_oneof!["(?s).{0,200}", "[A-Za-z0-9._-]{0,200}"]) {
            prop_assert!(Assertion::read(&text).is_none());
        }

        /// One member is otherwise: what is needed has its form or nothing is read, and what is not is let be.
        #[test]
        fn rfc7523_3_what_is_read_has_the_form_that_it_needs(
            odd in odd(),
            name in prop::sample::select(vec!["alg", "kid", "typ", "crit", "iss", "sub", "aud", "exp", "jti", "nbf", "iat", "x"]),
        ) {
            let mut header = json!({ "alg": "ES256", "typ": "JWT" });
            let mut claims = json!({ "iss": "app", "sub": "app", "aud": "https://id.example", "exp": 4_000_000_000_u64, "jti": "a" });
            prop_assert!(Assertion::read(&jwt(&header, &claims)).is_some());
            let part = match name {
                "alg" | "kid" | "typ" | "crit" => &mut header,
                _ => &mut claims,
            };
            part[name] = odd.clone();
            let is_read = Assertion::read(&jwt(&header, &claims)).is_some();
            let expected = match name {
                "alg" => odd.as_str().is_some_and(|name| SigningAlgorithm::parse(name).is_some()),
                "typ" => odd.is_null() || odd.as_str().is_some_and(|typ| typ.eq_ignore_ascii_case("JWT")),
                "crit" => odd.is_null(),
                "kid" | "jti" => odd.is_null() || odd.is_string(),
                "iss" | "sub" => odd.is_string(),
                "aud" => odd.is_string() || odd.is_array(),
                "exp" => odd.is_number(),
                "nbf" | "iat" => odd.is_null() || odd.is_number(),
                _ => true,
            };
            prop_assert_eq!(is_read, expected, "{} is {}", name, odd);
        }

        /// Of times beyond all times none is reached by a detour.
        #[test]
        fn rfc7519_2_a_moment_of_any_number_is_one(seconds in any::<f64>(), other in any::<f64>()) {
            if seconds <= other {
                prop_assert!(moment(seconds) <= moment(other));
            }
            let _ = moment(seconds) + LEEWAY;
        }
    }
}
