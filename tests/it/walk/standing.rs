//! What of two resets makes a difference to what can come of them.

use std::fmt::Write as _;

use keyback_core::identifier::Identifier;
use keyback_core::time::Clock as _;
use keyback_tests::counts;
use serde_json::Value;

use super::side::{Side, held_by};
use super::world::World;

/// How long a flow that is over is still told of.
const KEPT_MS: i64 = 3_600_000;

/// Where the two resets stand. What one person can do stands in Ada's; Ben's is beside it, since his may do the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whom Ada's reset is for, and its state.
    step: String,
    /// And all that it counts: times, tries, codes, what its browser holds.
    whole: String,
    /// What is beside it: a code of an app's, a token of one's, and the other's reset.
    beside: [String; 3],
}

/// A reset as it rests: the flow, and of the challenge that counts its tries, its end and whether it is bound.
struct Rests {
    flow: Value,
    challenge: Option<(i64, i64, bool)>,
}

impl Standing {
    /// What can be seen in it. Two standings in which the same has been seen are walked from once.
    ///
    /// Every standing of a reset is one sight, and each thing beside it another: beside each of its steps, or with the full counts
    /// beside each of its standings.
    pub(super) fn sights(&self) -> impl Iterator<Item = String> {
        let place = match counts(0, 1) {
            0 => &self.step,
            _ => &self.whole,
        };
        let beside = self
            .beside
            .iter()
            .map(move |thing| format!("{thing} beside {place}"));
        std::iter::once(self.whole.clone()).chain(beside)
    }
}

impl World {
    pub(super) async fn standing(&self) -> Standing {
        let (ada, ben) = (self.rests(&self.ada).await, self.rests(&self.ben).await);
        let step = ada.step(&self.ada);
        let whole = ada.whole(&self.ada, self.now());
        let held = held_by(&self.ada.browser, &self.app.url, &self.ada.flow.id);
        let brought = self.ada.brought.as_ref().map(|brought| brought.is_used);
        let (sent, tokens) = self.by_apps().await;
        Standing {
            whole: format!("{step} {whole} held in {:?} parts", held.map(|parts| parts.len())),
            step,
            beside: [
                format!("code of an app {}", self.ada.of_app.is_some() && sent),
                format!("token {brought:?} good {tokens}"),
                match ben.state() {
                    "none" => "other none".to_owned(),
                    state => format!(
                        "other {state} of the same {}",
                        self.ben.flow.of == self.ada.flow.of
                    ),
                },
            ],
        }
    }

    fn now(&self) -> i64 {
        self.app.clock.now().as_millis()
    }

    async fn rests(&self, side: &Side) -> Rests {
        let db = self.app.companion.store.reader();
        let flow: Option<String> = sqlx::query_scalar("SELECT flow FROM reset_flows WHERE id = $1")
            .bind(&side.flow.id)
            .fetch_optional(db)
            .await
            .unwrap();
        let challenge = sqlx::query_as(
            "SELECT attempts, expires_at, subject IS NOT NULL FROM challenges WHERE flow_id = $1 AND superseded_at IS NULL",
        );
        Rests {
            flow: flow.map_or(Value::Null, |flow| serde_json::from_str(&flow).unwrap()),
            challenge: challenge.bind(&side.flow.id).fetch_optional(db).await.unwrap(),
        }
    }

    /// Whether a code and a token that apps have made for Ada are good still.
    async fn by_apps(&self) -> (bool, bool) {
        let address = Identifier::parse(&self.ada.address).unwrap();
        sqlx::query_as(
            "SELECT EXISTS (SELECT 1 FROM sent_codes WHERE identifier_hash = $1 AND expires_at > $3), \
             EXISTS (SELECT 1 FROM one_time_tokens WHERE email = $2 AND status = 'active' AND expires_at > $3)",
        )
        .bind(self.app.companion.identifiers.hash(&address).as_str())
        .bind(&self.ada.address)
        .bind(self.now())
        .fetch_one(self.app.companion.store.reader())
        .await
        .unwrap()
    }
}

impl Rests {
    /// The name of its state.
    fn state(&self) -> &str {
        self.flow["state"]["state"].as_str().unwrap_or("none")
    }

    fn step(&self, side: &Side) -> String {
        format!("{} of {:?}", self.state(), side.flow.of)
    }

    fn whole(&self, side: &Side, now: i64) -> String {
        let state = &self.flow["state"];
        let is_over = |until: &Value| until.as_i64().is_some_and(|until| now >= until);
        let ended = self.flow["expires_at"].as_i64().map_or(0, |end| now - end);
        let mut whole = format!(
            "over {} forgotten {} codes {} proof {}",
            is_over(&self.flow["expires_at"]),
            ended >= KEPT_MS,
            side.flow.codes.len().min(2),
            side.flow.proof.is_some()
        );
        if is_over(&self.flow["expires_at"]) {
            return whole;
        }
        if let (Some("awaiting_code"), Some((tries, end, is_bound))) =
            (state["state"].as_str(), self.challenge)
        {
            // Between the first and the last but one nothing changes but their number.
            let tries = match tries {
                1..=3 => 1,
                tries => tries,
            };
            let tries = (now < end).then_some(tries);
            write!(
                whole,
                " tries {tries:?} bound {is_bound} again {}",
                is_over(&state["resend_at"])
            )
            .unwrap();
        }
        if state["state"] == "awaiting_password" {
            let refused = state["tries"].as_i64().unwrap().min(1);
            write!(whole, " refused {refused} void {}", is_over(&state["expires_at"])).unwrap();
        }
        whole
    }
}
