//! CSV (RFC 4180): a line of column names, then an account a record. An empty field is no value.

use std::io::{self, Read};
use std::ops::ControlFlow;

use csv::{ErrorKind, ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::record;
use super::source::{Allowance, Entry, MOST_ENTRY_BYTES, Place, TOO_LARGE};

/// Reads the records of a file.
pub(super) fn read(
    from: impl Read,
    allowance: &Allowance,
    each: &mut impl FnMut(Entry) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut reader = ReaderBuilder::new().from_reader(from);
    let columns = match reader.headers() {
        Ok(columns) => columns.clone(),
        Err(error) => return finish(error, Place::Line(1), each),
    };
    if let Some(unknown) = columns.iter().find(|column| !record::is_column(column)) {
        let told: String = unknown.chars().filter(|c| !c.is_control()).take(40).collect();
        let problem = format!("the column {told:?} is none that an account has");
        let _last = each((Place::Line(1), Err(problem)));
        return Ok(());
    }
    let mut row = StringRecord::new();
    loop {
        allowance.renew();
        let begins = Place::Line(reader.position().line());
        match reader.read_record(&mut row) {
            Ok(false) => return Ok(()),
            Ok(true) => {
                let place = row.position().map_or(begins, |at| Place::Line(at.line()));
                let members = if row.as_slice().len() > MOST_ENTRY_BYTES {
                    Err(TOO_LARGE.to_owned())
                } else {
                    Ok(members(&columns, &row))
                };
                if each((place, members)).is_break() {
                    return Ok(());
                }
            }
            Err(error) => match error.kind() {
                ErrorKind::UnequalLengths {
                    expected_len, len, ..
                } => {
                    let problem =
                        format!("this record has {len} fields, and there are {expected_len} columns");
                    if each((begins, Err(problem))).is_break() {
                        return Ok(());
                    }
                }
                ErrorKind::Utf8 { .. } => {
                    if each((begins, Err("this is no text in UTF-8".to_owned()))).is_break() {
                        return Ok(());
                    }
                }
                _ => return finish(error, begins, each),
            },
        }
    }
}

/// Hands on an error behind which nothing can be read.
fn finish(
    error: csv::Error,
    place: Place,
    each: &mut impl FnMut(Entry) -> ControlFlow<()>,
) -> io::Result<()> {
    match error.into_kind() {
        ErrorKind::Io(error) if error.kind() != io::ErrorKind::FileTooLarge => Err(error),
        ErrorKind::Utf8 { .. } => {
            let _last = each((place, Err("this is no text in UTF-8".to_owned())));
            Ok(())
        }
        _ => {
            let _last = each((place, Err(TOO_LARGE.to_owned())));
            Ok(())
        }
    }
}

fn members(columns: &StringRecord, row: &StringRecord) -> Map<String, Value> {
    let filled = columns.iter().zip(row).filter(|(_, field)| !field.is_empty());
    filled
        .map(|(column, field)| (column.to_owned(), Value::String(field.to_owned())))
        .collect()
}
