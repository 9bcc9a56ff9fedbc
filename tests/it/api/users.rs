//! Accounts over the Management API: found, made, changed, suspended, deleted.

use keyback::logto::management::{UserPage, UserSearch};
use keyback_companion::config::webhook::WebhookEvent;
use keyback_companion::store::users::NewUser;
use keyback_tests::{ADA, Behaviour, MessageProvider, NEW_PASSWORD, OLD_PASSWORD, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::webhooks::hook;

#[tokio::test]
async fn accounts_are_found_by_pages_and_by_exactly_one_name() {
    let app = with_backend(|_| {}).await;
    let api = management(&app);
    let ada = NewUser {
        email: Some(ADA.to_owned()),
        phone: Some("+14155550123".to_owned()),
        username: Some("ada".to_owned()),
        name: Some("Ada Lovelace".to_owned()),
        verified: true,
        ..NewUser::default()
    };
    let id = app.add(ada, Some(OLD_PASSWORD)).await;
    for number in 0..6 {
        app.add_user(&format!("person{number}@example.com"), None).await;
    }
    for found in [
        api.user_by_email("ADA@example.com").await,
        api.user_by_phone("14155550123").await,
        api.user_by_username("ada").await,
    ] {
        let user = found.unwrap().unwrap();
        assert_eq!(user.id, id);
        assert_eq!(user.primary_phone.as_deref(), Some("14155550123"));
        assert_eq!(user.name.as_deref(), Some("Ada Lovelace"));
        assert_eq!((user.has_password, user.is_suspended), (Some(true), false));
    }
    assert!(api.user_by_email("nobody@example.com").await.unwrap().is_none());
    assert!(api.user_by_email("no address").await.unwrap().is_none());

    let mut seen = Vec::new();
    let mut next = Some(UserSearch::all().page_size(3));
    while let Some(search) = next {
        let page: UserPage = api.users(search).await.unwrap();
        assert_eq!(page.total, Some(7));
        seen.extend(page.users.into_iter().map(|user| user.id));
        next = page.next;
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 7);

    // What the search would mean to Logto and is not known here finds nobody, and never everybody.
    let token = machine_token(&app, BACKEND).await;
    let unread = "guard.invalid_input";
    for (query, code) in [
        ("search=%25ada%25", unread),
        ("search.primaryEmail=ada%25", unread),
        ("search.primaryEmail=ada%25&mode.primaryEmail=like", unread),
        ("search.name=Ada&mode.name=exact", unread),
        ("search.id=a&search.username=b&mode.id=exact", unread),
        ("page=0", "guard.invalid_pagination"),
        ("page_size=-1", "guard.invalid_pagination"),
    ] {
        let path = format!("/api/users?{query}");
        let refused = call(&app, &token, Method::GET, &path, Value::Null).await;
        let answered = (refused.status, refused.code());
        assert_eq!(answered, (StatusCode::BAD_REQUEST, code), "{query}");
    }
    let all = call(
        &app,
        &token,
        Method::GET,
        "/api/users?page_size=5000",
        Value::Null,
    )
    .await;
    assert_eq!(all.headers["total-number"], "7");

    // Programs that know RFC 8288 and nothing of ours go by the links alone.
    let (mut seen, mut path) = (Vec::new(), Some("/api/users?page_size=3".to_owned()));
    while let Some(asked) = path {
        let page = call(&app, &token, Method::GET, &asked, Value::Null).await;
        seen.extend(
            page.body
                .as_array()
                .unwrap()
                .iter()
                .map(|user| user["id"].to_string()),
        );
        path = page.headers.get_all("link").iter().find_map(|link| {
            let url = link.to_str().unwrap().strip_suffix(">; rel=\"next\"")?;
            let path = url.strip_prefix(&format!("<{}", app.url.as_str().trim_end_matches('/')));
            Some(path.unwrap().to_owned())
        });
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 7);
    // SR-73: hashes are never given out.
    let text = all.body.to_string().to_lowercase();
    assert!(!text.contains("argon2") && !text.contains("digest") && !text.contains("hash\""));
}

#[tokio::test]
async fn sr44_an_account_that_is_made_signs_in_with_the_password_it_was_given() {
    let app = with_backend(|_| {}).await;
    let token = machine_token(&app, BACKEND).await;
    let new = json!({
        "primaryEmail": "Ada@Example.com", "primaryPhone": "14155550123", "username": "ada", "name": "Ada",
        "avatar": "https://example.com/ada.jpg", "password": OLD_PASSWORD, "customData": {},
        "profile": { "familyName": "Lovelace", "address": { "locality": "London" } },
        "somethingElse": 1,
    });
    let post = async |body: Value| call(&app, &token, Method::POST, "/api/users", body).await;
    let weak = post(json!({ "primaryEmail": ADA, "password": "ada@example.com" })).await;
    assert_eq!(
        (weak.status, weak.code()),
        (StatusCode::UNPROCESSABLE_ENTITY, "password.rejected")
    );
    assert!(
        weak.body["data"]
            .to_string()
            .contains("password_rejected.restricted.user_info")
    );
    assert_eq!(app.row_counts().await["users"], 0);

    let made = post(new.clone()).await;
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
    assert_eq!(made.body["primaryEmail"], ADA);
    assert_eq!(made.body["primaryPhone"], "14155550123");
    assert_eq!(made.body["profile"]["familyName"], "Lovelace");
    assert_eq!(made.body["profile"]["address"]["locality"], "London");
    assert_eq!(made.body["avatar"], "https://example.com/ada.jpg");
    assert_eq!(made.body["hasPassword"], true);
    assert_eq!(app.audited("user_added").await, 1);
    let mut browser = app.browser();
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    assert!(app.site.session_of(&browser).is_some());

    for (body, code) in [
        (json!({ "primaryEmail": ADA }), "user.email_already_in_use"),
        (
            json!({ "primaryPhone": "+14155550123" }),
            "user.phone_already_in_use",
        ),
        (json!({ "username": "ada" }), "user.username_already_in_use"),
    ] {
        let refused = post(body).await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::UNPROCESSABLE_ENTITY, code)
        );
    }
    for body in [
        json!({}),
        json!({ "primaryEmail": "no address" }),
        json!({ "primaryEmail": 7 }),
        json!({ "primaryPhone": "ada@example.com" }),
        json!({ "username": "bob@example.com" }),
        json!({ "username": "bob", "name": "B\nob" }),
        json!({ "username": "bob", "profile": { "birthdate": "soon" } }),
        json!({ "username": "bob", "customData": { "plan": "gold" } }),
        json!({ "username": "bob", "passwordDigest": "$argon2id$", "passwordAlgorithm": "Argon2id" }),
    ] {
        let refused = post(body).await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::BAD_REQUEST, "guard.invalid_input")
        );
    }
    assert_eq!(app.row_counts().await["users"], 1);
}

#[tokio::test]
async fn sr24_a_changed_address_is_vouched_for_and_codes_to_the_old_one_reset_nothing() {
    let peer = MessageProvider::start(Behaviour::Says(204, "", "")).await;
    let app = with_backend(|config| {
        config.webhooks = vec![hook(&peer, &[WebhookEvent::UserDataUpdated])];
    })
    .await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    app.add_user("taken@example.com", None).await;
    let token = machine_token(&app, BACKEND).await;
    let path = format!("/api/users/{id}");
    let patch = async |body: Value| call(&app, &token, Method::PATCH, &path, body).await;
    let mut browser = app.browser();
    browser.open("/reset-password?client_id=shop").await;
    browser.ask_reset(ADA).await;
    let code = app.last_code_for(ADA).await;

    let taken = patch(json!({ "name": "Ada", "primaryEmail": "taken@example.com" })).await;
    assert_eq!(taken.code(), "user.email_already_in_use");
    let nobody = patch(json!({ "primaryEmail": null })).await;
    assert_eq!(nobody.code(), "guard.invalid_input");
    assert_eq!(
        app.user(ADA).await.name,
        None,
        "nothing was changed by a call that was refused"
    );

    let edited =
        patch(json!({ "primaryEmail": "ada@new.example", "name": "Ada", "profile": { "nickname": "A" } }))
            .await;
    assert_eq!(edited.status, StatusCode::OK, "{edited:?}");
    assert_eq!(edited.body["primaryEmail"], "ada@new.example");
    let user = app.user("ada@new.example").await;
    assert!(user.email_verified);
    assert_eq!(app.audited("user_edited").await, 1);
    browser.enter_code(&code).await;
    browser.assert_at("/forgot-password/code");

    // What is not there is left alone; the profile is replaced, as in Logto, but not the picture.
    let edited = patch(json!({ "avatar": "https://example.com/a.jpg" })).await;
    assert_eq!(
        (&edited.body["name"], &edited.body["profile"]["nickname"]),
        (&json!("Ada"), &json!("A"))
    );
    let edited = patch(json!({ "profile": {}, "name": "" })).await;
    assert_eq!(
        (
            &edited.body["name"],
            &edited.body["profile"],
            &edited.body["avatar"]
        ),
        (&Value::Null, &json!({}), &json!("https://example.com/a.jpg"))
    );

    let asked = eventually("the deliveries", async || {
        Some(peer.asked()).filter(|all| all.len() == 3)
    })
    .await;
    let told: Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(told["event"], "User.Data.Updated");
    assert_eq!(
        (&told["path"], &told["method"]),
        (&json!(format!("/users/{id}")), &json!("PATCH"))
    );
    assert_eq!(told["data"]["primaryEmail"], "ada@new.example");
    let lost = call(
        &app,
        &token,
        Method::PATCH,
        "/api/users/nobody",
        json!({ "name": "A" }),
    )
    .await;
    assert_eq!(lost.code(), "entity.not_found");
}

#[tokio::test]
async fn a_suspended_person_is_signed_out_everywhere_and_stays_out() {
    let app = with_backend(|_| {}).await;
    let api = management(&app);
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let mut browser = app.browser();
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    let session = app.site.session_of(&browser).unwrap();
    assert!(api.set_suspended(&id, true).await.unwrap().is_suspended);
    assert!(app.site.client.refresh(&session).await.is_err());
    assert!(app.site.client.user_info(&session).await.is_err());
    browser.open("/account").await;
    browser.assert_at("/sign-in");
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/sign-in");

    assert!(!api.set_suspended(&id, false).await.unwrap().is_suspended);
    browser.sign_in(ADA, OLD_PASSWORD).await;
    browser.assert_at("/account");
    assert!(
        app.site.client.refresh(&session).await.is_err(),
        "no session comes back"
    );
    assert_eq!(
        (
            app.audited("user_disabled").await,
            app.audited("user_enabled").await
        ),
        (1, 1)
    );
    assert_eq!(
        refusal(api.set_suspended("nobody", true).await),
        ApiCode::NotFound
    );
}

#[tokio::test]
async fn a_deleted_account_leaves_nothing_but_its_lines_in_the_audit_trail() {
    let app = with_backend(|config| config.apps[0].backchannel_logout_uri = None).await;
    let token = machine_token(&app, BACKEND).await;
    let id = app.add_user(ADA, Some(OLD_PASSWORD)).await;
    let before = app.row_counts().await;
    let mut browser = app.browser();
    browser.open(&app.site.at("/sign-in")).await;
    browser.sign_in(ADA, OLD_PASSWORD).await;
    let session = app.site.session_of(&browser).unwrap();
    let path = format!("/api/users/{id}");
    let gone = call(&app, &token, Method::DELETE, &path, Value::Null).await;
    assert_eq!((gone.status, gone.body), (StatusCode::NO_CONTENT, Value::Null));
    assert!(app.site.client.user_info(&session).await.is_err());
    let after = app.row_counts().await;
    for table in [
        "users",
        "credentials",
        "sessions",
        "grants",
        "access_tokens",
        "refresh_tokens",
        "session_apps",
    ] {
        assert_eq!(
            after[table],
            before[table] - i64::from(table == "users" || table == "credentials"),
            "{table}"
        );
    }
    let (actor, client_id): (String, String) =
        sqlx::query_as("SELECT actor, client_id FROM audit WHERE event = 'user_deleted' AND subject = $1")
            .bind(&id)
            .fetch_one(app.companion.store.reader())
            .await
            .unwrap();
    assert_eq!((actor.as_str(), client_id.as_str()), ("app", BACKEND));
    for method in [Method::DELETE, Method::GET] {
        let lost = call(&app, &token, method, &path, Value::Null).await;
        assert_eq!(
            (lost.status, lost.code()),
            (StatusCode::NOT_FOUND, "entity.not_found")
        );
    }
    browser.open("/account").await;
    browser.sign_in(ADA, NEW_PASSWORD).await;
    browser.assert_at("/sign-in");
}

/// As in Logto, where a search says nothing of it.
#[tokio::test]
async fn user_names_are_found_whatever_their_case_unless_it_is_to_matter() {
    let app = with_backend(|_| {}).await;
    let token = machine_token(&app, BACKEND).await;
    let new = json!({ "username": "Ada_L" });
    let added = call(&app, &token, Method::POST, "/api/users", new).await;
    assert_eq!(added.status, StatusCode::OK);
    for (searched, case_matters, found) in [
        ("ada_l", "", 1),
        ("ADA_L", "&isCaseSensitive=false", 1),
        ("ada_l", "&isCaseSensitive=true", 0),
        ("Ada_L", "&isCaseSensitive=true", 1),
        ("ada", "", 0),
    ] {
        let path = format!("/api/users?search.username={searched}&mode.username=exact{case_matters}");
        let answer = call(&app, &token, Method::GET, &path, Value::Null).await;
        assert_eq!(answer.body.as_array().unwrap().len(), found, "{path}");
        assert_eq!(answer.headers["total-number"], found.to_string());
    }
}

/// SR-68: programs get JSON from what stands around the routes, too.
#[tokio::test]
async fn sr68_what_is_refused_before_a_route_is_told_in_the_form_of_the_apis() {
    let app = with_backend(|_| {}).await;
    let elsewhere = reqwest::Client::new()
        .get(app.url.join("/api/users").unwrap())
        .header(reqwest::header::HOST, "evil.example");
    let refused = answer(elsewhere).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::MISDIRECTED_REQUEST, "request.misdirected")
    );
    let foreign = reqwest::Client::new()
        .post(app.url.join("/api/roles").unwrap())
        .header(reqwest::header::ORIGIN, "https://evil.example");
    let refused = answer(foreign).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::FORBIDDEN, "request.foreign_origin")
    );
}
