//! What the relying party costs: a request, its cookie, and a callback with all its checks; the provider is in memory.

#![expect(clippy::unwrap_used, reason = "a bench fails where it stands, as tests do")]

#[expect(dead_code, unused_imports, reason = "the tests use more of the provider")]
#[path = "../tests/it/provider/mod.rs"]
mod provider;

use std::time::Duration;

use divan::{Bencher, black_box};
use http::StatusCode;
use keyback::{Algorithm, CookieSealer, Sessions, SignedIn};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use provider::{Signer, World};

fn main() {
    divan::main();
}

const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::EdDsa,
    Algorithm::Rs256,
    Algorithm::Ps256,
];

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn sealer() -> CookieSealer {
    CookieSealer::new([7; 32]).unwrap()
}

/// State, nonce, verifier, challenge and URL.
#[divan::bench]
fn request(bencher: Bencher<'_, '_>) {
    let (runtime, world) = (runtime(), World::new());
    bencher.bench_local(|| runtime.block_on(world.client.forgot_password().scope("email").start()));
}

#[divan::bench]
fn seal_the_cookie(bencher: Bencher<'_, '_>) {
    let begun = runtime().block_on(World::new().begin());
    let sealer = sealer();
    bencher.bench_local(|| sealer.set_cookie(black_box(&begun.pending)));
}

#[divan::bench]
fn open_the_cookie(bencher: Bencher<'_, '_>) {
    let world = World::new();
    let begun = runtime().block_on(world.begin());
    let (sealer, callback) = (sealer(), world.provider.answer(&begun.url));
    let set = sealer.set_cookie(&begun.pending).unwrap();
    let sent = set.split(';').next().unwrap();
    bencher.bench_local(|| sealer.open(black_box(sent), &callback, &world.client));
}

/// The callback's checks, the exchange of the code without a network, and the ID token's checks with its signature.
#[divan::bench(args = ALGORITHMS)]
fn callback(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    let world = World::with(|builder| builder.algorithms([algorithm]));
    let signer = Signer::new(algorithm, "bench");
    {
        let mut state = world.provider.lock();
        state.keys = vec![signer.jwk()];
        state.signer = signer;
    }
    let runtime = runtime();
    bencher
        .with_inputs(|| {
            let begun = runtime.block_on(world.begin());
            (world.provider.answer(&begun.url), begun.pending)
        })
        .bench_local_values(|(callback, pending)| {
            let session = runtime.block_on(world.client.finish(pending, callback));
            session.expect("the callback is good")
        });
}

/// What a callback spends on making the ID token, which is the provider's work: to be taken from [`callback`].
#[divan::bench(args = ALGORITHMS)]
fn the_provider_signs(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    let signer = Signer::new(algorithm, "bench");
    let claims = serde_json::json!({ "iss": provider::ISSUER, "sub": provider::SUBJECT });
    bencher.bench_local(|| signer.sign(black_box(&claims)));
}

/// An ID token's check, signature and all, as a refresh makes it. The answer with the token was written before; what the refresh
/// costs besides is [`a_refresh_without_id_token`], to be taken from this.
#[divan::bench(args = ALGORITHMS)]
fn id_token(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    refresh(bencher, algorithm, true);
}

#[divan::bench]
fn a_refresh_without_id_token(bencher: Bencher<'_, '_>) {
    refresh(bencher, Algorithm::Es384, false);
}

/// Refreshes of one session, by a provider that does nothing but give the same answer.
fn refresh(bencher: Bencher<'_, '_>, algorithm: Algorithm, with_id_token: bool) {
    let world = World::with(|builder| builder.algorithms([algorithm]));
    let signer = Signer::new(algorithm, "bench");
    {
        let mut state = world.provider.lock();
        state.keys = vec![signer.jwk()];
        state.signer = signer;
    }
    let runtime = runtime();
    let session = runtime.block_on(world.sign_in()).unwrap();
    let mut tokens = serde_json::json!({
        "access_token": provider::ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600,
        "refresh_token": "refresh-1", "scope": "openid",
    });
    if with_id_token {
        tokens["id_token"] = session.id_token().into();
    }
    let answer = provider::reply(StatusCode::OK, &tokens, None);
    let mut state = world.provider.lock();
    state
        .endpoints
        .insert("/oidc/token", Box::new(move |_| answer.clone()));
    drop(state);
    bencher.bench_local(|| {
        let refreshed = runtime.block_on(world.client.refresh(black_box(&session)));
        refreshed.expect("the answer is good")
    });
}

const SESSIONS: usize = 10_000;

/// Somebody who signed in so often, in memory, with access tokens that have just expired.
async fn expired_sessions() -> (World, Vec<SignedIn>) {
    let world = World::new();
    let begun = world
        .client
        .sign_in()
        .scope("offline_access")
        .start()
        .await
        .unwrap();
    let callback = world.provider.answer(&begun.url);
    let session = world.client.finish(begun.pending, callback).await.unwrap();
    // What a refresh costs by itself is in `callback`: here it is a signature less.
    world.provider.lock().tokens = Some(Box::new(|tokens| {
        tokens.as_object_mut().unwrap().remove("id_token");
    }));
    let sessions = Sessions::builder(&world.client, [5; 32]).build().unwrap();
    let mut signed_in = Vec::with_capacity(SESSIONS);
    for _ in 0..SESSIONS {
        signed_in.push(sessions.begin(&session).await.unwrap());
    }
    world.clock.advance(Duration::from_secs(3600));
    (world, signed_in)
}

/// All sessions refresh at once, and so many tasks contend for each: one request a session, whatever comes.
#[divan::bench(args = [1, 4], sample_count = 5, sample_size = 1)]
fn refresh_of_ten_thousand_sessions(bencher: Bencher<'_, '_>, tasks_each: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    bencher
        .with_inputs(|| runtime.block_on(expired_sessions()))
        .bench_local_values(|(world, signed_in)| {
            runtime.block_on(async {
                let before = world.provider.requests("/oidc/token");
                let mut tasks = JoinSet::new();
                for _ in 0..tasks_each {
                    for person in &signed_in {
                        let person = person.clone();
                        tasks.spawn(async move { person.access_token(None, None).await.unwrap() });
                    }
                }
                tasks.join_all().await;
                assert_eq!(world.provider.requests("/oidc/token"), before + SESSIONS);
            });
        });
}
