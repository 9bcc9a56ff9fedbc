//! What an app asks for, in words for people: those of the consent page, and of whatever else asks them the same.

use keyback_core::identifier::Identifier;
use url::Url;

use crate::app::Companion;
use crate::config::app::ResourceConfig;
use crate::oidc::permissions::Permissions;
use crate::oidc::scope::{ADDRESS, EMAIL, OFFLINE_ACCESS, OPENID, PHONE, PROFILE, STANDARD};
use crate::store::users::User;
use crate::views::consent::{About, Ask, Detail};

/// The lines of a page that asks `user` to allow `permissions`: who they are first, and what lasts last.
pub(super) fn asks(companion: &Companion, permissions: &Permissions, user: &User) -> Vec<Ask> {
    let has = |scope: &str| permissions.scopes.contains(scope);
    let mut asks = Vec::new();
    if has(OPENID) {
        asks.push(line(
            About::SigningIn,
            "Sign you in",
            "and know you again next time",
        ));
    }
    if has(PROFILE) {
        asks.push(line(
            About::Profile,
            "See your profile",
            "your name, picture, birth date, gender, time zone, languages and the like",
        ));
    }
    if has(EMAIL) {
        asks.push(line(
            About::Email,
            "See your e-mail address",
            user.email.as_deref().unwrap_or_default(),
        ));
    }
    if has(PHONE) {
        let phone = user.phone.as_deref().unwrap_or_default();
        let shown = Identifier::parse(phone).map(|number| number.shown());
        asks.push(line(
            About::Phone,
            "See your phone number",
            shown.as_deref().unwrap_or(phone),
        ));
    }
    if has(ADDRESS) {
        asks.push(line(About::Address, "See your postal address", ""));
    }
    let own = permissions.scopes.iter();
    for scope in own.filter(|scope| !STANDARD.contains(&scope.as_str())) {
        asks.push(Ask {
            about: About::Doing,
            what: "Use a further permission".to_owned(),
            details: vec![Detail::Name(scope.clone())],
        });
    }
    for (indicator, scopes) in &permissions.resources {
        let resource = companion.provider.resource(indicator);
        let in_words = |scope: &String| {
            let words = resource.and_then(|resource| resource.words.get(scope));
            words.map_or_else(
                || Detail::Name(scope.clone()),
                |words| Detail::Words(words.clone()),
            )
        };
        asks.push(Ask {
            about: About::Doing,
            what: format!("Use {} for you", name_of(indicator, resource)),
            details: scopes.iter().map(in_words).collect(),
        });
    }
    if has(OFFLINE_ACCESS) {
        asks.push(line(
            About::Staying,
            "Stay signed in while you’re away",
            "and go on doing all this without you",
        ));
    }
    asks
}

fn line(about: About, what: &str, detail: &str) -> Ask {
    let details = (!detail.is_empty()).then(|| Detail::Words(detail.to_owned()));
    Ask {
        about,
        what: what.to_owned(),
        details: details.into_iter().collect(),
    }
}

/// What people call an API: its name, or the host it lives at.
fn name_of(indicator: &str, resource: Option<&ResourceConfig>) -> String {
    let name = resource.and_then(|resource| resource.name.clone());
    let host = || Some(Url::parse(indicator).ok()?.host_str()?.to_owned());
    name.or_else(host).unwrap_or_else(|| indicator.to_owned())
}
