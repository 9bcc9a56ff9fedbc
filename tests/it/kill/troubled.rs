//! Killed where a job doesn't come through: its next try is written, it is given up, or its peer is left alone.

use keyback_companion::fail_point::{FailPoint, Write};
use keyback_tests::{ADA, Behaviour, SmtpManner, eventually, tell};

use super::journey::{Stage, Way};
use super::{Opens, World};

/// Both moments of a write.
fn around(write: Write) -> [FailPoint; 2] {
    [FailPoint::BeforeCommit(write), FailPoint::AfterCommit(write)]
}

impl World {
    /// A companion that ends at a point, and a reset in it: once its code has come, the mail server says this and all others
    /// fail. They tell nobody anything.
    async fn in_trouble(at: &str, mails: SmtpManner) -> Self {
        let mut world = Self::start().await;
        world.restart(&[("KEYBACK_FAIL_AT", at)]).await;
        let mut journey = world.set_out(Way::ByMail);
        journey.comes_to(Stage::EntersCode).await;
        world.mails.behave(mails);
        world.peer.behave(Behaviour::Says(503, "", ""));
        // Whether the last page is seen, before it ends, is not to be known.
        journey.comes_to(Stage::ChoosesPassword).await;
        journey.end().await;
        world
    }

    /// Waits for the end of the companion; what waits is tried as if time ran.
    async fn ends(&mut self, at: &str) {
        let store = self.store().await;
        let (server, db) = (&mut self.server, store.writer());
        eventually(&format!("the end at {at}"), || {
            let has_ended = server.has_ended();
            async move {
                let hurry = sqlx::query("UPDATE jobs SET run_at = 0");
                hurry.execute(db).await.unwrap();
                has_ended.then_some(())
            }
        })
        .await;
        store.close().await;
    }

    /// All are well again, and whatever they are told from here on counts.
    fn recovers(&mut self) {
        self.mails.behave(SmtpManner::Takes);
        self.peer.behave(Behaviour::Takes);
        self.before = self.told();
    }

    /// The lines of the trail that say a notice didn't come, and will not.
    async fn notices_given_up(&self) -> i64 {
        let store = self.store().await;
        let lines = sqlx::query_scalar(
            "SELECT COUNT(*) FROM audit WHERE event = 'notice_not_sent' AND detail NOT LIKE '%\"again\":true%'",
        );
        let lines = lines.fetch_one(store.reader()).await.unwrap();
        store.close().await;
        lines
    }

    /// The reset holds, all but the mail server were told of it, and so was the owner by mail, or else the trail tells that
    /// nobody was.
    async fn assert_told_or_given_up(&self, at: &str, given_up: bool) {
        self.settles().await;
        assert_eq!(self.opens().await, Opens::New, "{at}");
        let told = self.newly_told();
        assert!(
            told.texts >= 1 && told.hooks >= 2 && told.logouts >= 1,
            "{at}: {told:?}"
        );
        assert_eq!(told.mails > 0, !given_up, "{at}");
        assert_eq!(self.notices_given_up().await, i64::from(given_up), "{at}");
    }
}

#[tokio::test]
async fn sr53_killed_where_the_next_try_of_a_job_is_written_no_notice_is_lost() {
    let mut kills = 0;
    for point in around(Write::Retry) {
        // The mail, the text message, the webhook and the app all fail: each of them once, in whatever order.
        for time in 1..=4 {
            let at = format!("{}#{time}", point.name());
            let mut world = World::in_trouble(&at, SmtpManner::Refuses("421 4.3.2 away")).await;
            world.ends(&at).await;
            world.recovers();
            world.restart(&[]).await;
            assert_eq!(world.assert_whole().await, Opens::New, "{at}");
            kills += 1;
        }
    }
    tell(&format!(
        "killed where the next try of a job is written: {kills} kills, no notice lost"
    ));
}

/// The circuit of mails is open, and of two that are taken once it may close one finds out how the server stands.
#[tokio::test]
async fn sr53_killed_where_a_job_is_put_back_since_its_peer_is_left_alone_no_notice_is_lost() {
    for point in around(Write::Leave) {
        let at = point.name();
        let mut world = World::in_trouble(&at, SmtpManner::Refuses("421 4.3.2 away")).await;
        let mut browser = world.server.browser();
        browser.open("/forgot-password").await;
        browser.ask_reset(ADA).await;
        world.ends(&at).await;
        world.recovers();
        world.restart(&[]).await;
        assert_eq!(world.assert_whole().await, Opens::New, "{at}");
    }
    tell("killed where a job is put back since its peer is left alone: 2 kills, no notice lost");
}

/// A mail server that says the address is nobody's is asked no more; where that was not written, it is asked again.
#[tokio::test]
async fn sr53_killed_where_a_notice_is_given_up_it_comes_or_the_trail_tells_that_it_does_not() {
    for (point, given_up) in around(Write::GiveUp).into_iter().zip([false, true]) {
        let at = point.name();
        let mut world = World::in_trouble(&at, SmtpManner::RefusesRecipients("550 5.1.1 nobody")).await;
        world.ends(&at).await;
        world.recovers();
        world.restart(&[]).await;
        world.assert_told_or_given_up(&at, given_up).await;
    }
    tell("killed where a notice is given up: 2 kills, each notice came or is told not to");
}

/// Three days went by, in which the mail server was away.
#[tokio::test]
async fn sr53_killed_where_a_notice_has_run_out_the_trail_tells_of_it_once() {
    for point in around(Write::Expire) {
        let at = point.name();
        let mut world = World::in_trouble("", SmtpManner::Refuses("421 4.3.2 away")).await;
        world.server.kill();
        let store = world.store().await;
        let ended = "UPDATE jobs SET expires_at = 1 WHERE lane = 'email'";
        let ended = sqlx::query(ended).execute(store.writer()).await.unwrap();
        assert_eq!(ended.rows_affected(), 1, "the notice");
        store.close().await;
        world.recovers();
        world.restart(&[("KEYBACK_FAIL_AT", &at)]).await;
        world.ends(&at).await;
        world.restart(&[]).await;
        world.assert_told_or_given_up(&at, true).await;
    }
    tell("killed where a notice has run out: 2 kills, each told of once");
}
