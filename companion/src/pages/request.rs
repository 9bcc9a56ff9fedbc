//! What handlers read of a request.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use axum::response::Response;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use keyback_core::event::Visitor;

use super::bad_request;
use crate::app::Companion;
use crate::http::client_ip::{client_ip, user_agent};
use crate::http::forms::Fields;
use crate::views::error::Kind;

/// The query, headers and client of a request.
pub(super) struct Asked {
    pub query: Fields,
    pub headers: HeaderMap,
    pub address: IpAddr,
}

/// [`Asked`], and the fields of its form.
pub(super) struct Posted {
    pub asked: Asked,
    pub form: Fields,
}

impl Asked {
    pub(super) fn visitor(&self) -> Visitor {
        Visitor {
            address: self.address,
            user_agent: self.user_agent().map(str::to_owned),
        }
    }

    /// The browser's name of itself, cut to what is worth keeping.
    pub(super) fn user_agent(&self) -> Option<&str> {
        user_agent(&self.headers)
    }
}

/// The address a request counts for.
pub(super) fn address_of(companion: &Companion, extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
    // Requests without a connection are our own, made in process.
    let peer = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0), |info| info.0);
    client_address(companion, peer, headers)
}

/// The address that a request of a connection counts for.
pub(super) fn client_address(companion: &Companion, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
    client_ip(
        peer,
        headers,
        &companion.config.server.trusted_proxies,
        companion.config.server.forwarded_header,
    )
}

impl FromRequestParts<Arc<Companion>> for Asked {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, companion: &Arc<Companion>) -> Result<Self, Response> {
        let query = Fields::from_query(parts.uri.query())
            .map_err(|error| bad_request(companion, &error.to_string()))?;
        let address = address_of(companion, &parts.extensions, &parts.headers);
        Ok(Self {
            query,
            headers: parts.headers.clone(),
            address,
        })
    }
}

impl FromRequest<Arc<Companion>> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, companion: &Arc<Companion>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let asked = Asked::from_request_parts(&mut parts, companion).await?;
        let body = read_body(body, companion).await?;
        let form = Fields::from_form(&asked.headers, &body)
            .map_err(|error| bad_request(companion, &error.to_string()))?;
        Ok(Self { asked, form })
    }
}

async fn read_body(body: Body, companion: &Companion) -> Result<zeroize::Zeroizing<Vec<u8>>, Response> {
    match Limited::new(body, companion.config.server.max_body)
        .collect()
        .await
    {
        Ok(collected) => Ok(zeroize::Zeroizing::new(collected.to_bytes().to_vec())),
        Err(error) if error.is::<LengthLimitError>() => Err(companion.error_page(Kind::TooLarge, None)),
        Err(_) => Err(bad_request(
            companion,
            "the form did not arrive whole; send it again",
        )),
    }
}
