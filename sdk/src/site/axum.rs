//! Who is signed in, as an argument of axum's handlers.

use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::ACCEPT;
use http::request::Parts;
use http::{Method, StatusCode};
use url::form_urlencoded;

use super::layer::Wanted;
use super::pages::{empty, see_other};
use super::routes::RETURN_TO;
use super::{Site, Visit, guard};
use crate::error::Error;
use crate::sessions::SignedIn;

/// Why there is no [`SignedIn`].
///
/// As a response it leads a visitor to the sign-in and back to the page that they wanted; a script, or whoever posts a
/// form, gets 401.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotSignedIn {
    /// Nobody is signed in, and this is a page: sign in there.
    SignIn {
        /// The site's sign-in route, with the way back.
        at: String,
    },
    /// Nobody is signed in, and this is no page.
    Unauthorized,
    /// The store failed.
    Failed {
        /// The answer, as the site explains it.
        answer: Box<http::Response<Bytes>>,
    },
    /// The router has no [`Site`] among its layers.
    NoLayer,
}

impl IntoResponse for NotSignedIn {
    fn into_response(self) -> Response {
        let answer = match self {
            Self::SignIn { at } => see_other(&at),
            Self::Unauthorized => empty(StatusCode::UNAUTHORIZED),
            Self::Failed { answer } => *answer,
            Self::NoLayer => {
                tracing::error!("`SignedIn` needs the site: add `.layer(site)` to the router");
                empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        };
        answer.map(Body::from)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, NotSignedIn> {
        let visit = visit(parts)?;
        match visit.signed_in().await {
            Ok(Some(signed_in)) => Ok(signed_in),
            Ok(None) => Err(not_signed_in(visit.site(), parts)),
            Err(error) => Err(failed(visit.site(), &error)),
        }
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for SignedIn {
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, NotSignedIn> {
        let visit = visit(parts)?;
        visit
            .signed_in()
            .await
            .map_err(|error| failed(visit.site(), &error))
    }
}

fn visit(parts: &Parts) -> Result<Visit, NotSignedIn> {
    parts
        .extensions
        .get::<Visit>()
        .cloned()
        .ok_or(NotSignedIn::NoLayer)
}

fn failed(site: &Site, error: &Error) -> NotSignedIn {
    NotSignedIn::Failed {
        answer: Box::new(site.explain(error)),
    }
}

fn not_signed_in(site: &Site, parts: &Parts) -> NotSignedIn {
    let wants_page = parts.headers.get(ACCEPT).is_none_or(|accept| {
        accept
            .to_str()
            .is_ok_and(|accept| accept.contains("text/html") || accept.contains("*/*"))
    });
    if parts.method != Method::GET || !wants_page || !guard::is_navigation(&parts.headers) {
        return NotSignedIn::Unauthorized;
    }
    let uri = parts
        .extensions
        .get::<Wanted>()
        .map_or(&parts.uri, |wanted| &wanted.0);
    let wanted = uri.path_and_query().map_or("/", |path| path.as_str());
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair(RETURN_TO, wanted)
        .finish();
    NotSignedIn::SignIn {
        at: format!("{}?{query}", site.paths().sign_in),
    }
}
