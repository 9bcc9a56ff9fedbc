use std::time::Duration;

use super::*;
use crate::config::app::{AppConfig, AppKind};
use crate::http::client_ip::ClientAddress;
use crate::oidc::SignedOutBy;
use crate::oidc::authorize::{Completion, Denial, Unfit};
use crate::store::apps::{self, StoredApp};
use crate::store::interactions::{self, NewInteraction};

/// The location a waiting request completes with, or why the session doesn't answer it.
async fn complete(bench: &Bench, answer: &Answer, session: &Session) -> Result<String, Unfit> {
    let id = answer.sent("i").unwrap();
    let headers = cookie_header(&answer.cookies());
    let waiting = bench
        .provider
        .interaction(&headers, &id, bench.now())
        .await
        .unwrap()
        .unwrap();
    match bench
        .provider
        .complete(&waiting, session, None, bench.now())
        .await
        .unwrap()
    {
        Completion::Done(completed) => {
            let cleared = completed.clear_cookie.to_str().unwrap();
            assert!(
                cleared.starts_with(&format!("kb_ix_{id}=;")) && cleared.contains("Max-Age=0"),
                "{cleared}"
            );
            let response = bench.provider.deliver(&headers, completed);
            Ok(response.headers()[header::LOCATION].to_str().unwrap().to_owned())
        }
        Completion::SignIn(unfit) => Err(unfit),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_session_and_the_code_it_is_answered_with_begin_together_or_not_at_all() {
    let bench = Bench::new().await;
    for committed in [false, true] {
        let answer = bench.authorize(&[], "").await;
        let (id, headers) = (answer.sent("i").unwrap(), cookie_header(&answer.cookies()));
        let (provider, now) = (&bench.provider, bench.now());
        let waiting = provider.interaction(&headers, &id, now).await.unwrap().unwrap();
        let mut tx = provider.sessions().begin_transaction(&headers).await.unwrap();
        let sign_in = SignIn {
            user_id: ALICE,
            password_hash: bench::PASSWORD_HASH,
            amr: "pwd",
            user_agent: None,
            client_ip: None,
        };
        let sessions = provider.sessions();
        let begun = sessions.begin(&mut tx, &headers, sign_in, now).await.unwrap();
        let (session, cookie) = begun.expect("the account may sign in");
        let prepared = provider.prepare(&waiting, ALICE).await.unwrap();
        let completion = provider
            .complete_within(&mut tx, &waiting, prepared, &session, now)
            .await;
        let Completion::Done(completed) = completion.unwrap() else {
            panic!("a session of this moment answers the request");
        };
        if committed {
            tx.commit().await.unwrap();
        } else {
            drop(tx);
        }
        let delivered = provider.deliver(&headers, completed);
        let location = Url::parse(delivered.headers()[header::LOCATION].to_str().unwrap()).unwrap();
        let code = location.query_pairs().find(|(name, _)| name == "code").unwrap().1;
        let exchanged = bench.exchange(&code, &[]).await.status;
        let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
        let current = sessions.current(&cookie_header(cookie), now).await.unwrap();
        assert_eq!(
            (exchanged == StatusCode::OK, current.is_some()),
            (committed, committed)
        );
    }
}

/// RFC 9700 2.1: somebody else may have the address by then.
#[tokio::test]
async fn rfc9700_2_1_a_redirect_uri_that_is_removed_while_somebody_signs_in_gets_no_answer() {
    let bench = Bench::new().await;
    let (before, after) = ("https://shop.example/cb", "https://shop.example/elsewhere");
    let register = async |redirect_uri: &str| {
        let mut config = AppConfig::new("shop", AppKind::Spa);
        config.redirect_uris = vec![redirect_uri.parse().unwrap()];
        let app = StoredApp {
            config,
            secret_digest: None,
        };
        let mut tx = bench.store.begin().await.unwrap();
        apps::remove(&mut tx, "shop").await.unwrap();
        tx.commit().await.unwrap();
        apps::add(bench.store.writer(), &app, bench.now()).await.unwrap();
    };
    for moves in [false, true] {
        register(before).await;
        let answer = bench
            .authorize(&[("client_id", "shop"), ("redirect_uri", before)], "")
            .await;
        let (id, headers) = (answer.sent("i").unwrap(), cookie_header(&answer.cookies()));
        let (provider, now) = (&bench.provider, bench.now());
        let waiting = provider.interaction(&headers, &id, now).await.unwrap().unwrap();
        let (session, _) = bench.sign_in(ALICE, "").await;
        let prepared = provider.prepare(&waiting, ALICE).await.unwrap();
        if moves {
            register(after).await;
        }
        let mut tx = bench.store.begin().await.unwrap();
        let within = provider
            .complete_within(&mut tx, &waiting, prepared, &session, now)
            .await;
        drop(tx);
        let alone = provider.complete(&waiting, &session, None, now).await;
        for completion in [within.unwrap(), alone.unwrap()] {
            match completion {
                Completion::Done(_) => assert!(!moves),
                Completion::AppGone => assert!(moves),
                other => panic!("{other:?}"),
            }
        }
        match provider.deny(&waiting).await.unwrap() {
            Denial::Done(_) => assert!(!moves),
            Denial::AppGone => assert!(moves),
        }
    }
}

#[tokio::test]
async fn a_waiting_request_completes_after_the_sign_in() {
    let bench = Bench::new().await;
    let answer = bench.authorize(&[("prompt", "login")], "").await;
    bench.clock.advance(Duration::from_secs(30));
    let (session, _) = bench.sign_in(ALICE, "").await;
    let location = complete(&bench, &answer, &session).await.unwrap();
    assert!(
        location.starts_with("https://spa.example/callback?code=")
            && location.contains("&state=the+state&iss=")
    );
}

#[tokio::test]
async fn sr57_with_prompt_login_only_a_sign_in_since_the_request_answers() {
    let bench = Bench::new().await;
    let (before, _) = bench.sign_in(ALICE, "").await;
    bench.clock.advance(Duration::from_secs(1));
    let login = bench.authorize(&[("prompt", "login")], "").await;
    let recent = bench.authorize(&[("max_age", "0")], "").await;
    assert_eq!(
        complete(&bench, &login, &before).await,
        Err(Unfit::MustSignInAgain)
    );
    assert_eq!(
        complete(&bench, &recent, &before).await,
        Err(Unfit::AuthenticatedTooLongAgo)
    );
    bench.clock.advance(Duration::from_secs(5));
    let (since, _) = bench.sign_in(ALICE, "").await;
    bench.clock.advance(Duration::from_secs(5));
    assert!(complete(&bench, &login, &since).await.is_ok());
    assert!(
        complete(&bench, &recent, &since).await.is_ok(),
        "the sign-in it asked for, seconds ago or not"
    );
}

#[tokio::test]
async fn a_session_that_has_ended_meanwhile_gives_no_code() {
    let bench = Bench::new().await;
    let answer = bench.authorize(&[], "").await;
    let (session, _) = bench.sign_in(ALICE, "").await;
    bench
        .provider
        .sessions()
        .sign_out(&session, SignedOutBy::default(), bench.now())
        .await
        .unwrap();
    assert_eq!(
        complete(&bench, &answer, &session).await,
        Err(Unfit::NobodySignedIn)
    );
}

#[tokio::test]
async fn sr65_the_cookie_is_sealed_short_and_host_bound_on_https() {
    let bench = Bench::at("https://id.example").await;
    let answer = bench
        .authorize(&[("prompt", "login"), ("login_hint", "alice@example.test")], "")
        .await;
    let id = answer.sent("i").unwrap();
    let set = answer.header(header::SET_COOKIE);
    assert!(set.starts_with(&format!("__Host-kb_ix_{id}=")), "{set}");
    for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=3600"] {
        assert!(set.contains(attribute), "{set}");
    }
    let value = set.split(';').next().unwrap().split_once('=').unwrap().1;
    assert!(value.len() <= 1_200, "{} bytes", value.len());
    assert!(!value.contains("alice"));
}

#[tokio::test]
async fn a_cookie_that_was_changed_renamed_or_has_expired_is_no_request() {
    let bench = Bench::new().await;
    let answer = bench.authorize(&[], "").await;
    let (id, cookie) = (answer.sent("i").unwrap(), answer.cookies());
    let find = |cookies: String, id: String, at| {
        let bench = &bench;
        async move {
            bench
                .provider
                .interaction(&cookie_header(&cookies), &id, at)
                .await
                .unwrap()
        }
    };
    assert!(find(cookie.clone(), id.clone(), bench.now()).await.is_some());
    let value = cookie.split_once('=').unwrap().1;
    assert!(
        find(format!("kb_ix_other={value}"), "other".to_owned(), bench.now())
            .await
            .is_none()
    );
    let flipped = if cookie.ends_with('A') { 'B' } else { 'A' };
    let changed = format!("{}{flipped}", &cookie[..cookie.len() - 5]);
    assert!(find(changed, id.clone(), bench.now()).await.is_none());
    assert!(
        find(cookie, id, bench.now() + Duration::from_secs(3600))
            .await
            .is_none()
    );
}

#[tokio::test]
async fn a_browser_holds_four_waiting_requests_and_the_oldest_goes() {
    let bench = Bench::new().await;
    let mut cookies: Vec<String> = Vec::new();
    for _ in 0..4 {
        let answer = bench.authorize(&[], &cookies.join("; ")).await;
        assert_eq!(answer.headers.get_all(header::SET_COOKIE).iter().count(), 1);
        cookies.push(answer.cookies());
        bench.clock.advance(Duration::from_secs(1));
    }
    cookies.rotate_left(2);
    let fifth = bench.authorize(&[], &cookies.join("; ")).await;
    let removed: Vec<_> = fifth
        .headers
        .get_all(header::SET_COOKIE)
        .into_iter()
        .map(|value| value.to_str().unwrap())
        .filter(|value| value.contains("Max-Age=0"))
        .collect();
    let oldest = cookies[2].split_once('=').unwrap().0;
    assert_eq!(removed.len(), 1);
    assert!(removed[0].starts_with(&format!("{oldest}=;")), "{removed:?}");
}

#[tokio::test]
async fn a_request_too_large_for_a_cookie_becomes_one_of_a_bounded_number_of_rows() {
    let bench = Bench::new().await;
    let state = "s".repeat(3_000);
    let answer = bench.authorize(&[("state", &state)], "").await;
    assert!(answer.cookies().len() < 400, "{}", answer.cookies());
    let (session, _) = bench.sign_in(ALICE, "").await;
    assert!(
        complete(&bench, &answer, &session)
            .await
            .unwrap()
            .contains(&state)
    );
    let id = answer.sent("i").unwrap();
    let headers = cookie_header(&answer.cookies());
    assert!(
        bench
            .provider
            .interaction(&headers, &id, bench.now())
            .await
            .unwrap()
            .is_none(),
        "answered once"
    );

    let mut tx = bench.store.begin().await.unwrap();
    for n in 0..interactions::MOST {
        let at = bench.now();
        let new = NewInteraction {
            id: &n.to_string(),
            request: "{}",
            pushed_by: None,
            expires_at: at + Duration::from_secs(60),
        };
        interactions::save(&mut tx, &new, at).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(
        bench.authorize(&[("state", &state)], "").await.error(),
        "temporarily_unavailable"
    );
    assert!(
        bench.authorize(&[], "").await.sent("i").is_some(),
        "short ones are not concerned"
    );
    let challenge = digest_of(VERIFIER);
    let form = [
        ("client_id", "spa"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", state.as_str()),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let pushed = bench.post("/oidc/request", &form, &[]).await.json();
    let uri = pushed["request_uri"].as_str().unwrap();
    let query = form_of(&[("client_id", "spa"), ("request_uri", uri)]);
    let brought = bench.get(&format!("/oidc/auth?{query}"), "").await;
    assert!(
        brought.sent("i").is_some(),
        "what an app has pushed has a quota of its own: {}",
        brought.location()
    );
    bench.clock.advance(Duration::from_secs(61));
    assert!(
        bench
            .authorize(&[("state", &state)], "")
            .await
            .sent("i")
            .is_some()
    );
}

#[tokio::test]
async fn large_requests_of_one_address_are_limited_and_leave_others_their_place() {
    let bench = Bench::new().await;
    let state = "s".repeat(3_000);
    let ask = async |address: &str, state: &str| {
        let mut request = Request::get(authorize_path(&[("state", state)]))
            .body(Body::empty())
            .unwrap();
        request
            .extensions_mut()
            .insert(ClientAddress(address.parse().unwrap()));
        bench.send(request).await
    };
    for _ in 0..200 {
        assert!(ask("192.0.2.7", &state).await.sent("i").is_some());
    }
    assert_eq!(ask("192.0.2.7", &state).await.error(), "temporarily_unavailable");
    assert!(ask("192.0.2.7", "short").await.sent("i").is_some());
    assert!(ask("192.0.2.8", &state).await.sent("i").is_some());
}
