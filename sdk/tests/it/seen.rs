//! What an endpoint of the provider saw, and JWTs taken apart.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::provider::{World, reply};

/// A request to one endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) form: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
}

impl Seen {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut named = self.form.iter().filter(|(key, _)| key == name);
        let value = named.next().map(|(_, value)| value.as_str());
        assert!(named.next().is_none(), "`{name}` came twice");
        value
    }

    pub(crate) fn fields(&self) -> HashMap<&str, &str> {
        self.form
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// What came to one endpoint so far.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Seen>>>);

impl Log {
    pub(crate) fn last(&self) -> Seen {
        self.0.lock().unwrap().last().cloned().expect("nothing came")
    }

    pub(crate) fn all(&self) -> Vec<Seen> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// An answer with headers.
pub(crate) fn answer(status: u16, body: &Value, headers: &[(&'static str, &str)]) -> Response<Bytes> {
    let mut response = reply(StatusCode::from_u16(status).unwrap(), body, None);
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().unwrap());
    }
    response
}

/// Adds an endpoint to the provider, of this member of its metadata, which answers by `respond`, told how many came before.
pub(crate) fn serve(
    world: &World,
    path: &'static str,
    member: Option<&str>,
    mut respond: impl FnMut(usize, &Seen) -> Response<Bytes> + Send + 'static,
) -> Log {
    let log = Log::default();
    let seen = log.clone();
    let mut state = world.provider.lock();
    if let Some(member) = member {
        state.metadata[member] = json!(format!("https://id.example{path}"));
    }
    state.endpoints.insert(
        path,
        Box::new(move |request| {
            let one = Seen {
                form: form_urlencoded::parse(request.body()).into_owned().collect(),
                headers: request.headers().clone(),
            };
            let mut all = seen.0.lock().unwrap();
            all.push(one.clone());
            respond(all.len() - 1, &one)
        }),
    );
    log
}

/// Header and claims of a JWT, unverified.
pub(crate) fn parts(jwt: &str) -> (Value, Value) {
    let part = |index| {
        let text = jwt.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    (part(0), part(1))
}

/// What is signed, and the signature.
pub(crate) fn signed(jwt: &str) -> (&[u8], Vec<u8>) {
    let (message, signature) = jwt.rsplit_once('.').unwrap();
    (message.as_bytes(), URL_SAFE_NO_PAD.decode(signature).unwrap())
}
