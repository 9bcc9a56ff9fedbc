//! A file and its entries. However the file is made, one entry at a time is in memory, and no more than a bounded part.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value};

use super::{csv, json};

/// Bytes of an entry at most: a person's claims are some hundred.
pub(super) const MOST_ENTRY_BYTES: usize = 64 * 1024;
/// What is read ahead, and may belong to the next entries.
pub(super) const BUFFER_BYTES: usize = 64 * 1024;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Objects, a line each, or one list of them
    Json,
    /// Comma-separated values under a line of column names
    Csv,
}

impl Format {
    /// The format by the ending of a file's name.
    pub fn of(path: &Path) -> Self {
        match path.extension() {
            Some(ending) if ending.eq_ignore_ascii_case("csv") => Self::Csv,
            _ => Self::Json,
        }
    }
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The line that it begins on, from 1.
    Line(u64),
    /// Which of a list, from 1.
    Entry(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Entry(number) => write!(f, "entry {number}"),
        }
    }
}

/// An entry as it was read: its members, or why there are none.
pub(super) type Entry = (Place, Result<Map<String, Value>, String>);

/// Reads a file to its end, or until `each` breaks. An entry that can't be read is handed on as a problem; where
/// nothing after it can be told apart any more, it is the last.
pub(super) fn read(
    from: impl Read,
    format: Format,
    mut each: impl FnMut(Entry) -> ControlFlow<()>,
) -> io::Result<()> {
    let bounded = Bounded::new(from);
    let allowance = bounded.allowance();
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, bounded);
    // Windows begins text with it.
    if reader.fill_buf()?.starts_with("\u{feff}".as_bytes()) {
        reader.consume('\u{feff}'.len_utf8());
    }
    match format {
        Format::Csv => csv::read(reader, &allowance, &mut each),
        Format::Json if first_byte(&mut reader)? == Some(b'[') => {
            json::read_list(reader, &allowance, &mut each)
        }
        Format::Json => json::read_lines(reader, &allowance, &mut each),
    }
}

/// The first byte that is no white space, which stays in the reader if it is within what is buffered.
fn first_byte(reader: &mut impl BufRead) -> io::Result<Option<u8>> {
    let ahead = reader.fill_buf()?;
    Ok(ahead.iter().copied().find(|byte| !byte.is_ascii_whitespace()))
}

/// A reader that fails once more was read than one entry may have, so that a missing quote or line end can't pull a
/// whole file into memory.
pub(super) struct Bounded<R> {
    from: R,
    allowance: Allowance,
}

/// What may be read before the next entry must have begun.
#[derive(Clone)]
pub(super) struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    /// An entry has ended: the next may be as large.
    pub(super) fn renew(&self) {
        self.0.store(MOST_ENTRY_BYTES + BUFFER_BYTES, Ordering::Relaxed);
    }
}

impl<R> Bounded<R> {
    fn new(from: R) -> Self {
        let allowance = Allowance(Arc::new(AtomicUsize::new(0)));
        allowance.renew();
        Self { from, allowance }
    }

    fn allowance(&self) -> Allowance {
        self.allowance.clone()
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.allowance.0.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, TOO_LARGE));
        }
        let most = buffer.len().min(left);
        let count = self.from.read(&mut buffer[..most])?;
        self.allowance.0.store(left - count, Ordering::Relaxed);
        Ok(count)
    }
}

/// What is told of an entry that is too large.
pub(super) const TOO_LARGE: &str = "an entry is larger than 64 KiB; is a quote or a line end missing?";
