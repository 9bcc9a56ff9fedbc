//! Reads the file, lays the environment over it, and turns each key into its type, collecting what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::connector::{self, OwnKeys};
use super::entries::{self, Entry};
use super::variables::Variables;
use super::words::what_to_write;
use super::{Config, Problems};

/// The variables of the environment, as an argument: tests set their own.
pub type Environment = BTreeMap<String, String>;

const PREFIX: &str = "KEYBACK__";

/// Keys that hold secrets or long documents: each may be given as `KEY_file` instead.
const FILE_KEYS: [&str; 7] = [
    "secret",
    "client_secret",
    "jwks",
    "password",
    "auth_token",
    "api_key_secret",
    "signing_key",
];

/// A table of HTTP headers, each of which may hold a secret.
const HEADERS: &str = "headers";

/// What the file and the environment amount to, with all that is wrong in them.
#[derive(Debug)]
pub struct Reading {
    /// What could be read: a key that couldn't be has its default.
    pub config: Config,
    /// What is wrong with the keys and across them.
    pub problems: Problems,
    /// `section.key` of what can't be read, and `section.` of a section that is none. Their defaults were never meant, so
    /// nothing should be said of them.
    unread: BTreeSet<String>,
    pub(crate) variables: Variables,
}

impl Reading {
    /// Whether a key has the value that was meant.
    pub(crate) fn has(&self, section: &str, key: &str) -> bool {
        !self.unread.contains(&format!("{section}.")) && !self.unread.contains(&format!("{section}.{key}"))
    }

    /// Whether all keys of a section have the values that were meant.
    pub(crate) fn has_all(&self, section: &str) -> bool {
        let place = format!("{section}.");
        !self.unread.iter().any(|unread| unread.starts_with(&place))
    }

    /// What the connectors that are set lack, a line each.
    pub(crate) fn incomplete_connectors(&self) -> Vec<String> {
        let email = self.config.email.lacking(|key| self.has("email", key));
        let sms = self.config.sms.lacking(|key| self.has("sms", key));
        email.into_iter().chain(sms).collect()
    }
}

/// Loads the configuration from TOML text and the environment.
pub fn load(text: &str, environment: &Environment) -> Result<Config, Problems> {
    let reading = read(text, environment)?;
    reading.problems.none_or(reading.config)
}

/// Reads as much as can be read, so that whoever looks further finds what else is wrong. Fails where the text is not TOML.
pub fn read(text: &str, environment: &Environment) -> Result<Reading, Problems> {
    let mut problems = Problems::default();
    let root = match text.parse::<Table>() {
        Ok(root) => root,
        Err(error) => {
            problems.add("the file is not TOML", error.to_string().trim());
            return Err(problems);
        }
    };
    let mut reader = Reader {
        root,
        from_environment: Variables::default(),
        unread: BTreeSet::new(),
        problems,
    };
    reader.lay_over(environment);
    let mut config = Config {
        server: reader.section("server"),
        secrets: reader.section("secrets"),
        store: reader.section("store"),
        backend: reader.section("backend"),
        apps: reader.entries(),
        resources: reader.entries(),
        email: reader.connector("email", connector::OF_EMAIL),
        sms: reader.connector("sms", connector::OF_SMS),
        captcha: reader.section("captcha"),
        reset: reader.section("reset"),
        policy: reader.section("password.policy"),
        breached: reader.section("password.breached"),
        hashing: reader.section("password.hashing"),
        session: reader.section("session"),
        tokens: reader.section("tokens"),
        limits: reader.section("limits"),
        audit: reader.section("audit"),
        webhooks: reader.entries(),
        branding: reader.section("branding"),
    };
    let unread = std::mem::take(&mut reader.unread);
    let variables = std::mem::take(&mut reader.from_environment);
    config.secrets.variables = variables.clone();
    let mut problems = reader.unknown_sections(&variables);
    config.check(&mut problems);
    for problem in &mut problems.0 {
        variables.name_in(problem);
    }
    Ok(Reading {
        config,
        problems,
        unread,
        variables,
    })
}

struct Reader {
    root: Table,
    /// What the environment set: there, a number arrives as text.
    from_environment: Variables,
    /// As in [`Reading`].
    unread: BTreeSet<String>,
    problems: Problems,
}

impl Reader {
    fn lay_over(&mut self, environment: &Environment) {
        'variables: for (name, value) in environment {
            let Some(path) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let path: Vec<String> = path.split("__").map(str::to_lowercase).collect();
            let [sections @ .., key] = path.as_slice() else {
                continue;
            };
            if sections.is_empty() || sections.iter().chain([key]).any(String::is_empty) {
                self.problems.add(name, "write it as KEYBACK__SECTION__KEY");
                continue;
            }
            let mut table = &mut self.root;
            for section in sections {
                let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
                let Value::Table(inner) = entry else {
                    self.problems.add(
                        name,
                        "lists can't be set by the environment; write them in the file",
                    );
                    continue 'variables;
                };
                table = inner;
            }
            if sections.last().is_some_and(|section| section == HEADERS) {
                lay_header_over(table, key, value);
                continue;
            }
            table.insert(key.clone(), Value::String(value.clone()));
            self.from_environment.note(&sections.join("."), key, name);
        }
    }

    /// Takes a section out of the tree and reads it key by key, so that one wrong key hides no other.
    fn section<T: DeserializeOwned + Default>(&mut self, path: &str) -> T {
        let Some(mut table) = self.take(path) else {
            return T::default();
        };
        for key in self.resolve_files(&format!("[{path}]"), &mut table) {
            self.unread.insert(format!("{path}.{key}"));
        }
        let mut good = Table::new();
        for (key, value) in table {
            match self.read_key::<T>(path, &key, value) {
                Ok(value) => {
                    good.insert(key, value);
                }
                Err(error) => {
                    self.problems.add(format!("[{path}] {key}"), error);
                    self.unread.insert(format!("{path}.{key}"));
                }
            }
        }
        T::deserialize(Value::Table(good)).unwrap_or_else(|error| {
            self.problems.add(format!("[{path}]"), what_to_write(&error));
            self.unread.insert(format!("{path}."));
            T::default()
        })
    }

    fn read_key<T: DeserializeOwned>(&self, path: &str, key: &str, value: Value) -> Result<Value, String> {
        let alone = |value: &Value| {
            let table = Table::from_iter([(key.to_owned(), value.clone())]);
            T::deserialize(Value::Table(table))
                .map(|_| ())
                .map_err(|error| what_to_write(&error))
        };
        let Err(error) = alone(&value) else {
            return Ok(value);
        };
        if let Value::String(text) = &value
            && self.from_environment.sets(path, key)
            && let Some(typed) = format!("v = {text}")
                .parse::<Table>()
                .ok()
                .and_then(|mut t| t.remove("v"))
            && alone(&typed).is_ok()
        {
            return Ok(typed);
        }
        Err(error)
    }

    /// The section of a connector, in which each connector has its own keys.
    fn connector<T: DeserializeOwned + Default>(&mut self, name: &str, own_keys: OwnKeys) -> T {
        if let Some(Value::Table(table)) = self.root.get(name) {
            connector::refuse_foreign_keys(name, table, own_keys, &mut self.problems);
        }
        self.section(name)
    }

    /// Takes a list of tables (`[[app]]`) and reads each entry apart.
    fn entries<T: Entry>(&mut self) -> Vec<T> {
        let name = T::LIST;
        let list = match self.root.remove(name) {
            None => return Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => {
                self.problems.add(
                    format!("[{name}]"),
                    format!("write it as [[{name}]]: it is a list"),
                );
                return Vec::new();
            }
        };
        let mut read = Vec::with_capacity(list.len());
        for (index, value) in list.into_iter().enumerate() {
            let place = entries::place::<T>(&value, index);
            let Value::Table(mut table) = value else {
                self.problems.add(place, "must be a table");
                continue;
            };
            let unread = self.resolve_files(&place, &mut table);
            read.extend(entries::read::<T>(&place, &table, unread, &mut self.problems));
        }
        read
    }

    fn take(&mut self, path: &str) -> Option<Table> {
        let (parents, name) = path.rsplit_once('.').map_or((None, path), |(p, n)| (Some(p), n));
        let table = match parents {
            None => &mut self.root,
            Some(parent) => match self.root.get_mut(parent) {
                Some(Value::Table(table)) => table,
                _ => return None,
            },
        };
        match table.remove(name)? {
            Value::Table(table) => Some(table),
            _ => {
                self.problems
                    .add(format!("[{path}]"), "must be a section, not a value");
                self.unread.insert(format!("{path}."));
                None
            }
        }
    }

    /// Replaces `KEY_file = "path"` by the content of the file, without its last line end: of [`FILE_KEYS`], and of
    /// every header. Answers the keys whose file can't be read.
    fn resolve_files(&mut self, place: &str, table: &mut Table) -> Vec<String> {
        let unread = FILE_KEYS
            .into_iter()
            .filter(|key| !self.resolve_file(place, table, key))
            .map(str::to_owned)
            .collect();
        if let Some(Value::Table(headers)) = table.get_mut(HEADERS) {
            let place = format!("{place} {HEADERS}");
            let in_files: Vec<String> = headers
                .keys()
                .filter_map(|key| key.strip_suffix("_file").map(str::to_owned))
                .collect();
            for key in in_files {
                self.resolve_file(&place, headers, &key);
            }
        }
        unread
    }

    /// Answers false where the file can't be read.
    fn resolve_file(&mut self, place: &str, table: &mut Table, key: &str) -> bool {
        let file_key = format!("{key}_file");
        let Some(value) = table.remove(&file_key) else {
            return true;
        };
        if table.contains_key(key) {
            self.problems.add(
                format!("{place} {file_key}"),
                format!("remove it or {key}: one of both"),
            );
            return true;
        }
        let content = match &value {
            // Several keys while one takes another's place: a file for each.
            Value::Array(paths) => paths
                .iter()
                .map(read_file)
                .collect::<Result<_, _>>()
                .map(Value::Array),
            path => read_file(path),
        };
        match content {
            Ok(content) => {
                table.insert(key.to_owned(), content);
                true
            }
            Err(problem) => {
                self.problems.add(format!("{place} {file_key}"), problem);
                false
            }
        }
    }

    fn unknown_sections(mut self, variables: &Variables) -> Problems {
        for (name, value) in &self.root {
            match value {
                // What is left of a parent whose sections were taken.
                Value::Table(table) if name == "password" => {
                    for key in table.keys() {
                        self.problems.add(
                            format!("[password] {key}"),
                            "no such section; there are [password.policy], [password.breached] and [password.hashing]",
                        );
                    }
                }
                Value::Table(table) if table.keys().all(|key| variables.sets(name, key)) => {
                    for key in table.keys() {
                        self.problems.add(
                            format!("[{name}] {key}"),
                            "no such section; `keyback config` prints all there are",
                        );
                    }
                }
                _ => self.problems.add(
                    format!("[{name}]"),
                    "no such section; `keyback config` prints all there are",
                ),
            }
        }
        self.problems
    }
}

/// A variable's name has no dashes and no capitals, a header's name may have both: `X_API_KEY` is `X-Api-Key` of the file.
fn lay_header_over(headers: &mut Table, variable: &str, value: &str) {
    let (name, suffix) = match variable.strip_suffix("_file") {
        Some(name) => (name, "_file"),
        None => (variable, ""),
    };
    let name = name.replace('_', "-");
    headers.retain(|key, _| {
        let key = key.strip_suffix("_file").unwrap_or(key);
        !key.eq_ignore_ascii_case(&name)
    });
    headers.insert(format!("{name}{suffix}"), Value::String(value.to_owned()));
}

/// The content of a file, without its last line end.
fn read_file(path: &Value) -> Result<Value, String> {
    let path = path.as_str().ok_or("must be the path of a file")?;
    match std::fs::read_to_string(Path::new(path)) {
        Ok(text) => Ok(Value::String(text.trim_end_matches(['\n', '\r']).to_owned())),
        Err(error) => Err(format!("{path}: {error}")),
    }
}
