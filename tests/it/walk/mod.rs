//! An exhaustive walk over HTTP (SR-28): two people reset their passwords side by side, and at every state the two flows can
//! be in, every request is sent that a browser or an attacker can make up: forms replayed and out of their order, fields added
//! and removed, the one's flow with the other's cookie, code or proof; and what goes to other doors, for oneself, for the other
//! and for an address that nobody has: a new request, the links of mails, tokens and codes of apps. Whatever comes, three things
//! must hold:
//!
//! - a code becomes a proof only in the browser that asked, only while it is the newest, and once;
//! - a password is set only by the proof of the same account in the browser that got it, and once;
//! - an app's token becomes a proof only in the browser that it was brought by, and an app is told of no code but its own
//!   that it is right.
//!
//! What a request may do is told from the request itself ([`World::send`]), not from what the server makes of it.

mod concrete;
mod moves;
mod rests;
mod side;
mod world;

use std::collections::{HashSet, VecDeque};

use keyback_tests::{TestApp, counts, tell};

use self::moves::Move;
use self::world::{Tally, World};
use crate::api::backend;

/// So far away from the beginning in the short form ([`Move::length`]), among the steps of the flows, and on a way that leads
/// through another door than the flows' own.
const SHORT: (usize, usize) = (3, 2);
/// And with `--full`, on a way through another door.
const FURTHER: usize = 4;

/// How far a way is followed: with `--full`, among the steps of the flows as far as there are states that are new.
fn reach(path: &[Move]) -> usize {
    let among_steps = path.iter().all(|step| step.is_among_steps());
    match among_steps {
        true => counts(SHORT.0, usize::MAX),
        false => counts(SHORT.1, FURTHER),
    }
}

#[tokio::test]
async fn sr28_every_request_at_every_state_sets_no_password_without_its_proof() {
    let app = TestApp::with(|config| {
        backend(config);
        config.reset.links = true;
        config.limits.factor = 1_000;
    })
    .await;
    let stranger = app.browser();
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
            let path: Vec<_> = path.iter().copied().chain([next]).collect();
            let length: usize = path.iter().copied().map(Move::length).sum();
            if length > reach(&path) {
                continue;
            }
            world.send(next, &mut tally).await;
            tried += 1;
            if world.everything().await == here {
                continue;
            }
            let standing = world.standing().await;
            if length < reach(&path) && seen.insert(standing) {
                ahead.push_back(path.clone());
            }
            world = World::after(&app, &stranger, &path[..path.len() - 1], &mut tally).await;
            here = world.everything().await;
        }
    }
    tell(&format!(
        "walk over HTTP: {} states, {} requests of {} kinds, {} sent in all: {} proofs, {} of them by tokens of apps, \
         {} passwords set, none without its proof",
        seen.len(),
        tried,
        moves.len(),
        tally.sent,
        tally.proofs,
        tally.by_tokens,
        tally.passwords
    ));
    // A walk on which nobody comes through would show nothing.
    let codes = tally.proofs - tally.by_tokens;
    let came = [codes, tally.by_tokens, tally.passwords, tally.verified];
    assert!(came.into_iter().all(|times| times > 0), "{tally:?}");
}
