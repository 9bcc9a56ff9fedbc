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
//!
//! The walk goes on from every state in which there is something to be seen that was not ([`Standing`]), and ends where no request
//! leads to such a one. At a state all rows are kept and put back after each request that has changed any ([`Rows`]), so that every
//! kind of request comes to every state as it is.
//!
//! [`Standing`]: standing::Standing
//! [`Rows`]: rows::Rows

mod concrete;
mod moves;
mod rows;
mod side;
mod standing;
mod walker;
mod world;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use keyback_tests::{counts, tell};
use tokio::task::JoinSet;

use self::moves::Move;
use self::walker::{State, Walker};
use self::world::Tally;

/// Each waits for its disk some of the time.
const WALKERS: usize = 4;
/// The walk ends by itself, where no request leads to anything that was not seen. Should there be so many states, it ends all the
/// same, and fails.
const MOST_STATES: (usize, usize) = (400, 4_000);

/// Everything that is sent from each of some states, by all walkers together: the states that it leads to, in the order of the
/// states and the moves.
async fn look_around(walkers: &mut Vec<Walker>, from: Vec<State>, moves: &Arc<[Move]>) -> Vec<State> {
    let (from, next) = (Arc::<[State]>::from(from), Arc::new(AtomicUsize::new(0)));
    let mut walking = JoinSet::new();
    for mut walker in walkers.drain(..) {
        let (from, next, moves) = (Arc::clone(&from), Arc::clone(&next), Arc::clone(moves));
        walking.spawn(async move {
            let mut found = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(from) = from.get(place) else {
                    return (walker, found);
                };
                found.push((place, walker.look_around(from, &moves).await));
            }
        });
    }
    let mut all = Vec::new();
    for (walker, found) in walking.join_all().await {
        walkers.push(walker);
        all.extend(found);
    }
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().flat_map(|(_, to)| to).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sr28_every_request_at_every_state_sets_no_password_without_its_proof() {
    let most = counts(MOST_STATES.0, MOST_STATES.1);
    let moves: Arc<[Move]> = Move::all().into();
    let mut walkers = Vec::new();
    for _ in 0..WALKERS {
        walkers.push(Walker::start().await);
    }
    let mut ahead = vec![walkers[0].begins().await];
    let mut seen: HashSet<_> = ahead[0].standing.sights().collect();
    let (mut states, mut longest, mut left) = (0, 0, 0);
    while !ahead.is_empty() {
        left += ahead.split_off(ahead.len().min(most - states)).len();
        if ahead.is_empty() {
            break;
        }
        states += ahead.len();
        longest = ahead[0].way.len();
        let mut to = look_around(&mut walkers, ahead, &moves).await;
        // Each of them, whether the first was new or not.
        to.retain(|state| {
            let sights = state.standing.sights();
            sights.filter(|sight| seen.insert(sight.clone())).count() > 0
        });
        ahead = to;
    }
    let mut tally = Tally::default();
    for walker in &walkers {
        tally.add(&walker.tally);
    }
    let end = match left {
        0 => "closed: nothing leads to another".to_owned(),
        left => format!("not closed: {left} more were found, and nothing was sent from there"),
    };
    tell(&format!(
        "walk over HTTP: {states} states, the farthest {longest} steps away, {end}; {} requests of {} kinds: {} proofs, \
         {} of them by tokens of apps, {} passwords set, none without its proof",
        tally.tried,
        moves.len(),
        tally.proofs,
        tally.by_tokens,
        tally.passwords
    ));
    assert_eq!(left, 0, "states from which nothing was sent");
    // A walk on which nobody comes through would show nothing.
    let codes = tally.proofs - tally.by_tokens;
    let came = [codes, tally.by_tokens, tally.passwords, tally.verified];
    assert!(came.into_iter().all(|times| times > 0), "{tally:?}");
}
