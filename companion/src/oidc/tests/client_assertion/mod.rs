//! `private_key_jwt` at the token endpoint and its like.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom as Rng;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::http::server::{ServingLimits, serve};
use crate::oidc::client_keys::KeySet;
use crate::oidc::jws;
use crate::store::apps::{self, StoredApp};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ISSUER: &str = "http://localhost:3001/oidc";

/// A key of an app's own.
enum Key {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Key {
    fn p256() -> Self {
        Self::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// The public half.
    fn jwk(&self, kid: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Ec(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let crv = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "kid": kid, "crv": crv, "x": text(x), "y": text(y) })
            }
            Self::Rsa(pair) => {
                let (n, e) = jws::rsa_integers(pair.public_key().as_ref()).unwrap();
                json!({ "kty": "RSA", "kid": kid, "n": text(n), "e": text(e) })
            }
            Self::Ed(pair) => {
                json!({ "kty": "OKP", "kid": kid, "crv": "Ed25519", "x": text(pair.public_key().as_ref()) })
            }
        }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", text(header), text(claims));
        let signature = match self {
            Self::Ec(pair) => pair
                .sign(&Rng::new(), message.as_bytes())
                .unwrap()
                .as_ref()
                .to_vec(),
            Self::Ed(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let how: &dyn aws_lc_rs::signature::RsaEncoding = if header["alg"] == "PS256" {
                    &RSA_PSS_SHA256
                } else {
                    &RSA_PKCS1_SHA256
                };
                pair.sign(how, &Rng::new(), message.as_bytes(), &mut signature)
                    .unwrap();
                signature
            }
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl Bench {
    async fn add_app(&self, config: Value) {
        let app = StoredApp {
            config: serde_json::from_value(config).unwrap(),
            secret_digest: None,
        };
        apps::add(self.store.writer(), &app, self.now()).await.unwrap();
    }

    /// A machine app with these keys: what it gets with an assertion needs nobody to sign in.
    async fn add_signer(&self, keys: &[Value]) {
        self.add_app(
            json!({ "client_id": "signer", "type": "machine", "scopes": ["reports"],
            "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": keys } }),
        )
        .await;
    }

    /// What an assertion of the app says, with changes; null leaves a claim out.
    fn claims(&self, jti: &str, changes: &Value) -> Value {
        let now = self.now().as_secs();
        let mut claims = json!({ "iss": "signer", "sub": "signer", "aud": ISSUER, "exp": now + 60, "iat": now,
            "jti": jti });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        claims
    }

    async fn with_assertion(&self, assertion: &str) -> Answer {
        let form = [
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion),
            ("token", "unheard"),
        ];
        self.post("/oidc/token/revocation", &form, &[]).await
    }
}

fn es256(kid: &str) -> Value {
    json!({ "alg": "ES256", "kid": kid })
}

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

#[tokio::test]
async fn rfc7523_3_7_an_assertion_serves_once_whoever_is_faster() {
    let bench = Bench::new().await;
    let key = Key::p256();
    bench.add_signer(&[key.jwk("one")]).await;
    let assertion = key.sign(&es256("one"), &bench.claims("once", &json!({})));
    let (a, b, c) = tokio::join!(
        bench.with_assertion(&assertion),
        bench.with_assertion(&assertion),
        bench.with_assertion(&assertion)
    );
    let taken = [a, b, c]
        .iter()
        .filter(|answer| answer.status == StatusCode::OK)
        .count();
    assert_eq!(taken, 1);
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

/// An address where an app publishes its keys, and how often it was asked.
struct Published {
    url: String,
    keys: Arc<std::sync::Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicU64>,
    /// Serves until this is dropped.
    _running: tokio::sync::watch::Sender<bool>,
}

impl Published {
    async fn new() -> Self {
        let keys = Arc::new(std::sync::Mutex::new((StatusCode::OK, String::new())));
        let asked = Arc::new(AtomicU64::new(0));
        let (held, count) = (keys.clone(), asked.clone());
        let router = Router::new().fallback(async move || {
            count.fetch_add(1, Ordering::SeqCst);
            let (status, body) = held.lock().unwrap().clone();
            // Elsewhere the same would be found: only a redirect that is followed gets there.
            (status, [(header::LOCATION, "/elsewhere")], body)
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let limits = ServingLimits {
            max_connections: 10,
            header_timeout: Duration::from_secs(10),
        };
        let (running, stop) = tokio::sync::watch::channel(false);
        tokio::spawn(serve(listener, router, limits, stop));
        Self {
            url,
            keys,
            asked,
            _running: running,
        }
    }

    fn publish(&self, keys: &[Value]) {
        *self.keys.lock().unwrap() = (StatusCode::OK, json!({ "keys": keys }).to_string());
    }

    fn break_down(&self, status: u16, body: &str) {
        *self.keys.lock().unwrap() = (StatusCode::from_u16(status).unwrap(), body.to_owned());
    }

    fn asked(&self) -> u64 {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

#[tokio::test]
async fn oidc_core_10_1_1_published_keys_are_kept_and_fetched_anew_for_a_new_key() {
    let bench = Bench::new().await;
    let published = Published::new().await;
    let config = json!({ "client_id": "signer", "type": "machine", "jwks_uri": published.url,
        "token_endpoint_auth_method": "private_key_jwt" });
    bench.add_app(config).await;
    let (one, two) = (Key::p256(), Key::p256());
    published.publish(&[one.jwk("one")]);
    let mut drawn = 0;
    let mut signed = |key: &Key, kid: &str| {
        drawn += 1;
        key.sign(&es256(kid), &bench.claims(&drawn.to_string(), &json!({})))
    };
    // At once: one request for all.
    let three = [signed(&one, "one"), signed(&one, "one"), signed(&one, "one")];
    let (a, b, c) = tokio::join!(
        bench.with_assertion(&three[0]),
        bench.with_assertion(&three[1]),
        bench.with_assertion(&three[2])
    );
    assert!([a, b, c].iter().all(|answer| answer.status == StatusCode::OK));
    assert_eq!(published.asked(), 1);
    // Made-up keys are looked for once a minute at most.
    published.publish(&[one.jwk("one"), two.jwk("two")]);
    for _ in 0..3 {
        assert_eq!(bench.with_assertion(&signed(&two, "two")).await.status, 401);
    }
    assert_eq!(published.asked(), 0);
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!(
        bench.with_assertion(&signed(&two, "two")).await.status,
        StatusCode::OK
    );
    assert_eq!(
        bench.with_assertion(&signed(&one, "one")).await.status,
        StatusCode::OK
    );
    assert_eq!(bench.with_assertion(&signed(&one, "three")).await.status, 401);
    assert_eq!(published.asked(), 1);
    // A withdrawn key dies with the copy that is kept.
    published.publish(&[two.jwk("two")]);
    bench.clock.advance(Duration::from_secs(600));
    assert_eq!(bench.with_assertion(&signed(&one, "one")).await.status, 401);
    assert_eq!(published.asked(), 1);
    // While the address fails, what is known serves on for an hour, and it is asked every ten seconds at most.
    published.break_down(503, "");
    bench.clock.advance(Duration::from_secs(600));
    for _ in 0..3 {
        assert_eq!(
            bench.with_assertion(&signed(&two, "two")).await.status,
            StatusCode::OK
        );
    }
    assert_eq!(published.asked(), 1);
    bench.clock.advance(Duration::from_secs(3_600));
    assert_eq!(bench.with_assertion(&signed(&two, "two")).await.status, 401);
    assert_eq!(published.asked(), 1);
    // Back again.
    published.publish(&[two.jwk("two")]);
    assert_eq!(bench.with_assertion(&signed(&two, "two")).await.status, 401);
    bench.clock.advance(Duration::from_secs(10));
    assert_eq!(
        bench.with_assertion(&signed(&two, "two")).await.status,
        StatusCode::OK
    );
    assert_eq!(published.asked(), 1);
}

#[tokio::test]
async fn sr61_what_is_no_key_set_opens_nothing_and_redirects_are_not_followed() {
    let bench = Bench::new().await;
    let published = Published::new().await;
    let config = json!({ "client_id": "signer", "type": "machine", "jwks_uri": published.url,
        "token_endpoint_auth_method": "private_key_jwt" });
    bench.add_app(config).await;
    let key = Key::p256();
    let set = json!({ "keys": [key.jwk("one")] }).to_string();
    for (at, (status, body)) in [
        (302, set.clone()),
        (500, set.clone()),
        (200, "<html>".to_owned()),
        (200, "{\"keys\":[]}".to_owned()),
        (200, format!("{}{set}", " ".repeat(20 * 1024))),
    ]
    .iter()
    .enumerate()
    {
        published.break_down(*status, body);
        let assertion = key.sign(&es256("one"), &bench.claims(&at.to_string(), &json!({})));
        let answer = bench.with_assertion(&assertion).await;
        assert_eq!(
            (answer.status.as_u16(), answer.error().as_str()),
            (401, "invalid_client"),
            "{body}"
        );
        assert_eq!(published.asked(), 1, "{status}");
        bench.clock.advance(Duration::from_secs(10));
    }
}

#[test]
fn rfc7517_4_a_key_set_of_the_configuration_keeps_its_keys_in_the_store() {
    let document = json!({ "keys": [Key::p256().jwk("one")] });
    let read: crate::config::client_keys::ClientKeys =
        serde_json::from_value(Value::String(document.to_string())).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), document);
    assert!(KeySet::parse(&serde_json::to_value(&read).unwrap()).is_ok());
}
