//! The redirect to the page that asks the person, which carries the waiting request along as a cookie (SR-80: by 303).

use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::Full;

use super::super::interaction::Begun;
use super::super::no_store;
use crate::http::headers::Guards;

/// What all of these redirects carry, put together once: the headers of every answer, and a place each for the location
/// and the cookie.
#[derive(Debug)]
pub(in crate::oidc) struct WayToAPage(HeaderMap);

impl WayToAPage {
    pub(in crate::oidc) fn new(guards: &Guards) -> Self {
        let mut headers = HeaderMap::from_iter(no_store());
        guards.put_on(&mut headers);
        for place in [header::LOCATION, header::SET_COOKIE] {
            headers.insert(place, HeaderValue::from_static(""));
        }
        Self(headers)
    }

    /// The redirect to a page of ours, which finds the waiting request by its id.
    pub(super) fn of(&self, page: &str, begun: Begun) -> Option<Response<Full<Bytes>>> {
        let location = HeaderValue::try_from([page, "?i=", begun.id()].concat()).ok()?;
        let mut headers = self.0.clone();
        for (name, value) in [(header::LOCATION, location), (header::SET_COOKIE, begun.cookie)] {
            // To fill a place takes less than to make one.
            *headers.get_mut(name)? = value;
        }
        for removal in begun.crowded_out {
            headers.append(header::SET_COOKIE, removal);
        }
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::SEE_OTHER;
        *response.headers_mut() = headers;
        Some(response)
    }
}
