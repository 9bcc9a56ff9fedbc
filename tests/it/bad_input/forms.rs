//! Forms and queries that can't be read, or are too large.

use reqwest::Method;

use super::{FORMS, Raw, Watched, assert_refused};

#[tokio::test]
async fn sr10_forms_that_are_no_forms() {
    let watched = Watched::start().await;
    for path in FORMS {
        let bodies: [&[u8]; 6] = [
            b"identifier=a%40b.example&identifier=c%40d.example&code=1&password=x",
            b"code=123456&code=123456",
            b"identifier=ada%40example.com%00",
            b"password=%00",
            b"identifier=%ff%fe",
            b"identifier[]=a&identifier[]=b",
        ];
        for body in bodies {
            assert_refused(&watched.post(path, body).await, 400);
        }
        assert_refused(&watched.post(path, b"\xff\xfe=\x80".as_slice()).await, 400);
        for content_type in [
            None,
            Some("application/json"),
            Some("multipart/form-data; boundary=x"),
            Some("text/plain"),
        ] {
            let page = watched
                .send(Raw {
                    method: Method::POST,
                    path,
                    content_type,
                    body: b"identifier=ada%40example.com".to_vec(),
                })
                .await;
            assert_refused(&page, 400);
        }
    }
    watched.assert_untouched().await;
}

#[tokio::test]
async fn sr10_fields_by_other_names_are_no_identifier() {
    let watched = Watched::start().await;
    for body in [
        "identifier[]=ada%40example.com",
        "identifier[email]=ada%40example.com",
        "email=ada%40example.com",
        "Identifier=ada%40example.com",
        "",
        "&&&",
        "=",
    ] {
        let page = watched.post("/forgot-password", body).await;
        assert_eq!(page.status, 422, "{body}");
        page.assert_guarded();
    }
    for (sent, shown) in [
        ("%7B%22email%22%3A%22ada%40example.com%22%7D", "&#34;"),
        ("ada%40example.com%0D%0ABcc%3A%20eve%40example.com", ""),
        ("ada%40example.com%2Ceve%40example.com", ""),
        ("%22Ada%22%20%3Cada%40example.com%3E", "&#60;"),
        ("%3Cscript%3Ealert(1)%3C%2Fscript%3E", "&#60;script"),
        ("+1-not-a-number", ""),
    ] {
        let page = watched
            .post("/forgot-password", format!("identifier={sent}"))
            .await;
        assert_eq!(page.status, 422, "{sent}");
        assert!(
            page.text().contains("That doesn’t look like an e-mail address"),
            "{sent}"
        );
        // SR-70: what was typed is shown again, and is text.
        assert!(page.body.contains(shown), "{sent}");
        assert!(!page.body.contains("<script>alert"), "{sent}");
    }
    let long = format!("identifier={}%40example.com", "a".repeat(300));
    assert_eq!(watched.post("/forgot-password", long).await.status, 422);
    watched.assert_untouched().await;
}

#[tokio::test]
async fn queries_that_are_no_queries() {
    let watched = Watched::start().await;
    for path in [
        "/sign-in",
        "/forgot-password",
        "/forgot-password/code",
        "/forgot-password/password",
        "/forgot-password/done",
        "/account",
        "/account/password",
        "/consent",
        "/reset-password",
        "/reset-password/callback",
        "/sign-out",
    ] {
        for query in ["i=1&i=2", "f=%ff", "to=%00", "client_id=a&client_id=b", "x=1&x=2"] {
            assert_refused(&watched.get(&format!("{path}?{query}")).await, 400);
        }
        // Strange, but harmless: no error, and never the server's fault.
        for query in [
            "",
            "%zz",
            "f[]=1&f[]x",
            "=",
            "&&",
            "i=%F0%9F%94%91",
            "client_id[]=shop",
        ] {
            let page = watched.get(&format!("{path}?{query}")).await;
            assert!(page.status < 500, "{path}?{query}: {}", page.status);
            page.assert_guarded();
        }
    }
    watched.assert_untouched().await;
}

#[tokio::test]
async fn a_body_of_a_mebibyte_is_too_much() {
    let watched = Watched::start().await;
    let body = format!("identifier={}", "a".repeat(1 << 20));
    for path in FORMS {
        assert_refused(&watched.post(path, body.clone()).await, 413);
    }
    // The provider's own endpoints answer in their own language.
    let token = watched.post("/oidc/token", body).await;
    assert!((400..500).contains(&token.status), "{}", token.status);
    assert_eq!(token.header("content-type"), "application/json");
    watched.assert_untouched().await;
}
