//! `private_key_jwt` at the token endpoint and its like.

mod published_keys;
mod signer;

use std::time::Duration;

use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use self::signer::{ISSUER, Key, TYPE, es256};
use super::*;
use crate::store::apps::{self, StoredApp};

#[tokio::test]
async fn oidc_core_9_private_key_jwt_is_taken_with_each_algorithm_that_discovery_names() {
    let bench = Bench::new().await;
    let (p384, rsa) = (
        EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(),
        RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
    );
    let keys = [
        ("a", Key::p256()),
        ("b", Key::Ec(p384)),
        ("c", Key::Rsa(rsa)),
        ("d", Key::Ed(Ed25519KeyPair::generate().unwrap())),
    ];
    let published: Vec<_> = keys.iter().map(|(kid, key)| key.jwk(kid)).collect();
    bench.add_signer(&published).await;
    let mut taken = Vec::new();
    for (alg, at) in [
        ("ES256", 0),
        ("ES384", 1),
        ("RS256", 2),
        ("PS256", 2),
        ("EdDSA", 3),
    ] {
        let (kid, key) = &keys[at];
        for header in [
            json!({ "alg": alg, "kid": kid, "typ": "JWT" }),
            json!({ "alg": alg }),
        ] {
            let claims = bench.claims(&header.to_string(), &json!({}));
            let answer = bench.with_assertion(&key.sign(&header, &claims)).await;
            assert_eq!(answer.status, StatusCode::OK, "{header}: {}", answer.body);
        }
        taken.push(alg);
    }
    let document = bench
        .get("/oidc/.well-known/openid-configuration", "")
        .await
        .json();
    for endpoint in ["token", "revocation", "introspection"] {
        assert_eq!(
            document[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")],
            json!(taken)
        );
        let methods = document[format!("{endpoint}_endpoint_auth_methods_supported")].clone();
        assert!(methods.as_array().unwrap().contains(&json!("private_key_jwt")));
        assert_eq!(
            methods.as_array().unwrap().contains(&json!("none")),
            endpoint != "introspection"
        );
    }
}

#[tokio::test]
async fn rfc7523_3_what_an_assertion_says_is_checked_claim_by_claim() {
    let bench = Bench::new().await;
    bench.clock.advance(Duration::from_secs(10_000_000));
    let key = Key::p256();
    bench.add_signer(&[key.jwk("one")]).await;
    let now = bench.now().as_secs();
    let here = |path: &str| format!("{ISSUER}{path}");
    for (at, (changes, good)) in [
        (json!({}), true),
        (json!({ "aud": here("/token") }), true),
        (json!({ "aud": here("/token/revocation") }), true),
        (json!({ "aud": [here("/request"), ISSUER] }), true),
        (json!({ "iat": null, "nbf": now }), true),
        (json!({ "exp": now + 600 }), true),
        (json!({ "exp": now + 60, "iat": now + 20 }), true),
        (json!({ "exp": now - 20, "iat": now - 80 }), true),
        (json!({ "exp": (now + 60) as f64 + 0.5 }), true),
        (json!({ "iss": "spa" }), false),
        (json!({ "iss": null }), false),
        (json!({ "aud": null }), false),
        (json!({ "aud": [] }), false),
        (json!({ "aud": "https://other.example" }), false),
        (json!({ "aud": "signer" }), false),
        (json!({ "aud": format!("{ISSUER}/") }), false),
        (json!({ "aud": format!("{ISSUER}.evil.example/token") }), false),
        (json!({ "aud": [ISSUER, "https://other.example"] }), false),
        (json!({ "exp": null }), false),
        (json!({ "exp": now - 31, "iat": now - 90 }), false),
        (json!({ "exp": now + 700 }), false),
        (json!({ "exp": "soon" }), false),
        (json!({ "exp": 1e300 }), false),
        (json!({ "nbf": now + 31 }), false),
        (json!({ "iat": now + 31 }), false),
        (json!({ "exp": now + 5, "iat": now + 10 }), false),
        (json!({ "jti": null }), false),
        (json!({ "jti": "" }), false),
        (json!({ "jti": 7 }), false),
    ]
    .into_iter()
    .enumerate()
    {
        let claims = bench.claims(&format!("jti {at}"), &changes);
        let answer = bench.with_assertion(&key.sign(&es256("one"), &claims)).await;
        if good {
            assert_eq!(answer.status, StatusCode::OK, "{changes}: {}", answer.body);
        } else {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{changes}");
            assert_eq!(answer.error(), "invalid_client", "{changes}");
        }
    }
}

#[tokio::test]
async fn rfc8725_3_an_assertion_counts_only_with_a_signature_of_the_apps_own_key() {
    let bench = Bench::new().await;
    let (key, other) = (Key::p256(), Key::p256());
    bench.add_signer(&[key.jwk("one")]).await;
    let claims = |jti: &str| bench.claims(jti, &json!({}));
    let good = key.sign(&es256("one"), &claims("good"));
    let (message, signature) = good.rsplit_once('.').unwrap();
    let unsigned = |header: Value| {
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", text(&header), text(&claims("unsigned")))
    };
    let mut turned = URL_SAFE_NO_PAD.decode(signature).unwrap();
    turned[10] ^= 1;
    for (bad, why) in [
        (other.sign(&es256("one"), &claims("a")), "another key"),
        (key.sign(&es256("two"), &claims("b")), "another key id"),
        (
            key.sign(&json!({ "alg": "ES384" }), &claims("c")),
            "another algorithm",
        ),
        (key.sign(&json!({ "alg": "HS256" }), &claims("d")), "an HMAC"),
        (
            key.sign(
                &json!({ "alg": "ES256", "crit": ["b64"], "b64": false }),
                &claims("e"),
            ),
            "crit",
        ),
        (
            key.sign(&json!({ "alg": "ES256", "typ": "dpop+jwt" }), &claims("f")),
            "another kind",
        ),
        (format!("{}.", unsigned(json!({ "alg": "none" }))), "alg none"),
        (
            format!("{}.{signature}", unsigned(es256("one"))),
            "a signature of something else",
        ),
        (
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(&turned)),
            "a changed signature",
        ),
        (format!("{message}."), "no signature"),
        (message.to_owned(), "no third part"),
        ("x".repeat(20_000), "too long"),
        ("a.b.c".to_owned(), "no JWT"),
    ] {
        let answer = bench.with_assertion(&bad).await;
        assert_eq!(
            (answer.status.as_u16(), answer.error().as_str()),
            (401, "invalid_client"),
            "{why}"
        );
    }
    assert_eq!(bench.with_assertion(&good).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rfc7523_3_7_an_assertion_serves_once_whoever_is_faster() {
    let bench = Arc::new(Bench::new().await);
    let key = Key::p256();
    bench.add_signer(&[key.jwk("one")]).await;
    let assertion = key.sign(&es256("one"), &bench.claims("once", &json!({})));
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (bench, assertion) = (bench.clone(), assertion.clone());
        running.spawn(async move { bench.with_assertion(&assertion).await });
    }
    let answers = running.join_all().await;
    let taken = answers.iter().filter(|answer| answer.status == StatusCode::OK);
    assert_eq!(taken.count(), 1);
    let used = answers
        .iter()
        .filter(|answer| answer.body.contains("used already"));
    assert_eq!(used.count(), 99);
    // Still remembered at the end of its life, leeway included, and forgotten after it.
    bench.clock.advance(Duration::from_secs(89));
    bench.provider.sweep(bench.now()).await.unwrap();
    let again = bench.with_assertion(&assertion).await;
    assert!(again.body.contains("used already"), "{}", again.body);
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(bench.provider.sweep(bench.now()).await.unwrap(), 1);
    let late = bench.with_assertion(&assertion).await;
    assert!(late.body.contains("expired"), "{}", late.body);
    // Another app may use the same jti; a failed check doesn't use it up.
    let wrong = bench.claims("second", &json!({ "aud": "https://other.example" }));
    assert_eq!(
        bench
            .with_assertion(&key.sign(&es256("one"), &wrong))
            .await
            .status,
        401
    );
    let right = key.sign(&es256("one"), &bench.claims("second", &json!({})));
    assert_eq!(bench.with_assertion(&right).await.status, StatusCode::OK);
}

#[tokio::test]
async fn rfc6749_2_3_an_app_authenticates_by_its_one_method_and_once() {
    let bench = Bench::new().await;
    let key = Key::p256();
    bench.add_signer(&[key.jwk("one")]).await;
    for method in ["client_secret_basic", "client_secret_post"] {
        let app = StoredApp {
            config: serde_json::from_value(
                json!({ "client_id": method, "type": "machine", "token_endpoint_auth_method": method }),
            )
            .unwrap(),
            secret_digest: Some(digest_of(SECRET)),
        };
        apps::add(bench.store.writer(), &app, bench.now()).await.unwrap();
    }
    let basic = |id: &str| {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{SECRET}"));
        ("authorization", format!("Basic {pair}"))
    };
    let assertion = |jti: &str| key.sign(&es256("one"), &bench.claims(jti, &json!({})));
    let signed = assertion("twice");
    let asserted = [
        ("client_assertion_type", TYPE),
        ("client_assertion", signed.as_str()),
    ];
    let unknown_type = [
        ("client_assertion_type", "urn:x"),
        ("client_assertion", signed.as_str()),
    ];
    let (secret, token) = (("client_secret", SECRET), ("token", "x"));
    for (form, header, status, error) in [
        (vec![], Some("client_secret_basic"), 200, ""),
        (vec![], Some("client_secret_post"), 401, "invalid_client"),
        (vec![("client_id", "client_secret_post"), secret], None, 200, ""),
        (
            vec![("client_id", "client_secret_basic"), secret],
            None,
            401,
            "invalid_client",
        ),
        // private_key_jwt is exclusive.
        (vec![("client_id", "signer"), secret], None, 401, "invalid_client"),
        (vec![("client_id", "signer")], None, 401, "invalid_client"),
        (vec![], Some("signer"), 401, "invalid_client"),
        // Two ways at once.
        (asserted.to_vec(), Some("signer"), 400, "invalid_request"),
        ([&asserted[..], &[secret]].concat(), None, 400, "invalid_request"),
        (
            [&asserted[..], &[("client_id", "spa")]].concat(),
            None,
            400,
            "invalid_request",
        ),
        (unknown_type.to_vec(), None, 401, "invalid_client"),
        (asserted[1..].to_vec(), None, 401, "invalid_client"),
        (asserted[..1].to_vec(), None, 401, "invalid_client"),
        // The client_id may stand beside it (RFC 7521 4.2).
        (
            [&asserted[..], &[("client_id", "signer")]].concat(),
            None,
            200,
            "",
        ),
    ] {
        let form = [&form[..], &[token]].concat();
        let header = header.map(basic);
        let headers: Vec<_> = header
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let answer = bench.post("/oidc/token/revocation", &form, &headers).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{form:?} {headers:?} {}",
            answer.body
        );
        if status != 200 {
            assert_eq!(answer.error(), error, "{form:?}");
        }
    }
    // Apps without keys get nowhere with an assertion, theirs or anybody's.
    let claims = bench.claims("x", &json!({ "iss": "machine", "sub": "machine" }));
    assert_eq!(
        bench
            .with_assertion(&key.sign(&es256("one"), &claims))
            .await
            .status,
        401
    );
}
