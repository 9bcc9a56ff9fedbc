//! Ends that outlive the process, in a file of its owner's alone.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::ends::{End, Ends};
use super::logouts::{LogoutMark, LogoutRegistry};
use super::store::{StoreError, StoreFuture, private};
use crate::clock::Clock;

/// The first line: what has another one was not written by this registry, and is left alone.
const HEADER: &str = "keyback logouts 1";
/// No mark is longer.
const LONGEST_LINE: u64 = 8 * 1024;
/// The file is written anew when so many lines were added to it, or as many as it held, if those are more.
const FEWEST_ADDED: usize = 1024;

/// Keeps the ends in memory and in a file (0600), so that a session that has ended stays so after a restart. For one process
/// at a time: replicas share a database.
///
/// An end is on the disk before it is answered. The file grows by a line for each, and is written anew, without those that are over, when it
/// is opened and whenever it has doubled; it is replaced at once or not at all. At 100,000 ends those that are over first are forgotten
/// first.
///
/// The calls block for the moment that a line takes to be on the disk.
///
/// ```
/// # fn site(client: keyback::Client, secret: [u8; 32]) -> Result<keyback::Site, Box<dyn std::error::Error>> {
/// use std::sync::Arc;
///
/// use keyback::{FileLogouts, Site, SystemClock};
///
/// let logouts = FileLogouts::open("/var/lib/my-site/logouts", Arc::new(SystemClock))?;
/// Ok(Site::builder(client, secret).logout_registry(Arc::new(logouts)).build()?)
/// # }
/// ```
pub struct FileLogouts {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
    /// Given back when it is closed.
    _lock: File,
}

struct Held {
    ends: Ends,
    file: File,
    /// Lines since the file was last written anew.
    added: usize,
    /// At how many it is written anew.
    full: usize,
}

/// When it ended, until when that counts, in seconds, and what it is.
type Line = (u64, u64, String);

impl FileLogouts {
    /// Reads what is in the file at `path`, which is made where it is not there; its folder must be. `clock` is that of the client.
    ///
    /// # Errors
    ///
    /// [`StoreError::Failed`] when the file can't be read or written, is none of this registry's, or is open in another process: a lock beside it
    /// (`….lock`) keeps two from writing at the same time.
    pub fn open(path: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let path = path.into();
        let lock = lock(&path).map_err(StoreError::failed)?;
        let mut ends = read(&path).map_err(StoreError::failed)?;
        ends.drop_over(clock.now());
        let held = Held::write(ends, &path).map_err(StoreError::failed)?;
        Ok(Self {
            path,
            clock,
            held: Mutex::new(held),
            _lock: lock,
        })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, mark: &LogoutMark, end: End) -> io::Result<()> {
        let mut held = self.held();
        // First for who asks now: if the disk fails, whoever asked for the end is told, and tries again.
        held.ends.add(mark.clone(), end);
        if held.added >= held.full {
            let mut ends = std::mem::take(&mut held.ends);
            ends.drop_over(self.clock.now());
            match rewrite(&ends, &self.path) {
                Ok(file) => *held = Held::new(ends, file),
                Err(error) => {
                    held.ends = ends;
                    return Err(error);
                }
            }
            return Ok(());
        }
        held.file.write_all(&line(mark, &end)?)?;
        held.file.sync_data()?;
        held.added += 1;
        Ok(())
    }
}

impl Held {
    fn write(ends: Ends, path: &Path) -> io::Result<Self> {
        let file = rewrite(&ends, path)?;
        Ok(Self::new(ends, file))
    }

    fn new(ends: Ends, file: File) -> Self {
        let full = ends.len().max(FEWEST_ADDED);
        Self {
            ends,
            file,
            added: 0,
            full,
        }
    }
}

impl LogoutRegistry for FileLogouts {
    fn end<'a>(&'a self, mark: &'a LogoutMark, at: SystemTime, until: SystemTime) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.add(mark, End { at, until }).map_err(StoreError::failed) })
    }

    fn ends<'a>(&'a self, marks: &'a [LogoutMark]) -> StoreFuture<'a, Vec<Option<SystemTime>>> {
        Box::pin(async move {
            let held = self.held();
            Ok(marks.iter().map(|mark| held.ends.find(mark)).collect())
        })
    }
}

fn lock(path: &Path) -> io::Result<File> {
    let file = private::open(&private::beside(path, "lock"))?;
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => {
            io::Error::new(ErrorKind::ResourceBusy, "another process has this registry open")
        }
        TryLockError::Error(error) => error,
    })?;
    Ok(file)
}

fn read(path: &Path) -> io::Result<Ends> {
    let mut ends = Ends::default();
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(ends),
        file => file?,
    };
    let mut lines = BufReader::new(file);
    let mut text = Vec::new();
    let mut number = 0;
    let mut damaged = 0;
    loop {
        text.clear();
        if lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut text)? == 0 {
            break;
        }
        let trimmed = text.trim_ascii();
        if number == 0 && trimmed != HEADER.as_bytes() {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "this file is no registry of ended sessions",
            ));
        }
        if number > 0 && !trimmed.is_empty() {
            match parse(trimmed) {
                Some((mark, end)) => ends.add(mark, end),
                // A crash may have left half a line.
                None => damaged += 1,
            }
        }
        number += 1;
    }
    if damaged > 0 {
        tracing::warn!(
            lines = damaged,
            "ends of sessions could not be read, and are left out"
        );
    }
    Ok(ends)
}

fn parse(text: &[u8]) -> Option<(LogoutMark, End)> {
    let (at, until, mark): Line = serde_json::from_slice(text).ok()?;
    let end = End {
        at: time(at)?,
        until: time(until)?,
    };
    Some((LogoutMark::of_text(mark), end))
}

/// The line break comes first: after half a line, the next is whole.
fn line(mark: &LogoutMark, end: &End) -> io::Result<Vec<u8>> {
    let mut text = vec![b'\n'];
    let line: Line = (
        seconds(end.at),
        seconds(end.until).saturating_add(1),
        mark.as_str().to_owned(),
    );
    serde_json::to_writer(&mut text, &line)?;
    Ok(text)
}

fn rewrite(ends: &Ends, path: &Path) -> io::Result<File> {
    let mut text = HEADER.as_bytes().to_vec();
    for (mark, end) in ends.iter() {
        text.extend(line(mark, end)?);
    }
    private::replace(path, &text)?;
    OpenOptions::new().append(true).open(path)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn time(seconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

impl fmt::Debug for FileLogouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileLogouts")
            .field("ends", &self.held().ends.len())
            .finish_non_exhaustive()
    }
}
