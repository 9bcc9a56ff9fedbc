//! Which addresses and secrets are an app's, and what it is called.

use super::*;

fn app(kind: AppKind, uris: &[&str]) -> App {
    let config = serde_json::json!({
        "client_id": "a", "type": kind, "redirect_uris": uris, "client_secret": "s".repeat(32),
    });
    let mut config: AppConfig = serde_json::from_value(config).unwrap();
    let digest = config
        .client_secret
        .take()
        .map(|secret| digest_of(secret.expose()));
    App::new(config, digest)
}

#[test]
fn sr77_redirect_uris_match_as_text() {
    let web = app(
        AppKind::Web,
        &["https://app.example/callback?x=1", "https://bare.example"],
    );
    for good in [
        "https://app.example/callback?x=1",
        "https://bare.example",
        "https://bare.example/",
    ] {
        assert!(web.allows_redirect(good), "{good}");
    }
    for bad in [
        "https://app.example/callback",
        "https://app.example/callback?x=1&y=2",
        "https://app.example/callback?x=1#f",
        "https://app.example/callback/?x=1",
        "https://APP.example/callback?x=1",
        "https://app.example/x/../callback?x=1",
        "https://app.example/%63allback?x=1",
        "https://app.example:443/callback?x=1",
        "https://user@app.example/callback?x=1",
        "https://app.example\\callback?x=1",
        "//app.example/callback?x=1",
        "http://app.example/callback?x=1",
        "",
    ] {
        assert!(!web.allows_redirect(bad), "{bad}");
    }
}

#[test]
fn rfc8252_7_3_native_apps_choose_the_loopback_port() {
    let uris = [
        "http://127.0.0.1/callback",
        "http://[::1]/callback",
        "http://localhost:8000/callback",
    ];
    let native = app(AppKind::Native, &uris);
    for good in [
        "http://127.0.0.1:51004/callback",
        "http://127.0.0.1/callback",
        "http://[::1]:1/callback",
        "http://localhost:65535/callback",
    ] {
        assert!(native.allows_redirect(good), "{good}");
        assert_eq!(
            app(AppKind::Web, &uris).allows_redirect(good),
            uris.contains(&good),
            "{good}"
        );
    }
    for bad in [
        "http://127.0.0.1:51004/other",
        "http://127.0.0.1:51004/callback?x=1",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1:80@evil.example/callback",
        "http://user@127.0.0.1:80/callback",
        "http://127.0.0.2:80/callback",
        "https://127.0.0.1:80/callback",
        "http://localhost.evil.example:80/callback",
    ] {
        assert!(!native.allows_redirect(bad), "{bad}");
    }
}

#[test]
fn custom_schemes_match_as_text() {
    let native = app(AppKind::Native, &["com.example.app:/callback", "app://callback"]);
    assert!(native.allows_redirect("com.example.app:/callback"));
    assert!(native.allows_redirect("app://callback"));
    assert!(!native.allows_redirect("app://callback/"));
}

#[test]
fn secrets_belong_to_apps_that_can_keep_them() {
    let secret = "s".repeat(32);
    assert!(app(AppKind::Web, &[]).has_secret(&secret));
    assert!(!app(AppKind::Web, &[]).has_secret(&"t".repeat(32)));
    assert!(!app(AppKind::Spa, &[]).has_secret(&secret));
    assert!(!app(AppKind::Spa, &[]).is_confidential());
}

#[test]
fn an_app_is_called_by_its_name_else_by_its_site_else_by_its_client_id() {
    let mut named = app(AppKind::Web, &["https://app.example/callback"]);
    named.name = Some("The App".to_owned());
    assert_eq!(named.display_name(), "The App");
    let site = app(
        AppKind::Web,
        &[
            "http://localhost:8080/callback",
            "https://app.example:8443/callback",
        ],
    );
    assert_eq!(site.display_name(), "app.example");
    for (kind, uris) in [
        (AppKind::Native, &["com.example.app:/callback"][..]),
        (AppKind::Native, &["http://127.0.0.1/callback"]),
        (AppKind::Native, &[]),
    ] {
        assert_eq!(app(kind, uris).display_name(), "a", "{uris:?}");
    }
}

#[test]
fn the_way_back_to_an_app_is_one_that_it_registered() {
    let url = |text: &str| Url::parse(text).unwrap();
    let mut web = app(AppKind::Web, &["https://app.example/callback"]);
    assert_eq!(web.way_back(), None);
    web.sign_in_url = Some(url("https://app.example/sign-in"));
    let sign_in = url("https://app.example/sign-in");
    assert_eq!(web.way_back(), Some(WayBack::SignIn(&sign_in)));
    web.post_logout_redirect_uris = vec![url("com.example.app:/out"), url("https://app.example/out")];
    let out = url("https://app.example/out");
    assert_eq!(web.way_back(), Some(WayBack::AfterSignOut(&out)));
    web.kind = AppKind::Native;
    assert_eq!(
        web.way_back(),
        None,
        "nothing listens at a loopback port any more"
    );
}
