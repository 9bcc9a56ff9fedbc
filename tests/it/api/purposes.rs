//! What proves an address serves at the door that it was sent for, and at no other: the pages of a reset and of a notice, a site's
//! own pages, the APIs.

use std::time::Duration;

use keyback::logto::CodeRefusal;
use keyback::logto::management::{CodeCheck, OneTimeTokenCheck, OneTimeTokenPurpose};
use keyback_companion::store::account_status::AccountStatus;
use keyback_tests::{ADA, NEW_PASSWORD, OLD_PASSWORD};
use serde_json::json;
use url::Url;

use super::account::sign_in;
use super::codes::{refused, right, to};
use super::resets_by_token::open;
use super::*;
use crate::journeys::frozen;
use crate::journeys::links::link_in;

/// One address, three codes that live at once.
#[tokio::test]
async fn sr23_a_code_of_the_reset_page_is_none_of_an_api_and_the_other_way_round() {
    // Each door refuses more codes here than are let pass in a row.
    let app = with_backend(|config| config.limits.factor = 100).await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let (_, session) = sign_in(&app).await;
    let (account, site) = (app.site.client.account(&session).unwrap(), management(&app));
    let of_site = async |code: &str| site.check_code(&to(ADA), code).await.unwrap();

    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let reset_code = app.last_code_for(ADA).await;
    // Where the site has sent none, there is none.
    assert_eq!(
        of_site(&reset_code).await,
        CodeCheck::Refused(CodeRefusal::NotFound)
    );
    site.send_code(&to(ADA)).await.unwrap();
    let site_code = app.last_code_for(ADA).await;
    let sent = account.send_code(to(ADA)).await.unwrap();
    let account_code = app.last_code_for(ADA).await;
    let codes = [&reset_code, &site_code, &account_code];
    assert!(
        codes[0] != codes[1] && codes[1] != codes[2] && codes[2] != codes[0],
        "once in some hundred thousand runs"
    );

    for other in [&site_code, &account_code] {
        browser.enter_code(other).await;
        browser.assert_status(422);
        browser.assert_says("That code doesn’t match.");
    }
    for other in [&reset_code, &account_code] {
        assert_eq!(of_site(other).await, CodeCheck::Refused(CodeRefusal::Wrong));
    }
    for other in [&reset_code, &site_code] {
        assert_eq!(refused(&account, &sent, other).await, CodeRefusal::Wrong);
    }
    // Each is right where it belongs, whatever was tried with it elsewhere.
    assert_eq!(of_site(&site_code).await, CodeCheck::Right);
    right(&account, &sent, &account_code).await;
    browser.enter_code(&reset_code).await;
    browser.choose_password(NEW_PASSWORD).await;
    browser.assert_at("/forgot-password/done");
}

/// Links, tokens and codes of one reset, each brought to all the doors of the others.
#[tokio::test]
async fn sr23_links_tokens_and_codes_serve_at_their_own_doors_alone() {
    let app = with_backend(|config| {
        config.limits.factor = 1_000;
        config.reset.links = true;
    })
    .await;
    app.add_user(ADA, Some(OLD_PASSWORD)).await;
    app.advance(Duration::from_secs(1));
    frozen::reset(&app, ADA, NEW_PASSWORD).await;
    let (_, notice) = frozen::notice_to(&app, ADA).await;
    let mut browser = app.browser();
    browser.open("/forgot-password").await;
    browser.ask_reset(ADA).await;
    let letter = app.letters_to(ADA).await.remove(0);
    let mail = link_in(&letter.text).unwrap();
    let secret_of = |link: &Url| link.query_pairs().next().unwrap().1.into_owned();
    let of_notice = secret_of(&notice);
    let of_mail = secret_of(&mail);
    let code = letter.code.unwrap();
    let site = management(&app);
    let token = site
        .create_one_time_token(ADA, OneTimeTokenPurpose::ForgotPassword, Duration::from_secs(600))
        .await
        .unwrap();
    let of_token = token.token().to_owned();
    site.send_code(&to(ADA)).await.unwrap();
    let of_site = app.last_code_for(ADA).await;
    let bearer = machine_token(&app, BACKEND).await;

    // The form of the code: what is none is not compared, nor counted.
    for other in [&of_notice, &of_mail, &of_token] {
        browser.enter_code(other).await;
        browser.assert_at("/forgot-password/code");
        browser.assert_status(422);
    }
    assert_eq!(app.challenges().await.last().unwrap().attempts, 0);
    // The link of the mail, looked at and pressed.
    let mut stranger = app.browser();
    stranger.open(mail.as_str()).await;
    let press = stranger.page().form_to("/forgot-password/link");
    for other in [&of_notice, &of_token, &code, &of_site] {
        let look = stranger
            .get_once(&format!("/forgot-password/link?t={other}"))
            .await;
        let pressed = stranger.post_once(&press.clone().fill("t", other)).await;
        assert_eq!((look.status, pressed.status), (410, 410));
    }
    // The link of the notice.
    stranger.open(notice.as_str()).await;
    let press = stranger.page().form_to("/not-me");
    for other in [&of_mail, &of_token, &code, &of_site] {
        let look = stranger.get_once(&format!("/not-me?t={other}")).await;
        let pressed = stranger.post_once(&press.clone().fill("t", other)).await;
        assert_eq!((look.status, pressed.status), (410, 410));
    }
    // The token of an app, at the page and at the API.
    for other in [&of_notice, &of_mail, &code, &of_site] {
        open(&app, &mut stranger, other, ADA).await;
        stranger.assert_at("/forgot-password/token");
        stranger.assert_status(410);
        let body = json!({ "token": other, "email": ADA });
        let path = "/api/one-time-tokens/verify";
        let refused = call(&app, &bearer, Method::POST, path, body).await;
        assert_eq!(refused.code(), "one_time_token.token_not_found");
    }
    // A code of the site's own pages.
    for other in [&of_notice, &of_mail, &of_token, &code] {
        let checked = site.check_code(&to(ADA), other).await.unwrap();
        assert_eq!(checked, CodeCheck::Refused(CodeRefusal::Wrong));
    }
    // Nothing of it has done anything, and each serves at its own door.
    assert_eq!(app.user(ADA).await.status, AccountStatus::Active);
    assert_eq!(app.audited("code_accepted").await, 1, "of the reset before");
    assert_eq!(
        site.check_code(&to(ADA), &of_site).await.unwrap(),
        CodeCheck::Right
    );
    assert_eq!(
        site.check_one_time_token(ADA, &of_token).await.unwrap(),
        OneTimeTokenCheck::Right
    );
    browser.open(mail.as_str()).await;
    let press = browser.page().form_to("/forgot-password/code");
    browser.submit(press).await;
    browser.assert_at("/forgot-password/password");
    frozen::freeze(&app, &notice).await.assert_at("/not-me/frozen");
    assert_eq!(app.user(ADA).await.status, AccountStatus::Frozen);
}
