//! A code serves at the door that it was sent for, and at no other: the reset page, a site's own pages, the Account API.

use keyback::logto::CodeRefusal;
use keyback::logto::management::CodeCheck;
use keyback_tests::{ADA, NEW_PASSWORD, OLD_PASSWORD};

use super::account::sign_in;
use super::codes::{refused, right, to};
use super::*;

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
