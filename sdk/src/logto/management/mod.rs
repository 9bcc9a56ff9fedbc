//! The Management API: what a site's own server may do with anybody's account.
//!
//! It takes a machine-to-machine app of the console that has the role "Logto Management API access". Its token is fetched when
//! first needed, by one caller at a time, renewed before it expires, and once more when the API no longer accepts it.
//!
//! ```no_run
//! use keyback::logto::management::{Management, PasswordCheck};
//!
//! # async fn example() -> Result<(), keyback::Error> {
//! let management = Management::builder("https://tenant.logto.app", "machine-app-id", "its secret").build()?;
//! let Some(user) = management.user_by_email("ada@example.com").await? else { return Ok(()) };
//!
//! // The API that sets a password knows no policy. Ask for the policy's word first.
//! let new = "violet otter paddles";
//! if let PasswordCheck::Rejected(issues) = management.check_password(new, Some(&user.id)).await? {
//!     println!("{issues:?}");
//!     return Ok(());
//! }
//! management.set_password_unchecked(&user.id, new).await?;
//! // Nor does it end what the old password had opened.
//! management.sign_out_everywhere(&user.id).await?;
//! # Ok(())
//! # }
//! ```

mod builder;
mod codes;
mod one_time_token;
mod password;
mod search;
mod sessions;
mod token;
mod users;

use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};

pub use self::builder::ManagementBuilder;
pub use self::codes::CodeCheck;
pub use self::one_time_token::{OneTimeToken, OneTimeTokenCheck, OneTimeTokenPurpose, OneTimeTokenRefusal};
pub use self::password::PasswordCheck;
pub use self::search::{UserPage, UserSearch};
pub use self::sessions::SignedOut;
use self::token::Tokens;
use super::call::{Call, Endpoint, Reply};
use crate::clock::Clock;
use crate::error::Error;
use crate::secret::Secret;
use crate::transport::HttpTransport;

/// The Management API of a Logto or a companion. Cheap to clone; clones share the token.
#[derive(Clone)]
pub struct Management {
    inner: Arc<Inner>,
}

struct Inner {
    endpoint: Endpoint,
    app_id: String,
    app_secret: Secret,
    resource: String,
    http: Arc<dyn HttpTransport>,
    clock: Arc<dyn Clock>,
    tokens: Tokens,
}

impl Management {
    /// Begins to describe the API of `endpoint`, the root of a Logto such as `https://tenant.logto.app`, with the id and
    /// secret of a machine-to-machine app.
    pub fn builder(
        endpoint: impl Into<String>,
        app_id: impl Into<String>,
        app_secret: impl Into<String>,
    ) -> ManagementBuilder {
        ManagementBuilder::new(endpoint.into(), app_id.into(), Secret::new(app_secret))
    }

    fn call(&self, operation: &'static str, method: Method, path: &str) -> Call {
        Call::new(operation, method, self.inner.endpoint.at(path))
    }

    async fn send(&self, call: Call) -> Result<Reply, Error> {
        let inner = &*self.inner;
        let token = inner.tokens.current(inner).await?;
        let reply = call.send(&*inner.http, token.expose()).await?;
        if reply.status() != StatusCode::UNAUTHORIZED {
            return Ok(reply);
        }
        // Revoked, or signed by a key that is gone. A second refusal is not the token's fault.
        let renewed = inner.tokens.other_than(&token, inner).await?;
        Ok(call.send(&*inner.http, renewed.expose()).await?)
    }
}

impl fmt::Debug for Management {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Management")
            .field("endpoint", &self.inner.endpoint.url().as_str())
            .field("app_id", &self.inner.app_id)
            .field("resource", &self.inner.resource)
            .finish_non_exhaustive()
    }
}
