//! Native programs: a port of their own for one answer (RFC 8252).

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyback::{Client, DeviceSignIn, Loopback, LoopbackError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::device;
use crate::provider::{CLIENT_ID, ISSUER, SUBJECT, World};

fn client(world: &World, loopback: &Loopback) -> Client {
    Client::builder(ISSUER, CLIENT_ID)
        .redirect_uri(loopback.redirect_uri())
        .http(world.provider.clone())
        .clock(world.clock.clone())
        .build()
        .unwrap()
}

/// A loopback whose browser is a channel.
fn with_browser(loopback: Loopback) -> (Loopback, tokio::sync::mpsc::UnboundedReceiver<Url>) {
    let (opened, urls) = tokio::sync::mpsc::unbounded_channel();
    let loopback = loopback.open_with(move |url| opened.send(url.clone()).map_err(io::Error::other));
    (loopback, urls)
}

async fn get(address: &str, host: &str, target: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn target(callback: &Url) -> String {
    format!("{}?{}", callback.path(), callback.query().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc8252_7_3_a_program_signs_in_on_a_port_of_its_own() {
    let world = World::new();
    let (loopback, mut urls) = with_browser(Loopback::bind().await.unwrap());
    let uri = Url::parse(&loopback.redirect_uri()).unwrap();
    assert_eq!((uri.host_str(), uri.path()), (Some("127.0.0.1"), "/callback"));
    let address = format!("127.0.0.1:{}", uri.port().unwrap());
    let client = client(&world, &loopback);
    let program = tokio::spawn(loopback.sign_in(client.sign_in()));
    let callback = world.provider.answer(&urls.recv().await.unwrap());
    let good = target(&callback);

    // A browser connects before it asks, and others of this machine ask what is not theirs.
    let silent = TcpStream::connect(&address).await.unwrap();
    let state = callback
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1;
    for (host, target, status) in [
        (address.as_str(), "/callback", "400"),
        (&address, "/callback?code=1&state=forged", "400"),
        (&address, "/callback?error=access_denied", "400"),
        (&address, "/favicon.ico", "404"),
        ("evil.example", &good, "421"),
        (&format!("localhost:{}", uri.port().unwrap()), &good, "421"),
        (&address, &format!("/callback-evil?state={state}"), "404"),
    ] {
        let answer = get(&address, host, target).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{target}: {answer}"
        );
    }
    assert!(!program.is_finished());

    let page = get(&address, &address, &good).await;
    assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
    assert!(page.contains("You can close this page"));
    assert!(page.contains("default-src 'none'") && page.contains("no-store"));
    // Its look is the one that its policy allows.
    let (_, style) = page.split_once("<style>").unwrap();
    let (style, _) = style.split_once("</style>").unwrap();
    let hash = STANDARD.encode(digest(&SHA256, style.as_bytes()));
    assert!(page.contains(&format!("style-src 'sha256-{hash}'")), "{page}");
    assert_eq!(program.await.unwrap().unwrap().claims().subject(), SUBJECT);
    drop(silent);

    // Nobody listens there any more.
    assert!(TcpStream::connect(&address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_to_person_and_program() {
    let world = World::new();
    let (loopback, mut urls) = with_browser(Loopback::bind().await.unwrap());
    let address = loopback
        .redirect_uri()
        .replace("http://", "")
        .replace("/callback", "");
    let client = client(&world, &loopback);
    let program = tokio::spawn(loopback.sign_in(client.forgot_password()));
    let callback = world.provider.answer(&urls.recv().await.unwrap());
    let refused = target(&callback).replace("code=", "error=access_denied&was=");
    let page = get(&address, &address, &refused).await;
    assert!(page.starts_with("HTTP/1.1 400 "), "{page}");
    let error = program.await.unwrap().unwrap_err();
    let LoopbackError::SignIn(error) = error else {
        panic!("{error:?}")
    };
    assert_eq!(error.code(), "callback.access_denied");
}

#[tokio::test]
async fn ports_may_be_listed_and_the_first_free_one_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ports = [&taken, &free].map(|listener| listener.local_addr().unwrap().port());
    let error = Loopback::bind_one_of([ports[0]]).await.unwrap_err();
    assert!(matches!(error, LoopbackError::NoPort(_)));
    drop(free);
    let loopback = Loopback::bind_one_of(ports).await.unwrap();
    assert_eq!(
        loopback.redirect_uri(),
        format!("http://127.0.0.1:{}/callback", ports[1])
    );
    let named = loopback.as_localhost().path("/back");
    assert_eq!(
        named.redirect_uri(),
        format!("http://localhost:{}/back", ports[1])
    );
}

/// `localhost` may be either.
#[tokio::test(flavor = "multi_thread")]
async fn both_address_families_are_listened_on() {
    if TcpListener::bind("[::1]:0").await.is_err() {
        return; // this machine has no IPv6
    }
    let world = World::new();
    let (loopback, mut urls) = with_browser(Loopback::bind().await.unwrap().as_localhost());
    let port = Url::parse(&loopback.redirect_uri()).unwrap().port().unwrap();
    let client = client(&world, &loopback);
    let program = tokio::spawn(loopback.sign_in(client.sign_in()));
    let callback = world.provider.answer(&urls.recv().await.unwrap());
    let page = get(
        &format!("[::1]:{port}"),
        &format!("localhost:{port}"),
        &target(&callback),
    )
    .await;
    assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
    program.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_machine_without_a_browser_says_so_or_shows_the_address() {
    let world = World::new();
    let no_browser = || io::Error::from(io::ErrorKind::NotFound);
    let loopback = Loopback::bind()
        .await
        .unwrap()
        .open_with(move |_| Err(no_browser()));
    let client = client(&world, &loopback);
    let error = loopback.sign_in(client.sign_in()).await.unwrap_err();
    assert!(matches!(error, LoopbackError::NoBrowser));

    let loopback = Loopback::bind()
        .await
        .unwrap()
        .open_with(move |_| Err(no_browser()));
    let client = self::client(&world, &loopback);
    let by_another_way = async || world.sign_in().await;
    let session = loopback
        .sign_in_or(client.sign_in(), by_another_way)
        .await
        .unwrap();
    assert_eq!(session.claims().subject(), SUBJECT);

    let shown = Arc::new(Mutex::new(None));
    let loopback = Loopback::bind()
        .await
        .unwrap()
        .open_with(move |_| Err(no_browser()))
        .patience(Duration::from_millis(20))
        .show({
            let shown = shown.clone();
            move |url| *shown.lock().unwrap() = Some(url.clone())
        });
    let client = self::client(&world, &loopback);
    let error = loopback.sign_in(client.sign_in()).await.unwrap_err();
    assert!(matches!(error, LoopbackError::NobodyCame { .. }));
    assert!(
        shown
            .lock()
            .unwrap()
            .as_ref()
            .unwrap()
            .as_str()
            .starts_with(ISSUER)
    );
}

/// A terminal on another machine: the person types a code elsewhere.
#[tokio::test]
async fn rfc8628_1_a_machine_without_a_browser_signs_in_as_a_device() {
    let world = World::new();
    let asked = device::offering(&world, device::begun());
    let good = device::tokens(&world, |_| {});
    device::answering(&world, &[], good);
    let loopback = Loopback::bind()
        .await
        .unwrap()
        .open_with(|_| Err(io::Error::from(io::ErrorKind::NotFound)));
    let client = client(&world, &loopback);
    let mut told = String::new();
    let tell = |device: &DeviceSignIn| {
        told = device.user_code().to_owned();
        world.clock.advance(device.interval());
    };
    let request = client.sign_in().scope("email");
    let session = loopback.sign_in_or_on_device(request, tell).await.unwrap();
    assert_eq!(session.claims().subject(), SUBJECT);
    assert_eq!(told, "WDJB-MJHT");
    assert_eq!(
        asked.last().field("scope"),
        Some("openid offline_access profile email")
    );
}

/// Whoever opens connections and says nothing keeps no browser out.
#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_of_too_many_connections_makes_room() {
    let world = World::new();
    let (loopback, mut urls) = with_browser(Loopback::bind().await.unwrap());
    let uri = Url::parse(&loopback.redirect_uri()).unwrap();
    let address = format!("127.0.0.1:{}", uri.port().unwrap());
    let client = client(&world, &loopback);
    let program = tokio::spawn(loopback.sign_in(client.sign_in()));
    let callback = world.provider.answer(&urls.recv().await.unwrap());

    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(TcpStream::connect(&address).await.unwrap());
    }
    for (number, stream) in silent.iter_mut().take(8).enumerate() {
        let end = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0])).await;
        let end = end.unwrap_or_else(|_| panic!("{number} is still there"));
        assert!(matches!(end, Ok(0) | Err(_)));
    }
    let youngest = tokio::time::timeout(Duration::from_millis(50), silent[39].read(&mut [0])).await;
    assert!(youngest.is_err(), "the youngest stays");

    let page = get(&address, &address, &target(&callback)).await;
    assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
    program.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_of_another_address_is_refused() {
    let world = World::new();
    let loopback = Loopback::bind().await.unwrap();
    let error = loopback.sign_in(world.client.sign_in()).await.unwrap_err();
    assert!(matches!(error, LoopbackError::OtherRedirectUri));
}
