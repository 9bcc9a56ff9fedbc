//! Complete sign-ins and complete resets a second, beside bare argon2 hashes of the same cost.
//!
//! A sign-in is what a browser and its app do: the authorization request, the page, its form, and the exchange of the
//! code. A reset goes from the authorization request over the mailed code to the page that says it is done.

use std::ffi::OsStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::task::JoinSet;

use super::answers::authorization;
use super::say;
use super::turn::{Count, Turn, watch};
use crate::mail::Mail;
use crate::options::Pace;
use crate::person::{Person, encoded};
use crate::process::{BarePart, Companion};
use crate::report::JourneyRates;
use crate::stats::Spread;
use crate::wire::Wire;
use crate::workplace::{APP, APP_SECRET, PASSWORD, REDIRECT_URI, Workplace, address};

/// People at the same time: enough that the hashing never waits for them.
const PEOPLE: usize = 8;
/// The verifier of RFC 7636 appendix B, whose challenge the authorization requests carry.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Measures both.
pub(crate) async fn all(
    place: &Workplace,
    companion: &Companion,
    mail: &Mail,
    pace: &Pace,
) -> Result<JourneyRates> {
    // The companion hashes on as many threads as it has processors.
    let threads = if crate::process::sides_are_apart() {
        1
    } else {
        std::thread::available_parallelism()?.get()
    };
    let mut hashes = BarePart::start(&[OsStr::new("hashes"), OsStr::new(&threads.to_string())])?;
    let crowd = Arc::new(Crowd {
        port: companion.port,
        users: place.users,
        mail: mail.clone(),
        next: AtomicU32::new(0),
    });
    let (mut sign_ins, mut resets) = (Vec::new(), Vec::new());
    let mut bare = vec![hash(&mut hashes, pace.journeys)?];
    for _ in 0..pace.rounds {
        sign_ins.push(turn(companion, &crowd, Journey::SignIn, pace).await?);
        bare.push(hash(&mut hashes, pace.journeys)?);
        resets.push(turn(companion, &crowd, Journey::Reset, pace).await?);
        bare.push(hash(&mut hashes, pace.journeys)?);
    }
    // What stood before and behind each turn: how fast the machine hashes changes from one second to the next.
    let (around_sign_ins, around_resets) = around(&bare);
    let rates = |turns: &[Turn]| turns.iter().map(|turn| turn.rate).collect::<Vec<_>>();
    let costs = |turns: &[Turn]| turns.iter().map(|turn| turn.cost / 1e3).collect::<Vec<_>>();
    let sign_in_ratio = Spread::of_ratios(&rates(&sign_ins), &around_sign_ins);
    let reset_ratio = Spread::of_ratios(&rates(&resets), &around_resets);
    say(&format!(
        "sign-ins: {:.2} of bare hashes; resets: {:.2}",
        sign_in_ratio.median, reset_ratio.median
    ));
    Ok(JourneyRates {
        hash_threads: threads,
        hashes: Spread::of(&rates(&bare)),
        hash_cost: Spread::of(&costs(&bare)),
        sign_ins: Spread::of(&rates(&sign_ins)),
        sign_in_ratio,
        sign_in_cost: Spread::of(&costs(&sign_ins)),
        resets: Spread::of(&rates(&resets)),
        reset_ratio,
        reset_cost: Spread::of(&costs(&resets)),
    })
}

/// The rates of bare hashes around each sign-in and around each reset, which came between them in turns.
fn around(bare: &[Turn]) -> (Vec<f64>, Vec<f64>) {
    let pairs = bare.windows(2);
    let mut means = pairs.map(|pair| f64::midpoint(pair[0].rate, pair[1].rate));
    let (mut sign_ins, mut resets) = (Vec::new(), Vec::new());
    while let Some(mean) = means.next() {
        sign_ins.push(mean);
        resets.extend(means.next());
    }
    (sign_ins, resets)
}

/// A turn of bare hashes.
fn hash(hashes: &mut BarePart, time: Duration) -> Result<Turn> {
    let before = hashes.process.processor_time()?;
    hashes.ask(&time.as_millis().to_string())?;
    let (rate, made) = (hashes.number()?, hashes.number()?);
    let cost = hashes.process.processor_time()? - before;
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let (rate, made) = (rate as f64 / 1e3, made as f64);
    Ok(Turn {
        rate,
        cost: cost.as_secs_f64() * 1e6 / made,
    })
}

#[derive(Clone, Copy)]
enum Journey {
    SignIn,
    Reset,
}

/// Everybody who goes on a journey.
struct Crowd {
    port: u16,
    users: u32,
    mail: Mail,
    next: AtomicU32,
}

async fn turn(companion: &Companion, crowd: &Arc<Crowd>, journey: Journey, pace: &Pace) -> Result<Turn> {
    let count = Count::default();
    let mut tasks = JoinSet::new();
    for _ in 0..PEOPLE {
        let (count, crowd) = (count.clone(), Arc::clone(crowd));
        let mut browser = Wire::connect(crowd.port).await?;
        let mut app = Wire::connect(crowd.port).await?;
        tasks.spawn(async move {
            loop {
                match journey {
                    Journey::SignIn => crowd.sign_in(&mut browser, &mut app).await?,
                    Journey::Reset => crowd.reset(&mut browser).await?,
                }
                if !count.one_more() {
                    return Ok(());
                }
            }
        });
    }
    // The first of each is under way when the turn begins to count.
    watch(tasks, &count, &companion.process, pace.warm_up * 2, pace.journeys).await
}

impl Crowd {
    /// The next of the first `many` accounts: far from the last one in the store, and nobody again before everybody had
    /// their turn, since a prime that doesn't divide their number reaches them all.
    fn next(&self, many: u32) -> u32 {
        const STRIDE: u64 = 7_919;
        let number = u64::from(self.next.fetch_add(1, Ordering::Relaxed));
        u32::try_from(number * STRIDE % u64::from(many)).unwrap_or_default()
    }

    /// Who signs in keeps their password: the first half of the accounts.
    async fn sign_in(&self, browser: &mut Wire, app: &mut Wire) -> Result<()> {
        let address = address(self.next(self.users / 2));
        let mut person = Person::new(browser, self.port);
        let sent = person.open(&authorization(APP, "")).await?;
        let page = person.follow(&sent).await?;
        let answered = person
            .send(&page, &[("identifier", &address), ("password", PASSWORD)])
            .await?;
        let location = answered.location.with_context(|| {
            format!(
                "{address} was not signed in: {} {}",
                answered.status, answered.text
            )
        })?;
        let query = location
            .strip_prefix(REDIRECT_URI)
            .and_then(|rest| rest.strip_prefix('?'));
        let code = query
            .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("code=")))
            .with_context(|| format!("{address} came back without a code: {location}"))?;
        self.exchange(app, code).await
    }

    async fn exchange(&self, app: &mut Wire, code: &str) -> Result<()> {
        let body = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={}&client_id={APP}&client_secret={APP_SECRET}\
             &code_verifier={VERIFIER}",
            encoded(REDIRECT_URI),
        );
        let request = format!(
            "POST /oidc/token HTTP/1.1\r\nhost: localhost:{}\r\nuser-agent: load\r\naccept: application/json\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            self.port,
            body.len(),
        );
        let answer = app.exchange(request.as_bytes()).await?;
        let text = answer.text()?;
        if answer.status != 200 || !text.contains("\"id_token\"") || !text.contains("\"refresh_token\"") {
            bail!("the code was answered {}: {text}", answer.status);
        }
        Ok(())
    }

    /// Who resets gets another password: the second half of the accounts.
    async fn reset(&self, browser: &mut Wire) -> Result<()> {
        let half = self.users / 2;
        let number = self.next(half);
        let address = address(half + number);
        let mut person = Person::new(browser, self.port);
        let further = "&first_screen=reset-password&prompt=login";
        let sent = person.open(&authorization(APP, further)).await?;
        let page = person.follow(&sent).await?;
        let code = self.mail.next_code(&address);
        let sent = person.send(&page, &[("identifier", &address)]).await?;
        let page = person.follow(&sent).await?;
        let code = code
            .await
            .context("the code went to somebody else who asked for the same account")?;
        let sent = person.send(&page, &[("code", &code)]).await?;
        let page = person.follow(&sent).await?;
        // Another one each time: the password that an account has is refused.
        let password = format!("copper lantern {} drifts", self.next.load(Ordering::Relaxed));
        let done = person.send(&page, &[("password", &password)]).await?;
        let page = person.follow(&done).await?;
        let at_the_end = done.location.is_some_and(|location| location.contains("/done"));
        if page.status != 200 || !at_the_end {
            bail!("the reset of {address} ended with {}: {}", page.status, page.text);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_turn_is_held_against_the_hashes_before_and_behind_it() {
        let bare = [10.0, 20.0, 40.0, 40.0, 20.0].map(|rate| Turn { rate, cost: 1.0 });
        assert_eq!(around(&bare), (vec![15.0, 40.0], vec![30.0, 30.0]));
    }
}
