//! `kill -9` at every boundary of a transaction and of a job of a reset: the account has the old password and its session,
//! or the new one and no session, and whoever was promised a notice gets it. SR-53.

use std::sync::Arc;
use std::time::Duration;

use keyback_companion::fail_point::{FailPoint, Step};
use keyback_companion::outbox::JobKind;
use keyback_companion::store::Store;
use keyback_tests::{
    ADA, Asked, Behaviour, Browser, Mail, MessageProvider, NEW_PASSWORD, OLD_PASSWORD, Server, SmtpSink,
    counts, eventually, tell,
};
use tokio::task::JoinSet;

/// A companion as a process, and all whom it tells.
struct World {
    server: Server,
    mails: Arc<SmtpSink>,
    /// The webhook, and the app that is told of sessions that end.
    peer: MessageProvider,
    /// Signed in at the companion, and by it at the app.
    owner: Browser,
}

/// What the account opens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Password {
    Old,
    New,
}

impl World {
    async fn start() -> Self {
        let mails = Arc::new(SmtpSink::start().await);
        let peer = MessageProvider::start(Behaviour::Takes).await;
        let configured = |sound: String| {
            let (host, port) = (mails.address.ip(), mails.address.port());
            let smtp = format!(
                "connector = \"smtp\"\nfrom = \"shop@example.com\"\nhost = \"{host}\"\nport = {port}\nsecurity = \"none\""
            );
            let sound = sound
                .replace("connector = \"inbox\"", &smtp)
                .replace("http://localhost:9000/", peer.url.as_str());
            format!(
                "{sound}backchannel_logout_uri = \"{peer}logout\"\n\
                 [[webhook]]\nurl = \"{peer}hook\"\nsigning_key = \"{key}\"\nallow_private = true\n\
                 [limits]\nfactor = 1000\n",
                peer = peer.url,
                key = "k".repeat(40),
            )
        };
        let server = Server::start_with(configured, "error").await;
        let add = ["user", "add", "--email", ADA, "--password-stdin"];
        let added = server.workplace.run_with_input(&add, OLD_PASSWORD).await;
        added.assert_done();
        let mut world = Self {
            owner: server.browser(),
            server,
            mails,
            peer,
        };
        world.sign_the_owner_in(OLD_PASSWORD).await;
        world
    }

    async fn sign_the_owner_in(&mut self, password: &str) {
        let request = format!(
            "/oidc/auth?client_id=shop&response_type=code&scope=openid&redirect_uri={}callback\
             &code_challenge={}&code_challenge_method=S256",
            self.peer.url,
            "c".repeat(43),
        );
        self.owner = self.server.browser();
        self.owner.open(&request).await;
        self.owner.sign_in(ADA, password).await;
        self.owner.assert_at("/callback");
    }

    /// The way of a reset, as far as there is a companion to go it with.
    async fn reset(&self, password: &'static str) {
        let mut browser = self.server.browser();
        let seen = self.codes().len();
        let mails = Arc::clone(&self.mails);
        // Dropped with this future, so that nobody goes on when the companion is back.
        let mut way = JoinSet::new();
        way.spawn(async move {
            browser.open("/forgot-password").await;
            browser.ask_reset(ADA).await;
            let code = eventually("a code", async || codes(&mails).get(seen).cloned()).await;
            browser.enter_code(&code).await;
            browser.choose_password(password).await;
            browser.assert_at("/forgot-password/done");
        });
        // It panics when the companion is gone.
        way.join_next().await;
    }

    fn codes(&self) -> Vec<String> {
        codes(&self.mails)
    }

    async fn opens(&self, password: &str) -> bool {
        let mut browser = self.server.browser();
        browser.open("/sign-in").await;
        browser.sign_in(ADA, password).await;
        browser.page().url.path() == "/account"
    }

    /// What opens the account: one of the two, never both, never neither.
    async fn password(&self) -> Password {
        match (self.opens(OLD_PASSWORD).await, self.opens(NEW_PASSWORD).await) {
            (true, false) => Password::Old,
            (false, true) => Password::New,
            both => panic!("old and new password open the account: {both:?}"),
        }
    }

    /// Whether the session of before is there.
    async fn owner_is_signed_in(&self) -> bool {
        self.owner.get_once("/account").await.status == 200
    }

    fn told(&self, path: &str) -> Vec<Asked> {
        let mut told = self.peer.asked();
        told.retain(|asked| asked.path == path);
        told
    }

    /// Notices to the owner that the password was changed.
    fn notices(&self) -> usize {
        let mails = self.mails.mails();
        mails.iter().filter(|mail| code_in(mail).is_none()).count()
    }

    /// Waits until nothing is left to do. The lease of a job that was under way must run out first.
    async fn settles(&self) {
        let store = Store::open(&self.server.workplace.path("keyback.db"))
            .await
            .unwrap();
        // As if two minutes had passed: nobody else works on them, the process that did is gone.
        sqlx::query("UPDATE jobs SET lease_until = 0, run_at = 0")
            .execute(store.writer())
            .await
            .unwrap();
        eventually("all jobs to be done", async || {
            let jobs: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM jobs")
                .fetch_one(store.reader())
                .await
                .unwrap();
            (jobs == 0).then_some(())
        })
        .await;
        store.close().await;
    }

    /// All that holds after a companion was killed and started again.
    async fn assert_whole(&self) -> Password {
        self.settles().await;
        let password = self.password().await;
        let told = [
            self.notices(),
            self.told("/hook").len(),
            self.told("/logout").len(),
        ];
        match password {
            Password::Old => {
                assert!(self.owner_is_signed_in().await, "the session of the old password");
                assert_eq!(told, [0, 0, 0], "nothing is told of what did not happen");
            }
            Password::New => {
                assert!(!self.owner_is_signed_in().await, "no session outlives the reset");
                assert!(
                    told.iter().all(|&times| times >= 1),
                    "notice, webhook, logout: {told:?}"
                );
            }
        }
        password
    }
}

fn codes(mails: &SmtpSink) -> Vec<String> {
    let mails = mails.mails();
    mails.iter().filter_map(code_in).collect()
}

/// The six digits that are a word of a mail's plain part; those in a link's token are none.
pub(crate) fn code_in(mail: &Mail) -> Option<String> {
    let mut words = mail.part("text/plain")?.split_whitespace();
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    words.find(is_code).map(str::to_owned)
}

/// What the account opens to after the process ended there. A job that tells of the change is one of a change that was.
fn expected(point: FailPoint) -> Password {
    match point {
        FailPoint::AfterCommit(Step::Complete)
        | FailPoint::Taken(JobKind::PasswordChanged | JobKind::Logout | JobKind::Webhook)
        | FailPoint::Delivered(JobKind::PasswordChanged | JobKind::Logout | JobKind::Webhook)
        | FailPoint::Done(JobKind::PasswordChanged | JobKind::Logout | JobKind::Webhook) => Password::New,
        _ => Password::Old,
    }
}

#[tokio::test]
async fn sr53_killed_at_every_boundary_of_a_reset_nothing_is_half_done_and_no_notice_lost() {
    let points: Vec<FailPoint> = FailPoint::all().collect();
    for &point in &points {
        let mut world = World::start().await;
        world.server.restart(&[("KEYBACK_FAIL_AT", &point.name())]).await;
        world.reset(NEW_PASSWORD).await;
        let name = point.name();
        let server = &mut world.server;
        let mut has_ended = || server.has_ended();
        eventually(&format!("the end at {name}"), || {
            std::future::ready(has_ended().then_some(()))
        })
        .await;
        world.server.restart(&[]).await;
        assert_eq!(world.assert_whole().await, expected(point), "{name}");
        if expected(point) == Password::Old {
            world.reset(NEW_PASSWORD).await;
            assert_eq!(
                world.assert_whole().await,
                Password::New,
                "{name}: nobody is in the way of the next reset"
            );
        }
    }
    tell(&format!(
        "killed at each boundary: {} kills, 0 losses",
        points.len()
    ));
}

/// At moments that nobody chose. The account goes from one password to the next, and to no third.
#[tokio::test]
async fn sr53_killed_at_any_moment_no_notice_is_lost() {
    let (mut old, mut new) = (0, 0);
    for round in 0..counts(25, 300) {
        let mut world = World::start().await;
        let moment = Duration::from_millis(u64::try_from(round).unwrap() * 37 % 400);
        tokio::select! {
            () = world.reset(NEW_PASSWORD) => {}
            () = tokio::time::sleep(moment) => {}
        }
        world.server.restart(&[]).await;
        match world.assert_whole().await {
            Password::Old => old += 1,
            Password::New => new += 1,
        }
    }
    tell(&format!(
        "killed at any moment: {} kills, {old} times the old password, {new} times the new one, 0 losses",
        old + new
    ));
}
