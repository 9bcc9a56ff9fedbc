//! Sign-in of a native program by the system's browser, over a loopback redirect (RFC 8252).

mod connections;
mod error;
mod listen;
mod serve;

use std::fmt;
use std::io;
use std::time::Duration;

use tokio::sync::mpsc;
use url::Url;

use self::connections::Connections;
pub use self::error::LoopbackError;
use self::listen::Listeners;
use self::serve::{Asked, Waiting};
use crate::device::DeviceSignIn;
use crate::error::Error;
use crate::session::Session;
use crate::sign_in::{SignIn, SignInBuilder};

/// As long as a person may take, a reset by mail included.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

type Opening = dyn Fn(&Url) -> io::Result<()> + Send + Sync;
type Showing = dyn Fn(&Url) + Send + Sync;

/// A sign-in of a native program: it listens on a port of its own for one answer, opens the system's browser, and is gone.
///
/// ```no_run
/// use keyback::{Client, Loopback, LoopbackError};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let loopback = Loopback::bind().await?;
/// let client = Client::builder("https://id.example/oidc", "my-program")
///     .redirect_uri(loopback.redirect_uri())
///     .build()?;
/// let session = match loopback.sign_in(client.sign_in()).await {
///     Err(LoopbackError::NoBrowser) => return Ok(()), // or `sign_in_or_on_device`, by a code that is typed elsewhere
///     session => session?,
/// };
/// # Ok(())
/// # }
/// ```
///
/// It listens on loopback addresses alone, of IPv4 and IPv6; answers only to its own name, so that no page in the browser
/// gets through by another (DNS rebinding); and takes only the answer to its own request: what other programs of this
/// machine send ends nothing. It serves 32 connections at once: for another, the oldest makes room.
pub struct Loopback {
    listeners: Listeners,
    path: String,
    localhost: bool,
    patience: Duration,
    open: Box<Opening>,
    show: Option<Box<Showing>>,
}

impl Loopback {
    /// On any free port (section 7.3). The provider must take any port for the registered address, as section 7.3 asks.
    ///
    /// # Errors
    ///
    /// [`LoopbackError::NoPort`].
    pub async fn bind() -> Result<Self, LoopbackError> {
        Self::bind_one_of([0]).await
    }

    /// On the first of these ports that is free, for providers that compare the whole address: register one for each.
    ///
    /// # Errors
    ///
    /// [`LoopbackError::NoPort`] when none is.
    pub async fn bind_one_of(ports: impl IntoIterator<Item = u16>) -> Result<Self, LoopbackError> {
        Ok(Self {
            listeners: Listeners::bind(ports).await?,
            path: "/callback".to_owned(),
            localhost: false,
            patience: PATIENCE,
            open: Box::new(open_browser),
            show: None,
        })
    }

    /// Where the answer comes: `/callback` by default.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Calls this machine `localhost`, for providers that take no addresses. The number is better: the name may lead
    /// elsewhere (section 8.3).
    #[must_use]
    pub fn as_localhost(mut self) -> Self {
        self.localhost = true;
        self
    }

    /// How long a person may take: a quarter of an hour by default.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Opens the browser in another way.
    #[must_use]
    pub fn open_with(mut self, open: impl Fn(&Url) -> io::Result<()> + Send + Sync + 'static) -> Self {
        self.open = Box::new(open);
        self
    }

    /// Shows the address, whether a browser opens or not: on a screen, or for a browser that reaches this machine through
    /// a tunnel. Then a machine without a browser is no [`LoopbackError::NoBrowser`].
    #[must_use]
    pub fn show(mut self, show: impl Fn(&Url) + Send + Sync + 'static) -> Self {
        self.show = Some(Box::new(show));
        self
    }

    /// What the client has as its redirect URI: `http://127.0.0.1:{port}/callback`.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        format!("http://{}{}", self.listeners.authority(self.localhost), self.path)
    }

    /// Signs in: opens the browser, waits for the answer, and tells the person that they can close the page. `request` is
    /// [`sign_in`](crate::Client::sign_in) or [`forgot_password`](crate::Client::forgot_password) of a client whose redirect
    /// URI is [this](Self::redirect_uri).
    ///
    /// # Errors
    ///
    /// [`LoopbackError::NoBrowser`] at once, where there is none; [`LoopbackError::NobodyCame`] when the patience is at its
    /// end; [`LoopbackError::SignIn`] for what [`Client::finish`](crate::Client::finish) says.
    pub async fn sign_in(self, request: SignInBuilder) -> Result<Session, LoopbackError> {
        let client = request.client().clone();
        if client.redirect_uri_as_given().as_str() != self.redirect_uri() {
            return Err(LoopbackError::OtherRedirectUri);
        }
        let SignIn { url, pending } = request.start().await?;
        let (asked, mut answers) = mpsc::channel::<Asked>(1);
        let waiting = Waiting::new(&client, pending.state(), asked);
        let mut connections = Connections::default();
        self.lead(&url)?;

        let deadline = tokio::time::sleep(self.patience);
        tokio::pin!(deadline);
        let Asked { callback, reply } = loop {
            tokio::select! {
                // The answer comes first: no connection may make room while its answer is being taken.
                biased;
                Some(asked) = answers.recv() => break asked,
                () = &mut deadline => return Err(LoopbackError::NobodyCame { after: self.patience }),
                stream = self.listeners.accept() => connections.serve(waiting.clone().serve(stream)),
            }
        };
        // The port is free again, and only the page that is awaited goes out.
        drop(self.listeners);
        let outcome = client.finish(pending, callback).await;
        // Fails only where the browser has gone away.
        let _ = reply.send(outcome.is_ok());
        drop(waiting);
        connections.done().await;
        Ok(outcome?)
    }

    /// As [`sign_in`](Self::sign_in), and where there is no browser by `otherwise`: a device code, for instance (RFC 8628).
    ///
    /// # Errors
    ///
    /// As [`sign_in`](Self::sign_in), and those of `otherwise`.
    pub async fn sign_in_or<F>(
        self,
        request: SignInBuilder,
        otherwise: impl FnOnce() -> F,
    ) -> Result<Session, LoopbackError>
    where
        F: Future<Output = Result<Session, Error>>,
    {
        match self.sign_in(request).await {
            Err(LoopbackError::NoBrowser) => Ok(otherwise().await?),
            outcome => outcome,
        }
    }

    /// As [`sign_in`](Self::sign_in), and where there is no browser by a code that the person types on another device (RFC 8628),
    /// with the same scopes: `tell` shows its [`verification_uri`](DeviceSignIn::verification_uri) and its
    /// [`user_code`](DeviceSignIn::user_code). What was asked for the first page has no meaning there, and for a forgotten password
    /// the person looks there themselves.
    ///
    /// # Errors
    ///
    /// As [`sign_in`](Self::sign_in); of [`LoopbackError::SignIn`], [`EndpointError`](crate::EndpointError) where the provider has
    /// no device grant, and [`DeviceError`](crate::DeviceError) when it is over.
    pub async fn sign_in_or_on_device(
        self,
        request: SignInBuilder,
        tell: impl FnOnce(&DeviceSignIn),
    ) -> Result<Session, LoopbackError> {
        let (client, asked) = (request.client().clone(), request.clone());
        let on_device = async || {
            let device = asked.begin_on_device().await?;
            tell(&device);
            client.finish_on_device(device, tokio::time::sleep).await
        };
        self.sign_in_or(request, on_device).await
    }

    fn lead(&self, url: &Url) -> Result<(), LoopbackError> {
        if let Some(show) = &self.show {
            show(url);
        }
        let opened = (self.open)(url);
        match opened {
            Err(error) if self.show.is_none() => {
                tracing::info!("no browser could be opened: {}", error.kind());
                Err(LoopbackError::NoBrowser)
            }
            _ => Ok(()),
        }
    }
}

/// The browser that the system has chosen.
fn open_browser(url: &Url) -> io::Result<()> {
    if has_no_screen() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "there is no screen"));
    }
    open::that_detached(url.as_str())
}

/// A server or a container: what opens browsers there fails without saying so.
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn has_no_screen() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"]
        .iter()
        .all(|name| std::env::var_os(name).is_none())
}

#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
fn has_no_screen() -> bool {
    false
}

impl fmt::Debug for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loopback")
            .field("redirect_uri", &self.redirect_uri())
            .finish_non_exhaustive()
    }
}
