//! The demo site: somebody else's shop that signs people in with the SDK, as any site would.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{OriginalUri, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use keyback::{Client, CookieSealer, LogoutToken, Provider, Purpose, Session, SignIn};
use keyback_core::random::{Random as _, SystemRandom};
use url::Url;
use zeroize::Zeroizing;

use crate::app::Companion;
use crate::http::cookies::Cookies;
use crate::http::csrf;
use crate::http::forms::Fields;
use crate::http::headers;
use crate::http::host::HostGuard;
use crate::secrets::random_token;
use crate::views::assets::{DEMO_STYLE, SCRIPT};
use crate::views::demo_site::{Customer, ICON, Trouble, Visitor};
use crate::views::{DemoSite, Template};

/// Where the provider tells that a session has ended.
pub(super) const BACKCHANNEL_LOGOUT: &str = "/backchannel-logout";
const ICON_PATH: &str = "/favicon.svg";
const SESSION_COOKIE: &str = "larkspur_session";
/// Signed-in browsers that the demo remembers; more push any one out.
const MOST_SESSIONS: usize = 1_000;

/// The shop. Its sessions live in memory.
struct Site {
    client: Client,
    sealer: CookieSealer,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    cookies: Cookies,
    url: Url,
    account_url: String,
    inbox_url: String,
}

/// The routes of the shop.
pub(super) fn router(companion: &Companion, site_url: &Url, secret: &str) -> anyhow::Result<Router> {
    let client = Client::builder(companion.provider.issuer(), "demo-site")
        .client_secret(secret)
        .redirect_uri(site_url.join("/callback")?)
        .provider(Provider::Keyback)
        // The shop calls nobody for its customers, and needs no refresh token.
        .without_reserved_scopes()
        .build()?;
    let mut key = Zeroizing::new([0; 32]);
    SystemRandom.fill(key.as_mut());
    let site = Site {
        client,
        sealer: CookieSealer::new(key.as_ref())?,
        sessions: Mutex::default(),
        cookies: Cookies::for_url(site_url),
        url: site_url.clone(),
        account_url: companion.url("/account"),
        inbox_url: companion.url("/dev/inbox"),
    };
    let site = Arc::new(site);
    let guard = (HostGuard::new(site_url), Arc::clone(&site));
    Ok(Router::new()
        .route("/", get(home))
        .route("/sign-in", get(sign_in))
        .route("/forgot-password", get(forgot_password))
        .route("/callback", get(callback))
        .route("/sign-out", post(sign_out))
        .route(BACKCHANNEL_LOGOUT, post(backchannel_logout))
        .route(ICON_PATH, get(icon))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(guard, admit))
        .with_state(site))
}

/// Answers to the shop's own name alone, so that DNS rebinding fails here too.
async fn admit(State((host, site)): State<(HostGuard, Arc<Site>)>, request: Request, next: Next) -> Response {
    if host.admits(request.uri(), request.headers()) {
        next.run(request).await
    } else {
        let trouble = Some(Trouble::OtherHost);
        site.page(StatusCode::MISDIRECTED_REQUEST, Visitor::Anonymous, trouble)
    }
}

async fn home(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    site.show(StatusCode::OK, &headers, None)
}

async fn not_found(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    site.show(StatusCode::NOT_FOUND, &headers, Some(Trouble::NotFound))
}

async fn method_not_allowed(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let trouble = Trouble::MethodNotAllowed;
    site.show(StatusCode::METHOD_NOT_ALLOWED, &headers, Some(trouble))
}

async fn icon(State(site): State<Arc<Site>>) -> Response {
    let content_type = HeaderValue::from_static("image/svg+xml");
    let mut response = ([(header::CONTENT_TYPE, content_type)], ICON).into_response();
    headers::Guards::new(&site.url).put_on(response.headers_mut());
    response
}

async fn sign_in(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let started = site
        .client
        .sign_in()
        .scope("profile")
        .scope("email")
        .start()
        .await;
    site.leave(started, &headers)
}

async fn forgot_password(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let started = site
        .client
        .forgot_password()
        .scope("profile")
        .scope("email")
        .start()
        .await;
    site.leave(started, &headers)
}

async fn callback(
    State(site): State<Arc<Site>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut cleared = None;
    let finished = async {
        let url = site.client.callback_url(path_and_query)?;
        let pending = site.sealer.open(cookie_header(&headers), &url, &site.client)?;
        cleared = HeaderValue::from_str(&site.sealer.clear_cookie(&pending)).ok();
        site.client.finish(pending, &url).await
    };
    let session = match finished.await {
        Ok(session) => session,
        Err(error) => {
            tracing::warn!(code = error.code(), %error, "the demo site refused a callback");
            let mut response = site.page(
                StatusCode::BAD_REQUEST,
                Visitor::Anonymous,
                Some(Trouble::Refused {
                    reason: &error.to_string(),
                }),
            );
            // What may do a little later keeps its cookie.
            if let Some(cleared) = cleared.filter(|_| !error.is_retryable()) {
                response.headers_mut().append(header::SET_COOKIE, cleared);
            }
            return response;
        }
    };
    let to = session.return_path().to_owned();
    let cookie = site.remember(session);
    let mut response = redirect(&to);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    if let Some(cleared) = cleared {
        response.headers_mut().append(header::SET_COOKIE, cleared);
    }
    response
}

async fn sign_out(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    if !csrf::is_same_origin(&headers, &site.url) {
        return site.show(StatusCode::FORBIDDEN, &headers, Some(Trouble::OtherOrigin));
    }
    let session = site.forget(&headers);
    let mut response = match session {
        None => redirect("/"),
        Some(session) => {
            let home = site.url.as_str();
            match site.client.sign_out_url(&session, home, None).await {
                Ok(url) => redirect(url.as_str()),
                Err(error) => {
                    tracing::warn!(code = error.code(), %error, "the provider's sign-out is not reached");
                    redirect("/")
                }
            }
        }
    };
    response
        .headers_mut()
        .append(header::SET_COOKIE, site.cookies.clear(SESSION_COOKIE));
    response
}

/// The provider tells that a session has ended (OIDC Back-Channel Logout 2.5): it ends here as well, at once.
async fn backchannel_logout(State(site): State<Arc<Site>>, headers: HeaderMap, body: Bytes) -> Response {
    let form = Fields::from_form(&headers, &body).unwrap_or_default();
    let token = form.one("logout_token").unwrap_or_default();
    let status = match site.client.verify_logout_token(token).await {
        Ok(token) => {
            site.end(&token);
            StatusCode::OK
        }
        Err(error) => {
            tracing::warn!(code = error.code(), %error, "the demo site refused a logout token");
            if error.is_retryable() {
                StatusCode::SERVICE_UNAVAILABLE
            } else {
                StatusCode::BAD_REQUEST
            }
        }
    };
    (status, [(header::CACHE_CONTROL, "no-store")]).into_response()
}

impl Site {
    /// Ends the sessions that a logout token names.
    fn end(&self, token: &LogoutToken) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| !token.names(session.claims()));
    }

    fn session(&self, headers: &HeaderMap) -> Option<Arc<Session>> {
        let key = self.cookies.read(headers, SESSION_COOKIE)?;
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
    }

    fn remember(&self, session: Session) -> HeaderValue {
        let key = random_token(&SystemRandom);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MOST_SESSIONS
            && let Some(any) = sessions.keys().next().cloned()
        {
            sessions.remove(&any);
        }
        sessions.insert(key.clone(), Arc::new(session));
        self.cookies.set(SESSION_COOKIE, &key, None)
    }

    fn forget(&self, headers: &HeaderMap) -> Option<Arc<Session>> {
        let key = self.cookies.read(headers, SESSION_COOKIE)?;
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key)
    }

    /// To the provider, with what must be known when the visitor comes back.
    fn leave(&self, started: Result<SignIn, keyback::Error>, headers: &HeaderMap) -> Response {
        let sealed = started.and_then(|SignIn { url, pending, .. }| {
            Ok((url, self.sealer.set_cookies(&pending, cookie_header(headers))?))
        });
        match sealed {
            Ok((url, cookies)) => {
                let mut response = redirect(url.as_str());
                let cookies = cookies
                    .iter()
                    .filter_map(|cookie| HeaderValue::from_str(cookie).ok());
                cookies.for_each(|cookie| {
                    response.headers_mut().append(header::SET_COOKIE, cookie);
                });
                response
            }
            Err(error) => self.page(
                StatusCode::BAD_GATEWAY,
                Visitor::Anonymous,
                Some(Trouble::Refused {
                    reason: &error.to_string(),
                }),
            ),
        }
    }

    /// A page for whoever the cookies say is looking.
    fn show(&self, status: StatusCode, headers: &HeaderMap, trouble: Option<Trouble<'_>>) -> Response {
        let session = self.session(headers);
        let visitor = match &session {
            None => Visitor::Anonymous,
            Some(session) => Visitor::SignedIn(Customer {
                name: session.claims().name(),
                email: session.claims().email(),
                began_as_reset: session.purpose() == Purpose::ResetPassword,
            }),
        };
        self.page(status, visitor, trouble)
    }

    fn page(&self, status: StatusCode, visitor: Visitor<'_>, trouble: Option<Trouble<'_>>) -> Response {
        let view = DemoSite {
            // By the name that it answers to, whatever it was called.
            home_url: self.url.as_str(),
            icon_url: ICON_PATH,
            sign_in_url: "/sign-in",
            forgot_password_url: "/forgot-password",
            sign_out_action: "/sign-out",
            account_url: &self.account_url,
            inbox_url: &self.inbox_url,
            visitor,
            trouble,
        };
        let mut response = match view.render() {
            Ok(html) => (status, html).into_response(),
            Err(error) => {
                tracing::error!(%error, "the demo site's page can't be drawn");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        };
        // Signing out leads over the provider and back.
        let issuer: Vec<Url> = Url::parse(self.client.issuer()).into_iter().collect();
        let csp = headers::page_csp(DEMO_STYLE.csp(), SCRIPT.csp(), &issuer);
        let all = response.headers_mut();
        all.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        all.insert(header::CONTENT_SECURITY_POLICY, csp);
        headers::Guards::new(&self.url).put_on(all);
        response
    }
}

fn cookie_header(headers: &HeaderMap) -> &str {
    headers
        .get(header::COOKIE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn redirect(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => {
            let no_store = HeaderValue::from_static("no-store");
            (
                StatusCode::SEE_OTHER,
                [(header::LOCATION, location), (header::CACHE_CONTROL, no_store)],
            )
                .into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
