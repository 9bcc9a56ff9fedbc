//! The account page: who somebody is, where they are signed in, and signing out elsewhere.

use std::time::Duration;

use keyback_companion::store::users::NewUser;
use keyback_tests::{ADA, Browser, NEW_PASSWORD, OLD_PASSWORD, Tells, TestApp};

use super::with_ada;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                      Version/18.5 Mobile/15E148 Safari/604.1";

async fn signed_in(browser: Browser) -> Browser {
    let mut browser = browser;
    browser.open("/account").await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/account");
    browser
}

async fn two(app: &TestApp) -> (Browser, Browser) {
    let here = signed_in(app.browser().that_calls_itself(FIREFOX)).await;
    app.advance(Duration::from_secs(3 * 3_600));
    let phone = signed_in(app.browser().that_calls_itself(IPHONE)).await;
    (here, phone)
}

async fn press(browser: &mut Browser, value: &str) {
    let form = browser.page().form_to("/account/sessions").fill("end", value);
    browser.submit(form).await;
}

/// The value of the first button that signs another device out.
fn other(browser: &Browser) -> String {
    let body = &browser.page().body;
    let (_, rest) = body.split_once("name=\"end\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

async fn is_signed_in(browser: &Browser) -> bool {
    browser.get_once("/account").await.status == 200
}

#[tokio::test]
async fn asvs_7_5_2_the_account_page_says_who_where_and_since_when() {
    let app = TestApp::start().await;
    let ada = NewUser {
        name: Some("Ada Lovelace".to_owned()),
        username: Some("ada".to_owned()),
        email: Some(ADA.to_owned()),
        verified: true,
        ..NewUser::default()
    };
    app.add(ada, Some(OLD_PASSWORD)).await;
    let (mut here, _) = two(&app).await;
    here.open("/account").await;
    for words in [
        "Ada Lovelace",
        "ada@example.com Verified",
        "Firefox on Linux This device",
        "Here now · 127.0.0.1",
        "Safari on iPhone",
        "Seen just now · 127.0.0.1",
        "Sign out all other devices",
    ] {
        here.assert_says(words);
    }
    let text = here.page().text();
    let (firefox, iphone) = (text.find("Firefox on Linux"), text.find("Safari on iPhone"));
    assert!(firefox < iphone, "this device stands first: {text}");
}

#[tokio::test]
async fn an_address_that_was_not_verified_is_said_to_be_so() {
    let app = TestApp::start().await;
    let ada = NewUser {
        email: Some(ADA.to_owned()),
        ..NewUser::default()
    };
    app.add(ada, Some(OLD_PASSWORD)).await;
    let browser = signed_in(app.browser()).await;
    browser.assert_says("Not verified yet");
    browser.assert_says("Unknown device This device");
    assert!(!browser.page().text().contains("Sign out all other devices"));
}

#[tokio::test]
async fn asvs_7_5_2_one_other_device_is_signed_out() {
    let (app, _) = with_ada().await;
    let (mut here, phone) = two(&app).await;
    let third = signed_in(app.browser()).await;
    here.open("/account").await;
    let chosen = other(&here);
    press(&mut here, &chosen).await;
    here.assert_at("/account");
    here.assert_says("That device is signed out.");
    let left = [is_signed_in(&phone).await, is_signed_in(&third).await];
    assert_eq!(left.into_iter().filter(|is| *is).count(), 1, "{left:?}");
    assert_eq!(app.audited("session_ended_by_user").await, 1);
    // Back and again: it is not there any more.
    press(&mut here, &chosen).await;
    here.assert_at("/account");
    assert_eq!(app.audited("session_ended_by_user").await, 1);
}

#[tokio::test]
async fn asvs_7_4_3_all_other_devices_are_signed_out_and_this_one_stays() {
    let (app, _) = with_ada().await;
    let (mut here, phone) = two(&app).await;
    here.open("/account").await;
    press(&mut here, "others").await;
    here.assert_says("All other devices are signed out.");
    assert!(!here.page().text().contains("Safari on iPhone"));
    assert!(!is_signed_in(&phone).await);
    assert!(is_signed_in(&here).await);
}

#[tokio::test]
async fn everywhere_is_here_too_and_ends_offline_access() {
    let (app, _) = with_ada().await;
    let (mut here, phone) = two(&app).await;
    let mut shop = app.browser();
    shop.open(&app.site.at("/sign-in")).await;
    shop.sign_in(ADA, OLD_PASSWORD).await;
    let session = app.site.session_of(&shop).unwrap();
    here.open("/account").await;
    press(&mut here, "everywhere").await;
    here.assert_at("/signed-out");
    assert_eq!(here.cookie(&app.url, "kb_session"), None);
    assert!(!is_signed_in(&here).await && !is_signed_in(&phone).await);
    assert!(app.site.client.refresh(&session).await.is_err());
    assert_eq!(app.audited("signed_out_everywhere").await, 1);
    // The password is the old one still.
    here.open("/account").await;
    here.sign_in(ADA, OLD_PASSWORD).await;
    here.assert_at("/account");
}

/// A device that was lost or stolen holds nothing more: neither its browser's session, nor what apps keep for it.
#[tokio::test]
async fn bcl_2_7_a_device_that_is_signed_out_by_its_owner_loses_offline_access_too() {
    let (app, _) = with_ada().await;
    for button in ["one", "others"] {
        let mut here = signed_in(app.browser()).await;
        here.open(&app.site.at("/sign-in")).await;
        let kept = app.site.session_of(&here).unwrap();
        app.advance(Duration::from_secs(3_600));
        let mut lost = app.browser();
        lost.open(&app.site.at("/sign-in")).await;
        lost.sign_in(ADA, OLD_PASSWORD).await;
        let session = app.site.session_of(&lost).unwrap();
        here.open("/account").await;
        let meant = match button {
            "one" => session.claims().session_id().unwrap().to_owned(),
            all => all.to_owned(),
        };
        press(&mut here, &meant).await;
        here.assert_at("/account");
        let refused = app.site.client.refresh(&session).await.unwrap_err();
        assert!(format!("{refused:?}").contains("InvalidGrant"), "{refused:?}");
        assert!(app.site.client.refresh(&kept).await.is_ok(), "{button}");
    }
}

/// Nobody ends what is not theirs, however they come by its id.
#[tokio::test]
async fn asvs_7_5_2_sessions_of_others_and_this_one_are_not_ended_by_their_ids() {
    let (app, _) = with_ada().await;
    app.add_user("eve@example.com", Some(NEW_PASSWORD)).await;
    let (mut here, phone) = two(&app).await;
    here.open("/account").await;
    let ids: Vec<String> = sqlx::query_scalar("SELECT id FROM sessions")
        .fetch_all(app.companion.store.reader())
        .await
        .unwrap();
    let mut eve = app.browser();
    eve.open("/account").await;
    eve.sign_in("eve@example.com", NEW_PASSWORD).await;
    for id in &ids {
        press(&mut eve, id).await;
        eve.assert_at("/account");
    }
    assert!(is_signed_in(&here).await && is_signed_in(&phone).await);
    for id in &ids {
        press(&mut here, id).await;
    }
    assert!(is_signed_in(&here).await, "this one has a page of its own");
    assert!(!is_signed_in(&phone).await);
    press(&mut here, "").await;
    here.assert_status(400);
}

#[tokio::test]
async fn sr66_another_site_can_not_press_the_buttons() {
    let (app, _) = with_ada().await;
    let (mut here, phone) = two(&app).await;
    here.open("/account").await;
    let form = here.page().form_to("/account/sessions").fill("end", "everywhere");
    let foreign = here.clone().that_tells(Tells::Nothing);
    assert_eq!(foreign.post_once(&form).await.status, 403);
    assert!(is_signed_in(&here).await && is_signed_in(&phone).await);
    assert_eq!(
        app.browser().post_once(&form).await.location().unwrap().path(),
        "/sign-in"
    );
}
