//! What is known of the user, and the parts of a password that repeat it.

use super::restricted::folded;

/// What the policy knows of a user. Nothing of it is stored here or shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UserFacts {
    /// The full name.
    pub name: Option<String>,
    /// The user name.
    pub username: Option<String>,
    /// The e-mail address; what stands before the `@` counts.
    pub email: Option<String>,
    /// The phone number; its digits count.
    pub phone: Option<String>,
}

impl std::fmt::Debug for UserFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserFacts(redacted)")
    }
}

impl UserFacts {
    /// Everything of the user that a guesser knows: what passwords are compared with, and the whole address besides.
    pub(super) fn known_texts(&self) -> Vec<String> {
        let mut texts = self.texts();
        if let Some(email) = &self.email {
            texts.push(email.clone());
            let domain = email.split('@').nth(1).unwrap_or_default();
            texts.extend(
                [domain.to_owned()]
                    .into_iter()
                    .chain(domain.split('.').map(str::to_owned)),
            );
        }
        texts.retain(|text| !text.is_empty());
        texts
    }

    /// Everything of the user that a password is compared with.
    pub(super) fn texts(&self) -> Vec<String> {
        let name = self.name.as_deref().unwrap_or_default().trim();
        let joined: String = name.split_whitespace().collect();
        let mut texts = vec![name.to_owned(), joined];
        texts.extend(name.split_whitespace().map(str::to_owned));
        texts.extend(self.username.clone());
        texts.extend(
            self.email
                .as_deref()
                .and_then(|email| email.split('@').next())
                .map(str::to_owned),
        );
        texts.extend(
            self.phone
                .as_deref()
                .map(|phone| phone.chars().filter(char::is_ascii_digit).collect()),
        );
        texts.retain(|text| !text.is_empty());
        texts
    }
}

/// For each place of the password, how many characters from there repeat something of the user's: the longest counts.
pub(super) fn runs(password: &[char], facts: &UserFacts) -> Vec<usize> {
    let texts: Vec<Vec<char>> = facts.texts().iter().map(|text| folded(text.chars())).collect();
    longest_matches(password, &texts)
}

/// For each place, the length of the longest of `texts` (folded) that stands there in `password` (folded).
pub(super) fn longest_matches(password: &[char], texts: &[Vec<char>]) -> Vec<usize> {
    (0..password.len())
        .map(|at| {
            let here = &password[at..];
            texts
                .iter()
                .filter(|text| here.starts_with(text))
                .map(Vec::len)
                .max()
                .unwrap_or(0)
        })
        .collect()
}
