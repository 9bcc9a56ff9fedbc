//! Whatever ends a session ends it at the apps too: OIDC Back-Channel Logout, over HTTP. SR-56.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyback_companion::config::Config;
use keyback_companion::config::app::{AppConfig, AppKind};
use keyback_companion::outbox::LogoutNotice;
use keyback_core::time::Clock as _;
use keyback_tests::{
    ADA, Behaviour, Browser, Demo, MessageProvider, NEW_PASSWORD, OLD_PASSWORD, TestApp, Workplace,
    eventually,
};
use serde_json::Value;

/// The shop hears of logouts.
fn told(config: &mut Config) {
    let shop = &mut config.apps[0];
    shop.backchannel_logout_uri = Some(shop.redirect_uris[0].join("/backchannel-logout").unwrap());
    shop.backchannel_logout_session_required = true;
}

async fn with_ada() -> TestApp {
    let app = TestApp::with(told).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    app
}

/// A browser that is signed in at the shop.
async fn customer(app: &TestApp) -> Browser {
    let mut browser = app.browser();
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_says("Signed in as ada@example.com");
    browser
}

/// Waits until the shop was told so often, and gives the claims of what it was told.
async fn told_claims(app: &TestApp, count: usize) -> Vec<Value> {
    let tokens = eventually("the shop to be told", async || {
        let tokens = app.site.told();
        (tokens.len() >= count).then_some(tokens)
    })
    .await;
    assert_eq!(tokens.len(), count);
    tokens.iter().map(|token| part(token, 1)).collect()
}

/// The header of a token, or its claims.
fn part(token: &str, number: usize) -> Value {
    let text = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

fn is_customer(app: &TestApp, browser: &Browser) -> bool {
    app.site.session_of(browser).is_some()
}

#[tokio::test]
async fn bcl_2_5_signing_out_at_the_companion_signs_out_at_the_shop() {
    let app = with_ada().await;
    let mut browser = customer(&app).await;
    let other = customer(&app).await;
    let sid = app
        .site
        .session_of(&browser)
        .unwrap()
        .claims()
        .session_id()
        .unwrap()
        .to_owned();
    browser.open("/sign-out").await;
    let form = browser.page().form_to("/sign-out");
    browser.submit(form).await;
    browser.assert_at("/signed-out");
    let claims = told_claims(&app, 1).await;
    assert_eq!(claims[0]["sid"], sid);
    app.settle().await;
    assert!(!is_customer(&app, &browser));
    assert!(
        is_customer(&app, &other),
        "another session of the same person lives on"
    );
    // The refresh token, granted with offline_access, outlives the session (Back-Channel Logout 2.7).
    let session = app.site.session_of(&other).unwrap();
    assert!(app.site.client.refresh(&session).await.is_ok());
}

#[tokio::test]
async fn bcl_2_5_signing_out_at_the_shop_tells_it_as_well() {
    let app = with_ada().await;
    let mut browser = customer(&app).await;
    let form = browser.page().form_to("/sign-out");
    browser.submit(form).await;
    assert_eq!(browser.page().url.as_str(), app.site.at("/"));
    let claims = told_claims(&app, 1).await;
    assert_eq!(claims[0]["aud"], "shop");
    assert_eq!(claims[0]["iss"], app.companion.provider.issuer());
}

#[tokio::test]
async fn sr56_a_reset_signs_out_at_the_shop_everywhere_and_says_so() {
    let app = with_ada().await;
    let (first, second) = (customer(&app).await, customer(&app).await);
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
    browser.assert_says("Signed out here 2 devices");
    browser.assert_says("Being told now 1 app");
    // What a reset can't reach is said as well.
    browser.assert_says("Until one hears of this, you may still be signed in there");
    browser.assert_says("what it was given here works for up to 1 hour.");
    let claims = told_claims(&app, 2).await;
    assert_ne!(claims[0]["sid"], claims[1]["sid"]);
    assert_ne!(claims[0]["jti"], claims[1]["jti"]);
    app.settle().await;
    assert!(!is_customer(&app, &first) && !is_customer(&app, &second));
}

/// Each app by a token of its own, once.
#[tokio::test]
async fn sr56_a_reset_tells_every_app_that_had_a_session_once() {
    let market = MessageProvider::start(Behaviour::Takes).await;
    let callback = market.url.join("/callback").unwrap();
    let app = TestApp::with(|config| {
        told(config);
        config.apps.push(AppConfig {
            redirect_uris: vec![callback.clone()],
            backchannel_logout_uri: Some(market.url.join("/logout").unwrap()),
            ..AppConfig::new("market", AppKind::Spa)
        });
    })
    .await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut elsewhere = customer(&app).await;
    let request = format!(
        "/oidc/auth?client_id=market&response_type=code&scope=openid&redirect_uri={callback}\
         &code_challenge={}&code_challenge_method=S256",
        "c".repeat(43),
    );
    elsewhere.open(&request).await;
    elsewhere.assert_at("/callback");
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    browser.enter_code(&app.last_code_for(ADA).await).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_says("Signed out here 1 device");
    browser.assert_says("Being told now 2 apps");

    app.settle().await;
    let at_shop = app.site.told();
    let at_market: Vec<String> = market
        .messages()
        .iter()
        .filter(|asked| asked.method == "POST")
        .map(|asked| asked.form().remove("logout_token").unwrap())
        .collect();
    assert_eq!((at_shop.len(), at_market.len()), (1, 1));
    for (token, audience) in [(&at_shop[0], "shop"), (&at_market[0], "market")] {
        assert_eq!(part(token, 0)["typ"], "logout+jwt");
        let claims = part(token, 1);
        assert_eq!(
            (&claims["aud"], &claims["sub"]),
            (&audience.into(), &id.as_str().into())
        );
        assert!(claims["nonce"].is_null(), "{claims}");
        assert!(claims["events"]["http://schemas.openid.net/event/backchannel-logout"].is_object());
        assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 120);
    }
    let [of_shop, of_market] = [&at_shop, &at_market].map(|told| part(&told[0], 1));
    assert_eq!(of_shop["sid"], of_market["sid"], "one session at the companion");
    assert_ne!(of_shop["jti"], of_market["jti"]);
    // Nothing is left that would tell them again.
    app.advance(Duration::from_secs(3_600));
    app.settle().await;
    assert_eq!((app.site.told().len(), market.messages().len()), (1, 2));
}

#[tokio::test]
async fn sr56_a_changed_password_signs_out_at_the_shop() {
    let app = with_ada().await;
    let mut browser = customer(&app).await;
    browser.open("/account/password").await;
    browser.change_password(OLD_PASSWORD, NEW_PASSWORD).await;
    browser.assert_says("Password changed");
    told_claims(&app, 1).await;
    app.settle().await;
    assert!(!is_customer(&app, &browser));
}

#[tokio::test]
async fn bcl_2_8_a_shop_that_is_down_is_told_later_by_a_fresh_token() {
    let app = with_ada().await;
    let browser = customer(&app).await;
    for status in [503, 429] {
        app.site.answer_logout(status, "");
    }
    sign_out(&browser).await;
    told_claims(&app, 1).await;
    for tries in [2, 3] {
        waits(&app).await;
        app.advance(Duration::from_secs(600));
        told_claims(&app, tries).await;
    }
    app.settle().await;
    let claims = told_claims(&app, 3).await;
    assert_ne!(claims[0]["jti"], claims[1]["jti"]);
    assert_eq!(claims[2]["iat"].as_i64().unwrap(), app.clock.now().as_secs());
    assert!(!is_customer(&app, &browser));
}

#[tokio::test]
async fn bcl_2_8_a_refusal_is_final() {
    let app = with_ada().await;
    let browser = customer(&app).await;
    app.site.answer_logout(400, r#"{"error":"invalid_request"}"#);
    sign_out(&browser).await;
    told_claims(&app, 1).await;
    eventually("the job to be given up", async || {
        (jobs(&app).await == 0).then_some(())
    })
    .await;
    app.advance(Duration::from_secs(3_600));
    assert!(is_customer(&app, &browser));
    told_claims(&app, 1).await;
}

#[tokio::test]
async fn sr61_a_redirect_is_not_followed() {
    let app = with_ada().await;
    let browser = customer(&app).await;
    app.site.answer_logout(307, "");
    sign_out(&browser).await;
    told_claims(&app, 1).await;
    eventually("the job to be given up", async || {
        (jobs(&app).await == 0).then_some(())
    })
    .await;
}

/// Apps that don't answer hold up no code.
#[tokio::test]
async fn what_is_sent_to_people_does_not_wait_behind_silent_apps() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let app = TestApp::with(|config| {
        told(config);
        config.apps[0].backchannel_logout_uri = Some(format!("http://{address}/").parse().unwrap());
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    for _ in 0..10 {
        sign_out(&customer(&app).await).await;
    }
    let mut open = Vec::new();
    for _ in 0..2 {
        open.push(silent.accept().await.unwrap());
    }
    // All places of this app are taken now, and stay so: it doesn't answer.
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    eventually("the code", async || {
        let letters = app.companion.inbox.as_ref().unwrap().letters();
        letters.iter().any(|letter| letter.code.is_some()).then_some(())
    })
    .await;
    assert_eq!(jobs(&app).await, 10, "no app has answered");
}

/// Nor do they hold up what other apps are told.
#[tokio::test]
async fn bcl_2_5_an_app_is_told_while_another_does_not_answer() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let app = TestApp::with(|config| {
        told(config);
        let mut mute = config.apps[0].clone();
        mute.client_id = "mute".to_owned();
        mute.backchannel_logout_uri = Some(format!("http://{address}/").parse().unwrap());
        config.apps.push(mute);
    })
    .await;
    let user_id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let browser = customer(&app).await;
    for session in 0..40 {
        let notice = LogoutNotice {
            client_id: "mute".to_owned(),
            user_id: user_id.clone(),
            session_id: format!("session-{session}"),
            ended_at: app.clock.now(),
        };
        let outbox = &app.companion.outbox;
        outbox
            .tell_logout(app.companion.store.writer(), &notice)
            .await
            .unwrap();
        outbox.wake();
    }
    let _open = (silent.accept().await.unwrap(), silent.accept().await.unwrap());
    sign_out(&browser).await;
    told_claims(&app, 1).await;
    eventually("only the mute app's jobs to be left", async || {
        (jobs(&app).await == 40).then_some(())
    })
    .await;
}

/// A retry that comes when the person is back would end what is new.
#[tokio::test]
async fn bcl_2_7_an_app_that_was_signed_in_to_again_is_not_told_of_what_was_before() {
    let app = with_ada().await;
    let mut browser = customer(&app).await;
    app.site.answer_logout(503, "");
    browser.open("/account").await;
    let form = browser.page().form_to("/account/apps").fill("remove", "shop");
    browser.submit(form).await;
    browser.assert_says("The app’s access is removed.");
    told_claims(&app, 1).await;
    waits(&app).await;
    // Before the first retry is due. The session here lives on, so the next one there has the same `sid`.
    app.advance(Duration::from_secs(1));
    browser.open(&app.site.at("/sign-in")).await;
    browser.assert_says("Signed in as ada@example.com");
    app.advance(Duration::from_secs(600));
    eventually("the job to be done with", async || {
        (jobs(&app).await == 0).then_some(())
    })
    .await;
    told_claims(&app, 1).await;
    assert!(is_customer(&app, &browser));
    // The end of the session is told as ever.
    sign_out(&browser).await;
    told_claims(&app, 2).await;
    app.settle().await;
    assert!(!is_customer(&app, &browser));
}

/// The whole way in programs of their own: the operator's command tells the worker of the running server, and the
/// demo's shop ends its session.
#[tokio::test]
async fn sr56_disabling_an_account_by_the_command_signs_out_at_the_demos_shop() {
    let workplace = Workplace::empty();
    let data = workplace.path("data");
    let demo = Demo::start(&["--data", data.to_str().unwrap()]).await;
    let mut browser = demo.browser();
    browser.open(demo.site.join("/sign-in").unwrap().as_str()).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_says("Ada Lovelace");
    let folder = data.display();
    workplace.write(&format!(
        "[server]\npublic_url = \"{}\"\n[secrets]\nroot_key_file = \"{folder}/root.key\"\n\
         [store]\nurl = \"sqlite:{folder}/keyback.db\"\n[email]\nconnector = \"inbox\"\n\
         [[app]]\nclient_id = \"demo-site\"\ntype = \"web\"\nclient_secret = \"{}\"\n\
         redirect_uris = [\"{site}callback\"]\nbackchannel_logout_uri = \"{site}backchannel-logout\"\n",
        demo.companion,
        "s".repeat(32),
        site = demo.site,
    ));
    workplace.run(&["user", "disable", ADA]).await.assert_done();
    eventually("the shop to be told", async || {
        let home = browser.get_once(demo.site.as_str()).await;
        (!home.text().contains("Ada Lovelace")).then_some(())
    })
    .await;
}

async fn sign_out(browser: &Browser) {
    let mut tab = browser.clone();
    tab.open("/sign-out").await;
    let form = tab.page().form_to("/sign-out");
    tab.submit(form).await;
    tab.assert_at("/signed-out");
}

/// Waits until a job has been put back.
async fn waits(app: &TestApp) {
    eventually("the job to wait", async || {
        let waiting: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM jobs WHERE run_at > $1")
            .bind(app.clock.now().as_millis())
            .fetch_one(app.companion.store.reader())
            .await
            .unwrap();
        (waiting == 1).then_some(())
    })
    .await;
}

async fn jobs(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM jobs WHERE kind = 'logout'")
        .fetch_one(app.companion.store.reader())
        .await
        .unwrap()
}
