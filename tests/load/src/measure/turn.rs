//! A turn: how much is done in a given time, and what it cost the side that answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::task::JoinSet;

use crate::process::Process;

/// How long a turn waits at most for the first that is done.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is counted, and whether it is over.
#[derive(Clone, Default)]
pub(super) struct Count(Arc<Shared>);

#[derive(Default)]
struct Shared {
    done: AtomicU64,
    over: AtomicBool,
}

impl Count {
    /// One more is done. Answers whether to go on.
    pub(super) fn one_more(&self) -> bool {
        self.0.done.fetch_add(1, Ordering::Relaxed);
        !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.0.over.load(Ordering::Relaxed)
    }
}

/// Keeps the processor of this program awake until it is over. To wake it is work of the side that answers: who answers so fast
/// that we never sleep would be spared what everybody else pays.
pub(super) async fn stay_awake(count: Count) -> Result<()> {
    while !count.is_over() {
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// What a turn found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// A second.
    pub(super) rate: f64,
    /// Processor time of the answering process for each, in microseconds.
    pub(super) cost: f64,
}

/// Watches tasks for `time`, after `warm_up`, then tells them that it is over. Any that fails is the end of it.
pub(super) async fn watch(
    mut tasks: JoinSet<Result<()>>,
    count: &Count,
    process: &Process,
    warm_up: Duration,
    time: Duration,
) -> Result<Turn> {
    let done = || count.0.done.load(Ordering::Relaxed);
    pause(&mut tasks, warm_up).await?;
    let (began, before, cost_before) = (Instant::now(), done(), process.processor_time()?);
    pause(&mut tasks, time).await?;
    // On a machine that is busy with other work a short turn may pass without anything.
    while done() == before && began.elapsed() < PATIENCE {
        pause(&mut tasks, time).await?;
    }
    let (took, all, cost) = (
        began.elapsed(),
        done() - before,
        process.processor_time()? - cost_before,
    );
    count.0.over.store(true, Ordering::Relaxed);
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    if all == 0 {
        bail!("nothing was done in {took:?}");
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let all = all as f64;
    Ok(Turn {
        rate: all / took.as_secs_f64(),
        cost: cost.as_secs_f64() * 1e6 / all,
    })
}

/// Waits, unless a task ends before.
async fn pause(tasks: &mut JoinSet<Result<()>>, time: Duration) -> Result<()> {
    tokio::select! {
        () = tokio::time::sleep(time) => Ok(()),
        Some(ended) = tasks.join_next() => {
            ended??;
            bail!("a task ended before it was told to")
        }
    }
}
