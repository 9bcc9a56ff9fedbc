use std::time::Duration;

use super::*;
use crate::store::grants::{self, RevokedApp};

async fn current(bench: &Bench, cookies: &str) -> Option<(Session, String)> {
    let found = bench
        .provider
        .sessions()
        .current(&cookie_header(cookies), bench.now())
        .await
        .unwrap();
    found.map(|(session, user)| (session, user.id))
}

#[tokio::test]
async fn sr64_each_sign_in_has_a_new_secret_and_the_old_one_is_dead() {
    let bench = Bench::new().await;
    let (first, old) = bench.sign_in(ALICE, "").await;
    assert_eq!(old.split_once('=').unwrap().1.len(), 43, "256 bits");
    let (second, new) = bench.sign_in(ALICE, &old).await;
    assert_ne!(old, new);
    assert_eq!(first.id, second.id, "the same person keeps the public id");
    assert!(current(&bench, &old).await.is_none());
    assert_eq!(current(&bench, &new).await.unwrap().1, ALICE);
}

/// Whatever was checked before: the statement that begins a session looks again.
#[tokio::test]
async fn sr53_sr54_no_session_begins_for_a_password_or_an_account_that_is_none_by_now() {
    for change in [
        "UPDATE credentials SET password_hash = 'another hash'",
        "DELETE FROM credentials",
        "UPDATE users SET status = 'disabled'",
        "UPDATE users SET status = 'frozen'",
        "DELETE FROM users",
    ] {
        let bench = Bench::new().await;
        let (_, cookie) = bench.sign_in(BOB, "").await;
        sqlx::query(change).execute(bench.store.writer()).await.unwrap();
        for cookies in ["", &cookie] {
            let headers = cookie_header(cookies);
            let sessions = bench.provider.sessions();
            let sign_in = SignIn {
                user_id: ALICE,
                password_hash: bench::PASSWORD_HASH,
                amr: "pwd",
                user_agent: None,
                client_ip: None,
            };
            let mut tx = sessions.begin_transaction(&headers).await.unwrap();
            let begun = sessions
                .begin(&mut tx, &headers, sign_in, bench.now())
                .await
                .unwrap();
            assert!(begun.is_none(), "{change}");
            let began: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sessions WHERE user_id = $1")
                .bind(ALICE)
                .fetch_one(&mut *tx)
                .await
                .unwrap();
            assert_eq!(began, 0, "{change}");
        }
    }
}

#[tokio::test]
async fn what_a_sign_in_ends_is_on_the_disk_and_what_it_merely_begins_need_not_be() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    // PRAGMA synchronous: 1 is NORMAL, 2 is FULL.
    for (cookies, expected) in [("", 1), (cookie.as_str(), 2), ("kb_session=of-nobody", 2)] {
        let sessions = bench.provider.sessions();
        let mut tx = sessions.begin_transaction(&cookie_header(cookies)).await.unwrap();
        let mode: i64 = sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        assert_eq!(mode, expected, "{cookies}");
    }
}

#[tokio::test]
async fn another_persons_sign_in_ends_the_browsers_session_and_what_it_gave() {
    let bench = Bench::new().await;
    let (alice, cookie) = bench.sign_in(ALICE, "").await;
    let code = bench.authorize(&[], &cookie).await.sent("code").unwrap();
    let token = bench.exchange(&code, &[]).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let (bob, new) = bench.sign_in(BOB, &cookie).await;
    assert_ne!(alice.id, bob.id);
    assert!(current(&bench, &cookie).await.is_none());
    assert_eq!(current(&bench, &new).await.unwrap().1, BOB);
    assert_eq!(bench.userinfo(&token).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_ends_when_idle_and_at_the_end_of_its_life() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let day = Duration::from_secs(86_400);
    for _ in 0..2 {
        bench.clock.advance(day * 13);
        assert!(current(&bench, &cookie).await.is_some());
    }
    bench.clock.advance(day * 4);
    assert!(
        current(&bench, &cookie).await.is_none(),
        "30 days at most, seen or not"
    );

    let (_, cookie) = bench.sign_in(BOB, "").await;
    bench.clock.advance(day * 14);
    assert!(current(&bench, &cookie).await.is_none(), "14 days idle");
}

#[tokio::test]
async fn sightings_are_written_every_few_minutes() {
    let bench = Bench::new().await;
    let (begun, cookie) = bench.sign_in(ALICE, "").await;
    bench.clock.advance(Duration::from_secs(299));
    current(&bench, &cookie).await.unwrap();
    assert_eq!(
        current(&bench, &cookie).await.unwrap().0.last_seen_at(),
        begun.last_seen_at()
    );
    bench.clock.advance(Duration::from_secs(1));
    current(&bench, &cookie).await.unwrap();
    assert_eq!(
        current(&bench, &cookie).await.unwrap().0.last_seen_at(),
        bench.now()
    );
}

#[tokio::test]
async fn a_disabled_person_has_no_session() {
    let bench = Bench::new().await;
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    users::set_status(bench.store.writer(), ALICE, AccountStatus::Disabled, bench.now())
        .await
        .unwrap();
    assert!(current(&bench, &cookie).await.is_none());
}

#[tokio::test]
async fn sr54_a_revocation_ends_codes_and_tokens_offline_ones_too_and_names_the_apps() {
    let bench = Bench::new().await;
    let tokens = bench.tokens().await;
    let (session, cookie) = bench.sign_in(ALICE, "").await;
    let code = bench.authorize(&[], &cookie).await.sent("code").unwrap();
    let bobs = bench.sign_in(BOB, "").await.1;
    let bobs_code = bench.authorize(&[], &bobs).await.sent("code").unwrap();

    let mut tx = bench.store.begin().await.unwrap();
    let revoked = grants::revoke_user(&mut tx, ALICE, bench.now()).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(revoked.apps.len(), 2, "two sessions of one app: {revoked:?}");
    let latest = RevokedApp {
        client_id: "spa".to_owned(),
        session_id: session.id,
        user_id: ALICE.to_owned(),
    };
    assert!(revoked.apps.contains(&latest));
    assert_eq!(bench.exchange(&code, &[]).await.error(), "invalid_grant");
    assert_eq!(
        bench
            .refresh(tokens["refresh_token"].as_str().unwrap(), &[])
            .await
            .error(),
        "invalid_grant"
    );
    let userinfo = bench.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        bench.exchange(&bobs_code, &[]).await.status,
        StatusCode::OK,
        "nobody else is concerned"
    );
}

#[tokio::test]
async fn sr86_what_has_expired_is_swept_and_what_lives_stays() {
    let bench = Bench::new().await;
    let tokens = bench.tokens().await;
    let _forgotten = bench.code(&[]).await;
    let state = "s".repeat(3_000);
    bench.authorize(&[("state", &state)], "").await;
    assert_eq!(bench.provider.sweep(bench.now()).await.unwrap(), 0);
    bench.clock.advance(Duration::from_secs(2 * 3600));
    let swept = bench.provider.sweep(bench.now()).await.unwrap();
    assert_eq!(
        swept, 3,
        "an unused code's grant, an access token, a large request"
    );
    let renewed = bench
        .refresh(tokens["refresh_token"].as_str().unwrap(), &[])
        .await;
    assert_eq!(renewed.status, StatusCode::OK);
    bench.clock.advance(Duration::from_secs(181 * 86_400));
    bench.provider.sweep(bench.now()).await.unwrap();
    for table in [
        "grants",
        "codes",
        "access_tokens",
        "refresh_tokens",
        "sessions",
        "interactions",
    ] {
        let count = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        let left: i64 = sqlx::query_scalar(count)
            .fetch_one(bench.store.reader())
            .await
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
}
