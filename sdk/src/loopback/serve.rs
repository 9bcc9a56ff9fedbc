//! What is answered on the port: one page, to the one answer that is awaited.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use url::Url;

use crate::callback::state_of;
use crate::client::Client;
use crate::plain_page::plain_page;
use crate::secret::Secret;

/// Browsers open connections before they need them.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The answer that was awaited, and who waits to hear whether it was good.
pub(super) struct Asked {
    pub(super) callback: Url,
    pub(super) reply: oneshot::Sender<bool>,
}

/// What the port waits for.
#[derive(Clone)]
pub(super) struct Waiting {
    shared: Arc<Shared>,
    asked: mpsc::Sender<Asked>,
}

struct Shared {
    client: Client,
    /// Host and port as the browser must name them.
    authority: String,
    state: Secret,
}

impl Waiting {
    pub(super) fn new(client: &Client, state: &str, asked: mpsc::Sender<Asked>) -> Self {
        let uri = client.redirect_uri();
        let host = uri.host_str().unwrap_or_default();
        // A native program's port is never the usual one.
        let authority = match uri.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Self {
            shared: Arc::new(Shared {
                client: client.clone(),
                authority,
                state: Secret::new(state),
            }),
            asked,
        }
    }

    pub(super) async fn serve(self, stream: TcpStream) {
        let service = service_fn(move |request| {
            let waiting = self.clone();
            async move { Ok::<_, Infallible>(waiting.answer(&request).await) }
        });
        let connection = http1::Builder::new()
            .keep_alive(false)
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        // A browser that goes away is no concern of anybody's.
        let _ = connection.await;
    }

    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let shared = &*self.shared;
        // Another name for this machine is a page's in the browser, which has bound it to us (DNS rebinding).
        if request
            .headers()
            .get(HOST)
            .is_none_or(|host| *host != *shared.authority)
        {
            return page(StatusCode::MISDIRECTED_REQUEST, "This is not for here.");
        }
        if request.uri().path() != shared.client.redirect_uri().path() {
            return page(StatusCode::NOT_FOUND, "There is nothing here.");
        }
        let target = request.uri().to_string();
        let awaited = state_of(&target).is_some_and(|state| shared.state.matches(&state));
        if request.method() != Method::GET || !awaited {
            return page(StatusCode::BAD_REQUEST, "No sign-in waits for this answer.");
        }
        let Ok(callback) = shared.client.callback_url(&target) else {
            return page(StatusCode::BAD_REQUEST, "That is no answer to a sign-in.");
        };
        let (reply, outcome) = oneshot::channel();
        if self.asked.try_send(Asked { callback, reply }).is_err() {
            return page(StatusCode::BAD_REQUEST, "This answer was taken before.");
        }
        match outcome.await {
            Ok(true) => page(
                StatusCode::OK,
                "You are signed in. You can close this page and go back to the program.",
            ),
            _ => page(
                StatusCode::BAD_REQUEST,
                "You are not signed in. You can close this page; the program tells why.",
            ),
        }
    }
}

fn page(status: StatusCode, words: &'static str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    let html = plain_page(&format!("<p>{words}</p>"), answer.headers_mut());
    *answer.body_mut() = Full::new(html);
    answer
}
