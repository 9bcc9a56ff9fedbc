//! The tower layer: only a good token reaches the service, with its claims.

use std::convert::Infallible;

use keyback::http::{Request, Response};
use keyback::resource_server::{AccessToken, RequireAccessToken};
use serde_json::json;
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::{api, claims, signed};
use crate::provider::{SUBJECT, World};

async fn ask(rule: &RequireAccessToken, token: Option<&str>) -> (u16, String, Option<String>) {
    let service = service_fn(async |request: Request<()>| {
        let token = request.extensions().get::<AccessToken>().unwrap();
        Ok::<_, Infallible>(Response::new(token.subject().to_owned()))
    });
    let mut request = Request::get("/orders");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let answer = rule
        .layer(service)
        .oneshot(request.body(()).unwrap())
        .await
        .unwrap();
    let challenge = answer.headers().get("www-authenticate");
    let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), answer.into_body(), challenge)
}

#[tokio::test]
async fn only_a_good_token_reaches_the_service() {
    let world = World::new();
    let rule = RequireAccessToken::new(api(&world)).scope("read:orders");
    let token = signed(&world, &claims());
    assert_eq!(ask(&rule, Some(&token)).await, (200, SUBJECT.to_owned(), None));
    assert_eq!(
        ask(&rule, None).await,
        (401, String::new(), Some("Bearer".to_owned()))
    );
    let (status, body, challenge) = ask(&rule.clone().scope("admin"), Some(&token)).await;
    assert_eq!((status, body.as_str()), (403, ""));
    let expected = "Bearer error=\"insufficient_scope\", scope=\"read:orders admin\"";
    assert_eq!(challenge.as_deref(), Some(expected));
}

#[tokio::test]
async fn an_organization_can_be_asked_for() {
    let world = World::new();
    let rule = RequireAccessToken::new(api(&world)).organization();
    assert_eq!(ask(&rule, Some(&signed(&world, &claims()))).await.0, 403);
    let mut of = claims();
    of["organization_id"] = json!("o1");
    assert_eq!(ask(&rule, Some(&signed(&world, &of))).await.0, 200);
}
