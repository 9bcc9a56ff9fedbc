//! The jobs under way: so many of each lane, so that none waits for those of another.

use tokio::task::JoinSet;

use crate::store::jobs::{Free, Lane};

/// Jobs of one lane under way at one time.
const AT_ONCE: usize = 8;

/// What runs, by lane.
#[derive(Default)]
pub(crate) struct Places {
    email: JoinSet<()>,
    sms: JoinSet<()>,
    calls: JoinSet<()>,
}

impl Places {
    /// Runs a job in its lane.
    pub(crate) fn spawn(&mut self, lane: Lane, job: impl Future<Output = ()> + Send + 'static) {
        let running = match lane {
            Lane::Email => &mut self.email,
            Lane::Sms => &mut self.sms,
            Lane::Calls => &mut self.calls,
        };
        running.spawn(job);
    }

    /// How many more there is room for.
    pub(crate) fn free(&mut self) -> Free {
        let [email, sms, calls] = self.all().map(|running| {
            while running.try_join_next().is_some() {}
            AT_ONCE.saturating_sub(running.len())
        });
        Free { email, sms, calls }
    }

    /// Returns when one has ended: never, where none runs.
    pub(crate) async fn one_ended(&mut self) {
        tokio::select! {
            Some(_) = self.email.join_next() => {}
            Some(_) = self.sms.join_next() => {}
            Some(_) = self.calls.join_next() => {}
            else => std::future::pending().await,
        }
    }

    pub(crate) async fn all_ended(mut self) {
        for running in self.all() {
            while running.join_next().await.is_some() {}
        }
    }

    fn all(&mut self) -> [&mut JoinSet<()>; 3] {
        [&mut self.email, &mut self.sms, &mut self.calls]
    }
}
