//! Access tokens that requests bring (RFC 6750): where they are read, and who acts by one.

use std::sync::Arc;

use axum::http::{Extensions, HeaderMap, header};
use keyback_core::time::Timestamp;

use super::registry::App;
use super::scope::Scopes;
use super::{Provider, cors};
use crate::secrets::digest_of;
use crate::store::users::User;
use crate::store::{StoreError, machine_tokens, tokens};

/// The header `Authorization` is there more than once: the two could differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SentTwice;

/// The token of the header (RFC 6750 2.1), if it has one. Another scheme brings none.
pub(crate) fn sent(headers: &HeaderMap) -> Result<Option<&str>, SentTwice> {
    let mut sent = headers.get_all(header::AUTHORIZATION).into_iter();
    let (value, another) = (sent.next(), sent.next());
    if another.is_some() {
        return Err(SentTwice);
    }
    let text = value.and_then(|value| value.to_str().ok());
    let scheme_and_token = text.and_then(|text| text.split_once(' '));
    Ok(scheme_and_token
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
        .map(|(_, token)| token.trim()))
}

/// An app that acts for itself.
#[derive(Clone, Debug)]
pub(crate) struct ActingApp {
    pub(crate) app: Arc<App>,
    pub(crate) scopes: Scopes,
}

/// A person for whom an app acts.
#[derive(Clone, Debug)]
pub(crate) struct ActingPerson {
    pub(crate) user: User,
    pub(crate) app: Arc<App>,
    pub(crate) scopes: Scopes,
    pub(crate) session_id: String,
    /// Of the token.
    pub(crate) digest: String,
}

impl Provider {
    /// The person of an access token for the provider itself, while it lives.
    pub(crate) async fn acting_person(
        &self,
        token: &str,
        extensions: &Extensions,
        now: Timestamp,
    ) -> Result<Option<ActingPerson>, StoreError> {
        let inner = &self.0;
        let digest = digest_of(token);
        let found = tokens::find_access(inner.store.reader(), &digest, now).await?;
        let Some(row) = found.filter(|row| row.token.resource.is_none()) else {
            return Ok(None);
        };
        let Some(app) = inner.registry.find(&row.client_id).await? else {
            return Ok(None);
        };
        cors::tell(extensions, &app);
        let user = inner.live_user(&row.user_id, row.token.issued_at()).await?;
        Ok(user.map(|user| ActingPerson {
            user,
            app,
            scopes: Scopes::from(row.token.scope),
            session_id: row.session_id,
            digest,
        }))
    }

    /// The machine app that got a token for itself and for `api`, while the token lives and the app is configured. It was
    /// given exactly this text: no signature needs to be checked, and a revoked token is nobody's.
    pub(crate) async fn acting_app(
        &self,
        token: &str,
        api: &str,
        now: Timestamp,
    ) -> Result<Option<ActingApp>, StoreError> {
        let inner = &self.0;
        let found = machine_tokens::find(inner.store.reader(), &digest_of(token), now).await?;
        let Some(row) = found.filter(|row| row.token.resource.as_deref() == Some(api)) else {
            return Ok(None);
        };
        let app = inner.registry.find(&row.client_id).await?;
        Ok(app.filter(|app| app.is_machine()).map(|app| ActingApp {
            app,
            scopes: Scopes::from(row.token.scope),
        }))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn sent_by(values: &[HeaderValue]) -> HeaderMap {
        let values = values.iter().cloned();
        values.map(|value| (header::AUTHORIZATION, value)).collect()
    }

    fn value() -> impl Strategy<Value = HeaderValue> {
        let bytes = prop::collection::vec(prop_oneof![32_u8..127, 128_u8..=255], 0..40);
        bytes.prop_map(|bytes| HeaderValue::from_bytes(&bytes).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn rfc6750_2_1_a_token_is_what_stands_behind_its_scheme(
            token in "[A-Za-z0-9._~+/=-]{1,60}",
            scheme in "[Bb][Ee][Aa][Rr][Ee][Rr]",
            junk in value(),
        ) {
            let own = HeaderValue::from_str(&format!("{scheme} {token}")).unwrap();
            let whole = sent_by(std::slice::from_ref(&own));
            prop_assert_eq!(sent(&whole), Ok(Some(token.as_str())));
            let alone = sent_by(std::slice::from_ref(&junk));
            let read = sent(&alone).unwrap();
            let of_scheme = junk.as_bytes().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Bearer "));
            prop_assert_eq!(read.is_some(), of_scheme && junk.to_str().is_ok());
            if let Some(read) = read {
                prop_assert_eq!(read, junk.to_str().unwrap()[7..].trim());
            }
            // Which of two is meant nobody can tell.
            for both in [[own.clone(), junk.clone()], [junk, own]] {
                let both = sent_by(&both);
                prop_assert_eq!(sent(&both), Err(SentTwice));
            }
        }
    }
}
