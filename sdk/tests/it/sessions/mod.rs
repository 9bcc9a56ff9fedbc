//! Sessions that last: fresh tokens, ends that hold, and every store alike.

mod bound;
mod context;
mod ends;
mod fresh;
mod logouts_file;
mod outages;
mod stores;
#[cfg(feature = "tower-sessions")]
mod tower;

use keyback::{Error, Session, SessionError, Sessions, SessionsBuilder, SignedIn};
use serde_json::json;

use crate::provider::{Rotation, World};

pub(crate) const SECRET: [u8; 32] = [5; 32];
pub(crate) const ORDERS: &str = "https://orders.example";
pub(crate) const STOCK: &str = "https://stock.example";
pub(crate) const BILLS: &str = "https://bills.example";

/// A world whose refresh tokens are good for one use, and somebody who signed in there for three APIs.
pub(crate) async fn rotating() -> (World, Session) {
    let world = World::new();
    world.provider.lock().rotation = Some(Rotation::default());
    let session = sign_in(&world).await;
    (world, session)
}

pub(crate) async fn sign_in(world: &World) -> Session {
    let asked = world.client.sign_in().scope("offline_access");
    let asked = asked.resource(ORDERS).resource(STOCK).resource(BILLS);
    let begun = asked.start().await.unwrap();
    let callback = world.provider.answer(&begun.url);
    world.client.finish(begun.pending, callback).await.unwrap()
}

pub(crate) fn sessions(world: &World) -> Sessions {
    configured(world, |builder| builder)
}

pub(crate) fn configured(
    world: &World,
    configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
) -> Sessions {
    configure(Sessions::builder(&world.client, SECRET))
        .build()
        .unwrap()
}

/// Somebody who is signed in, at a provider that rotates.
pub(crate) async fn signed_in() -> (World, Sessions, SignedIn) {
    let (world, session) = rotating().await;
    let sessions = sessions(&world);
    let signed_in = sessions.begin(&session).await.unwrap();
    (world, sessions, signed_in)
}

/// Somebody who is signed in without `offline_access`.
pub(crate) async fn without_refresh_token() -> (World, Sessions, SignedIn) {
    let world = World::new();
    world.provider.lock().tokens = Some(Box::new(|tokens| {
        tokens.as_object_mut().unwrap().remove("refresh_token");
    }));
    let sessions = sessions(&world);
    let signed_in = sessions.begin(&world.sign_in().await.unwrap()).await.unwrap();
    (world, sessions, signed_in)
}

/// Every access token is another one from now on.
pub(crate) fn number_tokens(world: &World) {
    let number = std::sync::atomic::AtomicUsize::new(1);
    world.provider.lock().tokens = Some(Box::new(move |tokens| {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        tokens["access_token"] = json!(format!("{}-{number}", tokens["access_token"].as_str().unwrap()));
    }));
}

pub(crate) fn uses(world: &World) -> usize {
    world.provider.lock().rotation.as_ref().unwrap().uses()
}

pub(crate) fn session_error(error: Error) -> SessionError {
    match error {
        Error::Session(error) => error,
        other => panic!("not about the session: {other:?}"),
    }
}
