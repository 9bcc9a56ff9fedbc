//! A person's browser.

mod html;
mod jar;
mod page;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, Method, header};
use url::Url;

use self::jar::Jar;
use self::page::FormAction;
pub use self::page::{Form, Page};

/// More redirects than any way of ours has.
const MOST_HOPS: usize = 15;

/// A browser. A clone is another tab: it shares the cookies, and has a page of its own.
#[derive(Clone, Debug)]
pub struct Browser {
    http: reqwest::Client,
    /// What relative addresses are relative to.
    home: Url,
    jar: Arc<Mutex<Jar>>,
    page: Option<Page>,
    hops: Vec<Hop>,
    tells: Tells,
    /// `User-Agent`.
    calls_itself: Option<&'static str>,
    comes_from: Option<IpAddr>,
    says: &'static [(&'static str, &'static str)],
}

/// One request of a way, and what it was answered.
#[derive(Clone)]
pub struct Hop {
    pub method: Method,
    pub url: Url,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl fmt::Debug for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} → {}", self.method, self.url, self.status)
    }
}

/// What the browser says about where a form stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// `Sec-Fetch-Site` and `Origin`, as browsers do today.
    Both,
    /// `Origin` alone, as older ones do.
    OriginAlone,
    /// Nothing.
    Nothing,
}

/// A request before it is sent.
struct Sent<'a> {
    method: Method,
    url: &'a Url,
    body: Option<String>,
    /// The page whose link or form it was; none for an address that was typed.
    from: Option<&'a Url>,
    /// Whether a redirect on the way here came from another origin.
    crossed: bool,
}

impl Browser {
    pub(crate) fn new(home: &Url) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // The companion listens on IPv4 alone; the port is that of the address.
            .resolve("localhost", SocketAddr::from(([127, 0, 0, 1], 0)))
            .timeout(Duration::from_secs(60))
            .build()
            .unwrap();
        Self {
            http,
            home: home.clone(),
            jar: Arc::default(),
            page: None,
            hops: Vec::new(),
            tells: Tells::Both,
            calls_itself: None,
            comes_from: None,
            says: &[],
        }
    }

    /// A browser for a companion in another process.
    pub fn at(home: &Url) -> Self {
        Self::new(home)
    }

    /// A browser of another person: no cookie, no page. It shares the connections, which cost more than all else.
    #[must_use]
    pub fn of_another(&self) -> Self {
        Self {
            jar: Arc::default(),
            page: None,
            hops: Vec::new(),
            ..self.clone()
        }
    }

    /// The browser as it is now, with cookies of its own: whatever one of the two does, the other knows nothing of it.
    #[must_use]
    pub fn as_it_is(&self) -> Self {
        let jar = self.jar.lock().unwrap().clone();
        Self {
            jar: Arc::new(Mutex::new(jar)),
            ..self.clone()
        }
    }

    /// The same browser, saying something else about its forms.
    #[must_use]
    pub fn that_tells(mut self, tells: Tells) -> Self {
        self.tells = tells;
        self
    }

    /// The same browser with a name of its own (`User-Agent`).
    #[must_use]
    pub fn that_calls_itself(mut self, name: &'static str) -> Self {
        self.calls_itself = Some(name);
        self
    }

    /// The same browser behind a proxy that says where it is (`X-Forwarded-For`).
    #[must_use]
    pub fn that_comes_from(mut self, address: IpAddr) -> Self {
        self.comes_from = Some(address);
        self
    }

    /// The same browser, or whoever stands in front of it, with these headers in each request.
    #[must_use]
    pub fn that_says(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.says = headers;
        self
    }

    /// The page that is open.
    ///
    /// # Panics
    ///
    /// When none is.
    pub fn page(&self) -> &Page {
        self.page.as_ref().unwrap()
    }

    /// The requests that led to the page.
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// The hop to this path, of those that led to the page.
    ///
    /// # Panics
    ///
    /// When the way did not lead over it.
    pub fn hop_to(&self, path: &str) -> &Hop {
        let hop = self.hops.iter().find(|hop| hop.url.path() == path);
        hop.unwrap_or_else(|| panic!("the way did not lead over {path}: {:?}", self.hops))
    }

    /// A cookie's value.
    pub fn cookie(&self, url: &Url, name: &str) -> Option<String> {
        self.jar.lock().unwrap().value(url, name)
    }

    /// The names of the cookies that an address is sent.
    pub fn cookie_names(&self, url: &Url) -> Vec<String> {
        self.jar.lock().unwrap().names(url)
    }

    /// The cookies that an address is sent, as the header has them.
    pub fn cookies(&self, url: &Url) -> Option<String> {
        self.jar.lock().unwrap().header(url, false)
    }

    /// Puts a cookie there that no server set.
    pub fn put_cookie(&self, url: &Url, name: &str, value: &str) {
        self.jar.lock().unwrap().put(url, name, value);
    }

    /// Types an address.
    pub async fn open(&mut self, address: &str) -> &Page {
        let url = self.home.join(address).unwrap();
        self.travel(Method::GET, url, None, None, None).await
    }

    /// Opens the page's own address again.
    pub async fn reload(&mut self) -> &Page {
        let url = self.page().url.clone();
        self.travel(Method::GET, url, None, None, None).await
    }

    /// Follows a link by its text.
    pub async fn click(&mut self, link: &str) -> &Page {
        let page = self.page();
        let Some(url) = page.link(link) else {
            panic!("no link {link:?} at {}: {}", page.url, page.text())
        };
        let from = page.url.clone();
        self.travel(Method::GET, url, None, Some(from), None).await
    }

    /// Sends a form, and goes where the answer leads.
    pub async fn submit(&mut self, form: Form) -> &Page {
        let body = form.body();
        let Form {
            action, page, policy, ..
        } = form;
        self.travel(Method::POST, action, Some(body), Some(page), Some(policy))
            .await
    }

    /// Sends fields from the open page to an address that need not be its own, as a foreign site's form does.
    pub async fn post_from_here(&mut self, action: &Url, fields: Vec<(String, String)>) -> &Page {
        let page = self.page();
        let form = Form {
            action: action.clone(),
            fields,
            page: page.url.clone(),
            policy: FormAction::of(page),
        };
        self.submit(form).await
    }

    /// Sends a form and keeps the page as it is: what the server answers, before any redirect.
    pub async fn post_once(&self, form: &Form) -> Page {
        self.send(Sent {
            method: Method::POST,
            url: &form.action,
            body: Some(form.body()),
            from: Some(&form.page),
            crossed: false,
        })
        .await
    }

    /// Asks for a page and keeps the open one: the answer, before any redirect.
    pub async fn get_once(&self, address: &str) -> Page {
        let url = self.home.join(address).unwrap();
        self.send(Sent {
            method: Method::GET,
            url: &url,
            body: None,
            from: None,
            crossed: false,
        })
        .await
    }

    /// What a page weighs on the wire, for who takes it compressed: the encoding and the bytes.
    pub async fn weigh(&self, address: &str) -> (String, usize) {
        let url = self.home.join(address).unwrap();
        let mut request = self
            .http
            .get(url.clone())
            .header(header::ACCEPT_ENCODING, "gzip, br");
        if let Some(cookies) = self.jar.lock().unwrap().header(&url, false) {
            request = request.header(header::COOKIE, cookies);
        }
        let response = request.send().await.unwrap();
        let encoding = response.headers().get(header::CONTENT_ENCODING);
        let encoding = encoding
            .map_or("", |encoding| encoding.to_str().unwrap())
            .to_owned();
        (encoding, response.bytes().await.unwrap().len())
    }

    async fn travel(
        &mut self,
        mut method: Method,
        mut url: Url,
        mut body: Option<String>,
        from: Option<Url>,
        policy: Option<FormAction>,
    ) -> &Page {
        self.hops.clear();
        let mut crossed = false;
        for _ in 0..MOST_HOPS {
            if let Some(policy) = &policy {
                assert!(
                    policy.allows(&url),
                    "{policy:?} blocks {url} after {:?}",
                    self.hops
                );
            }
            let sent = Sent {
                method: method.clone(),
                url: &url,
                body: body.take(),
                from: from.as_ref(),
                crossed,
            };
            let page = self.send(sent).await;
            self.hops.push(Hop {
                method: method.clone(),
                url: url.clone(),
                status: page.status,
                headers: page.headers.clone(),
                body: page.body.clone(),
            });
            let Some(next) = page.location().filter(|_| (300..400).contains(&page.status)) else {
                return self.page.insert(page);
            };
            // SR-80: any other would carry the form, with its password, to the next address.
            assert_eq!(page.status, 303, "{url} redirects otherwise than by 303");
            crossed |= next.origin() != url.origin();
            method = Method::GET;
            url = next;
        }
        panic!("redirects without end: {:?}", self.hops)
    }

    async fn send(&self, sent: Sent<'_>) -> Page {
        let Sent {
            method,
            url,
            body,
            from,
            crossed,
        } = sent;
        let foreign = from.is_some_and(|from| from.host_str() != url.host_str());
        let is_post = method == Method::POST;
        let mut request = self.http.request(method, url.clone());
        if let Some(cookies) = self.jar.lock().unwrap().header(url, is_post && foreign) {
            request = request.header(header::COOKIE, cookies);
        }
        if let Some(name) = self.calls_itself {
            request = request.header(header::USER_AGENT, name);
        }
        if let Some(address) = self.comes_from {
            request = request.header("x-forwarded-for", address.to_string());
        }
        for (name, value) in self.says {
            request = request.header(*name, *value);
        }
        if self.tells == Tells::Both {
            request = request.header("sec-fetch-site", fetch_site(from, url, crossed));
        }
        if is_post && self.tells != Tells::Nothing {
            // `Referrer-Policy: same-origin` hides the origin from others.
            let origin = from.filter(|from| from.origin() == url.origin() && !crossed);
            let origin = origin.map_or("null".to_owned(), |from| from.origin().ascii_serialization());
            request = request.header(header::ORIGIN, origin);
        }
        if let Some(body) = body {
            request = request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for cookie in headers.get_all(header::SET_COOKIE) {
            self.jar.lock().unwrap().store(url, cookie.to_str().unwrap());
        }
        Page {
            url: url.clone(),
            status,
            headers,
            body: response.text().await.unwrap(),
        }
    }
}

/// What a person does on our pages.
impl Browser {
    /// On the first page: says where a code may come to.
    pub async fn ask_reset(&mut self, identifier: &str) -> &Page {
        let form = self.page().form_with("identifier").fill("identifier", identifier);
        self.submit(form).await
    }

    /// On the second: types the code.
    pub async fn enter_code(&mut self, code: &str) -> &Page {
        let form = self.page().form_with("code").fill("code", code);
        self.submit(form).await
    }

    /// On the second: asks for another code.
    pub async fn resend(&mut self) -> &Page {
        let form = self.page().form_to("/forgot-password/code/resend");
        self.submit(form).await
    }

    /// On the third: chooses a password.
    pub async fn choose_password(&mut self, password: &str) -> &Page {
        let form = self.page().form_with("password").fill("password", password);
        self.submit(form).await
    }

    /// On the sign-in page.
    pub async fn sign_in(&mut self, identifier: &str, password: &str) -> &Page {
        let form = self.page().form_with("password");
        let form = form.fill("identifier", identifier).fill("password", password);
        self.submit(form).await
    }

    /// On the account page: changes the password.
    pub async fn change_password(&mut self, current: &str, new: &str) -> &Page {
        let form = self.page().form_with("current_password");
        let form = form.fill("current_password", current).fill("password", new);
        self.submit(form).await
    }

    /// Asserts where the browser is.
    ///
    /// # Panics
    ///
    /// When it is elsewhere.
    #[track_caller]
    pub fn assert_at(&self, path: &str) {
        let page = self.page();
        assert_eq!(
            page.url.path(),
            path,
            "{}: {} ({:?})",
            page.status,
            page.text(),
            self.hops
        );
    }

    /// Asserts that the page says something.
    ///
    /// # Panics
    ///
    /// When it doesn't.
    #[track_caller]
    pub fn assert_says(&self, words: &str) {
        let page = self.page();
        assert!(
            page.text().contains(words),
            "{words:?} is not at {} ({}): {}",
            page.url,
            page.status,
            page.text()
        );
    }

    /// Asserts the status of the page.
    ///
    /// # Panics
    ///
    /// When it is another.
    #[track_caller]
    pub fn assert_status(&self, status: u16) {
        let page = self.page();
        assert_eq!(page.status, status, "{}: {}", page.url, page.text());
    }
}

fn fetch_site(from: Option<&Url>, to: &Url, crossed: bool) -> &'static str {
    match from {
        None => "none",
        Some(from) if from.host_str() != to.host_str() => "cross-site",
        Some(_) if crossed => "cross-site",
        Some(from) if from.origin() == to.origin() => "same-origin",
        Some(_) => "same-site",
    }
}
