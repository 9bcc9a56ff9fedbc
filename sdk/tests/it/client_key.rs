//! `private_key_jwt` (RFC 7523): every kind of key, every endpoint, a new assertion each time.

use std::collections::HashSet;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use keyback::{Algorithm, AssertionAudience, Client, ClientKey, ConfigError, Error};
use serde_json::json;

use crate::provider::{CLIENT_ID, ISSUER, NOW, REDIRECT_URI, World};
use crate::seen::{Log, answer, parts, serve, signed};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A private key in PKCS#8, and the public half as its algorithm's check wants it.
struct Made {
    algorithm: Algorithm,
    pkcs8: Vec<u8>,
    public: Vec<u8>,
    check: &'static dyn VerificationAlgorithm,
}

fn made() -> Vec<Made> {
    let ec =
        |algorithm, signing: &'static EcdsaSigningAlgorithm, check: &'static dyn VerificationAlgorithm| {
            let pair = EcdsaKeyPair::generate(signing).unwrap();
            Made {
                algorithm,
                pkcs8: pair.to_pkcs8v1().unwrap().as_ref().to_vec(),
                public: pair.public_key().as_ref().to_vec(),
                check,
            }
        };
    let ed25519 = Ed25519KeyPair::generate().unwrap();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let rsa_der: Pkcs8V1Der<'_> = rsa.as_der().unwrap();
    vec![
        ec(
            Algorithm::Es256,
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &ECDSA_P256_SHA256_FIXED,
        ),
        ec(
            Algorithm::Es384,
            &ECDSA_P384_SHA384_FIXED_SIGNING,
            &ECDSA_P384_SHA384_FIXED,
        ),
        Made {
            algorithm: Algorithm::EdDsa,
            pkcs8: ed25519.to_pkcs8v1().unwrap().as_ref().to_vec(),
            public: ed25519.public_key().as_ref().to_vec(),
            check: &ED25519,
        },
        Made {
            algorithm: Algorithm::Rs256,
            pkcs8: rsa_der.as_ref().to_vec(),
            public: rsa.public_key().as_ref().to_vec(),
            check: &RSA_PKCS1_2048_8192_SHA256,
        },
    ]
}

fn es256() -> ClientKey {
    let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    ClientKey::from_pkcs8(Algorithm::Es256, pair).unwrap()
}

#[tokio::test]
async fn rfc7523_3_every_kind_of_key_signs_an_assertion_that_says_who_for_whom_and_until_when() {
    for key in made() {
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(&key.pkcs8)
        );
        for client_key in [
            ClientKey::from_pkcs8(key.algorithm, &key.pkcs8).unwrap(),
            ClientKey::from_pem(key.algorithm, &pem).unwrap(),
        ] {
            let world = World::with(|builder| builder.client_key(client_key.key_id("key-7")));
            world.sign_in().await.unwrap();
            let seen = world.provider.lock().token_request.clone().unwrap();
            assert_eq!(seen.authorization, None);
            assert_eq!(seen.field("client_secret"), None);
            assert_eq!(seen.field("client_id"), Some(CLIENT_ID));
            assert_eq!(seen.field("client_assertion_type"), Some(TYPE));
            let assertion = seen.field("client_assertion").unwrap();
            let (header, claims) = parts(assertion);
            assert_eq!(
                header,
                json!({ "alg": key.algorithm.as_str(), "kid": "key-7", "typ": "JWT" })
            );
            assert_eq!(claims["jti"].as_str().unwrap().len(), 43);
            let rest = json!({
                "iss": CLIENT_ID, "sub": CLIENT_ID, "aud": ISSUER, "iat": NOW, "exp": NOW + 60, "jti": claims["jti"],
            });
            assert_eq!(claims, rest);
            let (message, signature) = signed(assertion);
            UnparsedPublicKey::new(key.check, &key.public)
                .verify(message, &signature)
                .unwrap_or_else(|_| panic!("{:?}", key.algorithm));
        }
    }
}

/// RFC 7518 section 6 and RFC 8037 section 2, with the keys of their examples.
#[test]
fn a_private_jwk_is_read_with_its_id_and_algorithm() {
    let ec = json!({
        "kty": "EC", "crv": "P-256", "kid": "1",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
    });
    let okp = json!({
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    for jwk in [&ec, &okp] {
        ClientKey::from_jwk(jwk.to_string()).unwrap();
    }
    let printed = format!("{:?}", ClientKey::from_jwk(ec.to_string()).unwrap());
    assert!(
        printed.contains("Es256") && printed.contains("\"1\""),
        "{printed}"
    );
    assert!(!printed.contains("870MB6"), "{printed}");

    let changed = |member: &str, value: &str| {
        let mut jwk = ec.clone();
        jwk[member] = json!(value);
        ClientKey::from_jwk(jwk.to_string()).unwrap_err()
    };
    assert!(matches!(changed("alg", "ES384"), ConfigError::ClientKeyAlgorithm));
    assert!(matches!(changed("crv", "P-521"), ConfigError::ClientKeyAlgorithm));
    assert!(matches!(changed("kty", "oct"), ConfigError::ClientKeyAlgorithm));
    assert!(matches!(changed("x", "AAAA"), ConfigError::ClientKey));
    assert!(matches!(changed("d", "***"), ConfigError::ClientKey));
    assert!(matches!(
        ClientKey::from_jwk("{}").unwrap_err(),
        ConfigError::ClientKey
    ));
    // The public half alone.
    let mut public = ec.clone();
    public.as_object_mut().unwrap().remove("d");
    assert!(matches!(
        ClientKey::from_jwk(public.to_string()).unwrap_err(),
        ConfigError::ClientKey
    ));
}

#[test]
fn an_rsa_jwk_is_read_from_its_seven_numbers() {
    // A key of 512 bits would be quicker to write down, and is refused.
    let short = json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xC5; 64]), "e": "AQAB", "d": "AQ", "p": "Aw", "q": "BQ", "dp": "AQ", "dq": "AQ", "qi": "AQ" });
    assert!(matches!(
        ClientKey::from_jwk(short.to_string()).unwrap_err(),
        ConfigError::ClientKey
    ));
    ClientKey::from_jwk(include_str!("client_key.rsa.json")).unwrap();
    let ps256 = include_str!("client_key.rsa.json").replacen('{', "{\"alg\":\"PS256\",", 1);
    let printed = format!("{:?}", ClientKey::from_jwk(ps256).unwrap());
    assert!(printed.contains("Ps256"), "{printed}");
}

#[test]
fn what_is_no_key_is_refused_when_it_is_given() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let der = pair.to_pkcs8v1().unwrap();
    for (algorithm, bytes) in [
        (Algorithm::Es384, der.as_ref()),
        (Algorithm::Rs256, der.as_ref()),
        (Algorithm::EdDsa, der.as_ref()),
        (Algorithm::Es256, b"".as_slice()),
        (Algorithm::Es256, b"-----BEGIN PRIVATE KEY-----".as_slice()),
    ] {
        let error = ClientKey::from_pkcs8(algorithm, bytes).unwrap_err();
        assert!(matches!(error, ConfigError::ClientKey), "{algorithm:?}: {error}");
        let error = ClientKey::from_pem(algorithm, bytes).unwrap_err();
        assert!(matches!(error, ConfigError::ClientKey), "{algorithm:?}: {error}");
    }
    let error = ClientKey::from_pkcs8(Algorithm::Es512, der.as_ref()).unwrap_err();
    assert!(matches!(error, ConfigError::ClientKeyAlgorithm), "{error}");
    let both = Client::builder(ISSUER, CLIENT_ID)
        .redirect_uri(REDIRECT_URI)
        .client_secret("secret")
        .client_key(es256());
    assert!(matches!(
        both.build().unwrap_err(),
        Error::Config(ConfigError::SecretAndKey)
    ));
}

/// Each endpoint where a client proves who it is: token, pushed request, revocation, device.
fn endpoints(world: &World) -> [Log; 3] {
    let begun = json!({
        "device_code": "d", "user_code": "u", "verification_uri": "https://id.example/device", "expires_in": 60,
    });
    [
        serve(
            world,
            "/oidc/par",
            Some("pushed_authorization_request_endpoint"),
            |_, _| answer(201, &json!({ "request_uri": "urn:x:1", "expires_in": 60 }), &[]),
        ),
        serve(world, "/oidc/revoke", Some("revocation_endpoint"), |_, _| {
            answer(200, &json!({}), &[])
        }),
        serve(
            world,
            "/oidc/device",
            Some("device_authorization_endpoint"),
            move |_, _| answer(200, &begun, &[]),
        ),
    ]
}

#[tokio::test]
async fn rfc7521_4_2_every_endpoint_gets_an_assertion_of_its_own() {
    let world = World::with(|builder| builder.client_key(es256().audience(AssertionAudience::TokenEndpoint)));
    let logs = endpoints(&world);
    let session = world.sign_in().await.unwrap();
    world.client.refresh(&session).await.unwrap();
    world.client.revoke(&session).await.unwrap();
    world.client.begin_on_device(["email"]).await.unwrap();
    world.provider.lock().metadata["require_pushed_authorization_requests"] = json!(true);
    // The metadata is known already: another client learns that requests are pushed.
    let pushing = World::with(|builder| builder.client_key(es256()).pushed_requests());
    let [pushed, ..] = endpoints(&pushing);
    let _ = pushing.begin().await;

    let mut ids = HashSet::new();
    for seen in [logs[1].last(), logs[2].last(), pushed.last()] {
        assert_eq!(seen.field("client_assertion_type"), Some(TYPE));
        assert_eq!(seen.field("client_id"), Some(CLIENT_ID));
        assert_eq!(seen.header("authorization"), None);
        let (_, claims) = parts(seen.field("client_assertion").unwrap());
        assert!(ids.insert(claims["jti"].as_str().unwrap().to_owned()));
    }
    let (_, claims) = parts(logs[1].last().field("client_assertion").unwrap());
    assert_eq!(claims["aud"], json!(format!("{ISSUER}/token")));
}

#[tokio::test]
async fn a_secret_proves_the_client_at_every_endpoint_too() {
    let world = World::with(|builder| builder.client_secret("se:cr/et").pushed_requests());
    let [pushed, revoked, device] = endpoints(&world);
    let _ = world.begin().await;
    world.provider.lock().metadata["pushed_authorization_request_endpoint"] = json!(null);
    let begun = world.client.begin_on_device(["email"]).await.unwrap();
    assert_eq!(begun.user_code(), "u");
    let signed_in = World::with(|builder| builder.client_secret("se:cr/et"));
    let session = signed_in.sign_in().await.unwrap();
    world.client.revoke(&session).await.unwrap();
    for log in [pushed, revoked, device] {
        let header = log.last().header("authorization").map(str::to_owned).unwrap();
        assert_eq!(
            header,
            format!("Basic {}", STANDARD.encode("my-app:se%3Acr%2Fet"))
        );
        assert_eq!(log.last().field("client_secret"), None);
    }
}
