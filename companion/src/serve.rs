//! Running the companion: listeners, worker, probes, signals and the stop in good order.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::Companion;
use crate::breakers::{CircuitKind, OpenCircuit};
use crate::connectors::Channel;
use crate::http::server::{Answers, ServingLimits, serve, told_to_stop};
use crate::metrics::{CONTENT_TYPE, Standing};
use crate::store::jobs as outbox;
use crate::{jobs, pages, refusals, time_text};

/// How often reachability is probed, for the log and `/readyz`.
const PROBE_EVERY: std::time::Duration = std::time::Duration::from_secs(60);

/// Can't listen where it should.
#[derive(Debug, thiserror::Error)]
#[error(
    "can't listen on {address}: {source}. Is another program using the port? Choose another with {setting}"
)]
pub struct ListenError {
    address: SocketAddr,
    setting: &'static str,
    source: std::io::Error,
}

/// Takes an address to listen on.
pub async fn listen(address: SocketAddr, setting: &'static str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| ListenError {
        address,
        setting,
        source,
    })
}

/// A part of the server ended by itself.
#[derive(Debug, thiserror::Error)]
#[error("a part of the server ended unexpectedly; the log says which. Start it again")]
pub struct PartEnded;

/// Everything of a companion that runs. Stops in good order when told to; ends at once when dropped.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Running {
    /// Serves pages and provider on `listener`, probes on `admin`, and works the outbox.
    pub fn start(companion: &Arc<Companion>, listener: TcpListener, admin: Option<TcpListener>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let server = &companion.config.server;
        let limits = ServingLimits {
            max_connections: server.max_connections,
            header_timeout: server.header_timeout.into(),
            answer_timeout: server.request_timeout.into(),
        };
        let (reachable, reached) = watch::channel(Reached::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, pages::router(companion), limits, stopped.clone()));
        tasks.spawn(jobs::run(Arc::clone(companion), stopped.clone()));
        tasks.spawn(refusals::run(Arc::clone(companion), stopped.clone()));
        tasks.spawn(probe(Arc::clone(companion), reachable, stopped.clone()));
        if let Some(admin) = admin {
            let router = admin_router(Arc::clone(companion), reached);
            tasks.spawn(serve(admin, router, limits, stopped));
        }
        Self { stop, tasks }
    }

    /// Serves something else beside, under the same stop.
    pub fn also_serve(&mut self, listener: TcpListener, answers: impl Answers, limits: ServingLimits) {
        self.tasks
            .spawn(serve(listener, answers, limits, self.stop.subscribe()));
    }

    /// Runs until a signal comes, then stops in good order; a second signal ends it at once.
    ///
    /// Fails when a part ends by itself: a server without its worker would go on looking well.
    pub async fn until(mut self, mut signals: StopSignals) -> Result<(), PartEnded> {
        tokio::select! {
            () = signals.received() => {}
            _ = self.tasks.join_next() => return Err(PartEnded),
        }
        tracing::info!("stopping: running requests and jobs may end; a second signal ends them");
        tokio::select! {
            () = self.stop() => {}
            () = signals.received() => tracing::warn!("ended at once"),
        }
        Ok(())
    }

    /// Takes no new connection, lets running requests and jobs end, and returns when they have.
    pub async fn stop(mut self) {
        // Without a receiver everything has stopped already.
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Ctrl-C and SIGTERM. Listened to before anything is said to be running: a signal that came in between would end
/// the process in the middle of its work.
#[cfg(unix)]
#[derive(Debug)]
pub struct StopSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignals {
    /// Begins to listen.
    pub fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the first of them.
    pub async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct StopSignals;

#[cfg(not(unix))]
impl StopSignals {
    /// There is nothing to prepare.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// Waits for it.
    pub async fn received(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "Ctrl-C can't be waited for");
        }
    }
}

/// What the last probe of each channel found; nothing before the first one.
type Reached = BTreeMap<Channel, Result<(), String>>;

#[derive(Clone)]
struct Admin {
    companion: Arc<Companion>,
    reached: watch::Receiver<Reached>,
}

fn admin_router(companion: Arc<Companion>, reached: watch::Receiver<Reached>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Admin { companion, reached })
}

/// Ready when the store reads and writes, and the servers that carry messages answered last time: the probe, and who had
/// something to send. A webhook or app that is down is told of, and takes nobody's traffic away from here.
async fn ready(State(admin): State<Admin>) -> (StatusCode, String) {
    if let Err(error) = admin.companion.store.probe().await {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("store: {error}\n"));
    }
    let reached = admin.reached.borrow();
    let failures = reached.iter().filter_map(|(channel, found)| {
        let error = found.as_ref().err()?;
        Some(format!("{}: {error}\n", channel.as_str()))
    });
    let mut failures: String = failures.collect();
    let mut beside = String::new();
    for OpenCircuit {
        circuit,
        since,
        cause,
    } in admin.companion.breakers.open()
    {
        let told = match circuit.kind() {
            CircuitKind::Email | CircuitKind::Sms => &mut failures,
            CircuitKind::Webhook | CircuitKind::App | CircuitKind::Captcha | CircuitKind::Breached => {
                &mut beside
            }
        };
        let since = time_text::rfc3339(since);
        told.push_str(&format!("{circuit}: left alone since {since}: {cause}\n"));
    }
    if failures.is_empty() {
        (StatusCode::OK, format!("ok\n{beside}"))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, failures + &beside)
    }
}

/// What this process has counted since it started, and how it stands.
async fn metrics(State(admin): State<Admin>) -> Response {
    let Admin { companion, reached } = admin;
    let now = companion.clock.now();
    let outbox = match outbox::by_kind(companion.store.reader(), now).await {
        Ok(outbox) => Some(outbox),
        Err(error) => {
            tracing::warn!(%error, "the outbox can't be read for /metrics");
            None
        }
    };
    let channels = reached.borrow();
    let standing = Standing {
        now,
        outbox,
        hashing: companion.hashing.waiting(),
        channels: channels
            .iter()
            .map(|(channel, found)| (channel.as_str(), found.is_ok()))
            .collect(),
        open: companion.breakers.open(),
    };
    match companion.metrics.scrape(&standing) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics can't be written down");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Probes the servers that carry messages, after the start and every minute. It never changes a page.
async fn probe(companion: Arc<Companion>, reached: watch::Sender<Reached>, mut stop: watch::Receiver<bool>) {
    let remote = companion.connectors.remote();
    if remote.is_empty() {
        return told_to_stop(&mut stop).await;
    }
    let mut every = tokio::time::interval(PROBE_EVERY);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = told_to_stop(&mut stop) => return,
        }
        for (channel, server) in &remote {
            let now = companion.connectors.probe(*channel).await;
            let now = now.map_err(|error| error.to_string());
            let mut before = None;
            reached.send_modify(|reached| before = reached.insert(*channel, now.clone()));
            match (&before, &now) {
                (None | Some(Ok(())), Err(error)) => tracing::warn!(%error, "{server} can't be reached"),
                (Some(Err(_)), Ok(())) => tracing::info!("{server} can be reached again"),
                _ => {}
            }
        }
    }
}
