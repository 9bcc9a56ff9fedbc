//! Killed at each of the fail points.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use keyback_companion::fail_point::{FailPoint, Write};
use keyback_companion::outbox::JobKind;
use keyback_companion::store::one_time_tokens::{self, OneTimeToken, Status};
use keyback_core::secret::SecretDigest;
use keyback_core::time::Timestamp;
use keyback_tests::{ADA, NEW_PASSWORD, eventually, tell};
use tokio::task::JoinSet;
use url::Url;

use super::journey::{Stage, Way};
use super::{AT_ONCE, Opens, Told, World};

const OWNERS_PASSWORD: &str = "a pair of new shoelaces";

impl World {
    /// Lets the companion end at a point on a way, and starts it again. Answers how far the way was gone, or nothing where it
    /// does not come to the point.
    async fn killed_at(&mut self, at: &str, way: Way) -> Option<Stage> {
        self.restart(&[("KEYBACK_FAIL_AT", at)]).await;
        let reached = self.set_out(way).end().await;
        if at.contains('#') && reached == Stage::Arrived {
            // Whatever is asked of it next must not come to the point.
            self.restart(&[]).await;
            return None;
        }
        let server = &mut self.server;
        let mut has_ended = || server.has_ended();
        eventually(&format!("the end at {at}"), || {
            std::future::ready(has_ended().then_some(()))
        })
        .await;
        self.restart(&[]).await;
        Some(reached)
    }

    /// A reset by mail that nothing disturbs.
    async fn reset(&self) {
        assert_eq!(self.set_out(Way::ByMail).end().await, Stage::Arrived);
    }

    /// The link of the newest notice.
    fn link(&self) -> Url {
        let mails = self.mails.mails();
        let texts = mails.iter().rev().filter_map(|mail| mail.part("text/plain"));
        let mut words = texts.flat_map(str::split_whitespace);
        let link = words.find(|word| word.contains("/not-me?t=")).unwrap();
        // As quoted-printable has it (RFC 2045 6.7).
        Url::parse(&link.replace("=3D", "=")).unwrap()
    }

    /// The app's request with a new one-time token of the owner's.
    async fn request_with_token(&self) -> Url {
        let store = self.store().await;
        let (text, now) = ("a token of the site's own", Timestamp::from_millis(0));
        let token = OneTimeToken {
            id: "a-token".to_owned(),
            email: ADA.to_owned(),
            interaction_event: None,
            status: Status::Active,
            created_at: now,
            // Long after everything else.
            expires_at: Timestamp::from_millis(i64::from(u32::MAX) * 1_000),
        };
        one_time_tokens::add(store.writer(), &token, &SecretDigest::of_text(text))
            .await
            .unwrap();
        store.close().await;
        let mut link = self.server.url.join(&self.request()).unwrap();
        link.query_pairs_mut()
            .append_pair("first_screen", "reset-password")
            .append_pair("login_hint", ADA)
            .append_pair("one_time_token", text);
        link
    }

    /// The way that comes to a point.
    async fn way_to(&self, point: FailPoint) -> Way {
        match point {
            FailPoint::BeforeCommit(Write::Resend | Write::Record)
            | FailPoint::AfterCommit(Write::Resend | Write::Record) => Way::WithDetours,
            FailPoint::BeforeCommit(Write::Admit) | FailPoint::AfterCommit(Write::Admit) => Way::ByPhone,
            FailPoint::BeforeCommit(Write::Token) | FailPoint::AfterCommit(Write::Token) => {
                Way::ByToken(self.request_with_token().await)
            }
            _ => Way::ByMail,
        }
    }

    /// Nobody gets in, and the sessions of before are gone.
    async fn assert_frozen(&self) {
        self.settles().await;
        assert_eq!(self.opens().await, Opens::Nothing);
        assert!(!self.owner_is_signed_in().await);
    }
}

/// What the account opens to after the process ended there. A job that tells of the change is one of a change that was.
fn expected(point: FailPoint) -> Opens {
    match point {
        FailPoint::AfterCommit(Write::Complete | Write::Count)
        | FailPoint::BeforeCommit(Write::Count)
        | FailPoint::Taken(JobKind::PasswordChanged | JobKind::Logout | JobKind::Webhook)
        | FailPoint::Delivered(JobKind::PasswordChanged | JobKind::Logout | JobKind::Webhook)
        | FailPoint::Done(JobKind::PasswordChanged | JobKind::Logout | JobKind::Webhook) => Opens::New,
        _ => Opens::Old,
    }
}

/// A companion of its own ends at a point of a reset, and comes back.
async fn killed_at_boundary(point: FailPoint) {
    let name = point.name();
    // Said first: whoever looks into a failure sees which were under way.
    println!("killed at {name}");
    let mut world = World::start().await;
    let way = world.way_to(point).await;
    world.killed_at(&name, way).await;
    assert_eq!(world.assert_whole().await, expected(point), "{name}");
    if expected(point) == Opens::Old {
        world.reset().await;
        assert_eq!(
            world.assert_whole().await,
            Opens::New,
            "{name}: nobody is in the way of the next reset"
        );
    }
    println!("whole after {name}");
}

#[tokio::test]
async fn sr53_killed_at_every_boundary_of_a_reset_nothing_is_half_done_and_no_notice_lost() {
    let (elsewhere, of_reset): (Vec<FailPoint>, Vec<FailPoint>) = FailPoint::all().partition(|point| {
        let (FailPoint::BeforeCommit(write) | FailPoint::AfterCommit(write)) = point else {
            return false;
        };
        matches!(
            write,
            Write::Freeze | Write::Retry | Write::GiveUp | Write::Leave | Write::Expire
        )
    });
    assert_eq!(
        elsewhere.len(),
        10,
        "they have tests of their own, here and in `troubled`"
    );
    let kills = of_reset.len();
    let points = Arc::new(Mutex::new(of_reset.into_iter()));
    let mut worlds = JoinSet::new();
    for _ in 0..AT_ONCE {
        let points = Arc::clone(&points);
        let next = move || points.lock().unwrap().next();
        worlds.spawn(async move {
            while let Some(point) = next() {
                killed_at_boundary(point).await;
            }
        });
    }
    worlds.join_all().await;
    tell(&format!(
        "killed at each boundary of a reset: {kills} kills, each found whole"
    ));
}

/// The limits are asked at each step, and counted each time in a transaction of their own.
#[tokio::test]
async fn sr53_killed_wherever_the_limits_are_counted_the_old_password_holds() {
    let mut world = World::start().await;
    let mut kills = 0;
    for point in [
        FailPoint::BeforeCommit(Write::Limits),
        FailPoint::AfterCommit(Write::Limits),
    ] {
        let mut at_stages = Vec::new();
        for time in 1.. {
            let at = format!("{}#{time}", point.name());
            let Some(reached) = world.killed_at(&at, Way::WithDetours).await else {
                break;
            };
            at_stages.push(reached);
            assert_eq!(world.assert_whole().await, Opens::Old, "{at}");
            world.codes_run_out().await;
        }
        // At the right code twice: when it is tried, and when it has ended the run of wrong ones.
        let at_code = at_stages.iter().filter(|stage| **stage == Stage::EntersCode);
        assert_eq!(at_code.count(), 2, "{at_stages:?}");
        kills += at_stages.len();
        let stages: BTreeSet<Stage> = at_stages.into_iter().collect();
        let all = [
            Stage::Asks,
            Stage::Mistypes,
            Stage::AsksAgain,
            Stage::EntersCode,
            Stage::ChoosesPassword,
        ];
        assert_eq!(stages, BTreeSet::from(all), "{}", point.name());
        // The last journey was not stopped.
        assert_eq!(world.assert_whole().await, Opens::New);
        world.go_on(&format!("{NEW_PASSWORD} once more")).await;
    }
    tell(&format!(
        "killed wherever the limits are counted: {kills} kills, each found whole"
    ));
}

/// SR-59. A thief has reset the account and is signed in; the owner contests it, and takes it back by a reset.
#[tokio::test]
async fn sr53_killed_while_a_change_is_contested_the_account_is_the_thiefs_or_frozen_and_then_the_owners() {
    let freezes = [
        (FailPoint::BeforeCommit(Write::Freeze), Opens::Old),
        (FailPoint::AfterCommit(Write::Freeze), Opens::Nothing),
    ];
    let completions = [
        (FailPoint::BeforeCommit(Write::Complete), Opens::Nothing),
        (FailPoint::AfterCommit(Write::Complete), Opens::New),
    ];
    for ((freeze, opens), (completion, thawed)) in freezes.into_iter().zip(completions) {
        let mut world = World::start().await;
        world.reset().await;
        assert_eq!(world.assert_whole().await, Opens::New);
        let link = world.link();
        // The thief's session is the one to lose.
        world.go_on(OWNERS_PASSWORD).await;
        world.killed_at(&freeze.name(), Way::Contest(link.clone())).await;
        if opens == Opens::Old {
            assert_eq!(world.assert_whole().await, Opens::Old, "{}", freeze.name());
            let again = world.set_out(Way::Contest(link.clone())).end().await;
            assert_eq!(again, Stage::Arrived, "the link was not used");
        }
        world.assert_frozen().await;
        let told = world.newly_told();
        assert!(told.hooks >= 1 && told.logouts >= 1, "{told:?}");
        let used = world.server.browser().get_once(link.as_str()).await.status;
        assert_eq!(used, 410, "a link works once");

        world.before = world.told();
        world.codes_run_out().await;
        world.killed_at(&completion.name(), Way::ByMail).await;
        if thawed == Opens::Nothing {
            world.assert_frozen().await;
            assert_eq!(world.newly_told(), Told::default(), "it is still frozen");
            world.reset().await;
        }
        world.settles().await;
        assert_eq!(world.opens().await, Opens::New, "{}", completion.name());
        let told = world.newly_told();
        assert!(told.mails >= 1 && told.texts >= 1 && told.hooks >= 2, "{told:?}");
    }
    tell("killed while a change is contested: 4 kills, each found whole");
}
