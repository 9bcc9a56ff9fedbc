//! Pending sign-ins in cookies: one per state, sealed, bounded in number. SR-65, SR-75.

use std::time::Duration;

use keyback::{Client, CookieError, CookieSealer, PendingSignIn, Purpose};

use crate::provider::{ISSUER, REDIRECT_URI, World, checked};

const KEY: [u8; 32] = [7; 32];

fn sealer() -> CookieSealer {
    CookieSealer::new(KEY).unwrap()
}

/// `name=value` of a Set-Cookie value, as a browser sends it back.
fn pair(set_cookie: &str) -> &str {
    set_cookie.split(';').next().unwrap()
}

fn name(set_cookie: &str) -> &str {
    pair(set_cookie).split_once('=').unwrap().0
}

#[tokio::test]
async fn a_sign_in_comes_back_out_of_its_cookie() {
    let world = World::new();
    let begun = world
        .client
        .forgot_password()
        .return_path("/orders")
        .start()
        .await
        .unwrap();
    let set = sealer().set_cookie(&begun.pending).unwrap();
    let callback = world.provider.answer(&begun.url);
    let header = format!("theme=dark; {}; other=1", pair(&set));

    let pending = sealer().open(&header, &callback, &world.client).unwrap();
    assert_eq!(pending.purpose(), Purpose::ResetPassword);
    let session = world.client.finish(pending, callback).await.unwrap();
    assert_eq!(session.return_path(), "/orders");
}

#[tokio::test]
async fn the_cookie_is_as_strict_as_the_redirect_uri_allows() {
    let world = World::new();
    let set = sealer().set_cookie(&world.begin().await.pending).unwrap();
    assert!(set.starts_with("__Host-kbrp_"));
    for attribute in [
        "; Path=/",
        "; HttpOnly",
        "; SameSite=Lax",
        "; Secure",
        "; Max-Age=3600",
    ] {
        assert!(set.contains(attribute), "{attribute} is missing in {set}");
    }
    assert!(!set.contains("Domain"));
    assert!(set.len() < 4096);

    let world = World::with(|builder| builder.redirect_uri("http://localhost:8080/callback"));
    let set = sealer().set_cookie(&world.begin().await.pending).unwrap();
    assert!(set.starts_with("kbrp_"));
    assert!(!set.contains("Secure"));
}

#[tokio::test]
async fn clearing_names_the_same_cookie() {
    let world = World::new();
    let pending = world.begin().await.pending;
    let (set, clear) = (
        sealer().set_cookie(&pending).unwrap(),
        sealer().clear_cookie(&pending),
    );
    assert_eq!(name(&set), name(&clear));
    assert_eq!(pair(&clear), format!("{}=", name(&set)));
    for attribute in ["; Max-Age=0", "; Path=/", "; Secure"] {
        assert!(clear.contains(attribute));
    }
}

/// Two tabs, ended in the other order than they were begun.
#[tokio::test]
async fn tabs_do_not_collide() {
    let world = World::new();
    let (one, other) = (world.begin().await, world.begin().await);
    let cookies = [&one, &other].map(|tab| sealer().set_cookie(&tab.pending).unwrap());
    assert_ne!(name(&cookies[0]), name(&cookies[1]));
    let header = format!("{}; {}", pair(&cookies[0]), pair(&cookies[1]));
    for tab in [other, one] {
        let callback = world.provider.answer(&tab.url);
        let pending = sealer().open(&header, &callback, &world.client).unwrap();
        assert_eq!(pending.state(), tab.pending.state());
        world.client.finish(pending, callback).await.unwrap();
    }
}

/// Cookies ignore ports: on localhost, two clients share one jar.
#[tokio::test]
async fn clients_do_not_share_names() {
    let world = World::new();
    let begun = world.begin().await;
    let set = sealer().set_cookie(&begun.pending).unwrap();
    let other = Client::builder(ISSUER, "other-app")
        .redirect_uri("https://app.example/callback")
        .build()
        .unwrap();
    let callback = world.provider.answer(&begun.url);
    assert_eq!(
        sealer().open(pair(&set), &callback, &other).unwrap_err(),
        CookieError::Missing
    );
}

#[tokio::test]
async fn a_cookie_is_opened_only_under_its_own_name_and_key() {
    let world = World::new();
    let (one, other) = (world.begin().await, world.begin().await);
    let (set, stolen) = (
        sealer().set_cookie(&one.pending).unwrap(),
        sealer().set_cookie(&other.pending).unwrap(),
    );
    let callback = world.provider.answer(&one.url);
    let open = |header: &str| sealer().open(header, &callback, &world.client).unwrap_err();

    let renamed = format!("{}={}", name(&set), pair(&stolen).split_once('=').unwrap().1);
    assert_eq!(open(&renamed), CookieError::Sealed);
    let mut changed = pair(&set).to_owned();
    let last = changed.pop().unwrap();
    changed.push(if last == 'A' { 'B' } else { 'A' });
    assert_eq!(open(&changed), CookieError::Sealed);
    for value in ["", "x", "====", "AAAAAAAAAAAAAAAA", "%00"] {
        assert_eq!(
            open(&format!("{}={value}", name(&set))),
            CookieError::Sealed,
            "{value}"
        );
    }
    assert_eq!(open(""), CookieError::Missing);
    assert_eq!(open(pair(&stolen)), CookieError::Missing);

    let stranger = CookieSealer::new([8; 32]).unwrap();
    assert_eq!(
        stranger.open(pair(&set), &callback, &world.client).unwrap_err(),
        CookieError::Sealed
    );
}

/// A neighbour on another subdomain of plain http may set a cookie of the same name; ours is beside it.
#[tokio::test]
async fn a_planted_cookie_does_not_hide_ours() {
    let world = World::with(|builder| builder.redirect_uri("http://localhost:8080/callback"));
    let begun = world.begin().await;
    let set = sealer().set_cookie(&begun.pending).unwrap();
    let callback = world.provider.answer(&begun.url);
    let header = format!("{}=planted; {}", name(&set), pair(&set));
    sealer().open(&header, &callback, &world.client).unwrap();
}

#[tokio::test]
async fn a_callback_without_a_state_opens_nothing() {
    let world = World::new();
    let set = sealer().set_cookie(&world.begin().await.pending).unwrap();
    for callback in [
        "",
        "/callback",
        "https://app.example/callback?state=a&state=b",
        "/callback?code=x",
    ] {
        let error = checked(Ok(sealer()
            .open(pair(&set), callback, &world.client)
            .unwrap_err()))
        .unwrap();
        assert_eq!(error, CookieError::NoState);
    }
}

#[tokio::test]
async fn keys_are_changed_without_losing_anybody() {
    let world = World::new();
    let begun = world.begin().await;
    let set = sealer().set_cookie(&begun.pending).unwrap();
    let callback = world.provider.answer(&begun.url);
    let changed = CookieSealer::new([9; 32]).unwrap().and_opens(KEY).unwrap();
    changed.open(pair(&set), &callback, &world.client).unwrap();

    let new = changed.set_cookie(&begun.pending).unwrap();
    assert_eq!(
        sealer().open(pair(&new), &callback, &world.client).unwrap_err(),
        CookieError::Sealed
    );
    assert_eq!(CookieSealer::new([1; 31]).unwrap_err(), CookieError::ShortKey);
}

#[tokio::test]
async fn five_sign_ins_are_kept_and_the_oldest_leave() {
    let world = World::new();
    let mut jar: Vec<String> = Vec::new();
    let mut oldest = Vec::new();
    for number in 0..8 {
        world.clock.advance(Duration::from_secs(1));
        let begun = world.begin().await;
        let header = jar.iter().map(|set| pair(set)).collect::<Vec<_>>().join("; ");
        let header = format!("theme=dark; {header}; kbrp_other_x=1");
        let mut sent = sealer().set_cookies(&begun.pending, &header).unwrap().into_iter();
        let own = sent.next().unwrap();
        oldest.push(name(&own).to_owned());
        let cleared: Vec<String> = sent.map(|clear| name(&clear).to_owned()).collect();
        if number < 5 {
            assert!(cleared.is_empty());
        } else {
            assert_eq!(cleared, [oldest[number - 5].clone()]);
        }
        jar.retain(|set| !cleared.contains(&name(set).to_owned()));
        jar.push(own);
    }
    assert_eq!(jar.len(), 5);
}

/// What cannot be opened any more is the first to leave.
#[tokio::test]
async fn remains_of_an_earlier_key_leave_first() {
    let world = World::new();
    let mut header = String::new();
    for number in 0..5 {
        let by = if number == 4 {
            CookieSealer::new([9; 32]).unwrap()
        } else {
            sealer()
        };
        let set = by.set_cookie(&world.begin().await.pending).unwrap();
        header = format!("{header}; {}", pair(&set));
    }
    let last = header.rsplit_once("; ").unwrap().1;
    let sent = sealer()
        .set_cookies(&world.begin().await.pending, &header)
        .unwrap();
    assert_eq!(sent.len(), 2);
    assert_eq!(name(&sent[1]), name(last));
}

#[tokio::test]
async fn a_sign_in_too_large_for_a_cookie_is_refused_rather_than_lost() {
    let long = format!("{REDIRECT_URI}/{}", "a".repeat(3000));
    let world = World::with(|builder| builder.redirect_uri(long));
    let begun = world.begin().await;
    assert_eq!(
        sealer().set_cookie(&begun.pending).unwrap_err(),
        CookieError::TooLarge
    );

    let world = World::new();
    let longest = format!("/{}", "a".repeat(1023));
    let begun = world.client.sign_in().return_path(longest).start().await.unwrap();
    assert!(sealer().set_cookie(&begun.pending).unwrap().len() < 4096);
}

#[tokio::test]
async fn the_stored_form_is_versioned_and_survives_a_round_trip() {
    let world = World::new();
    let begun = world
        .client
        .sign_in()
        .max_age(Duration::from_secs(60))
        .start()
        .await
        .unwrap();
    let mut stored = serde_json::to_value(&begun.pending).unwrap();
    let again: PendingSignIn = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(serde_json::to_value(&again).unwrap(), stored);
    assert_eq!(again.state(), begun.pending.state());
    assert_eq!(again.expires_at(), begun.pending.expires_at());

    stored["v"] = 2.into();
    assert!(serde_json::from_value::<PendingSignIn>(stored.clone()).is_err());
    stored["v"] = 1.into();
    stored["to"] = "//evil.example".into();
    assert!(serde_json::from_value::<PendingSignIn>(stored.clone()).is_err());
    stored["to"] = "/".into();
    stored["code"] = "short".into();
    assert!(serde_json::from_value::<PendingSignIn>(stored).is_err());
}

#[tokio::test]
async fn nothing_secret_is_printed() {
    let begun = World::new().begin().await;
    let printed = format!("{begun:?} {:?} {:?}", begun.pending, sealer());
    assert!(!printed.contains(begun.pending.state()));
}
