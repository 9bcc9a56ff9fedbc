//! The examples start, and "Forgot password?" leads to the provider's reset page (SR-75).

mod after_a_reset;
mod command_line;
mod running;
mod webhooks;

use std::process::Command;

use reqwest::Client;
use reqwest::header::{COOKIE, SET_COOKIE};

use self::running::{ask, bare_request, free_port, provider, reset_request, start};

#[tokio::test]
async fn sr75_the_redirect_asks_for_the_reset_page() -> anyhow::Result<()> {
    let issuer = provider().await?;
    let (_running, line) = start(Command::new(env!("CARGO_BIN_EXE_redirect")).arg(&issuer))?;
    let site = line
        .rsplit(' ')
        .next()
        .unwrap_or_default()
        .replace("/forgot-password", "");
    let request = reset_request(&ask(&format!("{site}/forgot-password")).await?, &issuer)?;
    assert_eq!(request["client_id"], "demo-cli");
    assert_eq!(request["redirect_uri"], format!("{site}/callback"));

    let forged = ask(&format!("{site}/callback?code=1&state=2")).await?;
    assert_eq!(forged.status(), 502);
    assert_eq!(ask(&site).await?.status(), 404);

    // A proxy may ask with the whole URL, as HTTP/2 does: it is the same callback.
    let by_path = bare_request(&site, "/callback?code=1&state=2").await?;
    let by_url = bare_request(&site, &format!("{site}/callback?code=1&state=2")).await?;
    assert!(by_path.contains("Sorry"), "{by_path}");
    assert_eq!(by_path, by_url);
    Ok(())
}

#[tokio::test]
async fn sr75_the_web_site_asks_for_the_reset_page() -> anyhow::Result<()> {
    let issuer = provider().await?;
    let port = free_port().await?;
    let site = format!("http://localhost:{port}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_web_site"));
    command.env("KEYBACK_ISSUER", &issuer).env("SITE_URL", &site);
    let (_running, _) =
        start(command.env("KEYBACK_CLIENT_SECRET", "of nobody's account, for this test only"))?;
    let site = format!("http://127.0.0.1:{port}");
    let request = reset_request(&ask(&format!("{site}/forgot-password")).await?, &issuer)?;
    assert_eq!(request["client_id"], "demo-web");
    assert_eq!(
        request["redirect_uri"],
        format!("http://localhost:{port}/callback")
    );

    assert!(ask(&site).await?.text().await?.contains("Forgot password?"));
    let forged = ask(&format!("{site}/callback?code=1&state=2")).await?;
    assert_eq!(forged.status(), 400);
    // Refused for good, the sign-in's cookie goes; while a reload may help, it stays.
    for (answer, status, cleared) in [("error=access_denied", 400, true), ("code=1", 503, false)] {
        let begun = ask(&format!("{site}/forgot-password")).await?;
        let cookie = begun.headers()[SET_COOKIE]
            .to_str()?
            .split(';')
            .next()
            .unwrap_or_default();
        let state = &reset_request(&begun, &issuer)?["state"];
        let callback = Client::new()
            .get(format!("{site}/callback?{answer}&state={state}"))
            .header(COOKIE, cookie);
        let refused = callback.send().await?;
        assert_eq!(refused.status(), status);
        let set = refused
            .headers()
            .get(SET_COOKIE)
            .map(|set| set.to_str())
            .transpose()?;
        assert_eq!(
            set.is_some_and(|set| set.contains("Max-Age=0")),
            cleared,
            "{set:?}"
        );
    }

    let from_nowhere = Client::new().post(format!("{site}/sign-out")).send().await?;
    assert_eq!(from_nowhere.status(), 403);
    Ok(())
}

/// Twenty-five lines, and what other sites could do is refused all the same.
#[tokio::test]
async fn sr75_the_shortest_site_asks_for_the_reset_page() -> anyhow::Result<()> {
    a_site_asks_for_the_reset_page(env!("CARGO_BIN_EXE_shortest")).await
}

#[tokio::test]
async fn sr75_the_site_on_actix_asks_for_the_reset_page() -> anyhow::Result<()> {
    a_site_asks_for_the_reset_page(env!("CARGO_BIN_EXE_actix")).await
}

/// Whoever forgets the secret reads which variable it belongs in.
#[test]
fn a_site_without_its_secret_names_the_variable() -> anyhow::Result<()> {
    for program in [
        env!("CARGO_BIN_EXE_actix"),
        env!("CARGO_BIN_EXE_shortest"),
        env!("CARGO_BIN_EXE_web_site"),
    ] {
        let mut command = Command::new(program);
        let said = command.env_remove("KEYBACK_CLIENT_SECRET").output()?;
        assert!(!said.status.success());
        let said = String::from_utf8(said.stderr)?;
        assert!(said.contains("set KEYBACK_CLIENT_SECRET"), "{program}: {said}");
    }
    Ok(())
}

async fn a_site_asks_for_the_reset_page(program: &str) -> anyhow::Result<()> {
    let issuer = provider().await?;
    let port = free_port().await?;
    let site = format!("http://127.0.0.1:{port}");
    let mut command = Command::new(program);
    command.env("KEYBACK_ISSUER", &issuer).env("SITE_URL", &site);
    let (_running, _) =
        start(command.env("KEYBACK_CLIENT_SECRET", "of nobody's account, for this test only"))?;
    let request = reset_request(&ask(&format!("{site}/forgot-password")).await?, &issuer)?;
    assert_eq!(request["redirect_uri"], format!("{site}/callback"));
    assert_eq!(request["scope"], "openid offline_access profile");
    assert!(ask(&site).await?.text().await?.contains("Forgot password?"));
    assert_eq!(
        ask(&format!("{site}/callback?code=1&state=2")).await?.status(),
        400
    );
    assert_eq!(ask(&format!("{site}/sign-out")).await?.status(), 405);
    let from_nowhere = Client::new().post(format!("{site}/sign-out")).send().await?;
    assert_eq!(from_nowhere.status(), 403);
    Ok(())
}

#[test]
fn the_shortest_site_has_twenty_five_lines() {
    let code = include_str!("../../src/bin/shortest.rs").lines();
    let lines = code.filter(|line| !line.trim().is_empty() && !line.starts_with("//!"));
    assert!(lines.count() <= 25);
}

#[tokio::test]
async fn the_static_page_only_links() -> anyhow::Result<()> {
    let (_running, line) = start(&mut Command::new(env!("CARGO_BIN_EXE_static_page")))?;
    let site = line.trim_start_matches("Open ");
    let page = ask(site).await?;
    assert!(
        page.headers()["content-security-policy"]
            .to_str()?
            .starts_with("default-src 'none'")
    );
    let page = page.text().await?;
    assert!(
        page.contains("href=\"http://localhost:3001/reset-password?client_id=demo-site\""),
        "{page}"
    );
    assert!(!page.contains("<script"));
    assert_eq!(ask(&format!("{site}/other")).await?.status(), 404);
    Ok(())
}
