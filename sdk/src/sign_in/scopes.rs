//! Which scopes a request has, and which resource comes along with one of them.

use crate::resource::ORGANIZATIONS;

const OPENID: &str = "openid";
const OFFLINE_ACCESS: &str = "offline_access";
/// On every request of a client that has not opted out, as all of Logto's SDKs have it: tokens that can be refreshed, and
/// a name to greet with.
const RESERVED: [&str; 2] = [OFFLINE_ACCESS, "profile"];
/// Logto's scope for organization tokens.
const ORGANIZATIONS_SCOPE: &str = "urn:logto:scope:organizations";

/// The scopes of a request: `openid`, the reserved ones, and those that were asked for.
///
/// A reserved one that is missing from the provider's `scopes_supported` is left out: some refuse a whole request for
/// one scope that they do not know. What was asked for by name is always sent.
pub(crate) fn requested(asked: &[String], reserved: bool, supported: Option<&[String]>) -> Vec<String> {
    let offered = |scope: &&str| supported.is_none_or(|scopes| scopes.iter().any(|known| known == scope));
    let reserved = RESERVED.iter().copied().filter(|_| reserved).filter(offered);
    let mut scopes: Vec<String> = Vec::new();
    for scope in [OPENID]
        .into_iter()
        .chain(reserved)
        .chain(asked.iter().map(String::as_str))
    {
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    scopes
}

/// Whether a refresh token is asked for.
pub(super) fn offline_access(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| scope == OFFLINE_ACCESS)
}

/// The resources of a request. Logto gives organization tokens only to who names the organizations' own.
pub(super) fn resources(mut asked: Vec<String>, scopes: &[String]) -> Vec<String> {
    let organizations = scopes.iter().any(|scope| scope == ORGANIZATIONS_SCOPE);
    if organizations && !asked.iter().any(|resource| resource == ORGANIZATIONS) {
        asked.push(ORGANIZATIONS.to_owned());
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_reserved_scopes_are_there_once_unless_the_client_opts_out() {
        let asked = texts(&["email", "profile"]);
        let scopes = requested(&asked, true, None);
        assert_eq!(scopes, ["openid", "offline_access", "profile", "email"]);
        assert!(offline_access(&scopes));
        let scopes = requested(&asked, false, None);
        assert_eq!(scopes, ["openid", "email", "profile"]);
        assert!(!offline_access(&scopes));
    }

    #[test]
    fn a_reserved_scope_that_the_provider_does_not_list_is_left_out() {
        let listed = texts(&["openid", "email", "profile"]);
        assert_eq!(requested(&[], true, Some(&listed)), ["openid", "profile"]);
        let by_name = texts(&["offline_access"]);
        assert_eq!(
            requested(&by_name, true, Some(&listed)),
            ["openid", "profile", "offline_access"]
        );
    }

    #[test]
    fn the_organizations_scope_brings_its_resource() {
        let scopes = texts(&[ORGANIZATIONS_SCOPE]);
        let api = texts(&["https://api.example"]);
        assert_eq!(
            resources(api.clone(), &scopes),
            ["https://api.example", ORGANIZATIONS]
        );
        assert_eq!(
            resources(texts(&[ORGANIZATIONS]), &scopes),
            texts(&[ORGANIZATIONS])
        );
        assert_eq!(resources(api.clone(), &texts(&["openid"])), api);
    }
}
