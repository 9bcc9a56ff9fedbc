//! The two bare parts: what the companion is measured against.

use std::convert::Infallible;
use std::io::BufRead as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1::Builder;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// An answer of the companion, to be given again.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Recorded {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Answers every request with the same bytes: hyper alone, on the run time and with the limits of the companion's
/// serving loop. Tells its port, and ends with its process.
pub(crate) fn responder(answer: &Path) -> Result<()> {
    let recorded: Recorded = serde_json::from_slice(&std::fs::read(answer)?)?;
    let mut headers = HeaderMap::new();
    for (name, value) in &recorded.headers {
        headers.append(
            HeaderName::from_bytes(name.as_bytes())?,
            HeaderValue::from_str(value)?,
        );
    }
    let status = StatusCode::from_u16(recorded.status)?;
    let fixed = Arc::new((status, headers, Bytes::from(recorded.body)));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?.port());
        // Accepting is work of the run time's own threads, as in the companion.
        tokio::spawn(accept(listener, fixed)).await??;
        Ok(())
    })
}

type Fixed = Arc<(StatusCode, HeaderMap, Bytes)>;

async fn accept(listener: TcpListener, fixed: Fixed) -> Result<()> {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(10))
        .max_buf_size(64 * 1024);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let fixed = Arc::clone(&fixed);
        let service = hyper::service::service_fn(move |_: Request<Incoming>| {
            let (status, headers, body) = &*fixed;
            let mut response = Response::new(Full::new(body.clone()));
            *response.status_mut() = *status;
            *response.headers_mut() = headers.clone();
            async move { Ok::<_, Infallible>(response) }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        // A client that goes away is the end of its connection, as it should be.
        tokio::spawn(async move { connection.await.ok() });
    }
}

/// The cost of the companion's hashes, by its defaults.
const MEMORY_KIB: u32 = 19_456;
const ITERATIONS: u32 = 2;
const PARALLELISM: u32 = 1;

/// Hashes with argon2id alone, each thread in memory that it keeps. For each line of milliseconds that it reads, it
/// hashes for so long and tells two numbers: how many hashes a thousand seconds would have taken, and how many it made.
pub(crate) fn hashes(threads: usize) -> Result<()> {
    for line in std::io::stdin().lock().lines() {
        let time = Duration::from_millis(line?.trim().parse()?);
        let (rate, made) = hash_for(threads, time)?;
        println!("{rate}\n{made}");
    }
    Ok(())
}

fn hash_for(threads: usize, time: Duration) -> Result<(u64, u64)> {
    let params = Params::new(MEMORY_KIB, ITERATIONS, PARALLELISM, Some(32))
        .map_err(|error| anyhow::anyhow!("argon2 refuses its parameters: {error}"))?;
    let (done, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let longest = Mutex::new(Duration::ZERO);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut memory = vec![Block::new(); params.block_count()];
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
                let mut output = [0; 32];
                let mut hash = || {
                    argon2.hash_password_into_with_memory(
                        b"violet otter paddles",
                        b"a salt of 16 byt",
                        &mut output,
                        &mut memory,
                    )
                };
                // The first pays for the memory's pages.
                let mut went_well = hash().is_ok();
                let began = Instant::now();
                while !over.load(Ordering::Relaxed) && went_well {
                    went_well = hash().is_ok();
                    done.fetch_add(1, Ordering::Relaxed);
                    if began.elapsed() >= time {
                        over.store(true, Ordering::Relaxed);
                    }
                }
                if let Ok(mut longest) = longest.lock() {
                    *longest = longest.max(began.elapsed());
                }
            });
        }
    });
    let longest = longest.into_inner().ok().filter(|longest| !longest.is_zero());
    let longest = longest.context("no hash was made")?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "some thousands"
    )]
    let rate = (done.load(Ordering::Relaxed) as f64 * 1e3 / longest.as_secs_f64()).round() as u64;
    // Each thread made one before it counted.
    Ok((rate, done.into_inner() + u64::try_from(threads)?))
}

/// A PHC string of a password at the companion's cost, for accounts that are imported.
pub(crate) fn phc(password: &str) -> Result<String> {
    use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
    let failed = |error: &dyn std::fmt::Display| anyhow::anyhow!("a password can't be hashed: {error}");
    let params = Params::new(MEMORY_KIB, ITERATIONS, PARALLELISM, Some(32)).map_err(|e| failed(&e))?;
    let salt = b"a salt of 16 byt";
    let mut output = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into(password.as_bytes(), salt, &mut output)
        .map_err(|e| failed(&e))?;
    let phc = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(|e| failed(&e))?,
        salt: Some(Salt::new(salt).map_err(|e| failed(&e))?),
        hash: Some(Output::new(&output).map_err(|e| failed(&e))?),
    };
    Ok(phc.to_string())
}
