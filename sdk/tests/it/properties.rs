//! What a stranger may send: never a panic, never a way elsewhere.

use std::sync::OnceLock;

use keyback::{CookieSealer, Error, PendingSignIn, ReturnPath, SealedSession};
use proptest::prelude::*;
use tokio::runtime::Runtime;
use url::Url;

use crate::provider::{REDIRECT_URI, World};

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Builder::new_current_thread().build().unwrap())
}

/// A world, and a sign-in that has begun in it.
fn begun() -> &'static (World, String) {
    static BEGUN: OnceLock<(World, String)> = OnceLock::new();
    BEGUN.get_or_init(|| {
        let world = World::new();
        let begun = runtime().block_on(world.begin());
        world.provider.answer(&begun.url);
        (world, serde_json::to_string(&begun.pending).unwrap())
    })
}

/// Texts that look like paths, with all that makes them dangerous.
fn pathlike() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/".to_owned()),
        Just("\\".to_owned()),
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just("%2e".to_owned()),
        Just("%2f".to_owned()),
        Just("%5C".to_owned()),
        Just("@".to_owned()),
        Just(":".to_owned()),
        Just("?".to_owned()),
        Just("#".to_owned()),
        Just("\t".to_owned()),
        Just("evil.example".to_owned()),
        Just("https:".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// A form that a stranger posts is refused without a panic, whatever is in it.
    #[test]
    fn a_posted_callback_of_a_stranger_is_refused(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (world, stored) = begun();
        let pending: PendingSignIn = serde_json::from_str(stored).unwrap();
        if let Ok(callback) = world.client.posted_callback("/callback", &body) {
            let sealer = CookieSealer::new([7; 32]).unwrap();
            prop_assert!(sealer.open_posted("", &callback, &world.client).is_err());
            let outcome = runtime().block_on(world.client.finish_posted(pending, &callback));
            prop_assert!(matches!(outcome, Err(Error::Callback(_))));
        }
    }

    /// SR-71.
    #[test]
    fn a_return_path_never_leaves_the_site(text in pathlike()) {
        if let Ok(path) = ReturnPath::parse(&text) {
            for base in ["https://app.example/", "https://app.example/a/b/c?d#e", "http://localhost:8080/callback"] {
                let base = Url::parse(base).unwrap();
                let target = base.join(path.as_str()).unwrap();
                prop_assert_eq!(target.origin(), base.origin());
                // Nor after the path alone was written into a header once more.
                let again = base.join(target.path()).unwrap();
                prop_assert_eq!(again.origin(), base.origin());
            }
            prop_assert!(http::HeaderValue::from_str(path.as_str()).is_ok() || !path.as_str().is_ascii());
        }
    }

    #[test]
    fn any_text_as_a_callback_is_refused(text in ".{0,200}") {
        let (world, pending) = begun();
        let pending: PendingSignIn = serde_json::from_str(pending).unwrap();
        let outcome = runtime().block_on(world.client.finish(pending, &text));
        prop_assert!(matches!(outcome, Err(Error::Callback(_))));
    }

    #[test]
    fn any_query_of_a_callback_is_refused(query in "([a-z%=&+#?;]|state=|code=|iss=|error=|%00|%ff){0,40}") {
        let (world, pending) = begun();
        let pending: PendingSignIn = serde_json::from_str(pending).unwrap();
        let outcome = runtime().block_on(world.client.finish(pending, format!("{REDIRECT_URI}?{query}")));
        prop_assert!(matches!(outcome, Err(Error::Callback(_))));
    }

    #[test]
    fn any_cookie_header_opens_nothing(header in ".{0,200}", state in "[A-Za-z0-9_-]{0,50}") {
        let (world, _) = begun();
        let sealer = CookieSealer::new([7; 32]).unwrap();
        let callback = format!("/callback?state={state}");
        prop_assert!(sealer.open(&header, callback, &world.client).is_err());
    }

    #[test]
    fn any_value_under_the_right_name_opens_nothing(value in "[!-:<-~]{0,300}") {
        let (world, pending) = begun();
        let pending: PendingSignIn = serde_json::from_str(pending).unwrap();
        let sealer = CookieSealer::new([7; 32]).unwrap();
        let set = sealer.set_cookie(&pending).unwrap();
        let name = set.split_once('=').unwrap().0;
        let callback = format!("{REDIRECT_URI}?state={}", pending.state());
        let header = format!("{name}={value}; {name}x={value}");
        prop_assert!(sealer.open(&header, callback, &world.client).is_err());
        prop_assert!(sealer.set_cookies(&pending, &header).is_ok());
    }

    #[test]
    fn any_bytes_are_no_pending_sign_in(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(serde_json::from_slice::<PendingSignIn>(&bytes).is_err());
    }

    /// Whatever a browser brings as a session, it is nobody's, and a store's bytes are read or refused.
    #[test]
    fn strange_sessions_are_nobodys(
        header in "[ -~]{0,300}",
        value in "[0-9A-Za-z._~-]{0,120}",
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let (world, _) = begun();
        let site = crate::site::site(world, |builder| builder);
        let id = "A".repeat(43);
        let names = ["id", "AAAAAAAA.0", "AAAAAAAA.1"].map(|name| format!("{}{name}", session_prefix()));
        let ours = format!("{}={id}; {}={value}; {}={value}", names[0], names[1], names[2]);
        for header in [header, ours] {
            let mut headers = http::HeaderMap::new();
            headers.insert("cookie", header.parse().unwrap());
            let visit = site.visit(&headers);
            prop_assert!(runtime().block_on(visit.signed_in()).unwrap().is_none());
        }
        if let Some(session) = SealedSession::from_bytes(&bytes) {
            prop_assert_eq!(session.to_bytes(), bytes);
        }
    }
}

/// What the names of the session cookies of this client begin with.
fn session_prefix() -> &'static str {
    static PREFIX: OnceLock<String> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let (world, _) = begun();
        let site = crate::site::site(world, |builder| builder);
        let mut browser = crate::site::Browser::at(world, &site);
        runtime().block_on(browser.sign_in());
        let id = browser
            .jar
            .iter()
            .find(|(name, _)| name.ends_with(".id"))
            .unwrap();
        id.0.trim_end_matches("id").to_owned()
    })
}
