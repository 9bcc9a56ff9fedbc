//! A web site with "Sign in" and "Forgot password?", on axum.
//!
//! Start the demo, and then this site with the secret that the demo prints for `demo-web`:
//!
//! ```text
//! cargo run --release --bin keyback -- demo
//! KEYBACK_CLIENT_SECRET=… cargo run -p keyback-examples --bin web_site
//! ```
//!
//! and open <http://localhost:8080>. For another provider set `KEYBACK_ISSUER`. `SITE_URL` is where visitors reach this
//! site; its `/callback` and `/signed-out` have to be registered at the provider.

use std::collections::HashMap;
use std::env;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{AppendHeaders, Html, IntoResponse, Response};
use axum::routing::{get, post};
use cookie::Cookie;
use keyback::{
    Client, CookieSealer, Purpose, Random, Remedy, Session, SignIn, SignInError, SystemRandom, Url,
};
use tokio::net::TcpListener;

struct Site {
    url: Url,
    auth: Client,
    sealer: CookieSealer,
    /// Who is signed in, by the value of the session cookie. A real site keeps this in its database, with an expiry.
    sessions: Mutex<HashMap<String, Session>>,
}

type Answer = Result<Response, Failure>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let url = Url::parse(&setting("SITE_URL", "http://localhost:8080")).context("SITE_URL is no URL")?;
    let secret = env::var("KEYBACK_CLIENT_SECRET")
        .context("set KEYBACK_CLIENT_SECRET to the secret that the demo prints for demo-web")?;
    // Nothing is fetched yet: the provider may come up later.
    let auth = Client::builder(
        setting("KEYBACK_ISSUER", "http://localhost:3001/oidc"),
        "demo-web",
    )
    .client_secret(secret)
    .redirect_uri(format!("{url}callback"))
    .build()?;
    let listener = TcpListener::bind(("127.0.0.1", url.port().unwrap_or(8080))).await?;
    println!("Open {url}");
    let site = Site {
        url,
        auth,
        // Where there are several replicas, all have the same key.
        sealer: CookieSealer::new(random()?)?,
        sessions: Mutex::default(),
    };
    let routes = Router::new()
        .route("/", get(home))
        .route("/sign-in", get(sign_in))
        .route("/forgot-password", get(forgot_password))
        .route("/callback", get(callback))
        .route("/sign-out", post(sign_out))
        .route("/signed-out", get(signed_out))
        .with_state(Arc::new(site));
    Ok(axum::serve(listener, routes).await?)
}

async fn home(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let session = site
        .session_key(&headers)
        .and_then(|key| site.sessions().get(&key).cloned());
    match session {
        None => page(StatusCode::OK, &Page::Visitor),
        Some(session) => page(StatusCode::OK, &Page::SignedIn(&session)),
    }
}

async fn sign_in(State(site): State<Arc<Site>>, headers: HeaderMap) -> Answer {
    let request = site.auth.sign_in().scope("profile").scope("email");
    site.leave(request.start().await?, &headers)
}

/// Anybody can follow a link to here: who is signed in stays so until the callback succeeds.
async fn forgot_password(State(site): State<Arc<Site>>, headers: HeaderMap) -> Answer {
    let request = site.auth.forgot_password().scope("profile").scope("email");
    site.leave(request.start().await?, &headers)
}

async fn callback(State(site): State<Arc<Site>>, uri: Uri, headers: HeaderMap) -> Answer {
    let url = site.auth.callback_url(&uri.to_string())?;
    let pending = site.sealer.open(cookies(&headers), &url, &site.auth)?;
    let clear = site.sealer.clear_cookie(&pending);
    let session = match site.auth.finish(pending, &url).await {
        Ok(session) => session,
        // Reloading may help, and needs the cookie.
        Err(error) if error.is_retryable() => return Err(error.into()),
        Err(error) => return Ok((AppendHeaders([(SET_COOKIE, clear)]), Failure(error)).into_response()),
    };
    let to = session.return_path().to_owned();
    // A new key for the new session: whatever was planted in this browser before is worth nothing.
    let key = random()?.map(|byte| format!("{byte:02x}")).concat();
    let set = site.session_cookie(&key);
    site.end_session(&headers);
    site.sessions().insert(key, session);
    Ok(see_other(&to, [clear, set]))
}

/// By POST and from this site's own pages only: a link would let any other site sign people out.
async fn sign_out(State(site): State<Arc<Site>>, headers: HeaderMap) -> Answer {
    let ours = match headers.get("sec-fetch-site") {
        Some(from) => from == "same-origin",
        None => headers
            .get(ORIGIN)
            .is_some_and(|from| *from == *site.url.origin().ascii_serialization()),
    };
    if !ours {
        return Ok(page(
            StatusCode::FORBIDDEN,
            &Page::Problem("Please sign out on this site's own page."),
        ));
    }
    // First here, then at the provider.
    let goodbye = format!("{}signed-out", site.url);
    let to = match site.end_session(&headers) {
        Some(session) => site.auth.sign_out_url(&session, &goodbye, None).await?.into(),
        None => goodbye,
    };
    Ok(see_other(
        &to,
        [format!("{}; Max-Age=0", site.session_cookie(""))],
    ))
}

async fn signed_out() -> Response {
    page(StatusCode::OK, &Page::SignedOut)
}

impl Site {
    /// To the provider, with a cookie that knows the way back.
    fn leave(&self, SignIn { url, pending }: SignIn, headers: &HeaderMap) -> Answer {
        Ok(see_other(
            url.as_str(),
            self.sealer.set_cookies(&pending, cookies(headers))?,
        ))
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn session_key(&self, headers: &HeaderMap) -> Option<String> {
        let ours = |cookie: &Cookie<'_>| cookie.name() == self.session_cookie_name();
        Some(
            Cookie::split_parse(cookies(headers))
                .flatten()
                .find(ours)?
                .value()
                .to_owned(),
        )
    }

    fn end_session(&self, headers: &HeaderMap) -> Option<Session> {
        self.sessions().remove(&self.session_key(headers)?)
    }

    fn session_cookie(&self, key: &str) -> String {
        let secure = if self.url.scheme() == "https" {
            "; Secure"
        } else {
            ""
        };
        format!(
            "{}={key}; Path=/; HttpOnly; SameSite=Lax{secure}",
            self.session_cookie_name()
        )
    }

    /// With https no other host can set a cookie of this name.
    fn session_cookie_name(&self) -> &'static str {
        if self.url.scheme() == "https" {
            "__Host-web_site"
        } else {
            "web_site"
        }
    }
}

#[derive(Template)]
#[template(path = "web_site.html")]
enum Page<'a> {
    Visitor,
    SignedIn(&'a Session),
    SignedOut,
    Problem(&'a str),
}

/// No other site may frame a page: its buttons could be clicked unseen.
fn page(status: StatusCode, page: &Page<'_>) -> Response {
    match page.render() {
        Ok(html) => (
            status,
            [(CONTENT_SECURITY_POLICY, "frame-ancestors 'none'")],
            Html(html),
        )
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn see_other(to: &str, cookies: impl IntoIterator<Item = String>) -> Response {
    let cookies = cookies
        .into_iter()
        .map(|cookie| (SET_COOKIE, cookie))
        .collect::<Vec<_>>();
    (StatusCode::SEE_OTHER, [(LOCATION, to)], AppendHeaders(cookies)).into_response()
}

fn cookies(headers: &HeaderMap) -> &str {
    headers
        .get(COOKIE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn random() -> Result<[u8; 32], SignInError> {
    let mut bytes = [0; 32];
    SystemRandom.fill(&mut bytes)?;
    Ok(bytes)
}

/// The log gets the cause, the visitor what to do.
struct Failure(keyback::Error);

impl<E: Into<keyback::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(error) = self;
        eprintln!("{}: {error}", error.code());
        let (status, text) = match error.remedy() {
            Remedy::RetryLater => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The sign-in service is not answering. Please reload in a moment.",
            ),
            Remedy::SignInAgain => (
                StatusCode::BAD_REQUEST,
                "This sign-in is no longer valid. Please sign in again.",
            ),
            _ => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Signing in is not possible right now.",
            ),
        };
        page(status, &Page::Problem(text))
    }
}
