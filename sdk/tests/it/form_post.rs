//! Answers that are posted (OAuth 2.0 Form Post Response Mode): the same checks, and a cookie that comes along.

use keyback::{CallbackError, CookieError, CookieSealer, Error, PostedCallback, SignIn, SignInError};
use serde_json::json;
use url::Url;

use crate::provider::{ISSUER, World, checked};

fn sealer() -> CookieSealer {
    CookieSealer::new([7; 32]).unwrap()
}

async fn begin(world: &World) -> SignIn {
    world.client.sign_in().form_post().start().await.unwrap()
}

/// The provider's answer as the form that it posts.
fn form(world: &World, begun: &SignIn) -> String {
    let callback = world.provider.answer(&begun.url);
    callback.query().unwrap().to_owned()
}

fn posted(world: &World, form: &str) -> PostedCallback {
    world.client.posted_callback("/callback", form).unwrap()
}

fn callback_error(error: Error) -> CallbackError {
    match error {
        Error::Callback(error) => error,
        other => panic!("not about the callback: {other:?}"),
    }
}

#[tokio::test]
async fn a_posted_answer_ends_in_a_session() {
    let world = World::new();
    let begun = begin(&world).await;
    let sent: Vec<_> = begun.url.query_pairs().into_owned().collect();
    assert!(sent.contains(&("response_mode".to_owned(), "form_post".to_owned())));
    let set = sealer().set_cookie(&begun.pending).unwrap();
    let callback = posted(&world, &form(&world, &begun));
    let pair = set.split(';').next().unwrap();
    let pending = sealer().open_posted(pair, &callback, &world.client).unwrap();
    let session = world.client.finish_posted(pending, &callback).await.unwrap();
    assert_eq!(session.claims().get("iss"), Some(&json!(ISSUER)));
}

/// The cookie of such a sign-in, and of no other, comes along with a POST from the provider's page.
#[tokio::test]
async fn only_the_cookie_of_a_posted_answer_is_sent_across_sites() {
    let world = World::new();
    let set = sealer().set_cookie(&begin(&world).await.pending).unwrap();
    assert!(
        set.starts_with("__Host-") && set.ends_with("; SameSite=None; Secure"),
        "{set}"
    );
    let set = sealer().set_cookie(&world.begin().await.pending).unwrap();
    assert!(set.ends_with("; SameSite=Lax; Secure"), "{set}");
    let loopback = World::with(|builder| builder.redirect_uri("http://127.0.0.1:3000/callback"));
    let set = sealer().set_cookie(&begin(&loopback).await.pending).unwrap();
    assert!(
        !set.starts_with("__Host-") && set.ends_with("; SameSite=None; Secure"),
        "{set}"
    );
    let clear = sealer().clear_cookie(&begin(&world).await.pending);
    assert!(
        clear.contains("Max-Age=0") && clear.ends_with("; SameSite=None; Secure"),
        "{clear}"
    );
}

/// A code that was to be posted is not taken from a URL, nor a form that nobody asked for.
#[tokio::test]
async fn the_answer_comes_the_way_that_was_asked_for() {
    let world = World::new();
    let begun = begin(&world).await;
    let url = world.provider.answer(&begun.url);
    let error = checked(world.client.finish(begun.pending, url).await).unwrap_err();
    assert_eq!(callback_error(error), CallbackError::ResponseMode);

    let begun = world.begin().await;
    let callback = posted(&world, &form(&world, &begun));
    let error = checked(world.client.finish_posted(begun.pending, &callback).await).unwrap_err();
    assert_eq!(callback_error(error), CallbackError::ResponseMode);
    assert_eq!(world.provider.requests("/oidc/token"), 0);
}

#[tokio::test]
async fn form_post_2_a_posted_answer_passes_the_same_checks() {
    let refusal = async |target: &str, change: &dyn Fn(String) -> String| {
        let world = World::new();
        let begun = begin(&world).await;
        let form = change(form(&world, &begun));
        let callback = world.client.posted_callback(target, &form).unwrap();
        let error = checked(world.client.finish_posted(begun.pending, &callback).await).unwrap_err();
        assert_eq!(world.provider.requests("/oidc/token"), 0);
        callback_error(error)
    };
    let same = |form: String| form;
    let without = |name: &str, form: &str| {
        let url = Url::parse(&format!("https://x.example/?{form}")).unwrap();
        let kept = url.query_pairs().filter(|(other, _)| other != name);
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .finish()
    };
    assert_eq!(
        refusal("/callback-evil", &same).await,
        CallbackError::ForeignRedirectUri
    );
    assert_eq!(
        refusal("/callback", &|form| without("state", &form)).await,
        CallbackError::MissingState
    );
    assert_eq!(
        refusal("/callback", &|form| without("iss", &form)).await,
        CallbackError::MissingIssuer
    );
    assert_eq!(
        refusal("/callback", &|form| without("code", &form)).await,
        CallbackError::MissingCode
    );
    assert_eq!(
        refusal("/callback", &|form| format!(
            "{}&state=other",
            without("state", &form)
        ))
        .await,
        CallbackError::StateMismatch
    );
    assert_eq!(
        refusal("/callback", &|form| format!("{form}&code=other")).await,
        CallbackError::Repeated { name: "code" }
    );
    // The query of the address says nothing: what counts was posted.
    assert_eq!(
        refusal("/callback?code=stolen", &|form| without("code", &form)).await,
        CallbackError::MissingCode
    );
}

#[tokio::test]
async fn what_is_no_form_is_refused_and_never_printed() {
    let world = World::new();
    let error = world
        .client
        .posted_callback("/callback", [0xff, 0xfe])
        .unwrap_err();
    assert_eq!(callback_error(error), CallbackError::Malformed);
    let long = "a".repeat(16 * 1024 + 1);
    let error = world.client.posted_callback("/callback", long).unwrap_err();
    assert!(matches!(callback_error(error), CallbackError::TooLarge { .. }));
    let callback = posted(&world, "code=must-not-leak");
    assert!(!format!("{callback:?}").contains("must-not-leak"));
    let error = sealer().open_posted("", &callback, &world.client).unwrap_err();
    assert_eq!(error, CookieError::NoState);
}

#[tokio::test]
async fn a_provider_that_posts_nothing_is_not_asked_to() {
    let world = World::new();
    world.provider.lock().metadata["response_modes_supported"] = json!(["query", "fragment"]);
    let error = checked(world.client.sign_in().form_post().start().await).unwrap_err();
    assert!(matches!(error, Error::SignIn(SignInError::NoFormPost)), "{error}");
    let _ = world.begin().await;
}
