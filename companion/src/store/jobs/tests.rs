use super::*;
use crate::store::Store;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const LEASE: Duration = Duration::from_secs(120);

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("keyback.db")).await.unwrap();
    (folder, store)
}

fn a_call<'a>(id: &'a str, target: &'a str) -> NewJob<'a> {
    NewJob {
        id,
        kind: "logout",
        lane: Lane::Calls,
        reference: None,
        target: Some(target),
        payload: "",
        created_at: NOW,
        expires_at: NOW + Duration::from_secs(86_400),
    }
}

async fn call(store: &Store, id: &str, target: &str) {
    add(store.writer(), &a_call(id, target)).await.unwrap();
}

async fn taken(store: &Store, now: Timestamp, calls: usize) -> Vec<String> {
    taken_but(store, now, calls, &[]).await
}

async fn taken_but(store: &Store, now: Timestamp, calls: usize, left_alone: &[String]) -> Vec<String> {
    let free = Free {
        email: 8,
        sms: 8,
        calls,
    };
    let mut ids: Vec<_> = take(store.writer(), now, LEASE, free, left_alone)
        .await
        .unwrap()
        .into_iter()
        .map(|job| job.id)
        .collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn a_target_has_two_calls_under_way_at_most_and_others_are_called_meanwhile() {
    let (_folder, store) = store().await;
    for id in ["mute-1", "mute-2", "mute-3", "mute-4"] {
        call(&store, id, "mute").await;
    }
    assert_eq!(taken(&store, NOW, 8).await, ["mute-1", "mute-2"]);
    call(&store, "other", "other").await;
    assert_eq!(taken(&store, NOW, 6).await, ["other"]);
    done(store.writer(), "mute-1").await.unwrap();
    assert_eq!(taken(&store, NOW, 7).await, ["mute-3"]);
    // Whoever took them has died.
    assert_eq!(taken(&store, NOW + LEASE, 8).await, ["mute-2", "mute-4", "other"]);
}

/// However their ids fall out, and in the same millisecond: as they were written, so they come (SR-60).
#[tokio::test]
async fn sr60_calls_of_one_reference_come_one_by_one_in_the_order_they_were_written_in() {
    let (_folder, store) = store().await;
    for id in ["z", "m", "a"] {
        let job = NewJob {
            id,
            kind: "webhook",
            lane: Lane::Calls,
            reference: Some("webhook:1:ada"),
            target: Some("webhook:1"),
            payload: "",
            created_at: NOW,
            expires_at: NOW + Duration::from_secs(86_400),
        };
        add(store.writer(), &job).await.unwrap();
    }
    call(&store, "of-another", "webhook:1").await;
    assert_eq!(taken(&store, NOW, 8).await, ["of-another", "z"]);
    assert_eq!(taken(&store, NOW, 8).await, [""; 0]);
    // It fails: the others wait for it.
    retry(store.writer(), "z", NOW, "no answer").await.unwrap();
    assert_eq!(taken(&store, NOW, 8).await, ["z"]);
    for (done_id, next) in [("z", "m"), ("m", "a")] {
        done(store.writer(), done_id).await.unwrap();
        assert_eq!(taken(&store, NOW, 8).await, [next]);
    }
}

#[tokio::test]
async fn sr87_whoever_is_left_alone_keeps_its_jobs_untouched_and_in_order() {
    let (_folder, store) = store().await;
    for id in ["mute-1", "mute-2"] {
        let job = NewJob {
            reference: Some("mute:ada"),
            ..a_call(id, "mute")
        };
        add(store.writer(), &job).await.unwrap();
    }
    call(&store, "other", "other").await;
    let left_alone = ["mute".to_owned()];
    assert_eq!(taken_but(&store, NOW, 8, &left_alone).await, ["other"]);
    assert_eq!(taken(&store, NOW, 8).await, ["mute-1"]);
    // It found the circuit open: it comes as its first try again, and before the later one.
    assert!(leave(store.writer(), "mute-1").await.unwrap());
    assert!(!leave(store.writer(), "withdrawn").await.unwrap());
    assert_eq!(taken_but(&store, NOW, 8, &left_alone).await, [""; 0]);
    let free = Free {
        email: 0,
        sms: 0,
        calls: 8,
    };
    let again = take(store.writer(), NOW, LEASE, free, &[]).await.unwrap();
    let again: Vec<_> = again.iter().map(|job| (job.id.as_str(), job.attempts)).collect();
    assert_eq!(again, [("mute-1", 1)]);
}

/// Beside those that hold them up the lane has places, and another takes one at once.
#[tokio::test]
async fn sr87_two_mails_to_one_owner_are_under_way_and_those_to_others_go_on() {
    let (_folder, store) = store().await;
    let mail = async |id, target| {
        let job = NewJob {
            lane: Lane::Email,
            ..a_call(id, target)
        };
        add(store.writer(), &job).await.unwrap();
    };
    for id in [
        "pit-0", "pit-1", "pit-2", "pit-3", "pit-4", "pit-5", "pit-6", "pit-7", "pit-8",
    ] {
        mail(id, "pit").await;
    }
    mail("zoe", "zoe").await;
    assert_eq!(taken(&store, NOW, 0).await, ["pit-0", "pit-1"]);
    assert_eq!(taken(&store, NOW, 0).await, ["zoe"]);
    done(store.writer(), "pit-0").await.unwrap();
    assert_eq!(taken(&store, NOW, 0).await, ["pit-2"]);
    assert_eq!(taken(&store, NOW, 0).await, [""; 0]);
}

#[tokio::test]
async fn first_tries_come_before_retries() {
    let (_folder, store) = store().await;
    for target in ["a", "b", "c"] {
        call(&store, &format!("{target}-old"), target).await;
    }
    for id in taken(&store, NOW, 8).await {
        retry(store.writer(), &id, NOW, "no answer").await.unwrap();
    }
    for target in ["a", "d"] {
        call(&store, &format!("{target}-new"), target).await;
    }
    assert_eq!(taken(&store, NOW, 2).await, ["a-new", "d-new"]);
    assert_eq!(taken(&store, NOW, 8).await, ["a-old", "b-old", "c-old"]);
}
