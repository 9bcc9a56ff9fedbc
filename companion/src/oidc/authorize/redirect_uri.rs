//! `redirect_uri`: one that the app has registered, compared as text (RFC 9700 2.1).

use super::super::pages::ErrorKind;
use super::super::params::Params;
use super::super::registry::App;
use super::Refusal;

pub(super) fn check<'p>(app: &App, params: &'p Params) -> Result<&'p str, Refusal> {
    let foreign = |detail| Refusal::new(ErrorKind::ForeignRedirect, detail);
    let Some(asked) = params.one("redirect_uri") else {
        return Err(foreign(
            "The sign-in request names no redirect_uri. The operator of the app that sent you here must add it.",
        ));
    };
    if params.is_repeated("redirect_uri") || !app.allows_redirect(asked) {
        return Err(foreign(
            "The app that sent you here wants the answer at an address that is not registered for it, so you \
             are not sent there. Its operator must register the redirect_uri exactly as the app sends it.",
        ));
    }
    Ok(asked)
}
