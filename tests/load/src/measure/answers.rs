//! Requests a second, beside a bare hyper responder that gives the same bytes.

use std::ffi::OsStr;
use std::sync::Arc;

use anyhow::{Result, bail};
use tokio::task::JoinSet;

use super::say;
use super::turn::{Count, Turn, stay_awake, watch};
use crate::bare::Recorded;
use crate::options::Pace;
use crate::person::{BROWSER, encoded};
use crate::process::{BarePart, Companion, Process};
use crate::report::AnswerRate;
use crate::stats::Spread;
use crate::wire::Wire;
use crate::workplace::{APP, REDIRECT_URI, STORED_APP, Workplace};

/// Connections over which requests follow each other.
const CONNECTIONS: usize = 16;

/// What a program sends: a library that reads discovery.
const PROGRAM: &str = "user-agent: load\r\naccept: application/json\r\n";
/// What a program sends that takes compressed answers.
const PROGRAM_WITH_GZIP: &str =
    "user-agent: load\r\naccept: application/json\r\naccept-encoding: gzip, deflate\r\n";

struct Question {
    name: &'static str,
    path: String,
    headers: &'static str,
    status: u16,
}

fn questions() -> Vec<Question> {
    let question = |name, path: &str, headers, status| Question {
        name,
        path: path.to_owned(),
        headers,
        status,
    };
    let discovery = "/oidc/.well-known/openid-configuration";
    vec![
        question("discovery", discovery, PROGRAM, 200),
        question("discovery, compressed", discovery, PROGRAM_WITH_GZIP, 200),
        question("key set", "/oidc/jwks", PROGRAM, 200),
        question("/oidc/auth", &authorization(APP, ""), BROWSER, 303),
        question(
            "/oidc/auth, app of the store",
            &authorization(STORED_APP, ""),
            BROWSER,
            303,
        ),
        question(
            "/reset-password",
            &format!("/reset-password?client_id={APP}"),
            BROWSER,
            303,
        ),
    ]
}

/// A valid authorization request, with the challenge of RFC 7636 appendix B.
pub(super) fn authorization(app: &str, further: &str) -> String {
    format!(
        "/oidc/auth?client_id={app}&response_type=code&redirect_uri={}&scope=openid+offline_access+profile+email\
         &state=af0ifjsldkjaf0ifjsldkj&nonce=n-0S6_WzA2Mjn-0S6_WzA2Mj&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM{further}",
        encoded(REDIRECT_URI),
    )
}

/// Measures all of them.
pub(crate) async fn all(place: &Workplace, companion: &Companion, pace: &Pace) -> Result<Vec<AnswerRate>> {
    let mut rates = Vec::new();
    for question in questions() {
        let rate = measure(place, companion, pace, &question).await?;
        say(&format!("{}: {:.2} of bare hyper", rate.name, rate.ratio.median));
        rates.push(rate);
    }
    Ok(rates)
}

async fn measure(
    place: &Workplace,
    companion: &Companion,
    pace: &Pace,
    question: &Question,
) -> Result<AnswerRate> {
    let request = format!(
        "GET {} HTTP/1.1\r\nhost: localhost:{}\r\n{}\r\n",
        question.path, companion.port, question.headers
    );
    let request: Arc<[u8]> = request.into_bytes().into();
    let recorded = record(companion.port, &request, question).await?;
    let answer_bytes = recorded.body.len();
    let answer = place.path("answer.json");
    std::fs::write(&answer, serde_json::to_vec(&recorded)?)?;
    let mut bare = BarePart::start(&[OsStr::new("responder"), answer.as_os_str()])?;
    let bare_port = u16::try_from(bare.number()?)?;
    let turn = async |port: u16, process: &Process| -> Result<Turn> {
        one_turn(port, process, &request, question.status, pace).await
    };
    let (mut ours, mut bares) = (Vec::new(), Vec::new());
    for _ in 0..pace.rounds {
        ours.push(turn(companion.port, &companion.process).await?);
        bares.push(turn(bare_port, &bare.process).await?);
    }
    let rates = |turns: &[Turn]| turns.iter().map(|turn| turn.rate).collect::<Vec<_>>();
    let costs = |turns: &[Turn]| turns.iter().map(|turn| turn.cost).collect::<Vec<_>>();
    Ok(AnswerRate {
        name: question.name,
        status: question.status,
        body_bytes: answer_bytes,
        ours: Spread::of(&rates(&ours)),
        bare: Spread::of(&rates(&bares)),
        ratio: Spread::of_ratios(&rates(&ours), &rates(&bares)),
        our_cost: Spread::of(&costs(&ours)),
        bare_cost: Spread::of(&costs(&bares)),
    })
}

/// The companion's answer, as the bare responder is to give it: what hyper writes by itself is left to hyper.
async fn record(port: u16, request: &[u8], question: &Question) -> Result<Recorded> {
    let mut wire = Wire::connect(port).await?;
    let answer = wire.exchange(request).await?;
    if answer.status != question.status {
        bail!(
            "{} was answered {}: {}",
            question.name,
            answer.status,
            answer.text()?
        );
    }
    let by_hyper = ["content-length", "date", "transfer-encoding", "connection"];
    Ok(Recorded {
        status: answer.status,
        headers: answer
            .headers()
            .filter(|(name, _)| !by_hyper.contains(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: answer.body()?,
    })
}

async fn one_turn(
    port: u16,
    process: &Process,
    request: &Arc<[u8]>,
    status: u16,
    pace: &Pace,
) -> Result<Turn> {
    let count = Count::default();
    let mut tasks = JoinSet::new();
    tasks.spawn(stay_awake(count.clone()));
    for _ in 0..CONNECTIONS {
        let (count, request) = (count.clone(), Arc::clone(request));
        let mut wire = Wire::connect(port).await?;
        tasks.spawn(async move {
            loop {
                let answer = wire.exchange(&request).await?;
                if answer.status != status {
                    bail!("answered {}: {}", answer.status, answer.text()?);
                }
                if !count.one_more() {
                    return Ok(());
                }
            }
        });
    }
    watch(tasks, &count, process, pace.warm_up, pace.requests).await
}
