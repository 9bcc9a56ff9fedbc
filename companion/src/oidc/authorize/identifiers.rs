//! `identifier`: the kinds of identifier that the first screen asks for. Unknown kinds are left out, as Logto does.

use super::Asked;

const KINDS: [&str; 3] = ["username", "email", "phone"];

pub(super) fn check(asked: &Asked<'_>) -> Vec<String> {
    let Some(text) = asked.params.one("identifier") else {
        return Vec::new();
    };
    KINDS
        .into_iter()
        .filter(|kind| text.split(' ').any(|word| word == *kind))
        .map(str::to_owned)
        .collect()
}
