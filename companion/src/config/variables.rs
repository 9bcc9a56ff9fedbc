//! Which keys the environment has set, and by which variable: whoever looks for a wrong one in the file finds nothing there.

use std::collections::BTreeMap;

/// The names of variables by section and key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables(BTreeMap<(String, String), String>);

impl Variables {
    pub(super) fn note(&mut self, section: &str, key: &str, variable: &str) {
        self.0
            .insert((section.to_owned(), key.to_owned()), variable.to_owned());
    }

    /// Whether a key's value is of the environment.
    pub(super) fn sets(&self, section: &str, key: &str) -> bool {
        self.0.contains_key(&(section.to_owned(), key.to_owned()))
    }

    /// Puts the variable's name before a problem of the key that it sets.
    pub(crate) fn name_in(&self, problem: &mut String) {
        let set_it = self.0.iter().find(|((section, key), _)| {
            // A section within another that there isn't is told as a key of that one.
            let places = [Some(format!("[{section}] {key}")), outer(section)];
            let mut rests = places
                .iter()
                .flatten()
                .filter_map(|place| problem.strip_prefix(place));
            rests.any(|rest| rest.starts_with([':', ' ']))
        });
        if let Some((_, variable)) = set_it {
            *problem = format!("{variable}, which is {problem}");
        }
    }
}

fn outer(section: &str) -> Option<String> {
    let (outer, inner) = section.split_once('.')?;
    Some(format!("[{outer}] {inner}"))
}
