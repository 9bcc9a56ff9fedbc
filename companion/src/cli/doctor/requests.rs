//! Authorization requests of an app, of which only the first answer is looked at: nobody is signed in.

use keyback::bytes::Bytes;
use keyback::http::{Request, header};
use keyback::{Client, HttpTransport, Prompt, SignInBuilder, Url};

use super::report::Report;

/// Where a request leads.
enum Led {
    To(Url),
    Nowhere(u16),
}

pub(super) async fn examine(client: &Client, http: &dyn HttpTransport, report: &mut Report) {
    redirect_uri(client, http, report).await;
    reset_page(client, http, report).await;
}

/// Without any prompt, a provider that knows the redirect URI sends the browser back to it at once (OpenID Connect Core section
/// 3.1.2.6), and one that doesn't must not (RFC 6749 section 4.1.2.1).
async fn redirect_uri(client: &Client, http: &dyn HttpTransport, report: &mut Report) {
    let about = "redirect URI";
    match lead(client.sign_in().prompt(Prompt::None), http).await {
        Err(problem) => report.mend(about, problem),
        Ok(Led::To(url)) if is_callback(client, &url) => {
            let error = url.query_pairs().find(|(name, _)| name == "error");
            match error.map(|(_, error)| error.into_owned()).as_deref() {
                Some("login_required" | "interaction_required" | "consent_required") => {
                    report.good(about, "registered for the app");
                }
                Some(error) => report.mend(
                    about,
                    format!("registered, but the provider refuses the app's requests with {error:?}: compare the app's settings"),
                ),
                None => report.good(about, "registered for the app"),
            }
            named(client, &url, report);
        }
        Ok(Led::To(_)) => report.note(
            about,
            "the provider does not send the browser back without a page: sign in once to see",
        ),
        Ok(Led::Nowhere(status)) => report.mend(
            about,
            format!("the provider answers with status {status} and not at the redirect URI: register client id and redirect URI there, character by character"),
        ),
    }
}

/// What the callback says of its issuer.
fn named(client: &Client, callback: &Url, report: &mut Report) {
    let issuer = callback.query_pairs().find(|(name, _)| name == "iss");
    if issuer.is_some_and(|(_, issuer)| issuer != client.issuer()) {
        report.mend(
            "iss",
            "the callback names another issuer than the discovery document: the SDK refuses it (RFC 9207)",
        );
    }
}

/// The reset page shows where a reset request leads elsewhere than a sign-in that asks for the same login.
async fn reset_page(client: &Client, http: &dyn HttpTransport, report: &mut Report) {
    let about = "reset page";
    let ordinary = lead(client.sign_in().prompt(Prompt::Login), http).await;
    let reset = lead(client.forgot_password(), http).await;
    match (ordinary, reset) {
        (_, Err(problem)) => report.note(about, problem),
        (Err(problem), _) => report.note(about, problem),
        (_, Ok(Led::To(url))) if is_callback(client, &url) => report.mend(
            about,
            "a reset request is answered at once, without a page: the provider ignores prompt=login, or refuses the request",
        ),
        (Ok(Led::To(sign_in)), Ok(Led::To(reset))) if sign_in.path() == reset.path() => report.mend(
            about,
            format!(
                "a reset request leads to {}, as any sign-in does: switch the reset on at the provider (Logto: forgot-password methods and a connector), or link to its own reset page",
                reset.path()
            ),
        ),
        (_, Ok(Led::To(reset))) => report.good(about, format!("a reset request leads to {}", reset.path())),
        (_, Ok(Led::Nowhere(status))) => report.mend(
            about,
            format!("a reset request is answered with status {status}: the provider refuses first_screen, or the app"),
        ),
    }
}

fn is_callback(client: &Client, url: &Url) -> bool {
    let own = client.redirect_uri();
    let place = |url: &Url| {
        (
            url.scheme().to_owned(),
            url.host_str().map(str::to_owned),
            url.port(),
            url.path().to_owned(),
        )
    };
    place(own) == place(url)
}

async fn lead(request: SignInBuilder, http: &dyn HttpTransport) -> Result<Led, String> {
    let begun = request.start().await.map_err(|error| error.to_string())?;
    let request = Request::get(begun.url.as_str()).header(header::ACCEPT, "text/html");
    let request = request.body(Bytes::new()).map_err(|error| error.to_string())?;
    let answer = http.send(request).await.map_err(|error| error.to_string())?;
    let location = answer
        .headers()
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok());
    match location.and_then(|location| begun.url.join(location).ok()) {
        Some(url) if answer.status().is_redirection() => Ok(Led::To(url)),
        _ => Ok(Led::Nowhere(answer.status().as_u16())),
    }
}
