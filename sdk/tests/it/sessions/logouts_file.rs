//! Ends that outlive the process.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use keyback::{FileLogouts, MemoryStore, StoreError, TokenStore};

use super::{configured, rotating};
use crate::provider::{SUBJECT, World};

const FORTNIGHT: Duration = Duration::from_secs(14 * 24 * 60 * 60);

fn open(path: &Path, world: &World) -> Arc<FileLogouts> {
    Arc::new(FileLogouts::open(path, world.clock.clone()).unwrap())
}

/// What a restart with the registry in memory would bring back.
#[tokio::test]
async fn a_session_that_has_ended_stays_so_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logouts");
    let (world, session) = rotating().await;
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
    let mut ended = None;
    for run in 0..3 {
        let logouts = open(&path, &world);
        let sessions = configured(&world, |builder| {
            builder.store(store.clone()).logout_registry(logouts.clone())
        });
        match &ended {
            None => {
                ended = Some(sessions.begin(&session).await.unwrap().id().clone());
                sessions.end_all_of(SUBJECT).await.unwrap();
            }
            Some(id) => assert!(sessions.find(id).await.unwrap().is_none(), "run {run}"),
        }
        // As after a crash in the midst of a line.
        drop((sessions, logouts));
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("\n[179");
        fs::write(&path, text).unwrap();
    }
    // Longer ago than any session lasts: it is forgotten.
    world.clock.advance(FORTNIGHT + Duration::from_secs(10));
    drop(open(&path, &world));
    assert_eq!(fs::read_to_string(&path).unwrap(), "keyback logouts 1");
}

/// Half a line, left by a disk that was full, takes no other with it.
#[tokio::test]
async fn an_end_after_half_a_line_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logouts");
    let (world, session) = rotating().await;
    let logouts = open(&path, &world);
    let sessions = configured(&world, |builder| builder.logout_registry(logouts.clone()));
    sessions.begin(&session).await.unwrap();
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("\n[179000");
    fs::write(&path, text).unwrap();
    sessions.end_all_of(SUBJECT).await.unwrap();
    drop((sessions, logouts));
    drop(open(&path, &world));
    assert!(fs::read_to_string(&path).unwrap().contains(SUBJECT));
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logouts");
    fs::write(&path, "keyback logouts 1").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let _logouts = open(&path, &World::new());
    for file in fs::read_dir(&folder).unwrap() {
        let file = file.unwrap();
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{file:?}"
        );
    }
}

/// Else the one would write over what the other has added, or over what was never a registry.
#[tokio::test]
async fn a_file_that_another_has_open_or_that_is_no_registry_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logouts");
    let world = World::new();
    let first = open(&path, &world);
    let second = FileLogouts::open(&path, world.clock.clone()).unwrap_err();
    assert!(matches!(second, StoreError::Failed(_)));
    drop(first);
    open(&path, &world);

    fs::write(&path, "secret = 1\n").unwrap();
    let error = FileLogouts::open(&path, world.clock.clone()).unwrap_err();
    assert!(matches!(error, StoreError::Failed(_)));
    assert_eq!(fs::read_to_string(&path).unwrap(), "secret = 1\n");
}

/// Many sign-outs of a long-lived process: those that are over leave the file.
#[tokio::test]
async fn the_file_does_not_grow_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logouts");
    let (world, session) = rotating().await;
    let logouts = open(&path, &world);
    let sessions = configured(&world, |builder| {
        builder
            .logout_registry(logouts.clone())
            .lifetime(Duration::from_secs(60))
    });
    let mut first = None;
    for _ in 0..1100 {
        let signed_in = sessions.begin(&session).await.unwrap();
        drop(sessions.end(signed_in.id()).await.unwrap());
        first.get_or_insert_with(|| signed_in.id().key());
        world.clock.advance(Duration::from_secs(1));
    }
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.lines().count() < 300, "{}", text.lines().count());
    assert!(!text.contains(first.unwrap().as_str()));
}

/// A disk that hangs keeps nobody from being signed out, or let in, by what is in memory.
#[cfg(unix)]
#[tokio::test]
async fn looking_up_does_not_wait_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logouts");
    let (world, session) = rotating().await;
    let logouts = open(&path, &world);
    let sessions = Arc::new(configured(&world, |builder| {
        builder.logout_registry(logouts.clone())
    }));
    let mut many = tokio::task::JoinSet::new();
    for number in 0..1024 {
        let sessions = Arc::clone(&sessions);
        many.spawn(async move { sessions.end_all_of(&format!("person-{number}")).await.unwrap() });
    }
    many.join_all().await;
    let signed_in = sessions.begin(&session).await.unwrap();
    // The file would be written anew now, through a pipe that nobody reads.
    let pipe = folder.path().join("logouts.new");
    fs::remove_file(&pipe).ok();
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let ending = tokio::spawn({
        let sessions = Arc::clone(&sessions);
        async move { sessions.end_all_of("somebody else").await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!ending.is_finished(), "an end is answered when it is on the disk");
    let looking = tokio::time::timeout(Duration::from_secs(5), sessions.find(signed_in.id()));
    assert!(looking.await.unwrap().unwrap().is_some());
    let second = tokio::spawn({
        let sessions = Arc::clone(&sessions);
        async move { sessions.end_all_of(SUBJECT).await }
    });
    tokio::task::yield_now().await;
    let looking = tokio::time::timeout(Duration::from_secs(5), sessions.find(signed_in.id()));
    assert!(
        looking.await.unwrap().unwrap().is_none(),
        "what has ended has ended at once"
    );
    // The disk is back with a failure: whoever asked learns that the end is not on it, and asks again.
    fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    assert!(ending.await.unwrap().is_err());
    fs::remove_file(&pipe).ok();
    second.await.unwrap().ok();
    sessions.end_all_of(SUBJECT).await.unwrap();
    drop((sessions, logouts));
    assert!(fs::read_to_string(&path).unwrap().contains(SUBJECT));
}
