//! Client authentication (RFC 6749 2.3, OIDC Core 9): a secret by HTTP Basic or in the body, a signed assertion, or
//! nothing for apps that can't keep a secret. The one entry of all endpoints at which apps authenticate.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::client_assertion::{self, Assertion};
use super::cors;
use super::error::ProtocolError;
use super::params::Params;
use super::registry::{App, Authentication, SecretBy};
use super::{Inner, client_keys};
use crate::http::forms;
use crate::secrets::digest_of;

/// The methods of the token and the revocation endpoint, as discovery tells them.
pub(super) const METHODS: [&str; 4] = [
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "none",
];

/// Those of endpoints that apps without a secret may not use.
pub(super) const CONFIDENTIAL_METHODS: [&str; 3] =
    ["client_secret_basic", "client_secret_post", "private_key_jwt"];

/// The signatures of `private_key_jwt`.
pub(super) const SIGNING_ALGORITHMS: [&str; 5] = client_keys::SigningAlgorithm::NAMES;

/// What a client shows for itself.
enum Shown<'p> {
    Basic {
        client_id: String,
        secret: Zeroizing<String>,
    },
    Body {
        client_id: &'p str,
        secret: &'p str,
    },
    Assertion(Assertion<'p>),
    Nothing {
        client_id: &'p str,
    },
}

/// The app that sends a request, once it has proved to be it.
pub(super) async fn authenticate(
    inner: &Inner,
    parts: &Parts,
    params: &Params,
) -> Result<Arc<App>, ProtocolError> {
    let shown = Shown::read(&parts.headers, params)?;
    let refused = || ProtocolError::invalid_client(matches!(shown, Shown::Basic { .. }));
    let Some(app) = inner.registry.find(shown.client_id()).await? else {
        // An unknown id costs what a wrong secret costs.
        let _ = verify_slices_are_equal(digest_of(shown.secret()).as_bytes(), &[0; 43]);
        return Err(refused().because("unknown client"));
    };
    cors::tell(&parts.extensions, &app);
    match (&app.authentication, &shown) {
        (Authentication::None, Shown::Nothing { .. }) => Ok(app),
        (Authentication::Secret { by, .. }, Shown::Basic { secret, .. })
            if *by != SecretBy::Body && app.has_secret(secret) =>
        {
            Ok(app)
        }
        (Authentication::Secret { by, .. }, Shown::Body { secret, .. })
            if *by != SecretBy::Basic && app.has_secret(secret) =>
        {
            Ok(app)
        }
        (Authentication::Keys(source), Shown::Assertion(assertion)) => {
            assertion.check(inner, &app, source, inner.clock.now()).await?;
            Ok(app)
        }
        _ => Err(refused().because("wrong secret or method")),
    }
}

impl<'p> Shown<'p> {
    /// RFC 6749 2.3: one method per request, and one id.
    fn read(headers: &HeaderMap, params: &'p Params) -> Result<Self, ProtocolError> {
        let twice = || {
            ProtocolError::invalid_request(
                "Authenticate once: by the Authorization header, by client_id and client_secret in the body, or by a \
                 client_assertion.",
            )
        };
        let body_id = params.one("client_id");
        let body_secret = params.one("client_secret");
        let assertion = (
            params.one("client_assertion"),
            params.one("client_assertion_type"),
        );
        let mut authorization = headers.get_all(header::AUTHORIZATION).into_iter();
        let shown = match (authorization.next(), body_secret, assertion) {
            (Some(value), None, (None, None)) => {
                if authorization.next().is_some() {
                    return Err(ProtocolError::invalid_request("Send one Authorization header."));
                }
                let refused =
                    || ProtocolError::invalid_client(true).because("malformed Authorization header");
                let (client_id, secret) = basic(value.as_bytes()).ok_or_else(refused)?;
                Self::Basic { client_id, secret }
            }
            (None, None, (Some(text), Some(client_assertion::TYPE))) => {
                let refused =
                    || ProtocolError::invalid_client(false).because("an assertion that can't be read");
                Self::Assertion(Assertion::read(text).ok_or_else(refused)?)
            }
            (None, None, (Some(_), _) | (_, Some(_))) => {
                return Err(ProtocolError::invalid_client(false).because("an assertion of an unknown type"));
            }
            (None, secret, (None, None)) => {
                let client_id = body_id.ok_or_else(|| {
                    ProtocolError::invalid_client(false).because("no Authorization header and no client_id")
                })?;
                match secret {
                    Some(secret) => Self::Body { client_id, secret },
                    None => Self::Nothing { client_id },
                }
            }
            _ => return Err(twice()),
        };
        if body_id.is_some_and(|id| id != shown.client_id()) {
            return Err(twice());
        }
        Ok(shown)
    }

    fn client_id(&self) -> &str {
        match self {
            Self::Basic { client_id, .. } => client_id,
            Self::Body { client_id, .. } | Self::Nothing { client_id } => client_id,
            Self::Assertion(assertion) => assertion.client_id(),
        }
    }

    fn secret(&self) -> &str {
        match self {
            Self::Basic { secret, .. } => secret,
            Self::Body { secret, .. } => secret,
            Self::Assertion(_) | Self::Nothing { .. } => "",
        }
    }
}

/// RFC 6749 2.3.1: id and secret are form-encoded before they are joined.
fn basic(header: &[u8]) -> Option<(String, Zeroizing<String>)> {
    let (scheme, encoded) = header.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim_ascii()).ok()?);
    let at = decoded.iter().position(|byte| *byte == b':')?;
    let (id, secret) = (&decoded[..at], &decoded[at + 1..]);
    Some((
        forms::decode(id).ok()?,
        Zeroizing::new(forms::decode(secret).ok()?),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc6749_2_3_1_id_and_secret_are_form_decoded() {
        let header = |text: &str| format!("basic {}", STANDARD.encode(text));
        let (id, secret) = basic(header("my%3Aapp:a%2Bb+c%25").as_bytes()).unwrap();
        assert_eq!((id.as_str(), secret.as_str()), ("my:app", "a+b c%"));
        for bad in ["Bearer abc", "Basic !!!", "Basic", &header("no colon"), ""] {
            assert!(basic(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Whatever id and secret an app has, they are read back as they are; and what is read of other bytes was sent so.
        #[test]
        fn rfc6749_2_3_1_what_is_sent_is_read_back_and_nothing_else(
            id in "\\PC{0,20}",
            secret in "(?s).{0,40}",
            junk in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let encoded = |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
            let pair = format!("{}:{}", encoded(&id), encoded(&secret));
            let (read_id, read_secret) = basic(format!("Basic {}", STANDARD.encode(&pair)).as_bytes()).unwrap();
            prop_assert_eq!((read_id.as_str(), read_secret.as_str()), (id.as_str(), secret.as_str()));
            prop_assert!(basic(&junk).is_none() || junk[..6].eq_ignore_ascii_case(b"Basic "));
            let of_junk = [b"Basic ".as_slice(), STANDARD.encode(&junk).as_bytes()].concat();
            if let Some((id, secret)) = basic(&of_junk) {
                let at = junk.iter().position(|byte| *byte == b':').unwrap();
                let read = |bytes: &[u8]| url::form_urlencoded::parse(&[b"x=", bytes].concat()).next().unwrap().1.into_owned();
                if !junk.contains(&b'&') {
                    prop_assert_eq!((id, secret.to_string()), (read(&junk[..at]), read(&junk[at + 1..])));
                }
            }
            // Neither characters beside its alphabet nor half of it are forgiven.
            let broken = format!("Basic {}*", STANDARD.encode(&pair));
            prop_assert!(basic(broken.as_bytes()).is_none());
        }
    }
}
