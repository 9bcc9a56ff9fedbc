//! The Management API's lists, from page to page.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use keyback::logto::management::UserSearch;
use serde_json::json;

use super::management::{management, token};
use super::server::Server;

/// The number of the page that is asked for.
fn page_of(request: &Request<Bytes>) -> usize {
    let query = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    let page = query.into_iter().find(|(name, _)| name == "page");
    page.map_or(0, |(_, page)| page.parse().unwrap())
}

#[tokio::test]
async fn pages_follow_each_other_until_the_total_is_reached() {
    let server = Server::of_total(45, |request| {
        if request.uri().path() == "/oidc/token" {
            return token("t");
        }
        let page = page_of(request);
        let ids = (0..45).skip((page - 1) * 20).take(20);
        let users = ids.map(|id| json!({ "id": format!("u{id}") }));
        (200, users.collect())
    });
    let api = management(server.clone());
    let (mut next, mut ids) = (Some(UserSearch::all()), Vec::new());
    while let Some(search) = next {
        let page = api.users(search).await.unwrap();
        assert_eq!(page.total, Some(45));
        ids.extend(page.users.into_iter().map(|user| user.id));
        next = page.next;
    }
    assert_eq!(ids.len(), 45);
    assert_eq!((ids[0].as_str(), ids[44].as_str()), ("u0", "u44"));
    assert_eq!(server.requests(), 4);
    let largest = api.users(UserSearch::all().page_size(1000)).await.unwrap();
    assert!(server.last_query().unwrap().contains("page_size=100"));
    assert!(largest.next.is_none());
}

/// Three accounts a page, however many are asked for.
fn of_small_pages(
    headers: impl Fn(usize) -> Vec<(&'static str, String)> + Send + Sync + 'static,
) -> Arc<Server> {
    Server::with_headers(
        move |request| headers(page_of(request)),
        |request| {
            if request.uri().path() == "/oidc/token" {
                return token("t");
            }
            let ids = (0..8).skip((page_of(request) - 1) * 3).take(3);
            (200, ids.map(|id| json!({ "id": format!("u{id}") })).collect())
        },
    )
}

async fn all_of(server: Arc<Server>, search: UserSearch) -> usize {
    let api = management(server);
    let (mut next, mut found) = (Some(search), 0);
    while let Some(search) = next {
        let page = api.users(search).await.unwrap();
        found += page.users.len();
        next = page.next;
    }
    found
}

/// RFC 8288: the link to the next page says more than a count that stopped, or a page that is smaller than was asked for.
#[tokio::test]
async fn pages_follow_the_link_to_the_next_one() {
    let linked = |page: usize| {
        let next = (page < 3).then(|| ("link", format!("</api/users?page={}>; rel=\"next\"", page + 1)));
        let mut headers = vec![("link", "</api/users?page=1>; rel=\"first\"".to_owned())];
        headers.extend(next);
        headers
    };
    let with_total = move |total: &'static str| {
        move |page| {
            let mut headers = linked(page);
            headers.push(("total-number", total.to_owned()));
            headers
        }
    };
    let all = || UserSearch::all().page_size(100);
    assert_eq!(all_of(of_small_pages(linked), all()).await, 8);
    assert_eq!(all_of(of_small_pages(with_total("8")), all()).await, 8);
    let capped = move |page| {
        let mut headers = with_total("5")(page);
        headers.push(("total-number-is-capped", "true".to_owned()));
        headers
    };
    assert_eq!(all_of(of_small_pages(capped), all()).await, 8);

    // Where nothing is linked, a count that stopped is no end: pages come until one is not full.
    let capped = |_| {
        vec![
            ("total-number", "3".to_owned()),
            ("total-number-is-capped", "true".to_owned()),
        ]
    };
    assert_eq!(
        all_of(of_small_pages(capped), UserSearch::all().page_size(3)).await,
        8
    );
    assert_eq!(
        all_of(of_small_pages(|_| Vec::new()), UserSearch::all().page_size(3)).await,
        8
    );
}
