//! Metadata and keys, which anybody may ask for (OpenID Connect Discovery 1.0).

use std::time::{Duration, SystemTime};

use keyback::bytes::Bytes;
use keyback::http::{HeaderMap, Request, StatusCode, header};
use keyback::{Algorithm, Client, Clock as _, HttpTransport, SystemClock};
use serde::Deserialize;

use super::report::Report;

/// Tokens are refused beyond the SDK's leeway.
const DRIFT: Duration = Duration::from_secs(60);
/// The Date header counts whole seconds, and the answer was on its way.
const UNSEEN_DRIFT: Duration = Duration::from_secs(2);

/// What the doctor reads of the metadata. Unknown members are ignored.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Metadata {
    #[serde(default)]
    issuer: String,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    pushed_authorization_request_endpoint: Option<String>,
    #[serde(default)]
    require_pushed_authorization_requests: bool,
    #[serde(default)]
    dpop_signing_alg_values_supported: Vec<String>,
    #[serde(default)]
    backchannel_logout_supported: bool,
    #[serde(default)]
    backchannel_logout_session_supported: bool,
    #[serde(default)]
    end_session_endpoint: Option<String>,
    #[serde(default)]
    first_screen_values_supported: Option<Vec<String>>,
}

impl Metadata {
    /// Whether the provider tells how it spells its screens, as the companion does.
    pub(super) fn lists_screens(&self) -> bool {
        self.first_screen_values_supported.is_some()
    }
}

/// Fetches and judges the discovery document. `None` where there is none.
pub(super) async fn examine(issuer: &str, http: &dyn HttpTransport, report: &mut Report) -> Option<Metadata> {
    let about = "discovery";
    let address = format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    );
    let Ok(request) = Request::get(&address).body(Bytes::new()) else {
        report.mend(about, "the issuer is not a URL");
        return None;
    };
    let answer = match http.send(request).await {
        Ok(answer) => answer,
        Err(error) => {
            report.mend(about, format!("{address} can't be had: {error}"));
            return None;
        }
    };
    clock(answer.headers(), report);
    if answer.status() != StatusCode::OK {
        let status = answer.status();
        report.mend(
            about,
            format!("{address} answers with {status}: compare the issuer with the provider's console"),
        );
        return None;
    }
    let Ok(metadata) = serde_json::from_slice::<Metadata>(answer.body()) else {
        report.mend(
            about,
            format!("{address} is no discovery document: is this the issuer?"),
        );
        return None;
    };
    if metadata.issuer == issuer {
        report.good(about, format!("{address} names the issuer"));
    } else {
        report.mend(
            about,
            format!(
                "the document names another issuer; use it, character by character, if it is yours: {:?}",
                metadata.issuer
            ),
        );
    }
    Some(metadata)
}

fn clock(headers: &HeaderMap, report: &mut Report) {
    let about = "clock";
    let date = headers.get(header::DATE).and_then(|value| value.to_str().ok());
    let Some(date) = date.and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok()) else {
        return report.note(about, "the provider's answer has no date to compare with");
    };
    let (theirs, ours) = (SystemTime::from(date), SystemClock.now());
    let (drift, side) = match ours.duration_since(theirs) {
        Ok(behind) => (behind, "behind"),
        Err(ahead) => (ahead.duration(), "ahead of"),
    };
    let seconds = drift.as_secs();
    if drift <= UNSEEN_DRIFT {
        report.good(about, "the provider's clock and this machine's agree");
    } else if drift < DRIFT {
        report.note(
            about,
            format!("the provider's clock is {seconds} s {side} this machine's"),
        );
    } else {
        report.mend(
            about,
            format!(
                "the provider's clock is {seconds} s {side} this machine's: set the one that is wrong (NTP)"
            ),
        );
    }
}

/// The keys, as the SDK reads them.
pub(super) async fn examine_keys(client: &Client, metadata: &Metadata, report: &mut Report) {
    match client.ready().await {
        Ok(()) => report.good("keys", "the key set has a key that checks signatures"),
        Err(error) => report.mend("metadata and keys", format!("{error} ({})", error.remedy())),
    }
    let offered = &metadata.id_token_signing_alg_values_supported;
    let by_default = Algorithm::DEFAULT.map(Algorithm::as_str);
    let listed = offered.join(", ");
    if offered.is_empty() || offered.iter().any(|name| by_default.contains(&name.as_str())) {
        report.good("ID tokens", format!("signed by one of {listed}"));
    } else if offered
        .iter()
        .any(|name| Algorithm::ALL.iter().any(|known| known.as_str() == name))
    {
        report.note(
            "ID tokens",
            format!("signed by one of {listed}: allow it by `ClientBuilder::algorithms`"),
        );
    } else {
        report.mend(
            "ID tokens",
            format!(
                "signed by one of {listed}, which the SDK does not check: choose {} for the app",
                by_default.join(" or ")
            ),
        );
    }
}

/// What the provider has beyond the needful.
pub(super) fn examine_offers(metadata: &Metadata, report: &mut Report) {
    match &metadata.code_challenge_methods_supported {
        Some(methods) if methods.iter().any(|method| method == "S256") => report.good("PKCE", "S256"),
        Some(_) => report.mend(
            "PKCE",
            "the provider lists no S256, without which codes can be stolen (RFC 7636)",
        ),
        None => report.note("PKCE", "not listed; S256 is sent all the same"),
    }
    if metadata.authorization_response_iss_parameter_supported {
        report.good("iss", "the callback names its issuer (RFC 9207)");
    } else {
        report.note(
            "iss",
            "the callback does not promise its issuer (RFC 9207): with several providers, give each its own redirect URI",
        );
    }
    match (
        &metadata.pushed_authorization_request_endpoint,
        metadata.require_pushed_authorization_requests,
    ) {
        (Some(_), true) => report.note("PAR", "required (RFC 9126)"),
        (Some(_), false) => report.note("PAR", "offered (RFC 9126)"),
        (None, true) => report.mend(
            "PAR",
            "required, but the provider names no endpoint for it (RFC 9126)",
        ),
        (None, false) => report.note("PAR", "not offered"),
    }
    let dpop = metadata.dpop_signing_alg_values_supported.join(", ");
    match dpop.as_str() {
        "" => report.note("DPoP", "not offered: access tokens serve whoever bears them"),
        algorithms => report.note("DPoP", format!("offered with {algorithms} (RFC 9449)")),
    }
    if metadata.end_session_endpoint.is_none() {
        report.note(
            "sign-out",
            "the provider has no end session endpoint: a sign-out ends the app's session alone",
        );
    }
    match (
        metadata.backchannel_logout_supported,
        metadata.backchannel_logout_session_supported,
    ) {
        (true, true) => report.good("back-channel logout", "offered, by session"),
        (true, false) => report.note("back-channel logout", "offered, by person alone"),
        (false, _) => report.note(
            "back-channel logout",
            "not offered: after a reset elsewhere the app's sessions live on, unless a webhook ends them",
        ),
    }
}
