//! Building a sign-in request, and handling its callback without a network.

mod provider;
mod token;

use divan::{Bencher, black_box};
use keyback::Algorithm;
use openidconnect::core::{CoreClient, CoreResponseType};
use openidconnect::{
    AuthUrl, AuthenticationFlow, ClientId, CsrfToken, IssuerUrl, JsonWebKeySet, Nonce, PkceCodeChallenge,
    RedirectUrl, Scope,
};
use tokio::runtime::Runtime;

use provider::Provider;
use token::{CLIENT_ID, ISSUER};

fn main() {
    divan::main();
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// State, nonce, verifier, challenge, URL, and the pending sign-in.
#[divan::bench]
fn request_by_keyback(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let client = Provider::new(Algorithm::Es256).client(Algorithm::Es256);
    bencher.bench_local(|| runtime.block_on(client.sign_in().scope("email").start()).unwrap());
}

/// The same four, handed out one by one.
#[divan::bench]
fn request_by_openidconnect(bencher: Bencher<'_, '_>) {
    let client = CoreClient::new(
        ClientId::new(CLIENT_ID.to_owned()),
        IssuerUrl::new(ISSUER.to_owned()).unwrap(),
        JsonWebKeySet::new(Vec::new()),
    )
    .set_auth_uri(AuthUrl::new(format!("{ISSUER}/auth")).unwrap())
    .set_redirect_uri(RedirectUrl::new("https://app.example/callback".to_owned()).unwrap());
    bencher.bench_local(|| {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let request = client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(challenge);
        black_box((request.url(), verifier))
    });
}

/// The callback's checks, the exchange, and the ID token's checks: nothing on the way but memory.
#[divan::bench(args = Algorithm::ALL)]
fn callback_by_keyback(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    let runtime = runtime();
    let client = Provider::new(algorithm).client(algorithm);
    bencher
        .with_inputs(|| {
            let pending = runtime.block_on(client.sign_in().start()).unwrap().pending;
            let callback = format!(
                "https://app.example/callback?code=c&iss=https%3A%2F%2Fid.example%2Foidc&state={}",
                pending.state()
            );
            (pending, callback)
        })
        .bench_local_values(|(pending, callback)| {
            runtime.block_on(client.finish(pending, callback)).unwrap()
        });
}
