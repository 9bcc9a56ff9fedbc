//! How long the answers of a reset take, by the state of the address that is asked for (SR-2).

mod report;
mod statistics;

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use keyback_core::random::Random;
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};
use url::Url;

pub use report::Report;

/// Requests of each state that aren't counted: the first ones fill caches.
const WARM_UP: usize = 5;

/// Those addresses are for measuring (RFC 2544).
const CLIENTS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);
const CLIENT_COUNT: u32 = 1 << 17;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Step {
    /// The answer to who asks for a reset
    Ask,
    /// The answer to a wrong code, of a reset that was asked for just before
    Code,
}

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

impl Samples {
    fn none(state: &State) -> Self {
        Self {
            state: state.name.clone(),
            times: Vec::new(),
        }
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

/// Takes a step `rounds` times in each state, one request at a time, in an order that is drawn over all rounds: what a request
/// leaves to do beside the next one falls on every state alike. Each reset is another client's, where the companion trusts who says
/// so: one that types wrong codes for an address again and again is asked to wait.
///
/// # Errors
///
/// When the companion can't be reached, or answers otherwise than whoever goes on is answered: what it refuses says nothing of
/// how long an answer takes.
pub async fn measure(
    companion: &Url,
    states: &[State],
    step: Step,
    rounds: usize,
    random: &dyn Random,
) -> Result<Vec<Samples>, String> {
    if states.len() < 2 {
        return Err("name two states at least, each with --state".to_owned());
    }
    let asker = Asker::new(companion)?;
    let mut samples = Vec::new();
    let mut clients = (0..CLIENT_COUNT).cycle();
    for rounds in [WARM_UP, rounds] {
        samples = states.iter().map(Samples::none).collect();
        let mut order: Vec<usize> = (0..states.len() * rounds)
            .map(|place| place % states.len())
            .collect();
        shuffle(&mut order, random);
        let mut turns = vec![0; states.len()];
        for together in order.chunks(states.len()) {
            let mut begun = Vec::new();
            for &index in together {
                let addresses = &states[index].addresses;
                let client = Ipv4Addr::from(u32::from(CLIENTS) + clients.next().unwrap_or_default());
                let (took, reset) = asker
                    .ask(&addresses[turns[index] % addresses.len()], client)
                    .await?;
                turns[index] += 1;
                match step {
                    Step::Ask => samples[index].times.push(took),
                    Step::Code => begun.push((index, reset)),
                }
            }
            shuffle(&mut begun, random);
            for (index, reset) in begun {
                samples[index].times.push(asker.guess(&reset).await?);
            }
        }
    }
    Ok(samples)
}

/// A reset that was begun.
struct Begun {
    client: Ipv4Addr,
    /// Where its code is typed.
    page: Url,
    cookies: String,
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

    async fn ask(&self, address: &str, client: Ipv4Addr) -> Result<(Duration, Begun), String> {
        let request = self.client.post(self.form.clone());
        let (took, status, headers) = self.send(request, client, ("identifier", address)).await?;
        let text = |value: &HeaderValue| value.to_str().map(str::to_owned).ok();
        let page = headers.get(LOCATION).and_then(text);
        let page = page.and_then(|page| self.form.join(&page).ok());
        let Some(page) = page.filter(|_| status == StatusCode::SEE_OTHER) else {
            return Err(otherwise(status, "the page of the code"));
        };
        let cookies = headers.get_all(SET_COOKIE).iter().filter_map(text);
        let pairs: Vec<_> = cookies
            .filter_map(|cookie| Some(cookie.split_once(';')?.0.to_owned()))
            .collect();
        let reset = Begun {
            client,
            page,
            cookies: pairs.join("; "),
        };
        Ok((took, reset))
    }

    /// It is right once in a million times, for who has an account.
    async fn guess(&self, reset: &Begun) -> Result<Duration, String> {
        let request = self.client.post(reset.page.clone());
        let request = request.header(COOKIE, &reset.cookies);
        let (took, status, _) = self.send(request, reset.client, ("code", "000000")).await?;
        if status == StatusCode::UNPROCESSABLE_ENTITY {
            return Ok(took);
        }
        Err(otherwise(status, "that the code is wrong"))
    }

    /// Sends a form, and reads the answer to its end.
    async fn send(
        &self,
        request: RequestBuilder,
        client: Ipv4Addr,
        (field, typed): (&str, &str),
    ) -> Result<(Duration, StatusCode, HeaderMap), String> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair(field, typed)
            .finish();
        let request = request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ORIGIN, &self.origin)
            .header("x-forwarded-for", client.to_string())
            .body(body);
        let began = Instant::now();
        let answer = request.send().await.map_err(|error| in_full(&error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        answer.bytes().await.map_err(|error| in_full(&error))?;
        Ok((began.elapsed(), status, headers))
    }
}

fn otherwise(status: StatusCode, expected: &str) -> String {
    format!(
        "the companion answered {status} and not {expected}: fewer --rounds, more addresses a state, or higher [limits] help \
         against 429"
    )
}

/// An error with its causes.
fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Fisher and Yates: every order is as likely. The bias of the remainder is below one in a billion.
fn shuffle<T>(order: &mut [T], random: &dyn Random) {
    for last in (1..order.len()).rev() {
        let mut drawn = [0; 8];
        random.fill(&mut drawn);
        let chosen = u64::from_le_bytes(drawn) % (last as u64 + 1);
        order.swap(last, usize::try_from(chosen).unwrap_or(last));
    }
}
