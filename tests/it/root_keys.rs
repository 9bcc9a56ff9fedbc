//! The root key is changed, and the companion started again: with the old key behind the new one nothing is lost, and without
//! it what it made is worth nothing.

use std::fs;
use std::sync::Arc;

use keyback_companion::store::Store;
use keyback_tests::{
    ADA, Behaviour, Browser, Keyback, Mail, MessageProvider, NEW_PASSWORD, OLD_PASSWORD, Server, SmtpSink,
    eventually,
};
use url::Url;

use crate::journeys::links::link_in;

const BEN: &str = "ben@example.com";

/// A companion as a process, and whom it tells.
struct World {
    server: Server,
    mails: Arc<SmtpSink>,
    /// The webhook, and the app that people sign in to. It is never content.
    peer: MessageProvider,
}

/// What the first root key made, and nobody has used.
struct UnderWay {
    /// At the page that asks for the code.
    typing: Browser,
    code: String,
    /// Has the link of a mail of its own.
    linked: Browser,
    link: Url,
    /// At the sign-in that an app has asked for.
    signing_in: Browser,
}

impl World {
    async fn start() -> Self {
        let mails = Arc::new(SmtpSink::start().await);
        let peer = MessageProvider::start(Behaviour::Says(503, "", "")).await;
        let configured = |sound: String| {
            let sound = mails
                .in_place_of_the_inbox(&sound)
                .replace("http://localhost:9000/", peer.url.as_str());
            format!(
                "{sound}[reset]\nlinks = true\n[[webhook]]\nurl = \"{}hook\"\nsigning_key = \"{}\"\n\
                 allow_private = true\n[limits]\nfactor = 1000\n",
                peer.url,
                "k".repeat(40),
            )
        };
        let server = Server::start_with(configured, "info").await;
        for email in [ADA, BEN] {
            let add = ["user", "add", "--email", email, "--password-stdin"];
            let added = server.workplace.run_with_input(&add, OLD_PASSWORD).await;
            added.assert_done();
        }
        Self { server, mails, peer }
    }

    /// Starts again with these root keys, the first in front, or ends at once where it can't.
    async fn restart_with(&mut self, keys: &[&str]) {
        let workplace = &self.server.workplace;
        let keys = keys.iter().map(|name| workplace.path(name));
        let config = fs::read_to_string(workplace.path("keyback.toml")).unwrap();
        let lines = config
            .lines()
            .map(|line| match line.starts_with("root_key_file") {
                true => format!("root_key_file = {:?}\n", keys.clone().collect::<Vec<_>>()),
                false => format!("{line}\n"),
            });
        workplace.write(&lines.collect::<String>());
        self.server.restart(&[]).await;
    }

    /// Asks for a code, and reads the mail.
    async fn asks(&self, address: &str) -> (Browser, Mail) {
        let with_codes = || {
            let mut mails = self.mails.mails();
            mails.retain(|mail| mail.code().is_some());
            mails
        };
        let (seen, mut browser) = (with_codes().len(), self.server.browser());
        browser.open("/forgot-password").await;
        browser.ask_reset(address).await;
        let mail = eventually("a code", async || with_codes().get(seen).cloned()).await;
        (browser, mail)
    }

    async fn resets(&self, address: &str) {
        let (mut browser, mail) = self.asks(address).await;
        browser.enter_code(&mail.code().unwrap()).await;
        browser.choose_password(NEW_PASSWORD).await;
        browser.assert_at("/forgot-password/done");
    }

    async fn begin(&self) -> UnderWay {
        let (typing, mail) = self.asks(ADA).await;
        let code = mail.code().unwrap();
        let (linked, mail) = self.asks(ADA).await;
        // Quoted-printable (RFC 2045 6.7) writes `=` so.
        let text = mail.part("text/plain").unwrap().replace("=3D", "=");
        let link = link_in(&text).unwrap();
        let mut signing_in = self.server.browser();
        let request = format!(
            "/oidc/auth?client_id=shop&response_type=code&scope=openid&redirect_uri={}callback\
             &code_challenge={}&code_challenge_method=S256",
            self.peer.url,
            "c".repeat(43),
        );
        signing_in.open(&request).await;
        signing_in.assert_at("/sign-in");
        UnderWay {
            typing,
            code,
            linked,
            link,
            signing_in,
        }
    }

    /// What the webhook was sent.
    fn deliveries(&self) -> usize {
        self.peer
            .asked()
            .iter()
            .filter(|asked| asked.path == "/hook")
            .count()
    }

    /// Has every job that waits done now.
    async fn hurry(&self, store: &Store) {
        sqlx::query("UPDATE jobs SET lease_until = 0, run_at = 0")
            .execute(store.writer())
            .await
            .unwrap();
    }
}

async fn jobs(store: &Store) -> i64 {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM jobs");
    count.fetch_one(store.reader()).await.unwrap()
}

#[tokio::test]
async fn sr18_a_new_root_key_in_front_loses_nothing_and_without_the_old_one_it_opens_nothing() {
    let mut world = World::start().await;
    let mut owner = world.server.browser();
    owner.open("/account").await;
    owner.sign_in(ADA, OLD_PASSWORD).await;
    owner.assert_at("/account");
    let (first, second) = (world.begin().await, world.begin().await);
    world.resets(BEN).await;
    eventually("a delivery", async || (world.deliveries() > 0).then_some(())).await;
    let new_key = world.server.workplace.path("new.key");
    let made = Keyback::run(&["keys", "new", "--out", new_key.to_str().unwrap()]).await;
    made.assert_done();

    world.restart_with(&["new.key", "root.key"]).await;
    let store = Store::open(&world.server.workplace.path("keyback.db"))
        .await
        .unwrap();
    let UnderWay {
        mut typing,
        code,
        mut linked,
        link,
        mut signing_in,
    } = first;
    typing.enter_code(&code).await;
    typing.assert_at("/forgot-password/password");
    linked.open(link.as_str()).await;
    let form = linked.page().form_to("/forgot-password/code");
    linked.submit(form).await;
    linked.assert_at("/forgot-password/password");
    signing_in.sign_in(ADA, OLD_PASSWORD).await;
    signing_in.assert_at("/callback");
    assert_eq!(owner.get_once("/account").await.status, 200);
    let delivered = world.deliveries();
    world.hurry(&store).await;
    eventually("one more try", async || {
        (world.deliveries() > delivered).then_some(())
    })
    .await;
    eventually("the webhook's job alone to be left", async || {
        (jobs(&store).await == 1).then_some(())
    })
    .await;

    // The new key alone can't open the keys that sign: the start says so.
    world.restart_with(&["new.key"]).await;
    eventually("the end of a start that can't be", || {
        std::future::ready(world.server.has_ended().then_some(()))
    })
    .await;
    let log = world.server.log();
    assert!(log.contains("put the root key that sealed it back"), "{log}");
    world.restart_with(&["new.key", "root.key"]).await;
    let rotated = world.server.workplace.run(&["keys", "rotate", "--at-once"]).await;
    rotated.assert_done();
    world.restart_with(&["new.key"]).await;
    let delivered = world.deliveries();

    let UnderWay {
        mut typing,
        code,
        mut linked,
        link,
        mut signing_in,
    } = second;
    typing.enter_code(&code).await;
    typing.assert_status(422);
    typing.assert_says("That code doesn’t match.");
    linked.open(link.as_str()).await;
    linked.assert_says("This link no longer works");
    signing_in.sign_in(ADA, OLD_PASSWORD).await;
    signing_in.assert_status(400);
    signing_in.assert_says("This sign-in has expired");
    world.hurry(&store).await;
    eventually("the job to be given up", async || {
        (jobs(&store).await == 0).then_some(())
    })
    .await;
    assert_eq!(world.deliveries(), delivered);
    let log = world.server.log();
    assert!(log.contains("its key is no longer in [secrets]"), "{log}");
    // No key is in the secret of a session.
    assert_eq!(owner.get_once("/account").await.status, 200);
    world.resets(ADA).await;
    assert!(!world.server.log().contains("panicked") && !world.server.has_ended());
}
