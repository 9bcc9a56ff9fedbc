//! The connections of one sign-in: so many at once, and no more.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};

/// A browser needs one, and opens a few before it does. Others of this machine may open any number.
const MOST: usize = 32;
/// For the last page to go out.
const GOODBYE: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct Connections {
    tasks: JoinSet<()>,
    /// From the oldest to the newest.
    by_age: VecDeque<AbortHandle>,
}

impl Connections {
    /// Serves one more. Where there are as many as there may be, the oldest is dropped: most likely it says nothing.
    pub(super) fn serve(&mut self, connection: impl Future<Output = ()> + Send + 'static) {
        while self.tasks.try_join_next().is_some() {}
        self.by_age.retain(|task| !task.is_finished());
        if self.by_age.len() >= MOST
            && let Some(oldest) = self.by_age.pop_front()
        {
            oldest.abort();
        }
        self.by_age.push_back(self.tasks.spawn(connection));
    }

    /// Lets the last page go out. Connections that say nothing are dropped.
    pub(super) async fn done(mut self) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GOODBYE, all).await;
    }
}
