use std::time::Duration;

use super::token::verified;
use super::*;

fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_else(|| panic!("no {name}: {json}"))
}

#[tokio::test]
async fn rfc6749_6_a_refresh_gives_new_tokens_without_the_nonce() {
    let bench = Bench::new().await;
    let first = bench.tokens().await;
    let auth_time = verified(&bench, text(&first, "id_token")).await.1["auth_time"].clone();
    bench.clock.advance(Duration::from_secs(3600));
    assert_eq!(
        bench.userinfo(text(&first, "access_token")).await.status,
        StatusCode::UNAUTHORIZED
    );
    let second = bench.refresh(text(&first, "refresh_token"), &[]).await.json();
    assert_eq!(
        bench.userinfo(text(&second, "access_token")).await.status,
        StatusCode::OK
    );
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(second["scope"], "openid profile email offline_access");
    let (_, claims) = verified(&bench, text(&second, "id_token")).await;
    assert!(claims.get("nonce").is_none(), "OIDC Core 12.2");
    assert_eq!(claims["auth_time"], auth_time, "OIDC Core 12.2");
}

#[tokio::test]
async fn sr79_a_repeat_in_time_gets_the_same_answer() {
    let bench = Bench::new().await;
    let old = text(&bench.tokens().await, "refresh_token").to_owned();
    let first = bench.refresh(&old, &[]).await.json();
    bench.clock.advance(Duration::from_secs(5));
    assert_eq!(bench.refresh(&old, &[]).await.json(), first);
}

#[tokio::test]
async fn sr79_a_late_repeat_ends_the_family() {
    let bench = Bench::new().await;
    let old = text(&bench.tokens().await, "refresh_token").to_owned();
    let first = bench.refresh(&old, &[]).await.json();
    bench.clock.advance(Duration::from_millis(5_001));
    assert_eq!(bench.refresh(&old, &[]).await.error(), "invalid_grant");
    assert_eq!(
        bench.refresh(text(&first, "refresh_token"), &[]).await.error(),
        "invalid_grant"
    );
    assert_eq!(
        bench.userinfo(text(&first, "access_token")).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn sr79_a_repeat_whose_successor_is_used_ends_the_family() {
    let bench = Bench::new().await;
    let old = text(&bench.tokens().await, "refresh_token").to_owned();
    let first = bench.refresh(&old, &[]).await.json();
    let second = bench.refresh(text(&first, "refresh_token"), &[]).await.json();
    assert_eq!(bench.refresh(&old, &[]).await.error(), "invalid_grant");
    assert_eq!(
        bench.refresh(text(&second, "refresh_token"), &[]).await.error(),
        "invalid_grant"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sr79_a_hundred_parallel_refreshes_have_one_successor() {
    let bench = Arc::new(Bench::new().await);
    let old = text(&bench.tokens().await, "refresh_token").to_owned();
    let tries: Vec<_> = (0..100)
        .map(|_| {
            let (bench, old) = (bench.clone(), old.clone());
            tokio::spawn(async move { bench.refresh(&old, &[]).await.json() })
        })
        .collect();
    let mut answers = Vec::new();
    for one in tries {
        answers.push(one.await.unwrap());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let next = bench.refresh(text(&answers[0], "refresh_token"), &[]).await;
    assert_eq!(next.status, StatusCode::OK, "and it lives");
}

#[tokio::test]
async fn a_repeat_that_asks_for_another_resource_gets_its_own_access_token_and_the_same_successor() {
    let bench = Bench::new().await;
    let code = bench
        .code(&[("scope", "openid offline_access read:books"), ("resource", API)])
        .await;
    let old = text(&bench.exchange(&code, &[]).await.json(), "refresh_token").to_owned();
    let opaque = bench.refresh(&old, &[]).await.json();
    let jwt = bench.refresh(&old, &[("resource", API)]).await.json();
    assert_eq!(opaque["refresh_token"], jwt["refresh_token"]);
    assert_eq!(
        (text(&opaque, "scope"), text(&jwt, "scope")),
        ("openid offline_access", "read:books")
    );
    assert_eq!(verified(&bench, text(&jwt, "access_token")).await.1["aud"], API);
    assert_eq!(
        bench.refresh(text(&jwt, "refresh_token"), &[]).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn rfc6749_6_a_refresh_may_ask_for_less_and_not_for_more() {
    let bench = Bench::new().await;
    let first = text(&bench.tokens().await, "refresh_token").to_owned();
    assert_eq!(
        bench.refresh(&first, &[("scope", "openid phone")]).await.error(),
        "invalid_scope"
    );
    let less = bench.refresh(&first, &[("scope", "openid")]).await.json();
    assert_eq!(less["scope"], "openid");
    let all = bench.refresh(text(&less, "refresh_token"), &[]).await.json();
    assert_eq!(all["scope"], "openid profile email offline_access");
}

#[tokio::test]
async fn a_refresh_token_belongs_to_its_app() {
    let bench = Bench::new().await;
    let token = text(&bench.tokens().await, "refresh_token").to_owned();
    assert_eq!(
        bench.refresh(&token, &[("client_id", "native")]).await.error(),
        "invalid_grant"
    );
    assert_eq!(
        bench.refresh(&token, &[]).await.status,
        StatusCode::OK,
        "and is not used up by another"
    );
}

#[tokio::test]
async fn sr79_refresh_tokens_end_unused_after_14_days_and_in_any_case_after_180() {
    let bench = Bench::new().await;
    let day = Duration::from_secs(86_400);
    let unused = text(&bench.tokens().await, "refresh_token").to_owned();
    let mut token = text(&bench.tokens().await, "refresh_token").to_owned();
    for round in 0..13 {
        bench.clock.advance(day * 13);
        let answer = bench.refresh(&token, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "day {}", (round + 1) * 13);
        token = text(&answer.json(), "refresh_token").to_owned();
    }
    assert_eq!(bench.refresh(&unused, &[]).await.error(), "invalid_grant");
    bench.clock.advance(day * 11);
    assert_eq!(
        bench.refresh(&token, &[]).await.error(),
        "invalid_grant",
        "day 180"
    );
}

#[tokio::test]
async fn sr79_rotation_survives_a_restart_and_revives_nothing() {
    let mut bench = Bench::new().await;
    let (dead, alive) = (bench.tokens().await, bench.tokens().await);
    let successor = bench.refresh(text(&dead, "refresh_token"), &[]).await.json();
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!(
        bench.refresh(text(&dead, "refresh_token"), &[]).await.error(),
        "invalid_grant"
    );
    bench.restart().await;
    assert_eq!(
        bench
            .refresh(text(&successor, "refresh_token"), &[])
            .await
            .error(),
        "invalid_grant"
    );
    let renewed = bench.refresh(text(&alive, "refresh_token"), &[]).await;
    assert_eq!(renewed.status, StatusCode::OK);
    verified(&bench, text(&renewed.json(), "id_token")).await;
    verified(&bench, text(&alive, "id_token")).await;
}

#[tokio::test]
async fn sr55_refresh_tokens_of_people_who_are_disabled_or_cut_off_are_dead() {
    let bench = Bench::new().await;
    let cut = bench.tokens().await;
    bench.clock.advance(Duration::from_millis(5));
    users::set_not_before(bench.store.writer(), ALICE, bench.now())
        .await
        .unwrap();
    assert_eq!(
        bench.refresh(text(&cut, "refresh_token"), &[]).await.error(),
        "invalid_grant"
    );
    let since = bench.tokens().await;
    users::set_status(bench.store.writer(), ALICE, AccountStatus::Disabled, bench.now())
        .await
        .unwrap();
    assert_eq!(
        bench.refresh(text(&since, "refresh_token"), &[]).await.error(),
        "invalid_grant"
    );
}
