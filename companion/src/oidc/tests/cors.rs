//! Whose pages may read which answers (Fetch standard, CORS protocol).

use super::*;

const OF_SPA: &str = "https://spa.example";
const OF_FOREIGN: &str = "https://foreign.example";

fn allowed(answer: &Answer) -> &str {
    answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN)
}

#[tokio::test]
async fn fetch_3_2_an_answer_to_an_app_is_read_by_pages_of_that_app_alone() {
    let bench = Bench::new().await;
    for (origin, own) in [
        (OF_SPA, true),
        (OF_FOREIGN, false),
        ("https://web.example", false),
    ] {
        let readable = if own { origin } else { "" };
        let code = bench.code(&[]).await;
        let grant = [
            ("grant_type", "authorization_code"),
            ("client_id", "spa"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let tokens = bench.post("/oidc/token", &grant, &[("origin", origin)]).await;
        assert_eq!(
            tokens.status,
            StatusCode::OK,
            "CORS keeps answers from pages, not from apps"
        );
        assert_eq!(allowed(&tokens), readable);
        assert!(tokens.header(header::VARY).contains("origin"));
        let refused = bench.post("/oidc/token", &grant, &[("origin", origin)]).await;
        assert_eq!(
            (refused.error().as_str(), allowed(&refused)),
            ("invalid_grant", readable)
        );

        let tokens = bench.tokens().await;
        let access_token = tokens["access_token"].as_str().unwrap();
        let userinfo = Request::get("/oidc/me")
            .header(header::ORIGIN, origin)
            .header(header::AUTHORIZATION, format!("Bearer {access_token}"))
            .body(Body::empty())
            .unwrap();
        let userinfo = bench.send(userinfo).await;
        assert_eq!((userinfo.status, allowed(&userinfo)), (StatusCode::OK, readable));
        let give_back = [("client_id", "spa"), ("token", access_token)];
        let revoked = bench
            .post("/oidc/token/revocation", &give_back, &[("origin", origin)])
            .await;
        assert_eq!((revoked.status, allowed(&revoked)), (StatusCode::OK, readable));
    }
}

#[tokio::test]
async fn fetch_3_2_the_named_app_decides_before_it_has_proved_to_be_it_and_all_apps_where_none_is_named() {
    let bench = Bench::new().await;
    let wrong = [("client_id", "web"), ("client_secret", "wrong")];
    for (form, origin, readable) in [
        (&wrong[..], "https://web.example", true),
        (&wrong[..], OF_SPA, false),
        (&[("client_id", "nobody")], OF_SPA, true),
        (&[("client_id", "nobody")], "https://evil.example", false),
        (&[], OF_FOREIGN, true),
    ] {
        let answer = bench.post("/oidc/token", form, &[("origin", origin)]).await;
        assert_eq!(answer.error(), "invalid_client");
        assert_eq!(
            allowed(&answer),
            if readable { origin } else { "" },
            "{form:?} {origin}"
        );
    }
    // A page learns that its token is dead, whoever had it.
    let dead = Request::get("/oidc/me")
        .header(header::ORIGIN, OF_SPA)
        .header(header::AUTHORIZATION, "Bearer unheard")
        .body(Body::empty())
        .unwrap();
    let dead = bench.send(dead).await;
    assert_eq!((dead.status, allowed(&dead)), (StatusCode::UNAUTHORIZED, OF_SPA));
}
