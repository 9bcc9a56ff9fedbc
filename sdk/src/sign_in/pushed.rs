//! Requests that go to the provider directly, and through the browser only by reference (RFC 9126).

use std::borrow::Cow;

use http::StatusCode;
use serde::Deserialize;
use url::Url;

use crate::client::endpoint::{Failure, Form, read};
use crate::client::{Client, Metadata};
use crate::error::{Endpoint, EndpointError, Error};

/// Of a reference: it travels in a URL, and is at home in a few dozen characters.
const LONGEST: usize = 2048;

/// The answer to a pushed request (section 2.2).
#[derive(Deserialize)]
struct Pushed {
    request_uri: String,
    expires_in: u64,
}

impl Client {
    /// The authorization request as it goes through the browser: as it is, or as a reference to what was pushed.
    pub(super) async fn pushed(&self, metadata: &Metadata, request: Url) -> Result<Url, Error> {
        if !self.pushes_requests() && !metadata.require_pushed_authorization_requests {
            return Ok(request);
        }
        let endpoint = Endpoint::PushedRequest;
        let address = metadata
            .pushed_authorization_request_endpoint
            .as_ref()
            .ok_or(EndpointError::NotOffered { endpoint })?;
        let pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = request.query_pairs().collect();
        let form: Form<'_> = pairs
            .iter()
            .map(|(name, value)| (&**name, Cow::Borrowed(&**value)))
            .collect();
        let failed = |failure| EndpointError::new(endpoint, failure);
        let answer = self.post(metadata, address, &form, None).await.map_err(failed)?;
        if answer.status != StatusCode::CREATED {
            return Err(failed(Failure::Malformed).into());
        }
        let pushed: Pushed = read(&answer).map_err(failed)?;
        // Section 2.2: a URI, unused and short-lived. Whatever else it is would be taken for something else on the way.
        let is_reference = pushed.request_uri.len() <= LONGEST && Url::parse(&pushed.request_uri).is_ok();
        if !is_reference || pushed.expires_in == 0 {
            return Err(failed(Failure::Malformed).into());
        }
        let mut reference = metadata.authorization_endpoint.clone();
        reference
            .query_pairs_mut()
            .append_pair("client_id", self.client_id())
            .append_pair("request_uri", &pushed.request_uri);
        Ok(reference)
    }
}
