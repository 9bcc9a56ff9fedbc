//! `authorization_code` (RFC 6749 4.1.3, RFC 7636 4.6, OIDC Core 3.1.3): a code becomes tokens, once.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::super::Inner;
use super::super::error::ProtocolError;
use super::super::params::Params;
use super::super::registry::App;
use super::mint::TokenAnswer;
use super::redeem::Redemption;
use super::stolen::Stolen;
use crate::secrets::digest_of;
use crate::store::codes::{self, CodeRow};
use crate::store::redemption::Code;

pub(super) async fn exchange(
    inner: &Inner,
    app: &App,
    params: &Params,
) -> Result<TokenAnswer, ProtocolError> {
    let now = inner.clock.now();
    let digest = digest_of(params.required("code")?);
    let redirect_uri = params.required("redirect_uri")?;
    let found = codes::find(&mut *inner.store.lookup().await?, &digest).await?;
    let row = found.filter(|row| row.granted.client_id == app.client_id);
    let row = row.ok_or_else(dead_code)?;
    if row.used_at().is_some() {
        return replay(inner, app, &row).await;
    }
    if row.expires_at() <= now {
        return Err(dead_code());
    }
    if row.redirect_uri != redirect_uri {
        return Err(ProtocolError::invalid_grant(
            "The redirect_uri is not the one of the authorization request.",
        ));
    }
    check_verifier(row.code_challenge.as_deref(), params.one("code_verifier"))?;
    let redemption = Redemption {
        code: Code::Authorization(&digest),
        granted: &row.granted,
        user: &row.user,
        given_at: row.issued_at(),
        nonce: row.nonce.as_deref(),
        dead: dead_code,
    };
    match redemption.redeem(inner, app, params, now).await? {
        Some(answer) => Ok(answer),
        None => match codes::find(inner.store.reader(), &digest).await? {
            Some(row) if row.used_at().is_some() => replay(inner, app, &row).await,
            _ => Err(dead_code()),
        },
    }
}

/// RFC 6749 4.1.2 and 10.5: somebody else may hold the code, so what it gave ends.
async fn replay(inner: &Inner, app: &App, row: &CodeRow) -> Result<TokenAnswer, ProtocolError> {
    let stolen = Stolen {
        event: "code_replayed",
        grant_id: &row.granted.grant_id,
        client_id: &app.client_id,
    };
    stolen.revoke(inner).await?;
    tracing::warn!(
        client_id = app.client_id,
        user_id = row.granted.user_id,
        "an authorization code was sent twice: the tokens it gave are revoked"
    );
    Err(dead_code())
}

fn dead_code() -> ProtocolError {
    ProtocolError::invalid_grant(
        "The code is unknown, expired, used already, or of another app. Begin the sign-in again.",
    )
}

/// RFC 7636 4.6. A verifier for a request without a challenge is refused too: else a stolen code could be put into
/// a flow that believes itself protected (RFC 9700 2.1.1).
fn check_verifier(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), ProtocolError> {
    let wrong = || ProtocolError::invalid_grant("The code_verifier doesn't fit the authorization request.");
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (Some(challenge), Some(verifier)) => {
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(legal) {
                return Err(ProtocolError::invalid_request(
                    "The code_verifier has 43 to 128 letters, digits and - . _ ~",
                ));
            }
            verify_slices_are_equal(digest_of(verifier).as_bytes(), challenge.as_bytes()).map_err(|_| wrong())
        }
        (Some(_), None) => Err(ProtocolError::invalid_grant("The code_verifier is missing.")),
        (None, Some(_)) => Err(wrong()),
    }
}
