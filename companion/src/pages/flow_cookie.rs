//! The cookie that binds a reset flow to the browser that began it: its binding and, after a right code, its
//! proof. One cookie per flow, so that tabs never collide; a bounded number, the oldest out.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use keyback_core::ids::FlowId;
use keyback_core::secret::{BindingSecret, Proof};
use keyback_core::time::Timestamp;
use zeroize::Zeroizing;

use super::destination::Destination;
use crate::http::cookies::Cookies;
use crate::http::forms::Fields;

const PREFIX: &str = "kb_flow_";
/// Flows of one browser at most.
const MOST_PER_BROWSER: usize = 4;
/// As long as a flow can live, and a little to read the end of it.
const LIFE: Duration = Duration::from_secs(2 * 3_600);

/// A flow as its browser holds it.
pub(super) struct FlowCookie {
    pub id: FlowId,
    pub binding: BindingSecret,
    pub proof: Option<Proof>,
    /// Where the flow leads. It stands in the addresses too, so that who loses the cookie loses no more than it.
    destination: Destination,
    begun_at: Timestamp,
}

impl FlowCookie {
    pub(super) fn new(id: FlowId, binding: BindingSecret, destination: Destination, now: Timestamp) -> Self {
        Self {
            id,
            binding,
            proof: None,
            destination,
            begun_at: now,
        }
    }

    /// The flow that the address names, if this browser holds its cookie.
    pub(super) fn find(query: &Fields, headers: &HeaderMap, cookies: Cookies) -> Option<Self> {
        Self::of(query.one("f")?, Destination::from_query(query), headers, cookies)
    }

    /// A flow that leads there, if this browser holds its cookie.
    pub(super) fn of(
        id: &str,
        destination: Destination,
        headers: &HeaderMap,
        cookies: Cookies,
    ) -> Option<Self> {
        Self::parse(id, cookies.read(headers, &name(id))?, destination)
    }

    /// The same flow, leading elsewhere.
    pub(super) fn leading_to(self, destination: Destination) -> Self {
        Self { destination, ..self }
    }

    /// The query that names the flow and where it leads.
    pub(super) fn query(&self) -> String {
        let flow = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("f", self.id.as_str())
            .finish();
        format!("{flow}&{}", self.destination.to_query())
    }

    /// Where the flow leads, by the address.
    pub(super) fn destination(&self) -> &Destination {
        &self.destination
    }

    /// The same flow with the proof that a right code gave; `None` takes it away again.
    pub(super) fn with_proof(self, proof: Option<Proof>) -> Self {
        Self { proof, ..self }
    }

    /// The `Set-Cookie`s: this one, and removals of the oldest above the number that a browser may hold.
    pub(super) fn set(&self, headers: &HeaderMap, cookies: Cookies) -> Vec<HeaderValue> {
        let own = name(self.id.as_str());
        let mut others: Vec<_> = cookies
            .names(headers, PREFIX)
            .into_iter()
            .filter(|other| *other != own)
            .map(|other| (begun_at(cookies.read(headers, other)), other))
            .collect();
        // What can't be read has no age and goes first.
        others.sort();
        let surplus = (others.len() + 1).saturating_sub(MOST_PER_BROWSER);
        let mut set: Vec<_> = others
            .into_iter()
            .take(surplus)
            .map(|(_, other)| cookies.clear(other))
            .collect();
        set.push(cookies.set(&own, &self.value(), Some(LIFE)));
        set
    }

    fn value(&self) -> Zeroizing<String> {
        let (at, binding) = (self.begun_at.as_millis(), self.binding.reveal());
        Zeroizing::new(match &self.proof {
            None => format!("{at}.{}", binding.as_str()),
            Some(proof) => format!("{at}.{}.{}", binding.as_str(), proof.reveal().as_str()),
        })
    }

    fn parse(id: &str, value: &str, destination: Destination) -> Option<Self> {
        let mut parts = value.split('.');
        let begun_at = parts.next()?.parse().map(Timestamp::from_millis).ok()?;
        let binding = BindingSecret::parse(parts.next()?).ok()?;
        let proof = parts.next().map(Proof::parse).transpose().ok()?;
        parts.next().is_none().then(|| Self {
            id: FlowId::new(id),
            binding,
            proof,
            destination,
            begun_at,
        })
    }
}

fn begun_at(value: Option<&str>) -> Option<i64> {
    value?.split('.').next()?.parse().ok()
}

fn name(id: &str) -> String {
    format!("{PREFIX}{id}")
}

#[cfg(test)]
mod tests {
    use axum::http::header;
    use keyback_core::random::SystemRandom;
    use url::Url;

    use super::*;

    #[test]
    fn a_flow_survives_its_cookie_and_the_oldest_makes_room() {
        let cookies = Cookies::for_url(&Url::parse("http://localhost").unwrap());
        let mut headers = HeaderMap::new();
        let mut jar = Vec::new();
        for minute in 0..6 {
            let binding = BindingSecret::issue(&SystemRandom);
            let now = Timestamp::from_millis(minute * 60_000);
            let flow = FlowCookie::new(
                FlowId::new(format!("flow{minute}")),
                binding,
                Destination::Interaction("abc".to_owned()),
                now,
            )
            .with_proof(Some(Proof::issue(&SystemRandom)));
            for set in flow.set(&headers, cookies) {
                let set = set.to_str().unwrap().to_owned();
                let (pair, attributes) = set.split_once(';').unwrap();
                let name = pair.split('=').next().unwrap().to_owned();
                jar.retain(|kept: &String| !kept.starts_with(&format!("{name}=")));
                if !attributes.contains("Max-Age=0") {
                    jar.push(pair.to_owned());
                }
            }
            headers.insert(header::COOKIE, jar.join("; ").parse().unwrap());
        }
        assert_eq!(jar.len(), MOST_PER_BROWSER);
        let find = |id: &str| {
            let query = Fields::from_query(Some(&format!("f={id}&i=abc"))).unwrap();
            FlowCookie::find(&query, &headers, cookies)
        };
        assert!(find("flow5").is_some_and(|flow| flow.proof.is_some() && flow.query() == "f=flow5&i=abc"));
        assert!(find("flow0").is_none());
        assert!(find("flow9").is_none());
    }
}
