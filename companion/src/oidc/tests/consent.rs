use std::time::Duration;

use super::*;
use crate::oidc::{Completion, Denial, Interaction, SignedOutBy, Unfit, Yes};
use crate::store::cut_off::cut_off;
use crate::store::{consents, grants};

const FOREIGN: [(&str, &str); 2] = [
    ("client_id", "foreign"),
    ("redirect_uri", "https://foreign.example/callback"),
];
const YES: Option<Yes<'_>> = Some(Yes {
    client_ip: Some("192.0.2.7"),
});

async fn ask(bench: &Bench, changes: &[(&str, &str)], cookies: &str) -> Answer {
    bench.authorize(&[&FOREIGN[..], changes].concat(), cookies).await
}

async fn waiting(bench: &Bench, answer: &Answer) -> Interaction {
    let headers = cookie_header(&answer.cookies());
    let id = answer.sent("i").unwrap();
    bench
        .provider
        .interaction(&headers, &id, bench.now())
        .await
        .unwrap()
        .unwrap()
}

async fn complete(bench: &Bench, answer: &Answer, session: &Session, yes: Option<Yes<'_>>) -> Completion {
    let waiting = waiting(bench, answer).await;
    bench
        .provider
        .complete(&waiting, session, yes, bench.now())
        .await
        .unwrap()
}

/// The parameters of the answer that the app is given.
fn told(bench: &Bench, completion: Completion) -> std::collections::HashMap<String, String> {
    let Completion::Done(completed) = completion else {
        panic!("{completion:?}")
    };
    let response = bench.provider.deliver(&HeaderMap::new(), completed);
    let location = Url::parse(response.headers()[header::LOCATION].to_str().unwrap()).unwrap();
    location.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn oidc_core_3_1_2_4_an_app_of_others_is_allowed_once_and_then_answered_at_once() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    let scope = [("scope", "openid email")];
    let asked = ask(&bench, &scope, &cookie).await;
    assert!(
        asked.location().starts_with("/consent?i="),
        "{}",
        asked.location()
    );
    assert!(matches!(
        complete(&bench, &asked, &session, None).await,
        Completion::Consent(app, permissions)
            if app.client_id == "foreign" && permissions.scopes.iter().eq(["email", "openid"])
    ));
    assert!(told(&bench, complete(&bench, &asked, &session, YES).await).contains_key("code"));
    assert!(
        ask(&bench, &scope, &cookie).await.sent("code").is_some(),
        "allowed already"
    );
    let less = [("scope", "openid"), ("prompt", "none")];
    assert!(
        ask(&bench, &less, &cookie).await.sent("code").is_some(),
        "less is covered"
    );
}

#[tokio::test]
async fn oidc_core_3_1_2_4_who_asks_for_more_is_asked_about_and_what_was_allowed_stays() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    let first = ask(&bench, &[("scope", "openid email")], &cookie).await;
    complete(&bench, &first, &session, YES).await;
    for more in [
        &[("scope", "openid phone")][..],
        &[("scope", "openid offline_access")],
        &[("claims", r#"{"userinfo":{"address":null}}"#)],
        &[("resource", API)],
        &[("scope", "openid read:books"), ("resource", API)],
    ] {
        let asked = ask(&bench, more, &cookie).await;
        assert!(
            asked.location().starts_with("/consent?i="),
            "{more:?}: {}",
            asked.location()
        );
        complete(&bench, &asked, &session, YES).await;
        assert!(
            ask(&bench, more, &cookie).await.sent("code").is_some(),
            "{more:?}"
        );
    }
    let write = [("scope", "openid write:books"), ("resource", API)];
    assert!(ask(&bench, &write, &cookie).await.sent("i").is_some());
    let before = ask(&bench, &[("scope", "openid email phone")], &cookie).await;
    assert!(before.sent("code").is_some(), "together they were allowed");
}

#[tokio::test]
async fn oidc_core_3_1_2_6_prompt_none_without_consent_is_consent_required() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    let silent = ask(&bench, &[("prompt", "none")], &cookie).await;
    assert_eq!(silent.error(), "consent_required");
    assert!(silent.location().starts_with("https://foreign.example/callback?"));
    let nobody = ask(&bench, &[("prompt", "none")], "").await;
    assert_eq!(
        nobody.error(),
        "login_required",
        "who isn't signed in can't have allowed anything"
    );
    let asked = ask(&bench, &[], &cookie).await;
    complete(&bench, &asked, &session, YES).await;
    assert!(
        ask(&bench, &[("prompt", "none")], &cookie)
            .await
            .sent("code")
            .is_some()
    );
    let (_, bob) = bench.sign_in(BOB, "").await;
    let another = ask(&bench, &[("prompt", "none")], &bob).await;
    assert_eq!(
        another.error(),
        "consent_required",
        "what Alice allowed is Alice's"
    );
}

#[tokio::test]
async fn oidc_core_3_1_2_1_prompt_consent_asks_again_and_apps_of_ones_own_never() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    let again = [("prompt", "consent")];
    for _ in 0..2 {
        let asked = ask(&bench, &again, &cookie).await;
        assert!(asked.location().starts_with("/consent?i="));
        assert!(matches!(
            complete(&bench, &asked, &session, None).await,
            Completion::Consent(..)
        ));
        assert!(told(&bench, complete(&bench, &asked, &session, YES).await).contains_key("code"));
    }
    let own = [("prompt", "consent"), ("scope", "openid offline_access")];
    assert!(bench.authorize(&own, &cookie).await.sent("code").is_some());
    assert!(
        consents::find(bench.store.reader(), ALICE, "spa")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn oidc_core_3_1_2_1_login_comes_before_consent_and_a_yes_does_not_stand_in_for_it() {
    let bench = Bench::new().await;
    let (before, cookie) = bench.sign_in(ALICE, "").await;
    for prompt in [
        "login consent",
        "consent login",
        "select_account consent",
        "login",
    ] {
        bench.clock.advance(Duration::from_secs(1));
        let asked = ask(&bench, &[("prompt", prompt), ("scope", "openid email")], &cookie).await;
        assert!(asked.location().starts_with("/sign-in?i="), "{prompt}");
        assert!(
            matches!(
                complete(&bench, &asked, &before, YES).await,
                Completion::SignIn(Unfit::MustSignInAgain)
            ),
            "{prompt}"
        );
    }
    let asked = ask(&bench, &[("prompt", "login consent")], &cookie).await;
    bench.clock.advance(Duration::from_secs(5));
    let (fresh, _) = bench.sign_in(ALICE, &cookie).await;
    assert!(matches!(
        complete(&bench, &asked, &fresh, None).await,
        Completion::Consent(..)
    ));
    assert!(told(&bench, complete(&bench, &asked, &fresh, YES).await).contains_key("code"));
}

#[tokio::test]
async fn rfc6749_4_1_2_1_a_no_is_access_denied_in_the_mode_that_was_asked_and_nothing_is_kept() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    for mode in ["query", "form_post"] {
        let asked = ask(&bench, &[("response_mode", mode)], &cookie).await;
        let waiting = waiting(&bench, &asked).await;
        let Denial::Done(completed) = bench.provider.deny(&waiting).await.unwrap() else {
            panic!("the app is gone")
        };
        let response = bench.provider.deliver(&HeaderMap::new(), completed);
        let set = response.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(set.contains("Max-Age=0"), "{set}");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.into()).unwrap(),
        };
        let of = |name| match mode {
            "query" => answer.sent(name),
            _ => answer.posted(name).1,
        };
        assert_eq!(of("error").as_deref(), Some("access_denied"));
        assert_eq!(of("state").as_deref(), Some("the state"));
        assert_eq!(of("iss").as_deref(), Some("http://localhost:3001/oidc"));
    }
    assert!(ask(&bench, &[], &cookie).await.sent("i").is_some(), "asked again");
}

#[tokio::test]
async fn oidc_core_11_a_refresh_token_comes_when_offline_access_was_asked_and_allowed() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    for (scope, refreshes) in [("openid", false), ("openid offline_access", true)] {
        let asked = ask(&bench, &[("scope", scope)], &cookie).await;
        let told = told(&bench, complete(&bench, &asked, &session, YES).await);
        let changes = [&FOREIGN[..], &[("code", told["code"].as_str())]].concat();
        let tokens = bench.exchange("", &changes).await.json();
        assert_eq!(tokens.get("refresh_token").is_some(), refreshes, "{tokens}");
    }
}

#[tokio::test]
async fn a_yes_of_a_session_that_has_ended_allows_nothing() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    let asked = ask(&bench, &[], &cookie).await;
    bench
        .provider
        .sessions()
        .sign_out(&session, SignedOutBy::default(), bench.now())
        .await
        .unwrap();
    assert!(matches!(
        complete(&bench, &asked, &session, YES).await,
        Completion::SignIn(Unfit::NobodySignedIn)
    ));
    assert!(
        consents::find(bench.store.reader(), ALICE, "foreign")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_withdrawn_consent_ends_what_the_app_holds_and_it_must_ask_again() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    let asked = ask(&bench, &[("scope", "openid offline_access")], &cookie).await;
    let told = told(&bench, complete(&bench, &asked, &session, YES).await);
    let changes = [&FOREIGN[..], &[("code", told["code"].as_str())]].concat();
    let tokens = bench.exchange("", &changes).await.json();
    let listed = consents::list(bench.store.reader(), ALICE).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].client_id.as_str(), listed[0].given_at()),
        ("foreign", bench.now())
    );

    let mut tx = bench.store.begin().await.unwrap();
    let revoked = consents::withdraw(&mut tx, ALICE, "foreign", bench.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(revoked.revoked.apps.len(), 1);
    assert_eq!(revoked.revoked.apps[0].client_id, "foreign");
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let refused = bench.refresh(refresh_token, &[("client_id", "foreign")]).await;
    assert_eq!(refused.error(), "invalid_grant");
    assert!(
        ask(&bench, &[], &cookie)
            .await
            .location()
            .starts_with("/consent?i=")
    );
    assert!(
        bench.authorize(&[], &cookie).await.sent("code").is_some(),
        "other apps are not concerned"
    );
}

/// What was looked up before the transaction of a sign-in is looked up there once more.
#[tokio::test]
async fn sr54_a_consent_that_is_withdrawn_while_somebody_signs_in_gives_no_code() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    let asked = ask(&bench, &[], &cookie).await;
    complete(&bench, &asked, &session, YES).await;
    for withdrawn in [false, true] {
        let (provider, now) = (&bench.provider, bench.now());
        let waiting = waiting(&bench, &ask(&bench, &[], "").await).await;
        let prepared = provider.prepare(&waiting, ALICE).await.unwrap();
        if withdrawn {
            let mut tx = bench.store.begin().await.unwrap();
            consents::withdraw(&mut tx, ALICE, "foreign", now).await.unwrap();
            tx.commit().await.unwrap();
        }
        let (session, _) = bench.sign_in(ALICE, "").await;
        let mut tx = bench.store.begin().await.unwrap();
        let completion = provider
            .complete_within(&mut tx, &waiting, prepared, &session, now)
            .await;
        match completion.unwrap() {
            Completion::Done(_) => assert!(!withdrawn),
            Completion::Consent(..) => assert!(withdrawn),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn sr54_a_cut_off_account_has_allowed_nothing() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    let asked = ask(&bench, &[], &cookie).await;
    complete(&bench, &asked, &session, YES).await;
    let mut tx = bench.store.begin().await.unwrap();
    cut_off(&mut tx, ALICE, None, bench.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert!(
        consents::list(bench.store.reader(), ALICE)
            .await
            .unwrap()
            .is_empty()
    );
    let mut tx = bench.store.begin().await.unwrap();
    assert!(
        grants::revoke_app(&mut tx, ALICE, "foreign", bench.now())
            .await
            .unwrap()
            .apps
            .is_empty()
    );
}

#[tokio::test]
async fn rfc8252_8_6_a_yes_is_not_remembered_for_a_native_app_that_another_program_could_pose_as() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    for (redirect_uri, remembered) in [
        ("http://127.0.0.1:4711/callback", false),
        ("com.foreign.app:/callback", false),
        ("https://foreign-app.example/callback", true),
    ] {
        let native = [("client_id", "foreign-native"), ("redirect_uri", redirect_uri)];
        let silent = [&native[..], &[("prompt", "none")]].concat();
        let asked = bench
            .authorize(&[&native[..], &[("prompt", "consent")]].concat(), &cookie)
            .await;
        assert!(asked.location().starts_with("/consent?i="), "{redirect_uri}");
        complete(&bench, &asked, &session, YES).await;
        let again = bench.authorize(&native, &cookie).await;
        let quiet = bench.authorize(&silent, &cookie).await;
        if remembered {
            assert!(again.sent("code").is_some(), "{redirect_uri}");
            assert!(quiet.sent("code").is_some(), "{redirect_uri}");
        } else {
            assert!(again.location().starts_with("/consent?i="), "{redirect_uri}");
            assert_eq!(quiet.error(), "consent_required", "{redirect_uri}");
        }
    }
    let own = [
        ("client_id", "native"),
        ("redirect_uri", "com.example.app:/callback"),
    ];
    let answer = bench.authorize(&own, &cookie).await;
    assert!(
        answer.sent("code").is_some(),
        "an app of one's own has no consent to remember"
    );
}
