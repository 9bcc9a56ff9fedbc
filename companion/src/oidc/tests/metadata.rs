use super::*;
use crate::store::apps::{self, StoredApp};
use crate::store::users::Added;

const DISCOVERY: &str = "/oidc/.well-known/openid-configuration";

#[tokio::test]
async fn discovery_3_the_document_tells_what_the_provider_does() {
    let bench = Bench::new().await;
    let answer = bench.get(DISCOVERY, "").await;
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/json");
    let document = answer.json();
    let issuer = "http://localhost:3001/oidc";
    assert_eq!(document["issuer"], issuer);
    for (name, path) in [
        ("authorization_endpoint", "/auth"),
        ("token_endpoint", "/token"),
        ("pushed_authorization_request_endpoint", "/request"),
        ("userinfo_endpoint", "/me"),
        ("jwks_uri", "/jwks"),
        ("revocation_endpoint", "/token/revocation"),
        ("introspection_endpoint", "/token/introspection"),
        ("end_session_endpoint", "/session/end"),
    ] {
        assert_eq!(document[name], format!("{issuer}{path}"), "{name}");
        let known = bench.get(&format!("/oidc{path}"), "").await;
        assert_ne!(known.status, StatusCode::NOT_FOUND, "{name}");
    }
    assert_eq!(document["first_screen_values_supported"][0], "reset-password");
    for (name, value) in [
        ("code_challenge_methods_supported", json!(["S256"])),
        ("response_types_supported", json!(["code"])),
        ("response_modes_supported", json!(["query", "form_post"])),
        ("subject_types_supported", json!(["public"])),
        (
            "prompt_values_supported",
            json!(["none", "login", "consent", "select_account"]),
        ),
        ("display_values_supported", json!(["page", "touch"])),
        ("ui_locales_supported", json!(["en"])),
        ("claim_types_supported", json!(["normal"])),
        ("claims_parameter_supported", json!(true)),
        ("request_parameter_supported", json!(false)),
        // Its default is true.
        ("request_uri_parameter_supported", json!(false)),
        ("require_pushed_authorization_requests", json!(false)),
    ] {
        assert_eq!(document[name], value, "{name}");
    }
    let algorithms = document["id_token_signing_alg_values_supported"]
        .as_array()
        .unwrap();
    assert!(algorithms.contains(&json!("RS256")), "it must be there");
    for absent in [
        "registration_endpoint",
        "service_documentation",
        "check_session_iframe",
        "frontchannel_logout_supported",
    ] {
        assert!(document.get(absent).is_none(), "{absent} is not offered");
    }
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    assert!(
        document["scopes_supported"]
            .as_array()
            .unwrap()
            .contains(&json!("read:books"))
    );
    let same = bench
        .get("/oidc/.well-known/oauth-authorization-server", "")
        .await;
    assert_eq!(same.json(), document);
}

#[tokio::test]
async fn documents_are_cached_and_known_ones_are_not_sent_again() {
    let bench = Bench::new().await;
    for path in [DISCOVERY, "/oidc/jwks"] {
        let first = bench.get(path, "").await;
        assert_eq!(first.header(header::CACHE_CONTROL), "public, max-age=300");
        let etag = first.header(header::ETAG);
        for sent in [etag.to_owned(), format!("\"x\", W/{etag}"), "*".to_owned()] {
            let request = Request::get(path)
                .header(header::IF_NONE_MATCH, sent)
                .body(Body::empty())
                .unwrap();
            let second = bench.send(request).await;
            assert_eq!(
                (second.status, second.body.as_str()),
                (StatusCode::NOT_MODIFIED, "")
            );
            assert_eq!(second.header(header::ETAG), etag);
        }
        let other = Request::get(path)
            .header(header::IF_NONE_MATCH, "\"x\"")
            .body(Body::empty())
            .unwrap();
        assert_eq!(bench.send(other).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn rfc7517_the_key_set_holds_public_keys_alone() {
    let bench = Bench::new().await;
    let keys = bench.get("/oidc/jwks", "").await.json();
    for key in keys["keys"].as_array().unwrap() {
        let mut names: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        match key["kty"].as_str().unwrap() {
            "EC" => assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]),
            "RSA" => assert_eq!(names, ["alg", "e", "kid", "kty", "n", "use"]),
            other => panic!("{other}"),
        }
    }
}

async fn cross_origin(bench: &Bench, method: Method, path: &str, origin: &str) -> Answer {
    let mut request = Request::builder()
        .method(&method)
        .uri(path)
        .header(header::ORIGIN, origin);
    if method == Method::OPTIONS {
        request = request.header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
    }
    bench.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn cors_anybody_reads_documents_and_registered_origins_read_answers() {
    let bench = Bench::new().await;
    let allowed = |answer: &Answer| answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN).to_owned();
    for method in [Method::GET, Method::OPTIONS] {
        for path in [DISCOVERY, "/oidc/jwks"] {
            let answer = cross_origin(&bench, method.clone(), path, "https://anybody.example").await;
            assert_eq!(allowed(&answer), "*", "{method} {path}");
        }
    }
    for path in ["/oidc/token", "/oidc/me", "/oidc/token/revocation"] {
        for method in [Method::POST, Method::OPTIONS] {
            let ours = cross_origin(&bench, method.clone(), path, "https://spa.example").await;
            assert_eq!(allowed(&ours), "https://spa.example", "{method} {path}");
            assert!(
                !ours
                    .headers
                    .contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS)
            );
            assert!(ours.header(header::VARY).contains("origin"));
            for origin in ["https://evil.example", "null", "https://spa.example.evil.example"] {
                let foreign = cross_origin(&bench, method.clone(), path, origin).await;
                assert_eq!(allowed(&foreign), "", "{method} {path} {origin}");
            }
        }
        let preflight = cross_origin(&bench, Method::OPTIONS, path, "https://spa.example").await;
        assert_eq!(preflight.status, StatusCode::NO_CONTENT);
        assert!(
            preflight
                .header(header::ACCESS_CONTROL_ALLOW_HEADERS)
                .contains("authorization")
        );
    }
    for path in ["/oidc/auth", "/oidc/session/end", "/oidc/token/introspection"] {
        let answer = cross_origin(&bench, Method::POST, path, "https://spa.example").await;
        assert_eq!(allowed(&answer), "", "{path}");
    }
}

#[tokio::test]
async fn apps_of_the_store_come_and_go_while_the_provider_runs() {
    let bench = Bench::new().await;
    let redirect = "https://added.example/callback";
    let config = json!({ "client_id": "added", "type": "spa", "redirect_uris": [redirect] });
    let app = StoredApp {
        config: serde_json::from_value(config).unwrap(),
        secret_digest: None,
    };
    let request = [("client_id", "added"), ("redirect_uri", redirect)];
    assert_eq!(
        bench.authorize(&request, "").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        apps::add(bench.store.writer(), &app, bench.now()).await.unwrap(),
        Added::Added
    );
    assert_eq!(
        apps::add(bench.store.writer(), &app, bench.now()).await.unwrap(),
        Added::Taken
    );
    let (_, cookie) = bench.sign_in(ALICE, "").await;
    let code = bench.authorize(&request, &cookie).await.sent("code").unwrap();
    let tokens = bench.exchange(&code, &request).await.json();
    let cors = cross_origin(&bench, Method::OPTIONS, "/oidc/token", "https://added.example").await;
    assert_eq!(
        cors.header(header::ACCESS_CONTROL_ALLOW_ORIGIN),
        "https://added.example"
    );

    let mut tx = bench.store.begin().await.unwrap();
    assert!(apps::remove(&mut tx, "added").await.unwrap());
    assert!(!apps::remove(&mut tx, "added").await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(
        bench.authorize(&request, &cookie).await.status,
        StatusCode::BAD_REQUEST
    );
    let after = bench.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(
        after.status,
        StatusCode::UNAUTHORIZED,
        "what was granted to it has ended"
    );
}

#[tokio::test]
async fn the_same_app_in_file_and_store_stops_the_start() {
    let bench = Bench::new().await;
    let config = json!({ "client_id": "spa", "type": "spa" });
    let app = StoredApp {
        config: serde_json::from_value(config).unwrap(),
        secret_digest: None,
    };
    apps::add(bench.store.writer(), &app, bench.now()).await.unwrap();
    let refused = start(
        &bench.store,
        &bench.root_keys,
        &bench.clock,
        "http://localhost:3001",
    )
    .await
    .unwrap_err();
    assert!(
        refused.to_string().contains("keyback app remove spa"),
        "{refused}"
    );
}
