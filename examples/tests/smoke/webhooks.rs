//! The receiver of webhooks: what is signed is handled, everything else is refused.

use std::io::{BufRead as _, BufReader};
use std::process::Command;
use std::time::UNIX_EPOCH;

use anyhow::Context as _;
use aws_lc_rs::hmac;
use keyback::{Clock as _, SystemClock};
use reqwest::Client;
use serde_json::json;

use crate::running::{ask, start};

const KEY: &str = "a-key-of-this-test";

/// As the companion does: the time of sending, and HMAC-SHA256 over it and the body.
fn signature(key: &str, body: &str) -> anyhow::Result<String> {
    let now = SystemClock.now().duration_since(UNIX_EPOCH)?.as_secs();
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let signed = hmac::sign(&key, format!("{now}.{body}").as_bytes());
    Ok(format!("t={now},v1={}", hex::encode(signed)))
}

#[tokio::test]
async fn sr60_the_receiver_takes_only_what_is_signed() -> anyhow::Result<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_webhook_receiver"));
    command
        .env("KEYBACK_WEBHOOK_KEY", KEY)
        .env("LISTEN", "127.0.0.1:0");
    let (mut running, line) = start(&mut command)?;
    let url = line.rsplit(' ').next().unwrap_or_default();
    let now = chrono::DateTime::<chrono::Utc>::from(SystemClock.now()).to_rfc3339();
    let body = json!({ "event": "PostResetPassword", "createdAt": now, "user": { "id": "u1" } }).to_string();
    let deliver = async |signature: Option<&str>| {
        let posted = Client::builder()
            .no_proxy()
            .build()?
            .post(url)
            .header("keyback-delivery", "one");
        let posted = match signature {
            Some(signature) => posted.header("keyback-signature", signature),
            None => posted,
        };
        anyhow::Ok(posted.body(body.clone()).send().await?.status().as_u16())
    };
    assert_eq!(deliver(None).await?, 401);
    let now = SystemClock.now().duration_since(UNIX_EPOCH)?.as_secs();
    assert_eq!(
        deliver(Some(&format!("t={now},v1={}", "0".repeat(64)))).await?,
        401
    );
    assert_eq!(deliver(Some(&signature("another key", &body)?)).await?, 401);
    assert_eq!(deliver(Some(&signature(KEY, "{}")?)).await?, 401);
    assert_eq!(ask(url).await?.status(), 405);
    assert_eq!(deliver(Some(&signature(KEY, &body)?)).await?, 204);
    // The first line after its address is what was signed.
    let printed = running.0.stdout.take().context("nothing is printed")?;
    let told = BufReader::new(printed)
        .lines()
        .next()
        .context("nothing is told")??;
    assert!(told.starts_with("PostResetPassword: u1 "), "{told}");
    Ok(())
}

#[test]
fn without_a_key_the_receiver_does_not_start() -> anyhow::Result<()> {
    let keyless = Command::new(env!("CARGO_BIN_EXE_webhook_receiver"))
        .env_remove("KEYBACK_WEBHOOK_KEY")
        .output()?;
    assert!(!keyless.status.success());
    assert!(String::from_utf8_lossy(&keyless.stderr).contains("set KEYBACK_WEBHOOK_KEY"));
    Ok(())
}
