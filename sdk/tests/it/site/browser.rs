//! A browser at a site of ours, and the provider that it is sent to.

use bytes::Bytes;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{Method, Request, Response};
use keyback::{Site, SiteBuilder};
use url::Url;

use crate::provider::World;

pub(crate) fn site(world: &World, configure: impl FnOnce(SiteBuilder) -> SiteBuilder) -> Site {
    configure(Site::builder(world.client.clone(), [6; 32]))
        .build()
        .unwrap()
}

/// It keeps cookies, and says about its requests what browsers say.
pub(crate) struct Browser {
    world: World,
    pub(crate) site: Site,
    pub(crate) jar: Vec<(String, String)>,
}

impl Browser {
    pub(crate) fn at(world: &World, site: &Site) -> Self {
        Self {
            world: world.clone(),
            site: site.clone(),
            jar: Vec::new(),
        }
    }

    pub(crate) fn header(&self) -> String {
        let pairs = self.jar.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    pub(crate) fn request(&self, method: Method, target: &str, says: &[(&str, &str)]) -> Request<Bytes> {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(COOKIE, self.header());
        for (name, value) in says {
            request = request.header(*name, *value);
        }
        request.body(Bytes::new()).unwrap()
    }

    /// Goes to an address of the site, by a click on the site itself.
    pub(crate) async fn open(&mut self, target: &str) -> Response<Bytes> {
        self.ask(self.request(Method::GET, target, NAVIGATION)).await
    }

    /// Sends a form of the site's own.
    pub(crate) async fn post(&mut self, target: &str) -> Response<Bytes> {
        let says = [("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate")];
        self.ask(self.request(Method::POST, target, &says)).await
    }

    pub(crate) async fn ask(&mut self, request: Request<Bytes>) -> Response<Bytes> {
        let answer = self
            .site
            .answer(&request)
            .await
            .expect("it is a route of the site's");
        self.take(&answer);
        answer
    }

    pub(crate) fn take<B>(&mut self, answer: &Response<B>) {
        for set in answer.headers().get_all(SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            self.jar.retain(|(known, _)| known != name);
            if !set.contains("Max-Age=0") {
                self.jar.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// The pending sign-ins that it has.
    pub(crate) fn pending(&self) -> usize {
        self.jar.iter().filter(|(name, _)| is_pending(name)).count()
    }

    /// From `target` to the provider, where the person signs in; gives the callback.
    pub(crate) async fn callback_after(&mut self, target: &str) -> String {
        let answer = self.open(target).await;
        assert_eq!(answer.status(), 303);
        let callback = self
            .world
            .provider
            .answer(&Url::parse(location(&answer)).unwrap());
        format!("{}?{}", callback.path(), callback.query().unwrap())
    }

    /// A whole sign-in; gives where it ends.
    pub(crate) async fn sign_in(&mut self) -> String {
        let callback = self.callback_after("/sign-in").await;
        let answer = self.open(&callback).await;
        assert_eq!(answer.status(), 303);
        location(&answer).to_owned()
    }

    /// Who the site thinks this is.
    pub(crate) async fn subject(&self) -> Option<String> {
        let request = self.request(Method::GET, "/", NAVIGATION);
        let signed_in = self.site.visit(request.headers()).signed_in().await.unwrap();
        signed_in.map(|signed_in| signed_in.subject().to_owned())
    }
}

/// The client's twelve characters are followed by a mark that tells; a session's own name may have any.
pub(crate) fn is_pending(name: &str) -> bool {
    name.split_once("kbrp_")
        .is_some_and(|(_, rest)| rest.as_bytes().get(12) == Some(&b'_'))
}

pub(crate) const NAVIGATION: &[(&str, &str)] = &[
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];

pub(crate) fn location<B>(answer: &Response<B>) -> &str {
    answer.headers()[LOCATION].to_str().unwrap()
}
