//! One of those who walk, each with a companion of its own.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keyback_core::time::Clock as _;
use keyback_tests::TestApp;

use super::moves::Move;
use super::rows::Rows;
use super::standing::Standing;
use super::world::{Tally, World};
use crate::api::backend;

/// How long a companion serves: after five minutes it sweeps by itself, which would be taken for what a request has done.
const SERVES: Duration = Duration::from_secs(240);

pub(super) struct Walker {
    app: Arc<TestApp>,
    since: Instant,
    /// Where every walk begins, and the rows there.
    beginning: World,
    rows_there: Rows,
    /// The rows where it stands.
    rows_here: Rows,
    pub(super) tally: Tally,
}

/// A state, and a way there.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) way: Vec<Move>,
    pub(super) standing: Standing,
}

impl Walker {
    pub(super) async fn start() -> Self {
        let app = TestApp::with(|config| {
            backend(config);
            config.reset.links = true;
            config.limits.factor = 1_000;
        });
        let app = Arc::new(app.await);
        Self {
            beginning: World::begin(&app).await,
            rows_there: Rows::of(&app).await,
            rows_here: Rows::of(&app).await,
            app,
            since: Instant::now(),
            tally: Tally::default(),
        }
    }

    pub(super) async fn begins(&self) -> State {
        State {
            way: Vec::new(),
            standing: self.beginning.standing().await,
        }
    }

    /// Goes to a state and sends everything there is from there; answers the states that it leads to.
    pub(super) async fn look_around(&mut self, from: &State, moves: &[Move]) -> Vec<State> {
        if self.since.elapsed() > SERVES {
            let tally = std::mem::take(&mut self.tally);
            *self = Self {
                tally,
                ..Self::start().await
            };
        }
        self.rows_there.put_back(&self.app).await;
        let mut stands = self.beginning.as_it_is();
        for &step in &from.way {
            stands.send(step, &mut self.tally).await;
            self.app.settle().await;
        }
        assert_eq!(
            stands.standing().await,
            from.standing,
            "the same way leads elsewhere"
        );
        self.rows_here.keep(&self.app).await;
        let before = self.everything(&stands).await;
        let mut world = stands.as_it_is();
        let mut sent = HashSet::new();
        let mut to = Vec::new();
        for &step in moves {
            if !sent.insert(stands.letters(step)) {
                continue;
            }
            world.send(step, &mut self.tally).await;
            self.tally.tried += 1;
            if self.everything(&world).await == before {
                continue;
            }
            to.push(State {
                way: from.way.iter().copied().chain([step]).collect(),
                standing: world.standing().await,
            });
            self.rows_here.put_back(&self.app).await;
            world = stands.as_it_is();
        }
        to
    }

    /// All that may make a difference to what comes next, to the letter, once no job is left to do.
    async fn everything(&mut self, world: &World) -> String {
        let mut rows = self.rows_here.read().await;
        if !rows.contains(r#""jobs":null"#) {
            self.app.settle().await;
            rows = self.rows_here.read().await;
        }
        let [ada, ben] = [&world.ada, &world.ben].map(|side| side.browser.cookies(&self.app.url));
        format!("{} {ada:?} {ben:?} {rows}", self.app.clock.now().as_millis())
    }
}
