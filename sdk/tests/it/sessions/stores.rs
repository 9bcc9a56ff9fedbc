//! What every store must do, and what is each one's own.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use keyback::{
    CookieStore, FileStore, MemoryStore, Saved, SealedSession, SessionId, SessionKey, Sessions, StoreError,
    TokenStore,
};
use serde_json::json;

use super::{ORDERS, SECRET, STOCK, rotating, sign_in, uses};
use crate::provider::{ACCESS_TOKEN, NOW, World, access_token_for};

fn session(version: u64, sealed: &[u8]) -> SealedSession {
    SealedSession::new(
        version,
        UNIX_EPOCH + Duration::from_secs(NOW + 99),
        sealed.to_vec(),
    )
}

fn key(letter: char) -> SessionKey {
    SessionId::parse(&letter.to_string().repeat(43)).unwrap().key()
}

/// The rule that makes refreshes and sign-outs safe.
async fn keeps_the_rule(store: &dyn TokenStore) {
    let (one, other) = (key('a'), key('b'));
    assert_eq!(store.load(&one).await.unwrap(), None);
    let save = |version, replaces| store.save(&one, session(version, b"sealed"), replaces);
    assert_eq!(save(0, Some(7)).await.unwrap(), Saved::Conflict);
    assert_eq!(save(0, None).await.unwrap(), Saved::Done);
    assert_eq!(save(0, None).await.unwrap(), Saved::Conflict);
    assert_eq!(store.load(&one).await.unwrap(), Some(session(0, b"sealed")));
    assert_eq!(save(1, Some(0)).await.unwrap(), Saved::Done);
    assert_eq!(save(2, Some(0)).await.unwrap(), Saved::Conflict);
    assert_eq!(store.load(&one).await.unwrap().unwrap().version(), 1);

    assert_eq!(store.load(&other).await.unwrap(), None);
    assert_eq!(
        store.save(&other, session(0, b"other"), None).await.unwrap(),
        Saved::Done
    );
    store.remove(&one).await.unwrap();
    store.remove(&one).await.unwrap();
    assert_eq!(store.load(&one).await.unwrap(), None);
    assert_eq!(save(2, Some(1)).await.unwrap(), Saved::Conflict);
    assert_eq!(store.load(&other).await.unwrap(), Some(session(0, b"other")));
}

#[tokio::test]
async fn memory_keeps_the_rule() {
    keeps_the_rule(&MemoryStore::new()).await;
}

#[tokio::test]
async fn files_keep_the_rule() {
    let folder = tempfile::tempdir().unwrap();
    keeps_the_rule(&FileStore::open(folder.path().join("sessions")).unwrap()).await;
}

#[tokio::test]
async fn cookies_keep_the_rule() {
    let world = World::new();
    keeps_the_rule(&CookieStore::of_request(&world.client, "")).await;
}

#[cfg(feature = "tower-sessions")]
#[tokio::test]
async fn stores_of_tower_sessions_keep_the_rule() {
    keeps_the_rule(&keyback::TowerSessionStore::new(Arc::new(
        super::tower::Store::default(),
    )))
    .await;
}

#[tokio::test]
async fn a_session_survives_the_program_that_began_it() {
    let (world, session) = rotating().await;
    let folder = tempfile::tempdir().unwrap();
    let program = || {
        let store = FileStore::open(folder.path()).unwrap();
        let key = store.sealing_key().unwrap();
        let builder = Sessions::builder(&world.client, key).store(Arc::new(store));
        builder.build().unwrap()
    };
    let id = program().begin(&session).await.unwrap().id().clone();
    let again = program().find(&id).await.unwrap().unwrap();
    assert_eq!(again.claims().email(), Some("ada@example.com"));
    again.access_token(Some(ORDERS), None).await.unwrap();
    let third = program().find(&id).await.unwrap().unwrap();
    let token = third.access_token(Some(ORDERS), None).await.unwrap();
    assert_eq!(token.as_str(), access_token_for(ORDERS));
    assert_eq!(uses(&world), 1);
}

/// Nobody but its owner reads a file, and who does sees no token.
#[cfg(unix)]
#[tokio::test]
async fn files_are_their_owners_and_sealed() {
    use std::os::unix::fs::PermissionsExt as _;
    let (world, session) = rotating().await;
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("sessions");
    let store = FileStore::open(&inside).unwrap();
    store.sealing_key().unwrap();
    let builder = Sessions::builder(&world.client, SECRET).store(Arc::new(store));
    builder.build().unwrap().begin(&session).await.unwrap();

    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inside), 0o700);
    let mut sessions = 0;
    for file in std::fs::read_dir(&inside).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for secret in [ACCESS_TOKEN, "refresh-1", session.id_token()] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()));
        }
        if path.extension().is_some_and(|extension| extension == "session") {
            sessions += 1;
            assert_eq!(mode(&path), 0o600);
        }
    }
    assert_eq!((sessions, mode(&inside.join("key"))), (1, 0o600));
}

#[tokio::test]
async fn a_damaged_file_is_nobodys_session() {
    let (world, session) = rotating().await;
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(FileStore::open(folder.path()).unwrap());
    let sessions = Sessions::builder(&world.client, SECRET)
        .store(store)
        .build()
        .unwrap();
    let id = sessions.begin(&session).await.unwrap().id().clone();
    let path = folder.path().join(format!("{}.session", id.key().as_str()));
    let good = std::fs::read(&path).unwrap();
    for length in [0, 3, 16, 20, good.len() - 1] {
        std::fs::write(&path, &good[..length]).unwrap();
        assert!(sessions.find(&id).await.unwrap().is_none(), "{length}");
    }
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &changed).unwrap();
    assert!(sessions.find(&id).await.unwrap().is_none());
    // The version is bound to what is sealed: an old session can't be passed for a newer one.
    let mut renumbered = good.clone();
    renumbered[7] = 9;
    std::fs::write(&path, &renumbered).unwrap();
    assert!(sessions.find(&id).await.unwrap().is_none());
}

/// A session is bound to its key: one that is put in another's place opens nothing.
#[tokio::test]
async fn a_swapped_session_is_nobodys() {
    let (world, session) = rotating().await;
    let store = Arc::new(MemoryStore::new());
    let sessions = Sessions::builder(&world.client, SECRET)
        .store(store.clone())
        .build()
        .unwrap();
    let ada = sessions.begin(&session).await.unwrap().id().clone();
    let eve = sessions.begin(&session).await.unwrap().id().clone();
    let adas = store.load(&ada.key()).await.unwrap().unwrap();
    store.remove(&eve.key()).await.unwrap();
    assert_eq!(store.save(&eve.key(), adas, None).await.unwrap(), Saved::Done);
    assert!(sessions.find(&eve).await.unwrap().is_none());
    assert!(sessions.find(&ada).await.unwrap().is_some());
}

#[tokio::test]
async fn keys_are_changed_without_signing_anybody_out() {
    let (world, session) = rotating().await;
    let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
    let by = |secret: [u8; 32]| Sessions::builder(&world.client, secret).store(store.clone());
    let id = by([1; 32])
        .build()
        .unwrap()
        .begin(&session)
        .await
        .unwrap()
        .id()
        .clone();
    let changed = by([2; 32]).and_opens([1; 32]).build().unwrap();
    let found = changed.find(&id).await.unwrap().unwrap();
    found.access_token(Some(ORDERS), None).await.unwrap();
    // It was sealed anew, by the new secret.
    assert!(by([2; 32]).build().unwrap().find(&id).await.unwrap().is_some());
    assert!(by([1; 32]).build().unwrap().find(&id).await.unwrap().is_none());
    assert!(by([3; 32]).build().unwrap().find(&id).await.unwrap().is_none());
    assert_eq!(
        by([0; 32]).and_opens([0; 31]).build().unwrap_err().code(),
        "session.short_key"
    );
}

/// A browser that keeps its session itself.
struct Browser {
    world: World,
    sessions: Sessions,
    jar: Vec<(String, String)>,
}

impl Browser {
    fn new(world: &World) -> Self {
        Self {
            sessions: Sessions::builder(&world.client, SECRET).build().unwrap(),
            world: world.clone(),
            jar: Vec::new(),
        }
    }

    fn header(&self) -> String {
        let pairs = self.jar.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// The store of a request with these cookies, and the sessions in it.
    fn request(&self) -> (Arc<CookieStore>, Sessions) {
        let store = Arc::new(CookieStore::of_request(&self.world.client, &self.header()));
        (store.clone(), self.sessions.with_store(store))
    }

    fn take(&mut self, store: &CookieStore) {
        for set in store.set_cookies() {
            assert!(set.len() < 4096, "a browser would drop it");
            for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
                assert!(set.contains(attribute), "{set}");
            }
            assert!(set.starts_with("__Host-kbrp_"));
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            self.jar.retain(|(known, _)| known != name);
            if !set.contains("Max-Age=0") {
                self.jar.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

#[tokio::test]
async fn a_browser_keeps_its_session_in_cookies() {
    let (world, session) = rotating().await;
    let mut browser = Browser::new(&world);
    let (store, sessions) = browser.request();
    let id = sessions.begin(&session).await.unwrap().id().clone();
    browser.take(&store);

    let (store, sessions) = browser.request();
    let found = sessions.find(&id).await.unwrap().unwrap();
    assert!(store.set_cookies().is_empty(), "nothing has changed");
    found.access_token(Some(ORDERS), None).await.unwrap();
    browser.take(&store);
    world.clock.advance(Duration::from_secs(60));

    let (_, sessions) = browser.request();
    let found = sessions.find(&id).await.unwrap().unwrap();
    found.access_token(Some(ORDERS), None).await.unwrap();
    assert_eq!(uses(&world), 1);

    let (store, sessions) = browser.request();
    sessions.end(&id).await.unwrap().run().await.unwrap();
    assert_eq!(world.provider.lock().revocations.len(), 1);
    let before = browser.header();
    browser.take(&store);
    assert!(browser.jar.is_empty());
    // An old copy of the cookies is of no use.
    let old = Arc::new(CookieStore::of_request(&world.client, &before));
    let sessions = browser.sessions.with_store(old);
    assert!(sessions.find(&id).await.unwrap().is_none());
}

/// Two requests that the browser sent with the same cookies: one refreshes, the other gets its tokens.
#[tokio::test]
async fn a_request_with_an_older_cookie_gets_the_winners_tokens() {
    let (world, session) = rotating().await;
    let mut browser = Browser::new(&world);
    let (store, sessions) = browser.request();
    let id = sessions.begin(&session).await.unwrap().id().clone();
    browser.take(&store);

    let ((first, one), (second, other)) = (browser.request(), browser.request());
    let one = one.find(&id).await.unwrap().unwrap();
    one.access_token(Some(ORDERS), None).await.unwrap();
    let other = other.find(&id).await.unwrap().unwrap();
    other.access_token(Some(ORDERS), None).await.unwrap();
    other.access_token(Some(STOCK), None).await.unwrap();
    assert_eq!(uses(&world), 2);
    browser.take(&second);
    browser.take(&first);

    // The older answer came last, and for a moment that does no harm.
    let (store, sessions) = browser.request();
    let found = sessions.find(&id).await.unwrap().unwrap();
    found.access_token(Some(STOCK), None).await.unwrap();
    assert_eq!(uses(&world), 2);
    assert!(!store.set_cookies().is_empty(), "it brings the newer one");
}

/// A new sign-in replaces what the browser had, and a late answer about the old session leaves the new one alone.
#[tokio::test]
async fn a_late_answer_does_not_clear_a_newer_session() {
    let (world, session) = rotating().await;
    let mut browser = Browser::new(&world);
    let (store, sessions) = browser.request();
    let old = sessions.begin(&session).await.unwrap().id().clone();
    browser.take(&store);
    let (late, in_flight) = browser.request();
    in_flight.end(&old).await.unwrap().run().await.unwrap();

    let (store, sessions) = browser.request();
    let new = sessions.begin(&session).await.unwrap().id().clone();
    browser.take(&store);
    assert_eq!(browser.jar.len(), 1, "what it had is gone");
    browser.take(&late);
    let (_, sessions) = browser.request();
    assert!(sessions.find(&new).await.unwrap().is_some());
}

#[tokio::test]
async fn a_large_session_is_split_and_a_larger_one_leaves_out_what_can_be_fetched_again() {
    let world = World::new();
    world.claims(|claims| claims["groups"] = json!(vec!["administrators"; 150]));
    let session = sign_in(&world).await;
    let mut browser = Browser::new(&world);
    let (store, sessions) = browser.request();
    let signed_in = sessions.begin(&session).await.unwrap();
    browser.take(&store);
    assert!(browser.jar.len() > 1);
    let whole = browser.header();

    let (_, sessions) = browser.request();
    assert!(sessions.find(signed_in.id()).await.unwrap().is_some());
    browser.jar.pop();
    let (_, sessions) = browser.request();
    assert!(
        sessions.find(signed_in.id()).await.unwrap().is_none(),
        "a piece is missing"
    );

    // Access tokens of four kilobytes: two don't fit beside the ID token.
    world.provider.lock().tokens = Some(Box::new(|tokens| {
        tokens["access_token"] = json!("x".repeat(4_000));
    }));
    let store = Arc::new(CookieStore::of_request(&world.client, &whole));
    let sessions = browser.sessions.with_store(store.clone());
    let signed_in = sessions.find(signed_in.id()).await.unwrap().unwrap();
    for api in [ORDERS, STOCK] {
        let token = signed_in.access_token(Some(api), None).await.unwrap();
        assert_eq!(token.as_str().len(), 4_000);
    }
    browser.take(&store);
    assert!(signed_in.is_authenticated().await.unwrap());

    // One that fits nowhere is given out and not kept; the session is none the worse.
    world.provider.lock().tokens = Some(Box::new(|tokens| {
        tokens["access_token"] = json!("x".repeat(14_000));
    }));
    let token = signed_in.access_token(Some(super::BILLS), None).await.unwrap();
    assert_eq!(token.as_str().len(), 14_000);
    assert!(signed_in.is_authenticated().await.unwrap());

    let huge = SealedSession::new(0, UNIX_EPOCH, vec![0; 20_000]);
    let (store, _) = browser.request();
    let error = store.save(&key('a'), huge, None).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }));
}
