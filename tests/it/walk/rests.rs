//! What rests of a flow, and what of it makes a difference.

use serde_json::Value;

/// A flow as it rests, and its browser's cookie.
#[derive(Debug, PartialEq)]
pub(super) struct Rests {
    pub(super) flow: Option<String>,
    /// Id, attempts, when it was made and until when it is good.
    pub(super) challenges: Vec<(String, i64, i64, i64)>,
    pub(super) hash: String,
    pub(super) cookie: Option<Vec<String>>,
}

impl Rests {
    fn flow(&self) -> Value {
        let flow = self.flow.as_deref();
        flow.map_or(Value::Null, |flow| serde_json::from_str(flow).unwrap())
    }

    /// The name of its state.
    pub(super) fn state(&self) -> String {
        self.flow()["state"]["state"]
            .as_str()
            .unwrap_or("none")
            .to_owned()
    }

    pub(super) fn standing(&self, now: i64) -> String {
        let flow = self.flow();
        let expires_at = flow["expires_at"].as_i64().unwrap_or_default();
        let tries = flow["state"]["tries"].as_i64().unwrap_or_default().min(1);
        let code = self
            .challenges
            .last()
            .map(|(_, attempts, created_at, expires_at)| {
                let attempts = match attempts {
                    1..=3 => 1,
                    attempts => *attempts,
                };
                (attempts, now - created_at >= 60_000, now >= *expires_at)
            });
        format!(
            "{} {tries} {} {code:?} of {} held in {:?} parts",
            self.state(),
            now >= expires_at,
            self.challenges.len().min(2),
            self.cookie.as_ref().map(Vec::len),
        )
    }
}
