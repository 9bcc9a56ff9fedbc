//! `[[app]]`, `[[resource]]` and `[[webhook]]`: lists of tables, of which each is read key by key, so that one wrong
//! key hides no other.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::Problems;
use super::words::what_to_write;

/// A table of a list.
pub(super) trait Entry: DeserializeOwned {
    /// The list's name.
    const LIST: &'static str;
    /// The key whose value names an entry to its reader.
    const ID: &'static str;
    /// The keys that must be there, each with the values that an entry could have had where its own is of no use. What
    /// is wrong with all of them is wrong whatever the right value is.
    const REQUIRED: &'static [(&'static str, &'static [&'static str])];

    /// How an entry with an id is named to its reader. `None`: by its number alone.
    fn shown(id: &str, _index: usize) -> Option<String> {
        Some(id.to_owned())
    }

    /// What is wrong with an entry by itself, beyond its single keys.
    fn problems(&self) -> Vec<String>;
}

/// How a problem names an entry: by its id, or by its number.
pub(super) fn place<T: Entry>(table: &Value, index: usize) -> String {
    let id = table.get(T::ID).and_then(Value::as_str);
    let shown = id.and_then(|id| T::shown(id, index));
    format!(
        "[[{}]] {}",
        T::LIST,
        shown.unwrap_or_else(|| format!("number {}", index + 1))
    )
}

/// Reads an entry and notes all that is wrong with it, but for what a rule says of a key that can't be read: of `unread`
/// ones that has been told. An entry that has a name is mended where it can't be read as it stands, so that what others
/// say of it isn't called wrong as well.
pub(super) fn read<T: Entry>(
    place: &str,
    table: &Table,
    mut unread: Vec<String>,
    problems: &mut Problems,
) -> Option<T> {
    let mut good = Table::new();
    for (key, value) in table {
        match T::deserialize(Value::Table(with(stand_in::<T>(), key, value.clone()))) {
            Ok(_) => {
                good.insert(key.clone(), value.clone());
            }
            Err(error) => {
                let told = what_to_write(&error);
                // An address that is none is repeated behind the reason, and may hold a secret.
                let told = told.split(": \"").next().unwrap_or_default();
                problems.add(place, format!("{key}: {told}"));
                unread.push(key.clone());
            }
        }
    }
    let is_named = good.contains_key(T::ID);
    let mut could_be = vec![good];
    for (key, values) in T::REQUIRED {
        if could_be[0].contains_key(*key) {
            continue;
        }
        if !table.contains_key(*key) {
            problems.add(place, format!("{key} is missing"));
        }
        could_be = could_be
            .iter()
            .flat_map(|table| {
                values
                    .iter()
                    .map(|value| with(table.clone(), key, (*value).into()))
            })
            .collect();
    }
    let could_be: Vec<T> = could_be
        .into_iter()
        .filter_map(|table| T::deserialize(Value::Table(table)).ok())
        .collect();
    let found: Vec<Vec<String>> = could_be.iter().map(T::problems).collect();
    if let Some((first, others)) = found.split_first() {
        for problem in first {
            let is_told = unread.iter().any(|key| problem.contains(key));
            if !is_told && others.iter().all(|other| other.contains(problem)) {
                problems.add(place, problem);
            }
        }
    }
    could_be.into_iter().next().filter(|_| is_named)
}

/// An entry with nothing but what must be there.
fn stand_in<T: Entry>() -> Table {
    let required = T::REQUIRED.iter();
    required
        .filter_map(|(key, values)| Some(((*key).to_owned(), (*values.first()?).into())))
        .collect()
}

fn with(mut table: Table, key: &str, value: Value) -> Table {
    table.insert(key.to_owned(), value);
    table
}
