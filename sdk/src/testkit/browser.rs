//! A browser in front of the program that is tested.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, HeaderName, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use url::{Url, form_urlencoded};

use super::{Person, TestProvider, TestkitError};
use crate::transport::HttpTransport;

/// As many as browsers follow.
const MOST_REDIRECTS: usize = 20;
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// A browser in front of a program: it keeps cookies, follows redirects, and wherever it is sent to the provider its person signs
/// in there. [`TestProvider::browser`] makes one.
pub struct Browser {
    provider: TestProvider,
    app: Arc<dyn HttpTransport>,
    origin: Url,
    person: Person,
    cookies: Vec<(String, String)>,
}

/// What a [`Browser`] shows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page {
    /// Where it is, after all redirects.
    pub url: Url,
    /// The status of its answer.
    pub status: StatusCode,
    /// The headers of its answer. A redirect that leads neither to the program nor to the provider is not followed: it is here.
    pub headers: HeaderMap,
    /// The body, with what is no text replaced.
    pub body: String,
}

/// Where a step leads.
struct Step {
    method: Method,
    url: Url,
    form: String,
    /// Whether it comes from a page of the program's own.
    own: bool,
}

impl TestProvider {
    /// A browser that has never been anywhere, in front of `app` at `origin`, such as `https://app.example`. Whenever `app` sends it
    /// to this provider, `person` signs in.
    ///
    /// `app` is whatever takes a request and answers it: [`in_process`](super::in_process) makes one of a router of axum or of
    /// another service of tower.
    ///
    /// # Errors
    ///
    /// [`TestkitError::Origin`] for what is no origin.
    pub fn browser(
        &self,
        app: Arc<dyn HttpTransport>,
        origin: &str,
        person: &Person,
    ) -> Result<Browser, TestkitError> {
        let origin = Url::parse(origin).ok().filter(|url| url.path() == "/");
        Ok(Browser {
            provider: self.clone(),
            app,
            origin: origin.ok_or(TestkitError::Origin)?,
            person: person.clone(),
            cookies: Vec::new(),
        })
    }
}

impl Browser {
    /// Goes to a path of the program, and wherever that leads.
    ///
    /// # Errors
    ///
    /// [`TestkitError::App`] when the program doesn't answer, [`TestkitError::Redirects`] when it redirects without end, and
    /// [`TestkitError::Request`] when it sends the browser to the provider with a request that gets an error page there.
    pub async fn open(&mut self, path: &str) -> Result<Page, TestkitError> {
        let url = self.at(path)?;
        self.go(Step {
            method: Method::GET,
            url,
            form: String::new(),
            own: true,
        })
        .await
    }

    /// Sends a form of the program's own, such as the button "Sign out", and goes wherever that leads.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Page, TestkitError> {
        let url = self.at(path)?;
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.go(Step {
            method: Method::POST,
            url,
            form,
            own: true,
        })
        .await
    }

    /// Who signs in from now on.
    pub fn person_is(&mut self, person: Person) {
        self.person = person;
    }

    fn at(&self, path: &str) -> Result<Url, TestkitError> {
        self.origin.join(path).map_err(|_| TestkitError::Origin)
    }

    async fn go(&mut self, mut step: Step) -> Result<Page, TestkitError> {
        for _ in 0..MOST_REDIRECTS {
            let page = self.ask(&step).await?;
            let Some(next) = self.next(&page)? else {
                return Ok(page);
            };
            step = next;
        }
        Err(TestkitError::Redirects)
    }

    /// Where a page redirects to, unless that is nowhere that this browser knows.
    fn next(&self, page: &Page) -> Result<Option<Step>, TestkitError> {
        let location = page.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(url) = location.and_then(|location| page.url.join(location).ok()) else {
            return Ok(None);
        };
        if !page.status.is_redirection() {
            return Ok(None);
        }
        let (url, own) = if url.origin() == self.origin.origin() {
            (url, true)
        } else if url.as_str().starts_with(self.provider.issuer()) {
            match self.through_the_provider(&url)? {
                Some(back) => (back, false),
                None => return Ok(None),
            }
        } else {
            return Ok(None);
        };
        Ok(Some(Step {
            method: Method::GET,
            url,
            form: String::new(),
            own,
        }))
    }

    /// What the provider sends the browser back to.
    fn through_the_provider(&self, url: &Url) -> Result<Option<Url>, TestkitError> {
        if url.path().ends_with("/auth") {
            return self.provider.sign_in(url, &self.person).map(Some);
        }
        let request = Request::get(url.as_str()).body(Bytes::new());
        let answer = self.provider.answer(&request.map_err(|_| TestkitError::App)?);
        let location = answer
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok());
        Ok(location.and_then(|location| Url::parse(location).ok()))
    }

    async fn ask(&mut self, step: &Step) -> Result<Page, TestkitError> {
        let target = &step.url[url::Position::BeforePath..url::Position::AfterQuery];
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let mut request = Request::builder()
            .method(&step.method)
            .uri(target)
            .header(
                HOST,
                &self.origin[url::Position::BeforeHost..url::Position::AfterPort],
            )
            .header(FETCH_SITE, if step.own { "same-origin" } else { "cross-site" })
            .header(FETCH_MODE, "navigate")
            .header(FETCH_DEST, "document");
        if !self.cookies.is_empty() {
            request = request.header(COOKIE, cookies.collect::<Vec<_>>().join("; "));
        }
        if step.method == Method::POST {
            request = request
                .header(ORIGIN, self.origin.origin().ascii_serialization())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Bytes::from(step.form.clone()));
        let answer = self.app.send(request.map_err(|_| TestkitError::App)?).await;
        let (head, body) = answer.map_err(|_| TestkitError::App)?.into_parts();
        self.keep(&head.headers);
        Ok(Page {
            url: step.url.clone(),
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    /// Keeps cookies, and forgets those that are over. Everything is on one site: of the attributes only the end counts.
    fn keep(&mut self, headers: &HeaderMap) {
        for set in headers.get_all(SET_COOKIE) {
            let Some(set) = set.to_str().ok().and_then(|set| cookie::Cookie::parse(set).ok()) else {
                continue;
            };
            self.cookies.retain(|(name, _)| name != set.name());
            if set.max_age().is_none_or(cookie::time::Duration::is_positive) {
                self.cookies.push((set.name().to_owned(), set.value().to_owned()));
            }
        }
    }
}

/// Without the cookies, which are sessions.
impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser")
            .field("origin", &self.origin.as_str())
            .field("cookies", &self.cookies.len())
            .finish_non_exhaustive()
    }
}
