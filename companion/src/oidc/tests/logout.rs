use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::oidc::SignedOutBy;
use crate::outbox::{JobKind, LogoutNotice};
use crate::store::jobs::{self, Free};

const OUT: &str = "https://web.example/backchannel-logout";
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

async fn token(bench: &Bench, client_id: &str) -> String {
    let app = bench.provider.app(client_id).await.unwrap().unwrap();
    bench
        .provider
        .logout_token(&app, ALICE, "the-session", bench.now())
        .await
        .unwrap()
}

/// A code for an app other than the public one.
async fn take_part(bench: &Bench, changes: &[(&str, &str)], cookie: &str) {
    assert!(bench.authorize(changes, cookie).await.sent("code").is_some());
}

const WEB: [(&str, &str); 2] = [("client_id", "web"), ("redirect_uri", "https://web.example/cb")];
const NATIVE: [(&str, &str); 2] = [
    ("client_id", "native"),
    ("redirect_uri", "http://127.0.0.1:5000/callback"),
];

/// What waits in the outbox: client id, person, session.
async fn notices(bench: &Bench) -> Vec<(String, String, String)> {
    let free = Free {
        email: 100,
        sms: 100,
        calls: 100,
    };
    let lease = Duration::from_secs(1);
    let jobs = jobs::take(bench.store.writer(), bench.now(), lease, free, &[])
        .await
        .unwrap();
    let outbox = Outbox::new(&bench.root_keys, Arc::new(SystemRandom));
    let mut told: Vec<_> = jobs
        .iter()
        .map(|job| {
            assert_eq!(job.kind, JobKind::Logout.as_str());
            let notice: LogoutNotice = outbox.open(job).unwrap();
            (notice.client_id, notice.user_id, notice.session_id)
        })
        .collect();
    told.sort();
    told
}

fn endings(bench: &Bench, apps: Value) -> Endings {
    let outbox = Outbox::new(&bench.root_keys, Arc::new(SystemRandom));
    let apps: Vec<AppConfig> = serde_json::from_value(apps).unwrap();
    Endings::new(outbox, &apps)
}

fn notice(client_id: &str, session: &Session) -> (String, String, String) {
    (client_id.to_owned(), session.user_id.clone(), session.id.clone())
}

#[tokio::test]
async fn bcl_2_4_sr56_a_logout_token_says_what_it_must_and_nothing_else() {
    let bench = Bench::new().await;
    let token = token(&bench, "spa").await;
    let header = part(&token, 0);
    assert_eq!(header["typ"], "logout+jwt");
    assert_eq!(header["alg"], "ES384");
    let claims = part(&token, 1);
    let names: BTreeSet<&str> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        BTreeSet::from(["aud", "events", "exp", "iat", "iss", "jti", "sid", "sub"]),
        "no nonce, above all"
    );
    assert_eq!(claims["iss"], bench.provider.issuer());
    assert_eq!(claims["aud"], "spa");
    assert_eq!(claims["sub"], ALICE);
    assert_eq!(claims["sid"], "the-session");
    assert_eq!(claims["events"], json!({ EVENT: {} }));
    let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert_eq!(iat, bench.now().as_secs());
    assert_eq!(exp - iat, 120);
}

#[tokio::test]
async fn bcl_2_4_every_token_has_an_id_of_its_own() {
    let bench = Bench::new().await;
    let mut ids = BTreeSet::new();
    for _ in 0..20 {
        let claims = part(&token(&bench, "spa").await, 1);
        let id = claims["jti"].as_str().unwrap();
        assert!(id.len() >= 22, "128 bits: {id}");
        assert!(ids.insert(id.to_owned()));
    }
}

#[tokio::test]
async fn bcl_2_6_it_is_signed_as_the_apps_id_tokens_are_by_a_published_key() {
    let bench = Bench::new().await;
    let published = bench.get("/oidc/jwks", "").await.json();
    for (client_id, algorithm) in [("spa", "ES384"), ("web", "RS256")] {
        let header = part(&token(&bench, client_id).await, 0);
        assert_eq!(header["alg"], algorithm);
        let keys = published["keys"].as_array().unwrap();
        assert!(
            keys.iter()
                .any(|key| key["kid"] == header["kid"] && key["alg"] == algorithm)
        );
    }
}

#[tokio::test]
async fn rfc8725_3_11_a_logout_token_is_no_hint_and_no_access_token() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let token = token(&bench, "spa").await;
    let end = format!("/oidc/session/end?id_token_hint={token}");
    assert_eq!(bench.get(&end, &cookie).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(bench.userinfo(&token).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn bcl_2_5_every_app_of_the_session_is_told_once_offline_ones_too() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    let (others, other_cookie) = bench.sign_in(BOB, "").await;
    take_part(&bench, &[], &cookie).await;
    take_part(&bench, &[], &cookie).await;
    take_part(
        &bench,
        &[&WEB[..], &[("scope", "openid offline_access")]].concat(),
        &cookie,
    )
    .await;
    take_part(&bench, &NATIVE, &cookie).await;
    take_part(&bench, &WEB, &other_cookie).await;
    bench
        .provider
        .sessions()
        .sign_out(&session, SignedOutBy::default(), bench.now())
        .await
        .unwrap();
    assert_eq!(
        notices(&bench).await,
        [notice("spa", &session), notice("web", &session)],
        "once, and not where it is of no use: the native app has no address"
    );
    assert_ne!(others.id, session.id);
}

#[tokio::test]
async fn bcl_2_5_an_app_that_gave_its_tokens_back_is_told_also_after_another_sign_in_of_the_same_person() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    let code = bench.authorize(&[], &cookie).await.sent("code").unwrap();
    assert_eq!(bench.exchange(&code, &[]).await.status, StatusCode::OK);
    // A replay ends the grant.
    assert_eq!(bench.exchange(&code, &[]).await.error(), "invalid_grant");
    take_part(&bench, &WEB, &cookie).await;
    let (again, cookie) = bench.sign_in(ALICE, &cookie).await;
    assert_eq!(again.id, session.id);
    bench.provider.sweep(bench.now()).await.unwrap();
    bench.sign_in(BOB, &cookie).await;
    assert_eq!(
        notices(&bench).await,
        [notice("spa", &session), notice("web", &session)]
    );
    let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM session_apps")
        .fetch_one(bench.store.reader())
        .await
        .unwrap();
    assert_eq!(left, 0, "with the session goes who took part in it");
}

#[tokio::test]
async fn bcl_2_7_who_throws_a_device_out_ends_its_offline_grants_too() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    let offline = [("scope", "openid offline_access")];
    let code = bench.authorize(&offline, &cookie).await.sent("code").unwrap();
    let tokens = bench.exchange(&code, &[]).await.json();
    let kept = bench.tokens().await;
    let endings = endings(&bench, json!([]));
    let mut tx = bench.store.begin().await.unwrap();
    endings
        .evict_session(&mut tx, &session.id, bench.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let refresh = async |tokens: &Value| {
        let token = tokens["refresh_token"].as_str().unwrap();
        bench.refresh(token, &[]).await
    };
    assert_eq!(refresh(&tokens).await.error(), "invalid_grant");
    assert_eq!(
        refresh(&kept).await.status,
        StatusCode::OK,
        "another device is not concerned"
    );
}

#[tokio::test]
async fn bcl_2_5_another_persons_sign_in_tells_the_apps_of_the_session_it_ends() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    take_part(&bench, &[], &cookie).await;
    let (again, cookie) = bench.sign_in(ALICE, &cookie).await;
    assert_eq!(again.id, session.id);
    assert_eq!(notices(&bench).await, [], "the same person's session lives on");
    bench.sign_in(BOB, &cookie).await;
    assert_eq!(notices(&bench).await, [notice("spa", &session)]);
}

#[tokio::test]
async fn bcl_2_5_signing_out_everywhere_tells_each_app_of_each_session() {
    let bench = Bench::new().await;
    let (here, cookie) = bench.sign_in(ALICE, "").await;
    let (there, other_cookie) = bench.sign_in(ALICE, "").await;
    take_part(&bench, &[], &cookie).await;
    take_part(&bench, &WEB, &cookie).await;
    take_part(&bench, &WEB, &other_cookie).await;
    let endings = endings(
        &bench,
        json!([
        { "client_id": "web", "type": "web", "backchannel_logout_uri": OUT }, { "client_id": "spa", "type": "spa" }]),
    );
    let mut tx = bench.store.begin().await.unwrap();
    let cut = endings.cut_off(&mut tx, ALICE, None, bench.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(cut.apps_told, 1);
    assert_eq!(cut.cut_off.sessions_ended, 2);
    let mut both = [notice("web", &here), notice("web", &there)];
    both.sort();
    assert_eq!(notices(&bench).await, both);
}

#[tokio::test]
async fn sr53_an_end_that_is_taken_back_tells_nobody() {
    let bench = Bench::new().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    take_part(&bench, &WEB, &cookie).await;
    let endings = endings(
        &bench,
        json!([{ "client_id": "web", "type": "web", "backchannel_logout_uri": OUT }]),
    );
    for taken_back in [true, false] {
        let mut tx = bench.store.begin().await.unwrap();
        endings
            .end_session(&mut tx, &session.id, bench.now())
            .await
            .unwrap();
        if taken_back {
            drop(tx);
            assert_eq!(notices(&bench).await, []);
        } else {
            tx.commit().await.unwrap();
            assert_eq!(notices(&bench).await, [notice("web", &session)]);
        }
    }
}

#[tokio::test]
async fn bcl_2_1_discovery_offers_logout_tokens_and_neither_frames_nor_polling() {
    let bench = Bench::new().await;
    let document = bench
        .get("/oidc/.well-known/openid-configuration", "")
        .await
        .json();
    assert_eq!(document["backchannel_logout_supported"], true);
    assert_eq!(document["backchannel_logout_session_supported"], true);
    for absent in [
        "frontchannel_logout_supported",
        "frontchannel_logout_session_supported",
        "check_session_iframe",
    ] {
        assert!(document.get(absent).is_none(), "{absent}");
    }
}
