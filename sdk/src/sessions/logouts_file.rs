//! Ends that outlive the process, in a file of its owner's alone.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::oneshot;

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
/// is opened and whenever it has doubled; it is replaced at once or not at all. At 100,000 ends those that are over make room; where none is, the
/// tenth that is over first is forgotten, and a warning logged.
///
/// A thread of its own writes: no call blocks, ends that come at a time are on the disk at a time, and looking up waits for memory alone.
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
    ends: Arc<SharedEnds>,
    clock: Arc<dyn Clock>,
    /// None once it is dropped.
    writer: Option<(Sender<Entry>, JoinHandle<()>)>,
    /// Given back when it is closed.
    _lock: File,
}

/// What look-ups read. The disk is never waited for under this lock.
#[derive(Default)]
struct SharedEnds(RwLock<Ends>);

/// An end on its way to the disk, and who waits for it.
struct Entry {
    line: Vec<u8>,
    written: oneshot::Sender<io::Result<()>>,
}

/// What the thread has.
struct Writer {
    path: PathBuf,
    ends: Arc<SharedEnds>,
    clock: Arc<dyn Clock>,
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
        let now = clock.now();
        let mut ends = read(&path, now).map_err(StoreError::failed)?;
        ends.drop_over(now);
        let file = rewrite(ends.iter(), &path).map_err(StoreError::failed)?;
        let full = ends.len().max(FEWEST_ADDED);
        let ends = Arc::new(SharedEnds(RwLock::new(ends)));
        let writer = Writer {
            path,
            ends: Arc::clone(&ends),
            clock: Arc::clone(&clock),
            file,
            added: 0,
            full,
        };
        let (sender, entries) = channel();
        let thread = std::thread::Builder::new()
            .name("keyback-logouts".to_owned())
            .spawn(move || writer.run(&entries))
            .map_err(StoreError::failed)?;
        Ok(Self {
            ends,
            clock,
            writer: Some((sender, thread)),
            _lock: lock,
        })
    }

    async fn add(&self, mark: &LogoutMark, end: End) -> io::Result<()> {
        // First for who asks now: if the disk fails, whoever asked for the end is told, and tries again.
        self.ends.add(mark.clone(), end, self.clock.now());
        let (written, answer) = oneshot::channel();
        let entry = Entry {
            line: line(mark, &end)?,
            written,
        };
        let gone = || io::Error::other("the thread that writes the registry has ended");
        let (sender, _) = self.writer.as_ref().ok_or_else(gone)?;
        sender.send(entry).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// What was asked for is on the disk, and the file may be opened again.
impl Drop for FileLogouts {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.writer.take() {
            drop(sender);
            // A thread that has panicked has said so.
            thread.join().ok();
        }
    }
}

impl SharedEnds {
    fn add(&self, mark: LogoutMark, end: End, now: SystemTime) {
        let forgotten = {
            let mut ends = self.0.write().unwrap_or_else(PoisonError::into_inner);
            ends.add(mark, end, now)
        };
        forgotten.warn();
    }

    fn find(&self, marks: &[LogoutMark]) -> Vec<Option<SystemTime>> {
        let ends = self.0.read().unwrap_or_else(PoisonError::into_inner);
        marks.iter().map(|mark| ends.find(mark)).collect()
    }

    fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Those that are not over, copied.
    fn live(&self, now: SystemTime) -> Vec<(LogoutMark, End)> {
        let mut ends = self.0.write().unwrap_or_else(PoisonError::into_inner);
        ends.drop_over(now);
        ends.iter().map(|(mark, end)| (mark.clone(), *end)).collect()
    }
}

impl Writer {
    /// Until nobody can send any more.
    fn run(mut self, entries: &Receiver<Entry>) {
        while let Ok(first) = entries.recv() {
            // Those that came meanwhile share its way to the disk.
            let batch: Vec<Entry> = std::iter::once(first).chain(entries.try_iter()).collect();
            let failed = self.write(&batch).err().map(Arc::new);
            for entry in batch {
                let answer = match &failed {
                    None => Ok(()),
                    Some(error) => Err(io::Error::new(error.kind(), Arc::clone(error))),
                };
                // Whoever asked may have gone.
                entry.written.send(answer).ok();
            }
        }
    }

    fn write(&mut self, batch: &[Entry]) -> io::Result<()> {
        if self.added >= self.full {
            // They are in memory already, and so in the new file.
            let live = self.ends.live(self.clock.now());
            self.file = rewrite(live.iter().map(|(mark, end)| (mark, end)), &self.path)?;
            self.added = 0;
            self.full = live.len().max(FEWEST_ADDED);
            return Ok(());
        }
        let lines: Vec<u8> = batch
            .iter()
            .flat_map(|entry| entry.line.iter().copied())
            .collect();
        self.file.write_all(&lines)?;
        self.file.sync_data()?;
        self.added += batch.len();
        Ok(())
    }
}

impl LogoutRegistry for FileLogouts {
    fn end<'a>(&'a self, mark: &'a LogoutMark, at: SystemTime, until: SystemTime) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.add(mark, End { at, until })
                .await
                .map_err(StoreError::failed)
        })
    }

    fn ends<'a>(&'a self, marks: &'a [LogoutMark]) -> StoreFuture<'a, Vec<Option<SystemTime>>> {
        Box::pin(async move { Ok(self.ends.find(marks)) })
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

fn read(path: &Path, now: SystemTime) -> io::Result<Ends> {
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
                Some((mark, end)) => ends.add(mark, end, now).warn(),
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

fn rewrite<'a>(ends: impl Iterator<Item = (&'a LogoutMark, &'a End)>, path: &Path) -> io::Result<File> {
    let mut text = HEADER.as_bytes().to_vec();
    for (mark, end) in ends {
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
            .field("ends", &self.ends.len())
            .finish_non_exhaustive()
    }
}
