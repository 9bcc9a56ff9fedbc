//! The serving loop: hyper on a listener, with limits on what a client may hold and a graceful stop.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::{Either, ready};
use http_body_util::Either::{Left, Right};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt as _;

use super::in_one_piece::InOnePiece;

/// What a client may hold.
#[derive(Clone, Copy, Debug)]
pub struct ServingLimits {
    pub max_connections: usize,
    pub header_timeout: Duration,
    /// For how long it may take nothing of what it is answered, where the system watches that (Linux).
    pub answer_timeout: Duration,
}

/// What answers the requests of a listener.
pub trait Answers: Clone + Send + 'static {
    /// The answer to a request that needs neither time nor its body. The future of [`Self::answer`] is not made then, nor
    /// moved about.
    fn at_once<B>(&self, _request: &Request<B>) -> Option<hyper::Response<Full<Bytes>>> {
        None
    }

    /// Answers one request, whatever it is.
    fn answer(self, request: Request, peer: SocketAddr) -> impl Future<Output = Response> + Send + 'static;
}

impl Answers for Router {
    async fn answer(self, mut request: Request, peer: SocketAddr) -> Response {
        request.extensions_mut().insert(ConnectInfo(peer));
        by_route(self, request).await
    }
}

/// Answers by the route that fits.
pub fn by_route(routes: Router, request: Request) -> impl Future<Output = Response> + Send + 'static {
    let answer = routes.oneshot(request);
    async move { answer.await.unwrap_or_else(|never| match never {}) }
}

/// How long running requests may take to end once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until `stop` becomes true; then takes no new connection and lets the running requests end.
pub async fn serve(
    listener: TcpListener,
    answers: impl Answers,
    limits: ServingLimits,
    mut stop: watch::Receiver<bool>,
) {
    let connections = Arc::new(Semaphore::new(limits.max_connections));
    let graceful = GracefulShutdown::new();
    let builder = connection_builder(limits.header_timeout);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections) => accepted,
            () = told_to_stop(&mut stop) => break,
        };
        match accepted {
            Ok((stream, peer, permit)) => {
                // Small answers must not wait for Nagle's algorithm; a socket that refuses serves all the same.
                let _ = stream.set_nodelay(true);
                let_go_of_who_takes_nothing(&stream, limits.answer_timeout);
                spawn_connection(&builder, &graceful, answers.clone(), stream, peer, permit);
            }
            Err(error) => {
                // Out of file descriptors, most likely: accepting again at once would only burn the processor.
                tracing::warn!(%error, "can't accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(GRACE) => tracing::warn!("some requests did not end in time"),
    }
}

/// Waits until told to stop; a sender that is gone says so too.
pub async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Waits for a free place before accepting: what is over the limit waits in the kernel's queue.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

/// A client that sends requests and reads no answers would hold its place for ever: hyper waits for it without a limit, as does
/// the system, which keeps asking whether there is room by now.
fn let_go_of_who_takes_nothing(stream: &TcpStream, patience: Duration) {
    #[cfg(target_os = "linux")]
    {
        let patience = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
        if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, patience) {
            tracing::debug!(%error, "a client that reads nothing is not let go");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, patience);
}

/// HTTP/1.1 alone: the companion stands behind a proxy, which speaks HTTP/2 to browsers. hyper's own detection of
/// HTTP/2 waits for the first bytes without a limit, so that silent connections would hold their places for ever.
fn connection_builder(header_timeout: Duration) -> Builder {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(64 * 1024);
    builder
}

fn spawn_connection(
    builder: &Builder,
    graceful: &GracefulShutdown,
    answers: impl Answers,
    stream: TcpStream,
    peer: SocketAddr,
    permit: OwnedSemaphorePermit,
) {
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        match answers.at_once(&request) {
            Some(answer) => Either::Left(ready(Ok::<_, Infallible>(answer.map(Left)))),
            None => {
                let answer = answers.clone().answer(request.map(Body::new), peer);
                // An async block around it would move it once more; a box costs more than the moves.
                Either::Right(answer.map(|answer| Ok(answer.map(Right))))
            }
        }
    });
    let connection = graceful.watch(builder.serve_connection(TokioIo::new(InOnePiece(stream)), service));
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
        drop(permit);
    });
}
