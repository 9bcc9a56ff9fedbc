//! Forged ID tokens, each refused by its own check. SR-76.

mod claims;
mod signature;

use keyback::{Algorithm, Error, IdTokenError};
use serde_json::Value;

use crate::provider::{Signer, World};

/// The refusal of a sign-in whose claims were changed.
async fn refusal(tamper: impl Fn(&mut Value) + Send + 'static) -> IdTokenError {
    let world = World::new();
    world.claims(tamper);
    id_token_error(world.refused().await)
}

/// The refusal of a sign-in whose token was made by hand.
async fn forgery(forge: impl Fn(&Signer, Value) -> String + Send + 'static) -> IdTokenError {
    let world = World::with(|builder| builder.algorithms(Algorithm::ALL));
    world.forge(forge);
    id_token_error(world.refused().await)
}

fn id_token_error(error: Error) -> IdTokenError {
    match error {
        Error::IdToken(error) => error,
        other => panic!("not about the ID token: {other:?}"),
    }
}

/// A world whose provider signs by this algorithm.
fn signing_by(algorithm: Algorithm, allowed: &[Algorithm]) -> World {
    let world = World::with(|builder| builder.algorithms(allowed.iter().copied()));
    let signer = Signer::new(algorithm, "key-2");
    {
        let mut state = world.provider.lock();
        state.keys = vec![signer.jwk()];
        state.signer = signer;
    }
    world
}
