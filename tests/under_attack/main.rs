//! A companion under attack, as a process of its own: a thousand sign-ins at once and a flood of garbage resets, and beside
//! them people who only want to get in (SR-50). It prints what it has measured; what it asserts is the memory, that
//! everybody else is served, and that health is told.

#![expect(clippy::unwrap_used, reason = "tests fail where they stand")]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use keyback_tests::{
    Browser, Mail, NEW_PASSWORD, OLD_PASSWORD, Server, SmtpSink, counts, eventually, free_port, tell,
};
use reqwest::header::{CONTENT_TYPE, ORIGIN};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use tokio::task::JoinSet;
use url::Url;

/// What the README promises, of a companion with two hashing threads.
const MOST_MEMORY_KIB: u64 = 160 * 1024;
/// Sign-ins at one time, each from an address of its own.
const SIGN_INS: u32 = 1_000;
/// Garbage at one time.
const GARBAGE: u32 = 60;
/// People who sign in again and again, and reset their passwords.
const PEOPLE: u8 = 4;
/// Whose password is guessed at, among those of many who are not there.
const VICTIM: &str = "victim@example.com";
/// How often somebody who is asked to come back does, before giving up.
const PATIENCE: usize = 120;

/// How a request was answered, by what it was: what it asked for, and the status.
type Tally = Arc<Mutex<BTreeMap<(&'static str, u16), u32>>>;

struct Attack {
    url: Url,
    origin: String,
    http: Client,
    tally: Tally,
    is_over: AtomicBool,
    drawn: AtomicU32,
}

impl Attack {
    fn on(server: &Server) -> Arc<Self> {
        let http = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .resolve("localhost", (Ipv4Addr::LOCALHOST, 0).into())
            .timeout(Duration::from_secs(60))
            .build()
            .unwrap();
        Arc::new(Self {
            url: server.url.clone(),
            origin: server.url.origin().ascii_serialization(),
            http,
            tally: Tally::default(),
            is_over: AtomicBool::new(false),
            drawn: AtomicU32::new(0),
        })
    }

    /// Another number each time.
    fn draw(&self) -> u32 {
        self.drawn.fetch_add(1, Ordering::Relaxed)
    }

    fn post(&self, path: &str, from: IpAddr) -> RequestBuilder {
        self.http
            .post(self.url.join(path).unwrap())
            .header("x-forwarded-for", from.to_string())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ORIGIN, &self.origin)
    }

    async fn count(&self, what: &'static str, request: RequestBuilder) {
        // An answer that breaks off, as of a body that is too large, is told as 0.
        let status = request.send().await.map_or(0, |answer| answer.status().as_u16());
        *self.tally.lock().unwrap().entry((what, status)).or_default() += 1;
    }

    /// Tries passwords, of people there are and there are not, each time from another address.
    async fn guess(&self) {
        while !self.is_over.load(Ordering::Relaxed) {
            let number = self.draw();
            let name = match number % 4 {
                0 => VICTIM.to_owned(),
                _ => format!("made-up{number}@example.com"),
            };
            let body = format!(
                "identifier={}&password=guess+number+{number}",
                name.replace('@', "%40")
            );
            self.count("sign-in", self.post("/sign-in", elsewhere(number)).body(body))
                .await;
        }
    }

    /// Sends what is no request for a reset, or one for nobody.
    async fn litter(&self) {
        let one = IpAddr::from([198, 51, 100, 7]);
        while !self.is_over.load(Ordering::Relaxed) {
            let number = self.draw();
            let from = elsewhere(number);
            let reset = |from| self.post("/forgot-password", from);
            let (what, request) = match number % 10 {
                0 => ("no field", reset(from).body("")),
                1 => (
                    "no address",
                    reset(from).body(format!("identifier=%00{number}%0d%0abcc")),
                ),
                2 => (
                    "two addresses",
                    reset(from).body("identifier=a%40example.com&identifier=b%40example.com"),
                ),
                3 => ("no form", reset(from).body(vec![0xff_u8; 2_000])),
                4 => ("too large", reset(from).body(vec![b'a'; 200_000])),
                5 => (
                    "other site",
                    reset(from)
                        .header("sec-fetch-site", "cross-site")
                        .body("identifier=a%40example.com"),
                ),
                6 => (
                    "made-up flow",
                    self.post(&format!("/forgot-password/code?f=made-up-{number}"), from)
                        .body("code=123456"),
                ),
                7 => (
                    "long query",
                    self.post(&format!("/forgot-password?i={}", "x".repeat(6_000)), from)
                        .body(""),
                ),
                8 => (
                    "one client's made-up addresses",
                    reset(one).body(format!("identifier=nobody{number}%40example.com")),
                ),
                _ => (
                    "made-up addresses from everywhere",
                    reset(from).body(format!("identifier=nobody{number}%40example.com")),
                ),
            };
            self.count(what, request).await;
        }
    }
}

/// An address of the attackers, another prefix for each number.
fn elsewhere(number: u32) -> IpAddr {
    let [_, a, b, c] = number.to_be_bytes();
    IpAddr::from([100, 64 + a % 64, b, c])
}

/// Somebody who gives up only after having been asked to come back very often. Tells how often that was.
struct Person {
    browser: Browser,
    address: String,
    password: String,
    asked_to_wait: usize,
}

impl Person {
    /// Opens a page, if one is named, and submits its form until it is taken: who is asked to come back presses again, or opens
    /// the page again where the answer has no form, as that to a request which took too long. Where that request was done after
    /// all, the next step is shown.
    async fn submit(&mut self, open: &str, field: &str, values: &[(&str, &str)]) {
        if !open.is_empty() {
            self.browser.open(open).await;
        }
        let here = self.browser.page().url.clone();
        for _ in 0..PATIENCE {
            let page = self.browser.page();
            if page.status == 503 && !page.has_field(field) {
                self.browser.open(here.as_str()).await;
                if self.browser.page().url.path() != here.path() {
                    return;
                }
            } else {
                let mut form = page.form_with(field);
                for (field, value) in values {
                    form = form.fill(field, value);
                }
                self.browser.submit(form).await;
                if self.browser.page().status != 503 {
                    return;
                }
                self.asked_to_wait += 1;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("{} was not served in {PATIENCE} tries", self.address);
    }

    async fn sign_in(&mut self) {
        self.browser = self.browser.of_another();
        let (address, password) = (self.address.clone(), self.password.clone());
        self.submit(
            "/sign-in",
            "password",
            &[("identifier", &address), ("password", &password)],
        )
        .await;
        self.browser.assert_at("/account");
    }

    async fn reset(&mut self, mails: &SmtpSink) {
        self.browser = self.browser.of_another();
        let address = self.address.clone();
        let before = mails_to(mails, &address).len();
        self.submit("/forgot-password", "identifier", &[("identifier", &address)])
            .await;
        self.browser.assert_at("/forgot-password/code");
        let code = eventually("the mail with the code", async || {
            let mails = mails_to(mails, &address);
            mails.get(before).and_then(Mail::code)
        })
        .await;
        self.submit("", "code", &[("code", &code)]).await;
        self.browser.assert_at("/forgot-password/password");
        self.submit("", "password", &[("password", NEW_PASSWORD)]).await;
        self.browser.assert_at("/forgot-password/done");
        self.password = NEW_PASSWORD.to_owned();
    }
}

fn mails_to(sink: &SmtpSink, address: &str) -> Vec<Mail> {
    let mut mails = sink.mails();
    mails.retain(|mail| mail.to == [address]);
    mails
}

/// How long health took to be told, again and again, until told to end.
async fn health(admin: Url, is_over: Arc<AtomicBool>) -> Vec<Duration> {
    let http = Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap();
    let mut times = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let began = Instant::now();
        let answer = http.get(admin.join("/healthz").unwrap()).send().await;
        let answer = answer.expect("health is told within half a minute");
        assert_eq!(answer.text().await.unwrap(), "ok\n");
        times.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    times
}

/// The median and the 99th percentile, in milliseconds.
fn told(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
    format!("{:.1} ms, p99 {:.1} ms of {}", at(50), at(99), times.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn sr50_a_thousand_sign_ins_and_a_flood_of_garbage_keep_no_honest_user_out_and_memory_within_its_budget()
 {
    let mails = SmtpSink::start().await;
    let admin = free_port();
    let server = Server::start_with(
        |sound| {
            mails.in_place_of_the_inbox(&sound).replace(
                "[server]\n",
                &format!(
                    "[server]\nadmin_listen = \"127.0.0.1:{admin}\"\ntrusted_proxies = [\"127.0.0.0/8\"]\n"
                ),
            ) + "[password.hashing]\nthreads = 2\n[limits]\nfactor = 4\n"
        },
        "error",
    )
    .await;
    let people = (0..PEOPLE).map(|number| format!("person{number}@example.com"));
    for address in people.chain([VICTIM.to_owned()]) {
        let add = ["user", "add", "--email", &address, "--password-stdin"];
        server
            .workplace
            .run_with_input(&add, OLD_PASSWORD)
            .await
            .assert_done();
    }
    let admin = Url::parse(&format!("http://127.0.0.1:{admin}")).unwrap();
    let watch = |is_over: &Arc<AtomicBool>| tokio::spawn(health(admin.clone(), Arc::clone(is_over)));

    let calm = Arc::new(AtomicBool::new(false));
    let watched = watch(&calm);
    tokio::time::sleep(Duration::from_secs(2)).await;
    calm.store(true, Ordering::Relaxed);
    let idle_health = watched.await.unwrap();
    let idle_memory = server.memory("VmRSS");

    let attack = Attack::on(&server);
    let mut attackers = JoinSet::new();
    for _ in 0..SIGN_INS {
        let attack = Arc::clone(&attack);
        attackers.spawn(async move { attack.guess().await });
    }
    for _ in 0..GARBAGE {
        let attack = Arc::clone(&attack);
        attackers.spawn(async move { attack.litter().await });
    }
    let under_attack = Arc::new(AtomicBool::new(false));
    let watched = watch(&under_attack);
    let seconds = u64::try_from(counts(12, 120)).unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;

    let mails = Arc::new(mails);
    let mut people = JoinSet::new();
    let until = Instant::now() + Duration::from_secs(seconds);
    for number in 0..PEOPLE {
        let mut person = Person {
            browser: server
                .browser()
                .that_comes_from(IpAddr::from([203, 0, 113, number])),
            address: format!("person{number}@example.com"),
            password: OLD_PASSWORD.to_owned(),
            asked_to_wait: 0,
        };
        let mails = Arc::clone(&mails);
        people.spawn(async move {
            person.sign_in().await;
            person.reset(&mails).await;
            let mut served = 0;
            while served < 1 || (served < 3 && Instant::now() < until) {
                person.sign_in().await;
                served += 1;
            }
            (served + 1, person.asked_to_wait)
        });
    }
    let honest = people.join_all().await;
    tokio::time::sleep(until.saturating_duration_since(Instant::now())).await;
    let attacked_memory = server.memory("VmRSS");
    attack.is_over.store(true, Ordering::Relaxed);
    attackers.join_all().await;
    under_attack.store(true, Ordering::Relaxed);
    let attacked_health = watched.await.unwrap();
    let peak = server.memory("VmHWM");

    let tally = attack.tally.lock().unwrap().clone();
    let served: i32 = honest.iter().map(|(served, _)| served).sum();
    let waited: usize = honest.iter().map(|(_, waited)| waited).sum();
    tell(&format!(
        "under attack, memory: {} MiB idle, {} MiB under attack, {} MiB at most of {} MiB",
        idle_memory / 1024,
        attacked_memory / 1024,
        peak / 1024,
        MOST_MEMORY_KIB / 1024
    ));
    tell(&format!(
        "under attack, /healthz: {} idle; {} under attack",
        told(idle_health),
        told(attacked_health)
    ));
    tell(&format!(
        "under attack, honest people: {served} sign-ins and {PEOPLE} resets served, after {waited} requests to come back"
    ));
    for ((what, status), count) in &tally {
        println!("{count:>8}  {status}  {what}");
    }
    assert!(peak <= MOST_MEMORY_KIB, "{peak} KiB are above the budget");
    let of = |what: &str, status: u16| {
        let found = tally
            .iter()
            .find(|((of, said), _)| *of == what && *said == status);
        found.map_or(0, |(_, count)| *count)
    };
    assert!(of("sign-in", 503) > 0, "more came than there was room for");
    assert_eq!(of("sign-in", 303), 0, "nobody guessed a password");
    assert!(of("one client's made-up addresses", 429) > 0);
    let failed: u32 = tally
        .iter()
        .filter(|((_, status), _)| (500..=599).contains(status) && *status != 503)
        .map(|(_, count)| count)
        .sum();
    assert_eq!(failed, 0, "{tally:?}");
}
