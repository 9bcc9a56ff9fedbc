//! How long the answer to "forgot password" takes, by the state of the address that is asked for (SR-2).

mod report;
mod statistics;

use std::time::{Duration, Instant};

use keyback_core::random::Random;
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, ORIGIN};
use reqwest::redirect::Policy;
use url::Url;

pub use report::Report;

/// Requests that aren't counted: the first ones fill caches.
const WARM_UP: usize = 5;

/// A state of accounts, and addresses that are in it.
#[derive(Clone, Debug)]
pub struct State {
    pub name: String,
    pub addresses: Vec<String>,
}

/// What was measured of a state.
#[derive(Clone, Debug)]
pub struct Samples {
    pub state: String,
    pub times: Vec<Duration>,
}

impl State {
    /// The states, in the order in which each comes first, with all their addresses.
    pub fn group(named: Vec<(String, String)>) -> Vec<Self> {
        let mut states: Vec<Self> = Vec::new();
        for (name, address) in named {
            match states.iter_mut().find(|state| state.name == name) {
                Some(state) => state.addresses.push(address),
                None => states.push(Self {
                    name,
                    addresses: vec![address],
                }),
            }
        }
        states
    }
}

/// Reads `state=address`.
///
/// # Errors
///
/// When one of the two is missing.
pub fn parse_state(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, address)) if !name.is_empty() && !address.is_empty() => {
            Ok((name.to_owned(), address.to_owned()))
        }
        _ => Err(format!("{text:?} is not of the form known=ada@example.com")),
    }
}

/// Asks for a reset `rounds` times in each state, one request at a time, in an order drawn for each round.
///
/// # Errors
///
/// When the companion can't be reached, or answers anything but the page of the code: what it refuses says nothing of
/// how long an answer takes.
pub async fn measure(
    companion: &Url,
    states: &[State],
    rounds: usize,
    random: &dyn Random,
) -> Result<Vec<Samples>, String> {
    if states.len() < 2 {
        return Err("name two states at least, each with --state".to_owned());
    }
    let asker = Asker::new(companion)?;
    for round in 0..WARM_UP {
        for state in states {
            asker.ask(&state.addresses[round % state.addresses.len()]).await?;
        }
    }
    let mut samples: Vec<Samples> = states
        .iter()
        .map(|state| Samples {
            state: state.name.clone(),
            times: Vec::with_capacity(rounds),
        })
        .collect();
    let mut order: Vec<usize> = (0..states.len()).collect();
    for round in 0..rounds {
        shuffle(&mut order, random);
        for &index in &order {
            let addresses = &states[index].addresses;
            let took = asker.ask(&addresses[round % addresses.len()]).await?;
            samples[index].times.push(took);
        }
    }
    Ok(samples)
}

/// One connection to the companion.
struct Asker {
    client: Client,
    form: Url,
    origin: String,
}

impl Asker {
    fn new(companion: &Url) -> Result<Self, String> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| error.to_string())?;
        let form = companion
            .join("/forgot-password")
            .map_err(|error| error.to_string())?;
        Ok(Self {
            client,
            origin: form.origin().ascii_serialization(),
            form,
        })
    }

    async fn ask(&self, address: &str) -> Result<Duration, String> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("identifier", address)
            .finish();
        let request = self
            .client
            .post(self.form.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ORIGIN, &self.origin)
            .body(body);
        let began = Instant::now();
        let answer = request.send().await.map_err(|error| in_full(&error))?;
        let (status, leads_on) = (answer.status(), answer.headers().contains_key("location"));
        answer.bytes().await.map_err(|error| in_full(&error))?;
        let took = began.elapsed();
        if status == 303 && leads_on {
            return Ok(took);
        }
        Err(format!(
            "the companion answered {status} and not with the page of the code: fewer --rounds, more addresses a state, or \
             higher [limits] help against 429"
        ))
    }
}

/// An error with its causes.
fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Fisher and Yates: every order is as likely. The bias of the remainder is below one in a billion.
fn shuffle(order: &mut [usize], random: &dyn Random) {
    for last in (1..order.len()).rev() {
        let mut drawn = [0; 8];
        random.fill(&mut drawn);
        let chosen = u64::from_le_bytes(drawn) % (last as u64 + 1);
        order.swap(last, usize::try_from(chosen).unwrap_or(last));
    }
}
