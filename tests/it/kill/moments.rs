//! Killed at moments that nobody chose.

use std::time::{Duration, Instant};

use keyback_core::random::{self, Random, SystemRandom};
use keyback_core::testing::SeededRandom;
use keyback_tests::{counts, tell};
use tokio::task::JoinSet;

use super::journey::{Stage, Way};
use super::{AT_ONCE, Opens, World};

/// What became of the journeys.
#[derive(Clone, Copy, Debug, Default)]
struct Outcomes {
    old: usize,
    new: usize,
}

/// How long things take here, undisturbed.
#[derive(Clone, Copy, Debug)]
struct Spans {
    way: Duration,
    /// From the new password until all were told of it.
    end: Duration,
}

/// Between nothing and `span`, each as likely.
pub(crate) fn moment(random: &dyn Random, span: Duration) -> Duration {
    let drawn = u32::from_be_bytes(random::bytes(random));
    span.mul_f64(f64::from(drawn) / f64::from(u32::MAX))
}

impl World {
    async fn spans(&self) -> Spans {
        let began = Instant::now();
        let mut journey = self.set_out(Way::ByMail);
        journey.comes_to(Stage::ChoosesPassword).await;
        let last = Instant::now();
        assert_eq!(journey.end().await, Stage::Arrived);
        self.settles().await;
        Spans {
            way: began.elapsed(),
            end: last.elapsed(),
        }
    }

    /// Kills it within a reset: every other time within what follows from the new password, which is all that changes anything.
    async fn killed_at_some_moment(&mut self, random: &dyn Random, spans: Spans, round: usize) {
        let mut journey = self.set_out(Way::ByMail);
        let span = if round.is_multiple_of(2) {
            spans.way
        } else {
            journey.comes_to(Stage::ChoosesPassword).await;
            spans.end
        };
        tokio::time::sleep(moment(random, span)).await;
        self.restart(&[]).await;
        drop(journey);
    }
}

/// One reset after the other, each in a companion that is killed: the account goes from one password to the next, and to no third.
async fn killed_again_and_again(times: usize, seed: u64) -> Outcomes {
    let random = SeededRandom::new(seed);
    let mut outcomes = Outcomes::default();
    let mut world = World::start().await;
    let spans = world.spans().await;
    let mut opens = world.assert_whole().await;
    assert_eq!(opens, Opens::New);
    for round in 0..times {
        if opens == Opens::New {
            world.go_on(&format!("number {round} of copper lanterns")).await;
        }
        world.killed_at_some_moment(&random, spans, round).await;
        opens = world.assert_whole().await;
        match opens {
            Opens::Old => outcomes.old += 1,
            Opens::New => outcomes.new += 1,
            Opens::Nothing => unreachable!("it is not whole"),
        }
        world.codes_run_out().await;
    }
    outcomes
}

#[tokio::test]
async fn sr53_killed_at_any_moment_no_notice_is_lost() {
    let seed = u64::from_be_bytes(random::bytes(&SystemRandom));
    // Said first: whoever looks into a failure begins with it.
    println!("the moments are drawn from the seed {seed}");
    let mut worlds = JoinSet::new();
    for world in 0..AT_ONCE {
        let of_world = counts(300, 1_000).div_ceil(AT_ONCE);
        worlds.spawn(killed_again_and_again(of_world, seed.wrapping_add(world as u64)));
    }
    let all = worlds.join_all().await;
    let [old, new] = [
        all.iter().map(|outcomes| outcomes.old).sum::<usize>(),
        all.iter().map(|outcomes| outcomes.new).sum(),
    ];
    assert!(
        old > 0 && new > 0,
        "{old} times the old password, {new} times the new one"
    );
    tell(&format!(
        "killed at any moment (seed {seed}): {} kills, {old} times the old password with its session, {new} times the new one \
         with none and with every notice",
        old + new
    ));
}
