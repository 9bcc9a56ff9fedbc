//! The shop: a site like any that uses the SDK, on an origin of its own.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, Html, IntoResponse, Response};
use axum::routing::{get, post};
use keyback::{Client, CookieSealer, Provider, Purpose, Session, SignInBuilder};
use keyback_companion::secrets::random_token;
use keyback_core::random::SystemRandom;
use keyback_core::testing::ManualClock;
use keyback_core::time::Clock;
use url::Url;

use crate::APP_SECRET;
use crate::browser::Browser;

const SESSION_COOKIE: &str = "shop_session";

/// The shop. It asks for `offline_access`, so that its sessions have refresh tokens.
pub struct Site {
    pub url: Url,
    pub client: Client,
    sealer: CookieSealer,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    told: Mutex<Vec<String>>,
    answers: Mutex<VecDeque<(u16, &'static str)>>,
}

impl Site {
    pub(crate) fn new(issuer: &str, url: &Url, clock: &Arc<ManualClock>) -> Arc<Self> {
        let client = Client::builder(issuer, "shop")
            .client_secret(APP_SECRET)
            .redirect_uri(url.join("/callback").unwrap())
            .provider(Provider::Keyback)
            .without_reserved_scopes()
            .clock(Arc::new(SharedClock(Arc::clone(clock))))
            .build()
            .unwrap();
        Arc::new(Self {
            url: url.clone(),
            client,
            sealer: CookieSealer::new([7; 32]).unwrap(),
            sessions: Mutex::default(),
            told: Mutex::default(),
            answers: Mutex::default(),
        })
    }

    pub(crate) fn router(site: &Arc<Self>) -> Router {
        Router::new()
            .route("/", get(home))
            .route("/sign-in", get(sign_in))
            .route("/forgot-password", get(forgot_password))
            .route("/callback", get(callback))
            .route("/sign-out", post(sign_out))
            .route("/backchannel-logout", post(backchannel_logout))
            .with_state(Arc::clone(site))
    }

    /// The address of a page of the shop.
    pub fn at(&self, path: &str) -> String {
        self.url.join(path).unwrap().into()
    }

    /// The session that a browser has at the shop.
    pub fn session_of(&self, browser: &Browser) -> Option<Arc<Session>> {
        let key = browser.cookie(&self.url, SESSION_COOKIE)?;
        self.sessions.lock().unwrap().get(&key).cloned()
    }

    /// Where the shop hears of sessions that have ended.
    pub fn logout_uri(&self) -> Url {
        self.url.join("/backchannel-logout").unwrap()
    }

    /// The logout tokens that came, the oldest first.
    pub fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    /// What the shop answers to the next logout token in place of ending sessions.
    pub fn answer_logout(&self, status: u16, body: &'static str) {
        self.answers.lock().unwrap().push_back((status, body));
    }

    async fn leave(&self, asked: SignInBuilder, headers: &HeaderMap) -> Response {
        let started = asked
            .scope("email")
            .scope("offline_access")
            .start()
            .await
            .unwrap();
        let cookies = self
            .sealer
            .set_cookies(&started.pending, cookie_header(headers))
            .unwrap();
        let cookies = cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie));
        (
            AppendHeaders(cookies.collect::<Vec<_>>()),
            see_other(started.url.as_str()),
        )
            .into_response()
    }
}

async fn home(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let key = cookie::Cookie::split_parse(cookie_header(&headers))
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == SESSION_COOKIE)
        .map(|cookie| cookie.value().to_owned());
    let session = key.and_then(|key| site.sessions.lock().unwrap().get(&key).cloned());
    let body = match session {
        None => "<p>Nobody is signed in.</p><a href=\"/sign-in\">Sign in</a> \
                 <a href=\"/forgot-password\">Forgot password?</a>"
            .to_owned(),
        Some(session) => {
            let began = match session.purpose() {
                Purpose::ResetPassword => "It began as a reset.",
                _ => "It began as a sign-in.",
            };
            let email = session.claims().email().unwrap_or("nobody");
            format!(
                "<p>Signed in as {email}. {began}</p><form method=\"post\" action=\"/sign-out\">\
                 <button>Sign out</button></form>"
            )
        }
    };
    let issuer = Url::parse(site.client.issuer()).unwrap();
    let policy = format!(
        "default-src 'none'; form-action 'self' {}",
        issuer.origin().ascii_serialization()
    );
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(body)).into_response()
}

async fn sign_in(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    site.leave(site.client.sign_in(), &headers).await
}

async fn forgot_password(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    site.leave(site.client.forgot_password(), &headers).await
}

async fn callback(
    State(site): State<Arc<Site>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let finished = async {
        let url = site.client.callback_url(uri.path_and_query().unwrap().as_str())?;
        let pending = site.sealer.open(cookie_header(&headers), &url, &site.client)?;
        let cleared = site.sealer.clear_cookie(&pending);
        Ok::<_, keyback::Error>((site.client.finish(pending, &url).await?, cleared))
    };
    match finished.await {
        Err(error) => {
            let text = format!("The callback was refused: {}", error.code());
            (StatusCode::BAD_REQUEST, text).into_response()
        }
        Ok((session, cleared)) => {
            let to = session.return_path().to_owned();
            let mut sessions = site.sessions.lock().unwrap();
            let key = format!("customer-{}", random_token(&SystemRandom));
            sessions.insert(key.clone(), Arc::new(session));
            let kept = format!("{SESSION_COOKIE}={key}; Path=/; HttpOnly; SameSite=Lax");
            let cookies = AppendHeaders([(header::SET_COOKIE, kept), (header::SET_COOKIE, cleared)]);
            (cookies, see_other(&to)).into_response()
        }
    }
}

async fn sign_out(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let key = cookie::Cookie::split_parse(cookie_header(&headers))
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == SESSION_COOKIE)
        .map(|cookie| cookie.value().to_owned());
    let session = key.and_then(|key| site.sessions.lock().unwrap().remove(&key));
    let to = match session {
        None => "/".to_owned(),
        Some(session) => {
            let home = site.url.as_str();
            let url = site.client.sign_out_url(&session, home, None).await.unwrap();
            url.into()
        }
    };
    let gone = format!("{SESSION_COOKIE}=; Path=/; Max-Age=0");
    (AppendHeaders([(header::SET_COOKIE, gone)]), see_other(&to)).into_response()
}

async fn backchannel_logout(State(site): State<Arc<Site>>, body: String) -> (StatusCode, &'static str) {
    let token = url::form_urlencoded::parse(body.as_bytes())
        .find(|(name, _)| name == "logout_token")
        .map(|(_, token)| token.into_owned())
        .unwrap_or_default();
    site.told.lock().unwrap().push(token.clone());
    let told_to = site.answers.lock().unwrap().pop_front();
    if let Some((status, body)) = told_to {
        return (StatusCode::from_u16(status).unwrap(), body);
    }
    match site.client.verify_logout_token(&token).await {
        Err(_) => (StatusCode::BAD_REQUEST, ""),
        Ok(token) => {
            let mut sessions = site.sessions.lock().unwrap();
            sessions.retain(|_, session| !token.names(session.claims()));
            (StatusCode::OK, "")
        }
    }
}

fn see_other(to: &str) -> impl IntoResponse + use<> {
    (StatusCode::SEE_OTHER, [(header::LOCATION, to.to_owned())])
}

fn cookie_header(headers: &HeaderMap) -> &str {
    let cookies = headers.get(header::COOKIE);
    cookies.map_or("", |cookies| cookies.to_str().unwrap())
}

/// The test's clock, as the SDK asks for it.
pub struct SharedClock(pub Arc<ManualClock>);

impl keyback::Clock for SharedClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.0.now().as_millis().unsigned_abs())
    }
}
