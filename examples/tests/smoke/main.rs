//! The examples start, and "Forgot password?" leads to the provider's reset page (SR-75).

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use aws_lc_rs::hmac;
use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::routing::{get, post};
use keyback::{Clock as _, SystemClock, Url};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

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
    let code = include_str!("../src/bin/shortest.rs").lines();
    let lines = code.filter(|line| !line.trim().is_empty() && !line.starts_with("//!"));
    assert!(lines.count() <= 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc8252_7_3_the_command_line_program_waits_on_a_loopback_port_for_its_own_answer()
-> anyhow::Result<()> {
    let issuer = provider().await?;
    let mut running = loopback(&issuer, &["--forgot-password"])?;
    let request = running.request(&issuer)?;
    assert_eq!(request["client_id"], "demo-cli");
    let callback = &request["redirect_uri"];
    let port = callback
        .strip_prefix("http://127.0.0.1:")
        .and_then(|rest| rest.strip_suffix("/callback"));
    assert!(port.is_some_and(|port| port.parse::<u16>().is_ok()), "{callback}");

    // What others of this machine send ends nothing.
    for forged in ["", "?code=1", "?code=1&state=2", "?error=access_denied&state="] {
        assert_eq!(
            ask(&format!("{callback}{forged}")).await?.status(),
            400,
            "{forged}"
        );
    }
    let state = &request["state"];
    let answer = ask(&format!("{callback}?error=access_denied&state={state}")).await?;
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await?.contains("You are not signed in"));
    let (code, err) = running.ended()?;
    assert_eq!(code, Some(1));
    assert!(err.contains("refused"), "{err}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_program_ends_on_ctrl_c_and_knows_its_options() -> anyhow::Result<()> {
    let issuer = provider().await?;
    let mut running = loopback(&issuer, &[])?;
    let request = running.request(&issuer)?;
    assert!(!request.contains_key("first_screen"));
    running.interrupt()?;
    let (code, err) = running.ended()?;
    assert_eq!(code, Some(1));
    assert!(err.contains("nobody has signed in"), "{err}");

    let (code, err) = loopback(&issuer, &["--forgot"])?.ended()?;
    assert_eq!(code, Some(1));
    assert!(err.contains("--forgot-password"), "{err}");
    let (code, err) = loopback("http://192.0.2.1/oidc", &[])?.ended()?;
    assert_eq!(code, Some(1));
    assert!(err.contains("https"), "{err}");
    Ok(())
}

/// A port that waits for ever would be found by whoever comes later.
#[tokio::test(flavor = "multi_thread")]
async fn rfc8252_8_3_the_command_line_program_waits_for_its_time_and_closes_its_port() -> anyhow::Result<()> {
    let issuer = provider().await?;
    let mut running = impatient(&issuer, "2")?;
    let request = running.request(&issuer)?;
    let callback = &request["redirect_uri"];
    // Until then it waits, and what others send gains them no time.
    assert_eq!(ask(&format!("{callback}?code=1&state=2")).await?.status(), 400);
    let (code, err) = running.ended()?;
    assert_eq!(code, Some(1));
    assert!(err.contains("nobody has signed in for 2 s; start again"), "{err}");
    let state = &request["state"];
    assert!(ask(&format!("{callback}?code=1&state={state}")).await.is_err());

    let (code, err) = impatient(&issuer, "a while")?.ended()?;
    assert_eq!(code, Some(1));
    assert!(err.contains("KEYBACK_PATIENCE"), "{err}");
    Ok(())
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

#[tokio::test]
async fn a_reset_in_logto_signs_the_person_out_everywhere() -> anyhow::Result<()> {
    let logto = Arc::new(Logto::default());
    let endpoint = Arc::clone(&logto).start().await?;
    let folder = tempfile::tempdir()?;
    let logouts = folder.path().join("logouts");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sign_out_everywhere"));
    command
        .env("SITE_APP_ID", "site")
        .env("SITE_APP_SECRET", "of nobody's app, for this test only")
        .env("SITE_REDIRECT_URI", "http://localhost:8091/callback")
        .env("SITE_SECRET", "of nobody's cookies, for this test only")
        .env("SITE_LOGOUTS", &logouts)
        .env("LISTEN", "127.0.0.1:0")
        .env("LOGTO_ENDPOINT", &endpoint)
        .env("LOGTO_APP_ID", "machine")
        .env("LOGTO_APP_SECRET", "of nobody's account, for this test only")
        .env("LOGTO_WEBHOOK_KEY", WEBHOOK_KEY);
    let (_running, line) = start(&mut command)?;
    let webhooks = line.rsplit(' ').next().unwrap_or_default().to_owned();

    let now = chrono::DateTime::<chrono::Utc>::from(SystemClock.now()).to_rfc3339();
    let reset = json!({ "event": "PostResetPassword", "createdAt": now, "user": { "id": "u1" } }).to_string();
    let other = json!({ "event": "PostSignIn", "createdAt": now, "user": { "id": "u2" } }).to_string();
    let deliver = async |body: &str, key: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        let signature = hex::encode(hmac::sign(&key, body.as_bytes()));
        let request = Client::new()
            .post(&webhooks)
            .header("logto-signature-sha-256", signature);
        anyhow::Ok(request.body(body.to_owned()).send().await?.status().as_u16())
    };
    assert_eq!(deliver(&reset, "another key").await?, 401);
    assert_eq!(deliver(&other, WEBHOOK_KEY).await?, 204);
    assert_eq!(logto.ended(), [""; 0]);
    assert!(!std::fs::read_to_string(&logouts)?.contains("u2"));
    // While Logto is out of reach nothing is forgotten: the same delivery is handled later, and then once.
    logto.away.store(true, Ordering::SeqCst);
    assert_eq!(deliver(&reset, WEBHOOK_KEY).await?, 500);
    // Here the person is signed out, and stays so after a restart.
    assert!(std::fs::read_to_string(&logouts)?.contains("/oidc:u1"));
    logto.away.store(false, Ordering::SeqCst);
    for _ in 0..2 {
        assert_eq!(deliver(&reset, WEBHOOK_KEY).await?, 204);
    }
    assert_eq!(
        logto.ended(),
        ["/api/users/u1/sessions/s1", "/api/users/u1/grants/g1"]
    );
    Ok(())
}

const WEBHOOK_KEY: &str = "a-signing-key-for-this-test";

/// A Logto in which u1 has a session and a grant.
#[derive(Default)]
struct Logto {
    away: AtomicBool,
    ended: Mutex<Vec<String>>,
}

impl Logto {
    async fn start(self: Arc<Self>) -> anyhow::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let routes = Router::new().fallback(move |method: Method, uri: Uri| {
            let answer = self.answer(&method, uri.path());
            async move { answer }
        });
        tokio::spawn(async { axum::serve(listener, routes).await });
        Ok(endpoint)
    }

    fn answer(&self, method: &Method, path: &str) -> (StatusCode, axum::Json<Value>) {
        if self.away.load(Ordering::SeqCst) {
            return (StatusCode::BAD_GATEWAY, axum::Json(json!({})));
        }
        if *method == Method::DELETE {
            self.lock().push(path.to_owned());
        }
        let body = match path {
            "/oidc/token" => json!({ "access_token": "t", "token_type": "Bearer", "expires_in": 3600 }),
            "/api/users/u1/sessions" => json!({ "sessions": [{ "payload": { "uid": "s1" } }] }),
            "/api/users/u1/grants" => json!({ "grants": [{ "id": "g1" }] }),
            _ => json!({}),
        };
        (StatusCode::OK, axum::Json(body))
    }

    fn ended(&self) -> Vec<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The command-line program at work. It is killed when dropped.
struct CommandLine {
    running: Running,
    printed: BufReader<ChildStdout>,
}

fn loopback(issuer: &str, options: &[&str]) -> anyhow::Result<CommandLine> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loopback"));
    command.args(options);
    begin(command, issuer)
}

/// The same with a time of its own, in seconds.
fn impatient(issuer: &str, patience: &str) -> anyhow::Result<CommandLine> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loopback"));
    command.env("KEYBACK_PATIENCE", patience);
    begin(command, issuer)
}

fn begin(mut command: Command, issuer: &str) -> anyhow::Result<CommandLine> {
    command.env("KEYBACK_ISSUER", issuer).arg("--no-browser");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let printed = child.stdout.take().context("nothing is printed")?;
    Ok(CommandLine {
        running: Running(child),
        printed: BufReader::new(printed),
    })
}

impl CommandLine {
    /// The request of the address that it prints.
    fn request(&mut self, issuer: &str) -> anyhow::Result<HashMap<String, String>> {
        let mut lines = self.printed.by_ref().lines();
        let line = lines.find(|line| line.as_ref().is_ok_and(|line| line.trim().starts_with("http")));
        let url = Url::parse(line.context("no address is printed")??.trim())?;
        assert!(url.as_str().starts_with(&format!("{issuer}/auth?")), "{url}");
        Ok(url.query_pairs().into_owned().collect())
    }

    /// As Ctrl-C does.
    fn interrupt(&self) -> anyhow::Result<()> {
        let pid = self.running.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status()?.success());
        Ok(())
    }

    /// How it ended, and what it said.
    fn ended(mut self) -> anyhow::Result<(Option<i32>, String)> {
        let mut said = String::new();
        self.running
            .0
            .stderr
            .take()
            .context("nothing is said")?
            .read_to_string(&mut said)?;
        Ok((self.running.0.wait()?.code(), said))
    }
}

/// A provider that only tells where it is, and gives no tokens now.
async fn provider() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let issuer = format!("http://{}/oidc", listener.local_addr()?);
    let metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES384"],
    });
    let answer = move || async move { axum::Json(metadata) };
    let routes = Router::new()
        .route("/oidc/.well-known/openid-configuration", get(answer))
        .route("/oidc/token", post(async || StatusCode::SERVICE_UNAVAILABLE));
    tokio::spawn(async { axum::serve(listener, routes).await });
    Ok(issuer)
}

async fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port())
}

/// An example that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already is ended too.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts an example and waits for the address that it prints.
fn start(command: &mut Command) -> anyhow::Result<(Running, String)> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let printed = child.stdout.take();
    let mut running = Running(child);
    let mut line = String::new();
    if let Some(printed) = printed {
        let mut printed = BufReader::new(printed);
        printed.read_line(&mut line)?;
        // It may print more: the pipe stays open.
        running.0.stdout = Some(printed.into_inner());
    }
    Ok((running, line.trim().to_owned()))
}

async fn ask(url: &str) -> reqwest::Result<Response> {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build()?
        .get(url)
        .send()
        .await
}

/// The body of the answer to a request of exactly this target.
async fn bare_request(site: &str, target: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(site.trim_start_matches("http://")).await?;
    let request = format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.to_owned())
        .unwrap_or_default())
}

/// The authorization request that an answer leads to, once it is one for the reset page.
fn reset_request(answer: &Response, issuer: &str) -> anyhow::Result<HashMap<String, String>> {
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()[SET_COOKIE].to_str()?;
    assert!(
        cookie.starts_with("kbrp_") && cookie.contains("HttpOnly"),
        "{cookie}"
    );
    let location = Url::parse(answer.headers()[LOCATION].to_str()?)?;
    assert!(
        location.as_str().starts_with(&format!("{issuer}/auth?")),
        "{location}"
    );
    let request: HashMap<_, _> = location.query_pairs().into_owned().collect();
    assert_eq!(request["first_screen"], "reset-password");
    assert_eq!(request["prompt"], "login consent");
    assert_eq!(request["response_type"], "code");
    assert_eq!(request["code_challenge_method"], "S256");
    for drawn in ["state", "nonce", "code_challenge"] {
        assert!(request[drawn].len() >= 43, "{drawn}");
    }
    Ok(request)
}
