//! Requests to the provider, in memory or over the network.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{Method, Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::{Misbehaviour, Reply, TestProvider};
use crate::transport::{HttpTransport, TransportCause, TransportError, TransportFuture};

/// What a transport of this crate waits for at most.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(10);
/// More than a client reads.
const HUGE: usize = 4 * 1024 * 1024;

impl HttpTransport for TestProvider {
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(async move {
            let broken = |kind: std::io::ErrorKind| TransportCause::new(std::io::Error::from(kind));
            for how in self.told() {
                match how {
                    Misbehaviour::Down => {
                        return Err(TransportError::Connect(broken(
                            std::io::ErrorKind::ConnectionRefused,
                        )));
                    }
                    Misbehaviour::Slow(time) if time >= LONGEST_WAIT => {
                        return Err(TransportError::Timeout(broken(std::io::ErrorKind::TimedOut)));
                    }
                    Misbehaviour::Slow(time) => self.clock().advance(time),
                    _ => {}
                }
            }
            Ok(self.answer(&request))
        })
    }
}

impl TestProvider {
    pub(super) fn told(&self) -> Vec<Misbehaviour> {
        self.lock().misbehaviour.clone()
    }

    pub(super) fn answer(&self, request: &http::Request<Bytes>) -> Response<Bytes> {
        self.count(request.uri().path());
        for how in self.told() {
            if let Misbehaviour::Status(status) = how {
                return write(Reply::json(status, Value::Null), false);
            }
        }
        let huge = self.misbehaves(&Misbehaviour::Huge);
        let header = request.headers().get(AUTHORIZATION);
        let authorization = header.and_then(|value| value.to_str().ok());
        // A path alone, as a server sees it, is made whole: only the query counts.
        let target = Url::parse(self.issuer()).and_then(|issuer| issuer.join(&request.uri().to_string()));
        let path = request.uri().path();
        match (request.method(), path, target) {
            (&Method::GET, "/oidc/.well-known/openid-configuration", _) => write(self.metadata(), huge),
            (&Method::GET, "/oidc/jwks", _) => write(self.keys(), huge),
            (&Method::POST, "/oidc/token", _) => write(self.token(authorization, request.body()), false),
            (&Method::POST, "/oidc/token/revocation", _) => {
                write(self.revoke(authorization, request.body()), false)
            }
            (_, "/oidc/me", _) => {
                let bearer = authorization.and_then(|value| value.strip_prefix("Bearer "));
                write(self.user_info(bearer), false)
            }
            (&Method::GET, "/oidc/auth", Ok(target)) => write(self.authorize(&target), false),
            (&Method::GET, "/oidc/session/end", Ok(target)) => write(self.end_session(&target), false),
            _ => write(Reply::error(404, "not_found"), false),
        }
    }
}

fn write(reply: Reply, huge: bool) -> Response<Bytes> {
    let mut text = match reply.body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    if huge {
        // Spaces before a document are part of none, so it would be good JSON.
        text.insert_str(0, &" ".repeat(HUGE));
    }
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    if let Some(location) = reply.location.and_then(|location| location.parse().ok()) {
        headers.insert(LOCATION, location);
    }
    response
}
