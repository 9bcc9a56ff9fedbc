//! The modules of the RP-Initiated Logout OP plan (OIDC RP-Initiated Logout 1.0).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::relying_party::{CLIENT_ID, Mode, Suite};

/// Signs in, and answers the ID token to hint with.
async fn signed_in(suite: &mut Suite) -> String {
    let tokens = suite.sign_in(&[]).await;
    tokens["id_token"].as_str().unwrap().to_owned()
}

async fn end_session(suite: &mut Suite, parameters: &[(&str, &str)]) {
    let mut url = url::Url::parse(&format!("{}/session/end", suite.issuer())).unwrap();
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    suite.browser.open(url.as_str()).await;
}

/// Says yes where the person is asked.
async fn confirm(suite: &mut Suite) {
    let forms = suite.browser.page().forms();
    if let Some(form) = forms
        .into_iter()
        .next()
        .filter(|form| form.action.origin() == suite.app.url.origin())
    {
        suite.browser.submit(form).await;
    }
}

async fn is_signed_in(suite: &mut Suite) -> bool {
    let answer = suite.authorize_silently(&[("prompt", "none")]).await;
    match answer.get("error") {
        Some(error) => {
            assert_eq!(error, "login_required");
            false
        }
        None => answer.contains_key("code"),
    }
}

/// `oidcc-rp-initiated-logout` (RP-Initiated Logout 2, 3): back at the client with the state, and signed out.
#[tokio::test]
async fn rp_logout_3_back_at_the_client_with_its_state() {
    let mut suite = Suite::start(Mode::Query).await;
    let hint = signed_in(&mut suite).await;
    assert!(is_signed_in(&mut suite).await);
    let back = suite.post_logout();
    let parameters = [
        ("id_token_hint", hint.as_str()),
        ("post_logout_redirect_uri", &back),
        ("state", "a b&c"),
    ];
    end_session(&mut suite, &parameters).await;
    confirm(&mut suite).await;
    // The query that the client registered is kept (RP-Initiated Logout 3.1).
    assert_eq!(suite.browser.page().url.as_str(), format!("{back}&state=a+b%26c"));
    assert!(!is_signed_in(&mut suite).await);
}

/// `oidcc-rp-initiated-logout-no-state`.
#[tokio::test]
async fn rp_logout_3_without_a_state_none_comes_back() {
    let mut suite = Suite::start(Mode::Query).await;
    let hint = signed_in(&mut suite).await;
    let back = suite.post_logout();
    let parameters = [
        ("id_token_hint", hint.as_str()),
        ("post_logout_redirect_uri", &back),
    ];
    end_session(&mut suite, &parameters).await;
    confirm(&mut suite).await;
    assert_eq!(suite.browser.page().url.as_str(), back);
}

/// `oidcc-rp-initiated-logout-modified-id-token-hint` (the hint as a token that nobody signed), `-bad-id-token-hint` (one
/// that somebody else signed); and one whose signature was changed, and what is no token (RP-Initiated Logout 2, 4).
#[tokio::test]
async fn rp_logout_4_a_hint_that_is_not_ours_leads_nowhere() {
    let mut suite = Suite::start(Mode::Query).await;
    let hint = signed_in(&mut suite).await;
    let [header, claims, signature] = hint.split('.').collect::<Vec<_>>().try_into().unwrap();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let back = suite.post_logout();
    for bad in [
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!(
            "{header}.{claims}.{}",
            signed_by_another(&format!("{header}.{claims}"))
        ),
        format!("{header}.{claims}.{other}{}", &signature[1..]),
        format!("{header}.{claims}."),
        "garbage".to_owned(),
    ] {
        let parameters = [
            ("id_token_hint", bad.as_str()),
            ("post_logout_redirect_uri", &back),
            ("state", "x"),
        ];
        end_session(&mut suite, &parameters).await;
        suite.browser.assert_status(400);
        assert_eq!(suite.browser.page().url.origin(), suite.app.url.origin());
    }
    assert!(is_signed_in(&mut suite).await);
}

/// A signature by RS256 of a key that is not the provider's.
fn signed_by_another(message: &str) -> String {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message.as_bytes(),
        &mut signature,
    )
    .unwrap();
    URL_SAFE_NO_PAD.encode(signature)
}

/// `oidcc-rp-initiated-logout-bad-post-logout-redirect-uri`, `-query-added-to-post-logout-redirect-uri`
/// (RP-Initiated Logout 3).
#[tokio::test]
async fn rp_logout_3_post_logout_uris_match_exactly() {
    let mut suite = Suite::start(Mode::Query).await;
    let hint = signed_in(&mut suite).await;
    let longer = format!("{}&foo=bar", suite.post_logout());
    for bad in ["https://evil.example/", &longer] {
        let parameters = [
            ("id_token_hint", hint.as_str()),
            ("post_logout_redirect_uri", bad),
            ("state", "x"),
        ];
        end_session(&mut suite, &parameters).await;
        suite.browser.assert_status(400);
        assert_eq!(suite.browser.page().url.path(), "/oidc/session/end", "{bad}");
        assert!(is_signed_in(&mut suite).await, "{bad}");
    }
}

/// `oidcc-rp-initiated-logout-no-id-token-hint` (RP-Initiated Logout 2, 3): an address to go back to, of which nothing tells
/// whose it is, is an error; where `client_id` tells, the person is asked before they are sent there.
#[tokio::test]
async fn rp_logout_2_without_a_hint_nobody_is_sent_back_unasked() {
    let mut suite = Suite::start(Mode::Query).await;
    signed_in(&mut suite).await;
    let back = suite.post_logout();
    let parameters = [("post_logout_redirect_uri", back.as_str()), ("state", "x")];
    end_session(&mut suite, &parameters).await;
    suite.browser.assert_status(400);
    assert_eq!(suite.browser.page().url.path(), "/oidc/session/end");
    assert!(is_signed_in(&mut suite).await);

    let parameters = [parameters[0], parameters[1], ("client_id", CLIENT_ID)];
    end_session(&mut suite, &parameters).await;
    suite.browser.assert_status(200);
    assert_eq!(suite.browser.page().url.path(), "/oidc/session/end");
    let asking = suite.browser.clone();
    assert!(is_signed_in(&mut suite).await, "asking is not signing out");
    suite.browser = asking;
    confirm(&mut suite).await;
    assert_eq!(suite.browser.page().url.as_str(), format!("{back}&state=x"));
    assert!(!is_signed_in(&mut suite).await);
}

/// `oidcc-rp-initiated-logout-no-params`, `-only-state` (RP-Initiated Logout 2): the person is asked, and stays here. So with a
/// `client_id` alone; and `-no-post-logout-redirect-uri`: a hint signs out, and the person stays here.
#[tokio::test]
async fn rp_logout_2_without_a_hint_the_person_is_asked() {
    let mut suite = Suite::start(Mode::Query).await;
    let plans: [&[(&str, &str)]; 3] = [&[], &[("state", "x")], &[("client_id", CLIENT_ID)]];
    for parameters in plans {
        signed_in(&mut suite).await;
        end_session(&mut suite, parameters).await;
        suite.browser.assert_status(200);
        // Asking is not signing out.
        let asking = suite.browser.clone();
        assert!(is_signed_in(&mut suite).await);
        suite.browser = asking;
        assert!(!suite.browser.page().forms().is_empty());
        confirm(&mut suite).await;
        assert_eq!(suite.browser.page().url.origin(), suite.app.url.origin());
        assert!(!is_signed_in(&mut suite).await, "{parameters:?}");
    }
    let hint = signed_in(&mut suite).await;
    end_session(&mut suite, &[("id_token_hint", &hint)]).await;
    confirm(&mut suite).await;
    assert_eq!(suite.browser.page().url.origin(), suite.app.url.origin());
    assert!(!is_signed_in(&mut suite).await);
}

/// RP-Initiated Logout 2: by POST as well, from a page of the client.
#[tokio::test]
async fn rp_logout_2_the_request_may_be_posted() {
    let mut suite = Suite::start(Mode::Query).await;
    let hint = signed_in(&mut suite).await;
    let back = suite.post_logout();
    let url = url::Url::parse(&format!("{}/session/end", suite.issuer())).unwrap();
    suite.browser.open(&suite.app.site.at("/callback")).await;
    let fields = [
        ("id_token_hint", hint),
        ("post_logout_redirect_uri", back.clone()),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value)).to_vec();
    suite.browser.post_from_here(&url, fields).await;
    confirm(&mut suite).await;
    assert_eq!(suite.browser.page().url.as_str(), back);
    assert!(!is_signed_in(&mut suite).await);
}
