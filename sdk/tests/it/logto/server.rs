//! An API in memory, answered by a function.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use keyback::{HttpTransport, TransportFuture};
use serde_json::Value;

type Answer = dyn Fn(&http::Request<Bytes>) -> (u16, Value) + Send + Sync;
type Headers = dyn Fn(&http::Request<Bytes>) -> Vec<(&'static str, String)> + Send + Sync;

pub(crate) struct Server {
    answer: Box<Answer>,
    headers: Box<Headers>,
    seen: Mutex<Vec<(String, Option<String>)>>,
}

impl Server {
    pub(crate) fn new(
        answer: impl Fn(&http::Request<Bytes>) -> (u16, Value) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::with_headers(|_| Vec::new(), answer)
    }

    /// One that tells with every list how many there are.
    pub(crate) fn of_total(
        total: u64,
        answer: impl Fn(&http::Request<Bytes>) -> (u16, Value) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::with_headers(move |_| vec![("total-number", total.to_string())], answer)
    }

    /// One that answers with headers of its own, too.
    pub(crate) fn with_headers(
        headers: impl Fn(&http::Request<Bytes>) -> Vec<(&'static str, String)> + Send + Sync + 'static,
        answer: impl Fn(&http::Request<Bytes>) -> (u16, Value) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            answer: Box::new(answer),
            headers: Box::new(headers),
            seen: Mutex::default(),
        })
    }

    /// Method and path of every request, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .map(|(asked, _)| asked.clone())
            .collect()
    }

    pub(crate) fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub(crate) fn last_query(&self) -> Option<String> {
        self.seen.lock().unwrap().last()?.1.clone()
    }
}

impl HttpTransport for Server {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(async move {
            // Others run meanwhile, as they would during a request over the network.
            tokio::task::yield_now().await;
            let asked = format!("{} {}", request.method(), request.uri().path());
            let query = request.uri().query().map(str::to_owned);
            self.seen.lock().unwrap().push((asked, query));
            let (status, body) = (self.answer)(&request);
            let mut response = http::Response::builder().status(status);
            for (name, value) in (self.headers)(&request) {
                response = response.header(name, value);
            }
            let body = match body {
                Value::Null => Bytes::new(),
                Value::String(html) => {
                    response = response.header(CONTENT_TYPE, "text/html");
                    Bytes::from(html)
                }
                json => {
                    response = response.header(CONTENT_TYPE, "application/json; charset=utf-8");
                    Bytes::from(json.to_string())
                }
            };
            Ok(response.body(body).unwrap())
        })
    }
}
