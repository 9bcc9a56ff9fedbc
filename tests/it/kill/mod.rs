//! `kill -9`, at every boundary of a reset and at any moment of one: the account has the old password and its session, or the
//! new one and no session, and whoever was promised a notice gets it. SR-53.

mod boundaries;
mod journey;
mod moments;
mod troubled;

use std::sync::Arc;

use keyback_companion::store::Store;
use keyback_tests::{
    ADA, Asked, Behaviour, Browser, MessageProvider, NEW_PASSWORD, OLD_PASSWORD, Server, SmtpSink, eventually,
};

use journey::{Journey, Way};
pub(crate) use moments::moment;

/// Ada's number.
const PHONE: &str = "+14155550123";
/// Companions that are killed side by side: each waits for its disk and its jobs most of the time.
const AT_ONCE: usize = 4;

/// A companion as a process, and all whom it tells.
struct World {
    server: Server,
    mails: Arc<SmtpSink>,
    /// The webhook, the app that is told of sessions that end, and the provider of text messages.
    peer: Arc<MessageProvider>,
    /// Signed in at the companion, and by it at the app.
    owner: Browser,
    /// What the owner signs in with, and what the next reset makes of it.
    passwords: [String; 2],
    /// What all were told before the journey that may end.
    before: Told,
}

/// What the account opens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opens {
    Old,
    New,
    /// It is frozen.
    Nothing,
}

/// How often somebody was told what follows from a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    /// The owner, by mail and by text message.
    mails: usize,
    texts: usize,
    hooks: usize,
    logouts: usize,
}

impl World {
    async fn start() -> Self {
        let mails = Arc::new(SmtpSink::start().await);
        let peer = Arc::new(MessageProvider::start(Behaviour::Takes).await);
        let configured = |sound: String| {
            let sound = mails
                .in_place_of_the_inbox(&sound)
                .replace("http://localhost:9000/", peer.url.as_str());
            format!(
                "{sound}backchannel_logout_uri = \"{peer}logout\"\n\
                 [[webhook]]\nurl = \"{peer}hook\"\nsigning_key = \"{key}\"\nallow_private = true\n\
                 events = [\"PostResetPassword\", \"User.Data.Updated\"]\n\
                 [sms]\nconnector = \"http\"\nurl = \"{peer}sms\"\n\
                 [reset]\nresend_cooldown = \"1s\"\n\
                 [limits]\nfactor = 1000\n",
                peer = peer.url,
                key = "k".repeat(40),
            )
        };
        let server = Server::start_with(configured, "error").await;
        let add = [
            "user",
            "add",
            "--email",
            ADA,
            "--phone",
            PHONE,
            "--password-stdin",
        ];
        let added = server.workplace.run_with_input(&add, OLD_PASSWORD).await;
        added.assert_done();
        let mut world = Self {
            owner: server.browser(),
            server,
            mails,
            peer,
            passwords: [OLD_PASSWORD.to_owned(), NEW_PASSWORD.to_owned()],
            before: Told::default(),
        };
        world.sign_the_owner_in(OLD_PASSWORD).await;
        world
    }

    /// The app's authorization request.
    fn request(&self) -> String {
        format!(
            "/oidc/auth?client_id=shop&response_type=code&scope=openid&redirect_uri={}callback\
             &code_challenge={}&code_challenge_method=S256",
            self.peer.url,
            "c".repeat(43),
        )
    }

    async fn sign_the_owner_in(&mut self, password: &str) {
        let request = self.request();
        self.owner = self.server.browser();
        self.owner.open(&request).await;
        self.owner.sign_in(ADA, password).await;
        self.owner.assert_at("/callback");
    }

    /// Sets out on a way to the new password, as far as there is a companion to go it with.
    fn set_out(&self, way: Way) -> Journey {
        let [_, new] = &self.passwords;
        Journey::begin(self.server.browser(), &self.mails, &self.peer, way, new)
    }

    /// The new password is the old one from here on, and its owner is signed in: for another journey.
    async fn go_on(&mut self, new: &str) {
        let [_, current] = std::mem::take(&mut self.passwords);
        self.sign_the_owner_in(&current).await;
        self.passwords = [current, new.to_owned()];
        self.before = self.told();
    }

    async fn opens_to(&self, password: &str) -> bool {
        let mut browser = self.server.browser();
        browser.open("/sign-in").await;
        browser.sign_in(ADA, password).await;
        browser.page().url.path() == "/account"
    }

    /// What opens the account: one of the two, never both.
    async fn opens(&self) -> Opens {
        let [old, new] = &self.passwords;
        match (self.opens_to(old).await, self.opens_to(new).await) {
            (true, false) => Opens::Old,
            (false, true) => Opens::New,
            (false, false) => Opens::Nothing,
            (true, true) => panic!("{old:?} and {new:?} open the account"),
        }
    }

    /// Whether the session of before is there.
    async fn owner_is_signed_in(&self) -> bool {
        self.owner.get_once("/account").await.status == 200
    }

    fn told(&self) -> Told {
        let asked = self.peer.messages();
        let at = |path: &str| asked.iter().filter(|asked| asked.path == path).count();
        let mails = self.mails.mails();
        let texts = asked.iter().filter(|asked| asked.path == "/sms");
        Told {
            mails: mails.iter().filter(|mail| mail.code().is_none()).count(),
            texts: texts.filter(|text| code_of(text).is_none()).count(),
            hooks: at("/hook"),
            logouts: at("/logout"),
        }
    }

    /// What was told since the journey began.
    fn newly_told(&self) -> Told {
        let (all, before) = (self.told(), self.before);
        Told {
            mails: all.mails - before.mails,
            texts: all.texts - before.texts,
            hooks: all.hooks - before.hooks,
            logouts: all.logouts - before.logouts,
        }
    }

    /// Ends the companion as a power cut does, if it has not ended, and starts it again as if two minutes had passed: what it
    /// had under way is leased to nobody any more.
    async fn restart(&mut self, environment: &[(&str, &str)]) {
        self.server.kill();
        let store = self.store().await;
        sqlx::query("UPDATE jobs SET lease_until = 0, run_at = 0")
            .execute(store.writer())
            .await
            .unwrap();
        store.close().await;
        self.server.restart(environment).await;
    }

    /// Waits until nothing is left to do.
    async fn settles(&self) {
        let store = self.store().await;
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

    /// As if ten minutes had passed: of the codes of one address no more than five live at a time.
    async fn codes_run_out(&self) {
        let store = self.store().await;
        sqlx::query("UPDATE challenges SET expires_at = 0")
            .execute(store.writer())
            .await
            .unwrap();
        store.close().await;
    }

    async fn store(&self) -> Store {
        let path = self.server.workplace.path("keyback.db");
        Store::open(&path).await.unwrap()
    }

    /// All that holds after a companion was killed in the midst of a reset, and started again.
    async fn assert_whole(&self) -> Opens {
        self.settles().await;
        let opens = self.opens().await;
        let told = self.newly_told();
        match opens {
            Opens::Old => {
                assert!(self.owner_is_signed_in().await, "the session of the old password");
                assert_eq!(told, Told::default(), "nothing is told of what did not happen");
            }
            Opens::New => {
                assert!(!self.owner_is_signed_in().await, "no session outlives the reset");
                assert!(
                    told.mails >= 1 && told.texts >= 1 && told.hooks >= 2 && told.logouts >= 1,
                    "both notices, both events of the webhook, and the logout: {told:?}"
                );
            }
            Opens::Nothing => panic!("neither password opens the account"),
        }
        opens
    }
}

/// The code that a text message carries.
fn code_of(text: &Asked) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(&text.body).unwrap();
    body["payload"]["code"].as_str().map(str::to_owned)
}
