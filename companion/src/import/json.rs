//! JSON: an object a line, or one list of objects.

use std::fmt;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde_json::Value;

use super::source::{Allowance, Entry, MOST_ENTRY_BYTES, Place, TOO_LARGE};

/// Reads an object a line. Empty lines are none.
pub(super) fn read_lines(
    mut reader: impl BufRead,
    allowance: &Allowance,
    each: &mut impl FnMut(Entry) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        allowance.renew();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) if line.len() <= MOST_ENTRY_BYTES => {}
            Ok(_) => {
                if each((Place::Line(number), Err(TOO_LARGE.to_owned()))).is_break() {
                    break;
                }
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                let _last = each((Place::Line(number), Err(TOO_LARGE.to_owned())));
                break;
            }
            Err(error) => return Err(error),
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let members = serde_json::from_slice(&line).map_err(|error| told(&error));
        if each((Place::Line(number), members)).is_break() {
            break;
        }
    }
    Ok(())
}

/// Reads a list of objects, one at a time.
pub(super) fn read_list(
    reader: impl BufRead,
    allowance: &Allowance,
    each: &mut impl FnMut(Entry) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut walk = Walk {
        allowance,
        each,
        number: 1,
        stopped: false,
    };
    let mut from = serde_json::Deserializer::from_reader(reader);
    let read = from.deserialize_seq(&mut walk).and_then(|()| from.end());
    match read {
        _ if walk.stopped => Ok(()),
        Ok(()) => Ok(()),
        // Behind a break nothing can be told apart.
        Err(error) => {
            let place = Place::Entry(walk.number);
            let problem = match error.io_error_kind() {
                Some(io::ErrorKind::FileTooLarge) => TOO_LARGE.to_owned(),
                Some(_) => return Err(error.into()),
                None => told(&error),
            };
            let _last = (walk.each)((place, Err(problem)));
            Ok(())
        }
    }
}

/// What is wrong with the JSON. The words of serde_json may repeat a value; its kind of error and place don't.
fn told(error: &serde_json::Error) -> String {
    let place = format!("at line {} column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Eof => format!("this JSON ends too early, {place}"),
        serde_json::error::Category::Data => format!("this is JSON, but no object, {place}"),
        _ => format!("this is no JSON, {place}"),
    }
}

/// Hands the entries of a list on while it is read.
struct Walk<'a, F> {
    allowance: &'a Allowance,
    each: &'a mut F,
    /// The entry that is being read.
    number: u64,
    stopped: bool,
}

impl<'de, F: FnMut(Entry) -> ControlFlow<()>> Visitor<'de> for &mut Walk<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(value) = list.next_element_seed(Whole)? {
            self.allowance.renew();
            let members = match value {
                Value::Object(members) => Ok(members),
                _ => Err("this is no object".to_owned()),
            };
            let place = Place::Entry(self.number);
            self.number += 1;
            if (self.each)((place, members)).is_break() {
                self.stopped = true;
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// Reads one entry.
struct Whole;

impl<'de> DeserializeSeed<'de> for Whole {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        serde::Deserialize::deserialize(from)
    }
}
