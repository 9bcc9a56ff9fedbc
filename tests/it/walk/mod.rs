//! An exhaustive walk over HTTP (SR-28): two people reset their passwords side by side, and at every state the two flows can
//! be in, every request is sent that a browser or an attacker can make up: forms replayed and out of their order, fields added
//! and removed, the one's flow with the other's cookie, code or proof. Whatever comes, two things must hold:
//!
//! - a code becomes a proof only in the browser that asked, only while it is the newest, and once;
//! - a password is set only by the proof of the same account in the browser that got it, and once.
//!
//! What a request may do is told from the request itself ([`World::send`]), not from what the server makes of it.

mod moves;
mod rests;
mod world;

use std::collections::{HashSet, VecDeque};

use keyback_tests::{TestApp, counts, tell};

use self::moves::Move;
use self::world::{Tally, World};

/// So many moves away from the beginning in the short form. With `--full` as far as there are states that are new.
const SHORT: usize = 3;

#[tokio::test]
async fn sr28_every_request_at_every_state_sets_no_password_without_its_proof() {
    let app = TestApp::with(|config| config.limits.factor = 1_000).await;
    let stranger = app.browser();
    let depth = counts(SHORT, usize::MAX);
    let moves = Move::all();
    let mut tally = Tally::default();
    let first = World::after(&app, &stranger, &[], &mut tally).await;
    let mut seen = HashSet::from([first.standing().await]);
    let mut ahead = VecDeque::from([Vec::new()]);
    let mut tried = 0_usize;
    while let Some(path) = ahead.pop_front() {
        let mut world = World::after(&app, &stranger, &path, &mut tally).await;
        let mut here = world.everything().await;
        for &next in &moves {
            world.send(next, &mut tally).await;
            tried += 1;
            if world.everything().await == here {
                continue;
            }
            let standing = world.standing().await;
            let path: Vec<_> = path.iter().copied().chain([next]).collect();
            if path.len() < depth && seen.insert(standing) {
                ahead.push_back(path.clone());
            }
            world = World::after(&app, &stranger, &path[..path.len() - 1], &mut tally).await;
            here = world.everything().await;
        }
    }
    tell(&format!(
        "walk over HTTP: {} states, {} requests of {} kinds, {} sent in all: {} proofs, {} passwords set, none without its proof",
        seen.len(),
        tried,
        moves.len(),
        tally.sent,
        tally.proofs,
        tally.passwords
    ));
    // A walk on which nobody comes through would show nothing.
    assert!(tally.proofs > 0 && tally.passwords > 0, "{tally:?}");
}
