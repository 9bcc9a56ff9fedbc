//! A server that answers what a running Logto answered, as long as it is asked what that was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use keyback::{HttpTransport, TransportFuture};
use serde_json::Value;
use url::{Url, form_urlencoded};

/// One recorded exchange.
#[derive(Clone)]
struct Exchange(Value);

pub(crate) struct Replay {
    due: Mutex<VecDeque<Exchange>>,
    seen: Mutex<Vec<http::Request<Bytes>>>,
}

impl Replay {
    /// The Management API: the exchanges of these labels, in this order.
    pub(crate) fn management(labels: &[&str]) -> Arc<Self> {
        Self::new(include_str!("management-api.jsonl"), labels)
    }

    /// The Account API, likewise.
    pub(crate) fn account(labels: &[&str]) -> Arc<Self> {
        Self::new(include_str!("account-api.jsonl"), labels)
    }

    fn new(recording: &str, labels: &[&str]) -> Arc<Self> {
        let recorded: Vec<Value> = recording
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let of = |label: &&str| {
            let found = recorded.iter().find(|exchange| exchange["label"] == **label);
            Exchange(
                found
                    .unwrap_or_else(|| panic!("no exchange is called {label}"))
                    .clone(),
            )
        };
        Arc::new(Self {
            due: Mutex::new(labels.iter().map(of).collect()),
            seen: Mutex::default(),
        })
    }

    /// Everything was asked for that was expected.
    pub(crate) fn is_over(&self) -> bool {
        self.due.lock().unwrap().is_empty()
    }

    /// A header of the last request.
    pub(crate) fn last_header(&self, name: &str) -> Option<String> {
        let seen = self.seen.lock().unwrap();
        let value = seen.last()?.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    }
}

impl Exchange {
    fn check(&self, request: &http::Request<Bytes>) {
        let url = Url::parse(&request.uri().to_string()).unwrap();
        // Pages are asked for always; the recording did not.
        let query: Vec<_> = url
            .query_pairs()
            .into_owned()
            .filter(|(name, _)| name != "page" && name != "page_size")
            .collect();
        let expected = Url::parse("http://localhost")
            .unwrap()
            .join(self.0["path"].as_str().unwrap())
            .unwrap();
        assert_eq!(request.method(), self.0["method"].as_str().unwrap());
        assert_eq!(url.path(), expected.path());
        assert_eq!(query, expected.query_pairs().into_owned().collect::<Vec<_>>());
        assert!(request.headers()[AUTHORIZATION].is_sensitive());
        let form = request
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind == "application/x-www-form-urlencoded");
        let body = match request.body() {
            body if body.is_empty() => Value::Null,
            body if form => form_urlencoded::parse(body)
                .into_owned()
                .map(|(name, value)| (name, Value::String(value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            body => serde_json::from_slice(body).unwrap(),
        };
        // What the SDK adds to a one-time token binds it to its purpose.
        let mut body = body;
        if let Some(members) = body.as_object_mut() {
            members.remove("context");
        }
        assert_eq!(body, self.0["reqBody"], "{}", self.0["label"]);
    }

    fn answer(&self) -> http::Response<Bytes> {
        let mut answer = http::Response::builder().status(self.0["status"].as_u64().unwrap() as u16);
        for (name, value) in self.0["headers"].as_object().unwrap() {
            answer = answer.header(name, value.as_str().unwrap());
        }
        let body = match &self.0["body"] {
            Value::String(text) => text.clone(),
            json => json.to_string(),
        };
        answer.body(Bytes::from(body)).unwrap()
    }
}

impl HttpTransport for Replay {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(async move {
            let exchange = self.due.lock().unwrap().pop_front();
            let exchange = exchange.unwrap_or_else(|| panic!("{} is not expected", request.uri()));
            exchange.check(&request);
            self.seen.lock().unwrap().push(request);
            Ok(exchange.answer())
        })
    }
}
