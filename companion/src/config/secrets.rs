//! `[secrets]`: the root keys.

use std::io::ErrorKind;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

use super::Problems;
use super::app::Secret;
use super::variables::Variables;
use crate::secrets::{RootKey, RootKeys};

/// `[secrets]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretsConfig {
    /// One file or a list; the first key writes, all read.
    #[serde(deserialize_with = "one_or_many")]
    pub root_key_file: Vec<PathBuf>,
    /// The keys themselves, separated by commas: for `KEYBACK__SECRETS__ROOT_KEY`.
    pub root_key: Option<Secret>,
    /// Which of these the environment has set.
    #[serde(skip)]
    pub(super) variables: Variables,
}

impl SecretsConfig {
    /// Reads the root keys.
    pub fn root_keys(&self) -> Result<RootKeys, Problems> {
        let mut problems = Problems::default();
        let mut keys = Vec::new();
        for text in self.root_key.iter().flat_map(|secret| secret.expose().split(',')) {
            match RootKey::parse(text) {
                Ok(key) => keys.push(key),
                Err(error) => problems.add("[secrets] root_key", error),
            }
        }
        for path in &self.root_key_file {
            let place = format!("[secrets] root_key_file {}", path.display());
            match std::fs::read_to_string(path).map(zeroize::Zeroizing::new) {
                Ok(text) => match RootKey::parse(&text) {
                    Ok(key) => keys.push(key),
                    Err(error) => problems.add(place, error),
                },
                Err(error) if error.kind() == ErrorKind::NotFound => problems.add(
                    place,
                    format!(
                        "{error}; make the key with `keyback keys new --out {}`",
                        path.display()
                    ),
                ),
                // There is a key. A new one in its place would open nothing that it has sealed.
                Err(error) => problems.add(place, format!("{error}; let this user read it")),
            }
        }
        if problems.0.is_empty() {
            match RootKeys::new(keys) {
                Ok(keys) => return Ok(keys),
                Err(error) => problems.add("[secrets]", error),
            }
        }
        for problem in &mut problems.0 {
            self.variables.name_in(problem);
        }
        Err(problems)
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected the path of a file, or a list of paths")]
    enum OneOrMany {
        One(PathBuf),
        Many(Vec<PathBuf>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(path) => vec![path],
        OneOrMany::Many(paths) => paths,
    })
}
