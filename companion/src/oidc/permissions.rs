//! What an app may do for a person, as far as the person is asked about it: scopes, and for each API those of its own.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Inner;
use super::registry::App;
use super::scope::{Scopes, is_standard};

/// A set of permissions: what is asked for, or what was allowed. As JSON it is how a consent rests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Permissions {
    /// Standard scopes, and further ones of the app.
    pub scopes: BTreeSet<String>,
    /// APIs by their indicators (RFC 8707), each with its scopes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resources: BTreeMap<String, BTreeSet<String>>,
}

impl Permissions {
    /// Whether all of `asked` is among these. A scope of one API says nothing of the same word at another.
    pub fn cover(&self, asked: &Self) -> bool {
        let has = |(indicator, scopes): (&String, &BTreeSet<String>)| {
            self.resources
                .get(indicator)
                .is_some_and(|own| own.is_superset(scopes))
        };
        self.scopes.is_superset(&asked.scopes) && asked.resources.iter().all(has)
    }

    /// These and those of `more`.
    #[must_use]
    pub fn with(mut self, more: Self) -> Self {
        self.scopes.extend(more.scopes);
        for (indicator, scopes) in more.resources {
            self.resources.entry(indicator).or_default().extend(scopes);
        }
        self
    }
}

impl Inner {
    /// What an app asks for with scopes and resources that were checked.
    pub(super) fn permissions(&self, app: &App, scopes: &Scopes, resources: &[String]) -> Permissions {
        let own = |scope: &&str| is_standard(scope) || app.has_scope(scope);
        let of_a_resource = |indicator: &String| {
            let known = self.registry.resource(indicator);
            let has = |scope: &&str| known.is_some_and(|one| one.scopes.iter().any(|own| own == scope));
            let asked = scopes.iter().filter(has).map(str::to_owned);
            (indicator.clone(), asked.collect())
        };
        Permissions {
            scopes: scopes.iter().filter(own).map(str::to_owned).collect(),
            resources: resources.iter().map(of_a_resource).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permissions(scopes: &str, resources: &[(&str, &str)]) -> Permissions {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        Permissions {
            scopes: words(scopes),
            resources: resources
                .iter()
                .map(|(indicator, scopes)| ((*indicator).to_owned(), words(scopes)))
                .collect(),
        }
    }

    #[test]
    fn oidc_core_3_1_2_4_what_was_allowed_covers_as_much_or_less_and_nothing_else() {
        let allowed = permissions("openid email", &[("a", "read write"), ("b", "")]);
        for (scopes, resources, covered) in [
            ("openid email", &[][..], true),
            ("openid", &[("a", "read")], true),
            ("openid", &[("a", ""), ("b", "")], true),
            ("openid phone", &[], false),
            ("openid", &[("b", "read")], false),
            ("openid", &[("c", "")], false),
            ("openid offline_access", &[], false),
        ] {
            let asked = permissions(scopes, resources);
            assert_eq!(allowed.cover(&asked), covered, "{asked:?}");
            assert!(allowed.clone().with(asked.clone()).cover(&asked), "{asked:?}");
        }
        assert!(
            allowed
                .clone()
                .with(permissions("phone", &[("a", "")]))
                .cover(&allowed)
        );
    }
}
